"""Where one code of a batch stands: recalled, assigned, active. Binary searches over the batch's ranges. Pure.

On the scan path: `domain/claims.py`, `services/stop_money.py`, `services/view_code.py` and the console's history read
it. The ranges are disjoint and in order (domain/ranges.py keeps them so), at most 1,000 of each kind per batch.
"""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import Protocol, TypeVar

import msgspec

from uncap.domain.catalog import Assignment, CodeBatch, Text

WHOLE_BATCH = "hold"
"""The recall id of a batch whose hold says recalled: it belongs to no recall order."""


class _Ranged(Protocol):
    @property
    def start(self) -> int: ...

    @property
    def stop(self) -> int: ...


RangeT = TypeVar("RangeT", bound=_Ranged)
_START = attrgetter("start")


def covering(ranges: Sequence[RangeT], index: int) -> RangeT | None:
    """The one of these disjoint, ordered ranges that holds `index`, or None."""
    if not ranges:
        return None
    at = bisect_right(ranges, index, key=_START) - 1
    return ranges[at] if at >= 0 and index < ranges[at].stop else None


def recalls_of(batch: CodeBatch, index: int) -> tuple[str, ...]:
    """Ids of the recalls this code is under now; `WHOLE_BATCH` for a hold; empty for none."""
    found = covering(batch.recalled, index)
    ids = tuple(found.reason.split(",")) if found else ()
    return (WHOLE_BATCH, *ids) if batch.hold == "recalled" else ids


def is_recalled(batch: CodeBatch, index: int) -> bool:
    """Is this code recalled, with its batch or by its range?"""
    return batch.hold == "recalled" or covering(batch.recalled, index) is not None


def notice_of(batch: CodeBatch, index: int) -> Text:
    """What the brand says to whoever holds this code; empty where it is not recalled or the brand said nothing."""
    for recall_id in recalls_of(batch, index):
        if notice := batch.notices.get(recall_id):
            return notice
    return {}


def assignment_of(batch: CodeBatch, index: int) -> Assignment | None:
    """What a blank code has become, None while it is nothing."""
    return covering(batch.assigned, index)


def product_of(batch: CodeBatch, index: int) -> str:
    """The GTIN of what the code is on: the assigned product of a blank code ("" while it has none), else the batch's.

    The GTIN in the link never changes; it is the batch's (docs/adr/0012).
    """
    if not batch.blank:
        return batch.gtin
    assignment = assignment_of(batch, index)
    return assignment.gtin if assignment else ""


class ItemFacts(msgspec.Struct, frozen=True):
    """What is known of the thing a code is on. `gtin` is "" for a blank code that is nothing yet."""

    gtin: str
    lot: str
    produced_on: str
    best_before: str


def item_facts(batch: CodeBatch, index: int) -> ItemFacts:
    """Product, lot and dates of one code: a blank code's assignment says them before its batch does."""
    facts = ItemFacts(product_of(batch, index), batch.lot, batch.produced_on, batch.best_before)
    own = assignment_of(batch, index)
    if own is None:
        return facts
    return ItemFacts(
        facts.gtin,
        own.lot or facts.lot,
        own.produced_on or facts.produced_on,
        own.best_before or facts.best_before,
    )


def is_active(batch: CodeBatch, index: int) -> bool:
    """Has its range been activated, where the batch asks for that?"""
    return batch.activation != "range" or covering(batch.active, index) is not None
