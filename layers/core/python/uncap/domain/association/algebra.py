"""The algebraic form: children packed in order are a few numbers and a bitmap of those that are missing. Pure.

Parent = first parent + (place in the piece) // pack, where rejects are not counted. A short case, a jump or another
time begins a new piece. Read by `adapters/association.py`; written by `forms.py`.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from struct import Struct

import msgspec
from pyroaring import BitMap

from uncap.domain.association.columns import EXACT, VAGUE, read_column, unpacked

ALGEBRA = Struct("<BIIIIQQ")
"""Format, pack, pieces, where it stops, bytes of the bitmap; first and last line. Positions count from the part."""


class Algebra(msgspec.Struct, frozen=True):
    """Pieces begin at `starts` (positions within the part of 2^20 children), the last ends before `stop`.

    `parents` is each piece's first parent, `offsets` how many were in that parent already, `at_ms` since when.
    """

    parent_batch: int
    pack: int
    stop: int
    starts: "array[int]"
    parents: "array[int]"
    offsets: "array[int]"
    at_ms: "array[int]"
    rejects: BitMap
    lines: tuple[int, int]
    exact: bool  # line = first line + place among the children

    def place(self, position: int) -> tuple[int, int] | None:
        """(parent index, since when) of the child at this position of the part."""
        piece = bisect_right(self.starts, position) - 1
        if piece < 0 or position >= self.stop or position in self.rejects:
            return None
        return self.parents[piece] + self._count(piece, position) // self.pack, self.at_ms[piece]

    def lines_of(self, position: int) -> tuple[int, int]:
        """The line that placed this child, twice; or the first and last line of all."""
        if not self.exact:
            return self.lines
        line = self.lines[0] + position - self.starts[0] - self.rejects.range_cardinality(self.starts[0], position)
        return line, line

    def spans_of(self, parent: int) -> Iterator[tuple[int, int]]:
        """Positions [start, stop) among which this parent's children are, piece by piece; rejects may lie between."""
        for piece, start in enumerate(self.starts):
            stop = self.starts[piece + 1] if piece + 1 < len(self.starts) else self.stop
            first = (parent - self.parents[piece]) * self.pack
            if first + self.pack <= self.offsets[piece] or self._count(piece, stop) <= first:
                continue
            low = start if first <= self.offsets[piece] else self._seek(piece, start, stop, first)
            yield low, self._seek(piece, low, stop, first + self.pack)

    def _count(self, piece: int, position: int) -> int:
        """How many children stand before this position in the piece, with those that were in its first parent."""
        start = self.starts[piece]
        missing = self.rejects.range_cardinality(start, position)
        return self.offsets[piece] + position - start - missing

    def _seek(self, piece: int, low: int, high: int, count: int) -> int:
        """The least position in [low, high] with at least `count` before it."""
        while low < high:
            middle = (low + high) // 2
            if self._count(piece, middle) < count:
                low = middle + 1
            else:
                high = middle
        return low


def read_algebra(parent_batch: int, body: bytes) -> Algebra:
    """Raises ValueError if the body is not one."""
    data = unpacked(body)
    form, pack, pieces, stop, bitmap, low, high = ALGEBRA.unpack_from(data)
    if form not in (VAGUE, EXACT) or not pack or not pieces:
        raise ValueError("not an algebraic item")
    starts, at = read_column(data, ALGEBRA.size, pieces)
    parents, at = read_column(data, at, pieces)
    offsets, at = read_column(data, at, pieces)
    times, at = read_column(data, at, pieces)
    rejects = BitMap.deserialize(data[at : at + bitmap])
    return Algebra(parent_batch, pack, stop, starts, parents, offsets, times, rejects, (low, high), exact=form == EXACT)
