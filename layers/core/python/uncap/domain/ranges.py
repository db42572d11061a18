"""Half-open ranges of unit indices: merging, subtracting, overlapping. Used by the console's services."""

from collections.abc import Iterable, Sequence

from uncap.domain.catalog import IndexRange
from uncap.domain.errors import InputError

MAX_RANGES = 1_000


def check_range(start: int, stop: int, size: int) -> None:
    """Raises InputError (`range_invalid`) unless 0 <= start < stop <= size."""
    if not 0 <= start < stop <= size:
        raise InputError("range_invalid", f"a range lies within 0..{size} and is not empty", where="start")


def overlapping(ranges: Iterable[IndexRange], start: int, stop: int) -> IndexRange | None:
    """The first of `ranges` that shares an index with start..stop."""
    return next((one for one in ranges if one.start < stop and start < one.stop), None)


def merged(ranges: Iterable[IndexRange]) -> tuple[IndexRange, ...]:
    """Disjoint ranges in order covering the same indices; neighbours with one reason become one.

    Where ranges overlap, the one that starts first keeps the shared indices. Raises InputError (`too_many_ranges`).
    """
    out: list[IndexRange] = []
    for one in sorted(ranges, key=lambda r: (r.start, r.stop)):
        start = max(one.start, out[-1].stop) if out else one.start
        if start >= one.stop:
            continue
        if out and out[-1].stop == start and out[-1].reason == one.reason:
            out[-1] = IndexRange(out[-1].start, one.stop, one.reason)
        else:
            out.append(IndexRange(start, one.stop, one.reason))
    if len(out) > MAX_RANGES:
        raise InputError("too_many_ranges", f"at most {MAX_RANGES} separate ranges are kept per batch")
    return tuple(out)


def runs(indices: Sequence[int]) -> list[IndexRange]:
    """Sorted distinct indices as the fewest ranges."""
    out: list[IndexRange] = []
    for index in sorted(set(indices)):
        if out and out[-1].stop == index:
            out[-1] = IndexRange(out[-1].start, index + 1)
        else:
            out.append(IndexRange(index, index + 1))
    return out


def scaled(ranges: Iterable[IndexRange], factor: int, size: int) -> list[IndexRange]:
    """Ranges of cases as the ranges of units packed in them, cut at `size`; a case past the last unit gives nothing."""
    cut = (IndexRange(one.start * factor, min(one.stop * factor, size)) for one in ranges)
    return [one for one in cut if one.start < one.stop]
