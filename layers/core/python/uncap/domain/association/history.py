"""What is known about the packing of neighbouring children, from all items that speak of them; who was in what when.

Pure. Built from cells by `view_of`; asked by `adapters/association.py` and, at ingest, by `services/`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from uncap.domain.association.algebra import Algebra, read_algebra
from uncap.domain.association.blocks import Event, Segment, read_events, read_segment
from uncap.domain.association.ports import UnitRef
from uncap.domain.association.store import BIG, BLOCK, Cell

BY_HAND = "!"
"""Keys of changes made by hand begin with this where a file's id would stand."""

_BASE_RANK = -1


class Origin(NamedTuple):
    """Who says so: when the file (or change by hand) was accepted, its id, the run within it. Later ones override."""

    accepted_at_ms: int
    source: str
    run: int


class Fact(msgspec.Struct, frozen=True, order=True):
    """From `at_ms` on the child is in `parent`, or in nothing. `lines` of the source: the line twice, or a range."""

    at_ms: int
    origin: Origin
    rank: int
    parent: UnitRef | None = None
    lines: tuple[int, int] = (0, 0)


class HandChange(msgspec.Struct, frozen=True):
    """The `doc` of an `x#` item made by hand: kind, when it was made, its events."""

    kind: str  # swap | repack | unpack | replace
    made_at_ms: int
    events: tuple[Event, ...]


AcceptedAt = Callable[[str, int], int | None]
"""(file id, generation) → when the file was accepted, None while what it says does not count."""


class BlockView:
    """Everything known about the children of one block; `algebras` are shared by the blocks of a partition."""

    def __init__(
        self,
        segments: list[tuple[Origin, Segment]],
        algebras: list[tuple[Origin, Algebra]],
        events: list[tuple[Origin, Event]],
    ) -> None:
        self.segments = segments
        self.algebras = algebras
        self._events: dict[int, list[Fact]] = {}
        self._into: dict[UnitRef, set[int]] = {}
        for origin, event in events:
            parent = UnitRef(event.parent_batch, event.parent_index) if event.parent_batch >= 0 else None
            fact = Fact(event.at_ms, origin, event.rank, parent, (event.line, event.line))
            self._events.setdefault(event.index, []).append(fact)
            if parent is not None:
                self._into.setdefault(parent, set()).add(event.index)

    @property
    def changed(self) -> Iterable[int]:
        """Children that have more to their history than where they were first put."""
        return self._events.keys()

    def history(self, index: int) -> list[Fact]:
        """All that is known of the child, in order of time; at equal times, of who came later."""
        facts = [
            Fact(found[1], origin, _BASE_RANK, UnitRef(form.parent_batch, found[0]), form.lines_of(position))
            for origin, form, position, found in self._places(index)
        ]
        return sorted([*facts, *self._events.get(index, ())], key=_order)

    def known(self, index: int) -> bool:
        """Whether anything is known of it."""
        return index in self._events or next(self._places(index), None) is not None

    def parent_at(self, index: int, at_ms: int | None) -> tuple[bool, UnitRef | None]:
        """(whether anything was known by then, the parent at that moment: None for nothing); None: the latest."""
        last: tuple[tuple[int, Origin, int], UnitRef | None] | None = None
        for origin, form, _, found in self._places(index):
            if at_ms is None or found[1] <= at_ms:
                key = (found[1], origin, _BASE_RANK)
                if last is None or key > last[0]:
                    last = key, UnitRef(form.parent_batch, found[0])
        for fact in self._events.get(index, ()):
            if at_ms is None or fact.at_ms <= at_ms:
                order = _order(fact)
                if last is None or order > last[0]:
                    last = order, fact.parent
        return (False, None) if last is None else (True, last[1])

    def ever_in(self, parent: UnitRef, part_start: int, block_start: int) -> set[int]:
        """Children of this block that were put into `parent` at some time."""
        found = set(self._into.get(parent, ()))
        for _, segment in self.segments:
            if segment.parent_batch == parent.batch_no:
                parents, at = segment.parents, -1
                try:
                    while True:
                        at = parents.index(parent.index, at + 1)
                        found.add(block_start + at)
                except ValueError:
                    continue  # no further one in this segment
        for _, algebra in self.algebras:
            if algebra.parent_batch == parent.batch_no:
                for start, stop in algebra.spans_of(parent.index):
                    low, high = max(part_start + start, block_start), min(part_start + stop, block_start + BLOCK)
                    found.update(i for i in range(low, high) if algebra.place(i - part_start))
        return found

    def _places(self, index: int) -> Iterator[tuple[Origin, Segment | Algebra, int, tuple[int, int]]]:
        for origin, segment in self.segments:
            found = segment.place(index % BLOCK)
            if found is not None:
                yield origin, segment, index % BLOCK, found
        for origin, algebra in self.algebras:
            found = algebra.place(index % BIG)
            if found is not None:
                yield origin, algebra, index % BIG, found


def _order(fact: Fact) -> tuple[int, Origin, int]:
    return fact.at_ms, fact.origin, fact.rank


def algebras_of(cells: Iterable[Cell], accepted_at: AcceptedAt) -> list[tuple[Origin, Algebra]]:
    """The algebraic items (`a#…`) that count."""
    found = []
    for cell in cells:
        _, file_id, run, parent_batch = cell.sk.split("#")
        origin = _origin(file_id, run, cell.v, accepted_at)
        if origin is not None:
            found.append((origin, read_algebra(int(parent_batch), cell.body)))
    return found


def view_of(cells: Iterable[Cell], algebras: list[tuple[Origin, Algebra]], accepted_at: AcceptedAt) -> BlockView:
    """One block's items (`b…#b#…`, `b…#x#…`) as a view; what does not count is left out."""
    segments: list[tuple[Origin, Segment]] = []
    events: list[tuple[Origin, Event]] = []
    for cell in cells:
        _, kind, source, *rest = cell.sk.split("#")
        if source.startswith(BY_HAND):
            change = msgspec.json.decode(cell.doc, type=HandChange)
            events += [(Origin(change.made_at_ms, source, 0), event) for event in change.events]
            continue
        origin = _origin(source, rest[0], cell.v, accepted_at)
        if origin is None:
            continue
        if kind == "b":
            segments.append((origin, read_segment(int(rest[1]), cell.body)))
        else:
            events += [(origin, event) for event in read_events(cell.body)]
    return BlockView(segments, algebras, events)


def _origin(file_id: str, run: str, generation: int, accepted_at: AcceptedAt) -> Origin | None:
    accepted = accepted_at(file_id, generation)
    return None if accepted is None else Origin(accepted, file_id, int(run))
