"""The eligible set of a release: its indices minus those excluded, counted, ranked and hashed.

Used by `laying.py`, `bulk.py` and `published.py`; the console takes `count` and `digest` when it commits a release.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from uncap.domain.catalog import IndexRange, Release
from uncap.domain.codes.scheme import INDEX_LIMIT
from uncap.domain.errors import InputError


class EligibleSet:
    """`start <= index < stop` minus `excluded` ranges, which may overlap, touch or lie outside. Immutable.
    Raises InputError (`index_range_malformed`).

    `spans` are the maximal half-open ranges that remain, in order: however the exclusions were written down, equal sets
    have equal spans. `before[k]` indices stand ahead of span k.
    """

    __slots__ = ("before", "count", "spans", "starts")

    def __init__(self, start: int, stop: int, excluded: Iterable[IndexRange] = ()) -> None:
        if not 0 <= start <= stop <= INDEX_LIMIT:
            raise InputError("index_range_malformed", f"{start} to {stop} is not a range of indices", where="start")
        self.spans = tuple(_spans(start, stop, excluded))
        self.starts = [first for first, _ in self.spans]
        self.before: list[int] = []
        self.count = 0
        for first, end in self.spans:
            self.before.append(self.count)
            self.count += end - first

    @classmethod
    def of(cls, release: Release) -> "EligibleSet":
        """What the release itself says; compare with its `eligible_hash` before trusting it."""
        return cls(release.start, release.stop, release.excluded)

    def rank(self, index: int) -> int | None:
        """How many eligible indices come before this one; None if it is not eligible itself."""
        at = bisect_right(self.starts, index) - 1
        if at < 0 or index >= self.spans[at][1]:
            return None
        return self.before[at] + index - self.starts[at]

    def index_at(self, rank: int) -> int:
        """The inverse of `rank`, for 0 <= rank < count."""
        if not 0 <= rank < self.count:
            raise ValueError(f"there are {self.count} eligible indices, no rank {rank}")
        at = bisect_right(self.before, rank) - 1
        return self.starts[at] + rank - self.before[at]

    def __iter__(self) -> Iterator[int]:
        for first, end in self.spans:
            yield from range(first, end)

    def digest(self, batch_no: int) -> str:
        """Hex SHA-256 of the lines "uncap eligible v1", the batch number, "first end" of each span; LF after each."""
        text = "".join(f"{first} {end}\n" for first, end in self.spans)
        return hashlib.sha256(f"uncap eligible v1\n{batch_no}\n{text}".encode()).hexdigest()


def _spans(start: int, stop: int, excluded: Iterable[IndexRange]) -> Iterator[tuple[int, int]]:
    at = start
    for gap in sorted(excluded, key=lambda gap: gap.start):
        if gap.stop <= max(gap.start, at):
            continue
        if gap.start >= stop:
            break
        if gap.start > at:
            yield at, gap.start
        at = gap.stop
    if at < stop:
        yield at, stop
