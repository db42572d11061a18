"""A ledger, a queue and a catalog that count what DynamoDB and SQS would charge for. Used by bench/usd.py.

Write units: one per KB of the larger image, and one per entry written to or taken from an index. Read units: one
per 4 KB, half for eventually consistent reads. Sizes are those of the items the adapters store.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from tests.histories.stores import FakeLedger
from tests.histories.world import World
from uncap.adapters.catalog import CatalogSource
from uncap.adapters.ledger_items import owner_of, postings_text, reward_doc, reward_key, waiting_of
from uncap.domain.rewards.reward import Reward

ResultT = TypeVar("ResultT")
_KB = 1_024
_BATCH_GET = 100
_READ_KB = 4
_SMALL_ATTRIBUTES = 60  # st, rev, att, due_shard, due_at and the names of all attributes

_WAITING_NAMES = 19  # wait_shard, wait_key and the shard
_OWNER_NAMES = 22  # owner, owner_at and its number


class MeteredLedger(FakeLedger):
    """The fault harness's ledger with a meter: `units` counts write, read and index units and requests."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.units: Counter[str] = Counter()

    def create(self, reward: Reward) -> Reward:
        self._write(reward_size(reward), bool(reward.due_at_ms) + bool(owner_of(reward)) + bool(waiting_of(reward)))
        return super().create(reward)

    def get(self, reward_id: str) -> Reward | None:
        found = super().get(reward_id)
        self.read(reward_size(found) if found else 0, consistent=True)
        return found

    def get_many(self, reward_ids: Sequence[str], *, consistent: bool = True) -> Mapping[str, Reward]:
        found = {one: self.items[one] for one in reward_ids if one in self.items}
        for one in found.values():
            self.read(reward_size(one), consistent=consistent)
        self.units["requests"] += math.ceil(len(found) / _BATCH_GET) - len(found)
        return found

    def replace(self, old: Reward, new: Reward) -> None:
        changes = (bool(old.due_at_ms) + bool(new.due_at_ms)) if old.due_at_ms != new.due_at_ms else 0
        was, now = waiting_of(old), waiting_of(new)
        changes += (bool(was) + bool(now)) if was != now else 0
        changes += bool(owner_of(new)) and not owner_of(old)  # once listed, a reward stays listed
        self._write(max(reward_size(old), reward_size(new)), changes)
        super().replace(old, new)

    def read(self, size: int, *, consistent: bool) -> None:
        """Count one read of so many bytes."""
        self.units["read"] += math.ceil(max(size, 1) / (_READ_KB * _KB)) * (2 if consistent else 1)
        self.units["requests"] += 1

    def _write(self, size: int, index_writes: int) -> None:
        self.units["write"] += math.ceil(size / _KB) + index_writes
        self.units["requests"] += 1


class MeteredSource:
    """A CatalogSource whose reads are counted on the ledger's meter (in half units: see `MeteredLedger.read`)."""

    def __init__(self, source: CatalogSource, meter: MeteredLedger) -> None:
        self._source = source
        self._meter = meter

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> str | None:
        doc = self._source.get(pk, sk, consistent=consistent)
        self._meter.read(len(doc or "") + len(pk + sk), consistent=consistent)
        return doc

    def query(self, pk: str, *, consistent: bool = False) -> Sequence[tuple[str, str]]:
        rows = self._source.query(pk, consistent=consistent)
        self._meter.read(sum(len(doc.encode()) + len(pk + sk) for sk, doc in rows), consistent=consistent)
        return rows


def metered(meter: MeteredLedger, work: Callable[[], ResultT]) -> tuple[ResultT, Counter[str]]:
    """The result and what the work cost."""
    before = Counter(meter.units)
    result = work()
    return result, meter.units - before


def reward_size(reward: Reward) -> int:
    """Bytes of the stored item."""
    texts = (reward_key(reward.reward_id), reward_doc(reward))
    entries = (postings_text(reward.granted) or "", postings_text(reward.settled) or "")
    listed = len(owner_of(reward)) + _OWNER_NAMES if owner_of(reward) else 0
    waits = len(waiting_of(reward)) + _WAITING_NAMES if waiting_of(reward) else 0
    return sum(len(text.encode()) for text in (*texts, *entries)) + _SMALL_ATTRIBUTES + listed + waits
