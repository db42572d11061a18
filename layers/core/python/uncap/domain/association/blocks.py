"""The block form: what one run of a file says about up to 4,096 neighbouring children, packed into one item. Pure.

Read by `adapters/association.py`; written by `forms.py`. A segment has one parent batch; its children need not be
neighbours of each other in the parents.
"""

from array import array
from struct import Struct

import msgspec

from uncap.domain.association.columns import EXACT, VAGUE, read_column, unpacked
from uncap.domain.association.store import BLOCK

SEGMENT = Struct("<BHQQ")
"""Format, how many children, first and last line of the file that speak of them."""

NOWHERE = -1
EVENT_COLUMNS = 8


class Segment(msgspec.Struct, frozen=True):
    """`parents` by position in the block, `NOWHERE` where this run says nothing; `lines`: first, last.

    `at_ms` by position too, or one number that holds for all.
    """

    parent_batch: int
    parents: "array[int]"
    at_ms: "array[int]"
    lines: tuple[int, int]
    exact: bool  # line = first line + place among the children

    def lines_of(self, position: int) -> tuple[int, int]:
        """The line that placed this child, twice; or the first and last line of all."""
        if not self.exact:
            return self.lines
        line = self.lines[0] + sum(1 for parent in self.parents[:position] if parent != NOWHERE)
        return line, line

    def place(self, position: int) -> tuple[int, int] | None:
        """(parent index, since when) of the child at this position of the block."""
        parent = self.parents[position]
        return None if parent == NOWHERE else (parent, self.at_ms[position if len(self.at_ms) > 1 else 0])


def read_segment(parent_batch: int, body: bytes) -> Segment:
    """Raises ValueError if the body is not one."""
    data = unpacked(body)
    form, count, low, high = SEGMENT.unpack_from(data)
    if form not in (VAGUE, EXACT) or not 0 < count <= BLOCK:
        raise ValueError("not a segment")
    at = SEGMENT.size
    positions: list[int] | None = None
    if count < BLOCK:
        bits = int.from_bytes(data[at : at + BLOCK // 8], "little")
        positions = [position for position, bit in enumerate(f"{bits:0{BLOCK}b}"[::-1]) if bit == "1"]
        at += BLOCK // 8
        if len(positions) != count:
            raise ValueError("not a segment")
    parents, at = read_column(data, at, count)
    times, at = read_column(data, at, count)
    if positions is not None:
        parents = _spread(positions, parents)
    if min(times) == max(times):
        times = times[:1]
    elif positions is not None:
        times = _spread(positions, times)
    return Segment(parent_batch, parents, times, (low, high), exact=form == EXACT)


def _spread(positions: list[int], values: "array[int]") -> "array[int]":
    out = array("q", [NOWHERE]) * BLOCK
    for position, value in zip(positions, values, strict=True):
        out[position] = value
    return out


class Event(msgspec.Struct, frozen=True, order=True):
    """One change of one child that the base forms cannot say: put into a parent, or taken out (parent_batch -1)."""

    index: int
    at_ms: int
    rank: int  # order within its run at equal times
    parent_batch: int
    parent_index: int
    out_batch: int  # what it was in until now, -1 if in nothing
    out_index: int
    line: int


def read_events(body: bytes) -> list[Event]:
    """The events of one `x#` item. Raises ValueError."""
    data = unpacked(body)
    count = int.from_bytes(data[:4], "little")
    at, columns = 4, []
    for _ in range(EVENT_COLUMNS):
        values, at = read_column(data, at, count)
        columns.append(values)
    return [Event(*row) for row in zip(*columns, strict=True)]
