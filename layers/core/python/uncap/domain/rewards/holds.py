"""Hard counts under contention: a drawn prize's reward and one place in each of its budget lines are one write. Pure.

A line ("500 of this prize", "20 a day", "1 per person") is kept as counters in shards; a reward names in `holds` the
shards it counts in, and so leaves them when it is released. Used by `services/draw_prizes.py` and the ledger.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from uncap.domain.errors import ConflictError
from uncap.domain.rewards.reward import Reward, State

SHARDS = 16
"""Constant for ever: a line's limit is split over as many shards, and only so do rising limits stay limits."""
_KEY_LENGTH = 16


class Line(msgspec.Struct, frozen=True):
    """One budget line: at most `limit` rewards hold a place under `key`. If it is full, rewards say `reason`."""

    key: str
    limit: int
    reason: str
    shards: int = SHARDS

    def place(self, shard: int) -> "HoldPlace":
        """The counter of one shard with its part of the limit."""
        whole, rest = divmod(self.limit, self.shards)
        return HoldPlace(f"{self.key}{shard:02d}", whole + (shard < rest))

    def places(self) -> tuple["HoldPlace", ...]:
        """Those that can hold anything."""
        return tuple(place for shard in range(self.shards) if (place := self.place(shard)).limit)


class HoldPlace(NamedTuple):
    """A counter that must stay at or below `limit`."""

    key: str
    limit: int


class HoldRefusedError(ConflictError):
    """Nothing was written: the places with these positions are taken."""

    def __init__(self, full: Sequence[int]) -> None:
        super().__init__("hold_refused", f"{len(full)} budget lines have no place left in the shards asked")
        self.full = tuple(full)


class HoldStore(Protocol):
    """Rewards that take places, written together with them."""

    def create_held(self, reward: Reward, places: Sequence[HoldPlace]) -> Reward:
        """Put it, one more in each place, if it is not there yet; the stored reward either way, counted once.

        Raises HoldRefusedError, TransientError (`hold_contended`: others write there, nothing was decided).
        """
        ...

    def held(self, keys: Sequence[str]) -> Mapping[str, int]:
        """How many hold each place, strongly consistent; 0 where nobody ever did."""
        ...


def line_key(*names: str) -> str:
    """The short key of a line, from what it limits."""
    text = "\n".join(("uncap budget line v1", *names))
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


def starting_shard(reward_id: str, places: int) -> int:
    """Where among `places` a reward looks first: spread evenly, the same at every repeat."""
    return int.from_bytes(hashlib.sha256(reward_id.encode()).digest()[:4]) % places


def lets_go(old: Reward, new: Reward) -> bool:
    """Whether this move gives the places back."""
    return bool(old.holds) and new.state is State.RELEASED and old.state is not State.RELEASED


def counted(rewards: Iterable[Reward]) -> dict[str, int]:
    """What every place must hold, from the rewards alone: held = spent + open, whatever crashed."""
    sums: Counter[str] = Counter()
    for reward in rewards:
        if reward.state is not State.RELEASED:
            sums.update(reward.holds)
    return dict(sums)
