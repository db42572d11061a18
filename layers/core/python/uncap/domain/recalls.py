"""Recalls as data: which ranges of which batches, what the brand says, and how overlapping ones share a batch. Pure.

`services/recall_codes.py` keeps them; the scan path sees only the batch's `recalled` ranges (domain/lifecycle.py).
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from uncap.domain.association.ports import UnitSpan
from uncap.domain.catalog import CodeBatch, IndexRange, Text
from uncap.domain.errors import InputError
from uncap.domain.lifecycle import WHOLE_BATCH, covering
from uncap.domain.ranges import MAX_RANGES


class Recall(msgspec.Struct, frozen=True):
    """A recall as ordered. `spans` is all it covers, units and what they are packed in; `scope` how it was named."""

    recall_id: str
    scope: str
    reason: str
    spans: tuple[UnitSpan, ...]
    notice: Text = {}
    state: str = "active"  # active | lifted
    created_at_ms: int = 0
    created_by: str = ""
    lifted_at_ms: int = 0
    lifted_by: str = ""
    lifted_reason: str = ""
    version: int = 1


def recall_ranges(batch: CodeBatch, ranges: Iterable[IndexRange], recall: Recall) -> CodeBatch:
    """The batch with these ranges under `recall`. Doing it twice changes nothing. Raises InputError."""
    if recall.recall_id == WHOLE_BATCH:
        raise InputError("recall_invalid", f"{WHOLE_BATCH!r} is no name for a recall", where="recall_id")
    recalled = batch.recalled
    for one in ranges:
        recalled = _under(recalled, one.start, one.stop, recall.recall_id)
    notices = {**batch.notices, recall.recall_id: recall.notice} if recall.notice else batch.notices
    return msgspec.structs.replace(batch, recalled=recalled, notices=notices)


def lift_ranges(batch: CodeBatch, recall_id: str) -> CodeBatch:
    """The batch without that recall; what other recalls cover stays recalled."""
    kept = (_relabelled(one, [i for i in _ids(one) if i != recall_id]) for one in batch.recalled)
    notices = {name: text for name, text in batch.notices.items() if name != recall_id}
    return msgspec.structs.replace(batch, recalled=_joined(one for one in kept if one.reason), notices=notices)


def _under(ranges: Sequence[IndexRange], start: int, stop: int, recall_id: str) -> tuple[IndexRange, ...]:
    edges = sorted({start, stop, *(edge for one in ranges for edge in (one.start, one.stop))})
    pieces: list[IndexRange] = []
    for low, high in pairwise(edges):
        here = covering(ranges, low)
        ids = _ids(here) if here else []
        if start <= low < stop and recall_id not in ids:
            ids = [*ids, recall_id]
        pieces.append(_relabelled(IndexRange(low, high), ids))
    return _joined(one for one in pieces if one.reason)


def _ids(one: IndexRange) -> list[str]:
    return one.reason.split(",")


def _relabelled(one: IndexRange, ids: Iterable[str]) -> IndexRange:
    return IndexRange(one.start, one.stop, ",".join(sorted(ids)))


def _joined(pieces: Iterable[IndexRange]) -> tuple[IndexRange, ...]:
    """Neighbours under the same recalls as one. Raises InputError (`too_many_ranges`)."""
    out: list[IndexRange] = []
    for one in pieces:
        if out and out[-1].stop == one.start and out[-1].reason == one.reason:
            out[-1] = IndexRange(out[-1].start, one.stop, one.reason)
        else:
            out.append(one)
    if len(out) > MAX_RANGES:
        raise InputError("too_many_ranges", f"at most {MAX_RANGES} separate ranges are kept per batch")
    return tuple(out)
