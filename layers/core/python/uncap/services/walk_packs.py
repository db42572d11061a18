"""Everything packed in some things, or over them, at every level, as spans. Used where an act follows the packing:
recall, activation and decommissioning by case.

Costs one look-up per pack, not per unit, where neighbours lie together; bounded, because a console call is.
"""

from collections.abc import Iterable, Sequence

from uncap.adapters.catalog import Catalog
from uncap.domain.association.ports import AssociationReader, UnitRef, UnitSpan
from uncap.domain.catalog import CodeBatch, IndexRange
from uncap.domain.errors import InputError
from uncap.domain.ranges import merged, runs

MAX_LOOKUPS = 50_000
_LOOK_UP_ALL = 20_000
_MAX_LEVELS = 8


class _Budget:
    def __init__(self) -> None:
        self._left = MAX_LOOKUPS

    def spend(self) -> None:
        """One look-up. Raises InputError (`range_too_wide`)."""
        self._left -= 1
        if self._left < 0:
            raise InputError("range_too_wide", f"more than {MAX_LOOKUPS} packs to look up; do it in parts")


def with_contents(reader: AssociationReader, catalog: Catalog, spans: Iterable[UnitSpan]) -> list[UnitSpan]:
    """The spans and all that is in them, level by level, merged per batch. Raises InputError (`range_too_wide`).

    Of a whole batch of more than 20,000 packs the whole batch below is taken, without looking into each.
    """
    budget, found, level = _Budget(), list(spans), list(spans)
    for _ in range(_MAX_LEVELS):
        below: list[UnitSpan] = []
        for span in level:
            below += _whole_below(catalog, span) or _contents(reader, span, budget)
        level = merged_spans(below)
        if not level:
            break
        found += level
    return merged_spans(found)


def with_packs(reader: AssociationReader, catalog: Catalog, spans: Iterable[UnitSpan]) -> list[UnitSpan]:
    """The spans and everything they lie in, up to the pallet, merged per batch. Raises InputError (`range_too_wide`).

    Of a whole batch of more than 20,000 things the whole batch above is taken, without looking each of them up.
    """
    budget, found, level = _Budget(), list(spans), list(spans)
    for _ in range(_MAX_LEVELS):
        above: list[UnitSpan] = []
        for span in level:
            above += _whole_above(catalog, span) or _packs_over(reader, span, budget)
        level = merged_spans(above)
        if not level:
            break
        found += level
    return merged_spans(found)


def merged_spans(spans: Iterable[UnitSpan]) -> list[UnitSpan]:
    """Disjoint and in order, by batch. Raises InputError (`too_many_ranges`)."""
    return [
        UnitSpan(batch_no, one.start, one.stop)
        for batch_no, ranges in ranges_by_batch(spans).items()
        for one in merged(ranges)
    ]


def ranges_by_batch(spans: Iterable[UnitSpan]) -> dict[int, list[IndexRange]]:
    """The spans of each batch, batches in order."""
    ranges: dict[int, list[IndexRange]] = {}
    for span in sorted(spans):
        ranges.setdefault(span.batch_no, []).append(IndexRange(span.start, span.stop))
    return ranges


def _contents(reader: AssociationReader, span: UnitSpan, budget: _Budget) -> list[UnitSpan]:
    below: list[UnitSpan] = []
    for index in range(span.start, span.stop):
        budget.spend()
        children = reader.children_of(UnitRef(span.batch_no, index))
        if not children and index == span.start and _is_bottom(reader, span):
            break
        below += children
    return below


def _is_bottom(reader: AssociationReader, span: UnitSpan) -> bool:
    """Nothing is in its last thing either: bottles, whose thousands need not be asked one by one."""
    return not reader.children_of(UnitRef(span.batch_no, span.stop - 1))


def _is_top(reader: AssociationReader, span: UnitSpan) -> bool:
    """Neither end of a long run lies in anything: pallets, or things that were never packed."""
    ends = (UnitRef(span.batch_no, span.start), UnitRef(span.batch_no, span.stop - 1))
    return span.stop - span.start > _LOOK_UP_ALL and all(reader.parent_of(end) is None for end in ends)


def _whole_above(catalog: Catalog, span: UnitSpan) -> list[UnitSpan]:
    batch = _large_batch(catalog, span)
    return _whole(catalog, batch.case_batch_no) if batch else []


def _whole_below(catalog: Catalog, span: UnitSpan) -> list[UnitSpan]:
    batch = _large_batch(catalog, span)
    return _whole(catalog, batch.unit_batch_no) if batch else []


def _large_batch(catalog: Catalog, span: UnitSpan) -> CodeBatch | None:
    """The batch, if the span is all of it and too much to look at one by one."""
    if span.start > 0 or span.stop <= _LOOK_UP_ALL:
        return None
    view = catalog.batch(span.batch_no, fresh=True)
    return view.batch if view and span.stop == view.batch.size else None


def _whole(catalog: Catalog, batch_no: int) -> list[UnitSpan]:
    view = catalog.batch(batch_no, fresh=True) if batch_no else None
    return [UnitSpan(batch_no, 0, view.batch.size)] if view else []


def _packs_over(reader: AssociationReader, span: UnitSpan, budget: _Budget) -> list[UnitSpan]:
    packs: dict[int, set[int]] = {}
    index = span.start if not _is_top(reader, span) else span.stop
    while index < span.stop:
        budget.spend()
        pack = reader.parent_of(UnitRef(span.batch_no, index))
        if pack is None:
            index += 1
            continue
        packs.setdefault(pack.batch_no, set()).add(pack.index)
        index = max(index + 1, _end_of_run(reader.children_of(pack), span.batch_no, index))
    return [UnitSpan(batch_no, one.start, one.stop) for batch_no, found in packs.items() for one in runs(sorted(found))]


def _end_of_run(children: Sequence[UnitSpan], batch_no: int, index: int) -> int:
    """Where the run of this pack's contents that holds `index` ends."""
    for child in children:
        if child.batch_no == batch_no and child.start <= index < child.stop:
            return child.stop
    return index + 1
