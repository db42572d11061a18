"""A ledger in memory whose transactions behave as DynamoDB's: all or nothing, cancelled where two meet on one item.

Safe under threads, unlike moto. For tests of drawn prizes and `make bench ONLY=budget_contention`.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.rewards.holds import HoldPlace, HoldRefusedError, lets_go
from uncap.domain.rewards.reward import Reward


class HoldingLedger:
    """`create`, `get`, `replace` of LedgerStore and all of HoldStore.

    A transaction takes `latency_s`, during which its items are busy: another one that touches them is cancelled.
    `losses` says of each create in turn: "" goes through, "before" and "after" lose the call or the reply.
    """

    def __init__(self, latency_s: float = 0.0, losses: Iterable[str] = ()) -> None:
        self.latency_s = latency_s
        self.rewards: dict[str, Reward] = {}
        self.counts: Counter[str] = Counter()
        self.units: Counter[str] = Counter()
        self._losses = iter(losses)
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def create(self, reward: Reward) -> Reward:
        with self._lock:
            self.units["put"] += 1
            return self.rewards.setdefault(reward.reward_id, reward)

    def get(self, reward_id: str) -> Reward | None:
        return self.rewards.get(reward_id)

    def create_held(self, reward: Reward, places: Sequence[HoldPlace]) -> Reward:
        lost = next(self._losses, "")
        if lost == "before":
            raise TransientError("table_unavailable", "the call was lost")
        self._enter([reward.reward_id, *(place.key for place in places)])
        stored = self._held(reward, places)
        if lost == "after":
            raise TransientError("table_unavailable", "the reply was lost")
        return stored

    def held(self, keys: Sequence[str]) -> Mapping[str, int]:
        with self._lock:
            self.units["read"] += len(keys)
            return {key: self.counts[key] for key in keys}

    def replace(self, old: Reward, new: Reward) -> None:
        with self._lock:
            if self.rewards[old.reward_id].rev != old.rev:
                raise ConflictError("reward_moved", "moved")
            if lets_go(old, new):
                self.counts.subtract(old.holds)
            self.rewards[new.reward_id] = new

    def _enter(self, keys: Sequence[str]) -> None:
        with self._lock:
            self.units["transaction"] += 2 * len(keys)
            if self._busy.intersection(keys):
                raise TransientError("hold_contended", "cancelled: another transaction is there")
            self._busy.update(keys)
        if self.latency_s:
            time.sleep(self.latency_s)

    def _held(self, reward: Reward, places: Sequence[HoldPlace]) -> Reward:
        with self._lock:
            self._busy.difference_update([reward.reward_id, *(place.key for place in places)])
            if reward.reward_id in self.rewards:
                return self.rewards[reward.reward_id]
            full = [at for at, place in enumerate(places) if self.counts[place.key] >= place.limit]
            if full:
                raise HoldRefusedError(full)
            self.counts.update(place.key for place in places)
            self.rewards[reward.reward_id] = reward
            return reward
