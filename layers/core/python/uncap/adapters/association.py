"""What is packed in what, read both ways (`AssociationReader`) from the association's items, cached with a bounded age.

Used by trace, flow, projector and console. Where no file and no hand has said anything, the default answers.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Generic, TypeVar

import msgspec

from uncap.domain.association.algebra import Algebra
from uncap.domain.association.files import FileRecord, Head
from uncap.domain.association.history import BlockView, Fact, Origin, algebras_of, view_of
from uncap.domain.association.ports import AssociationReader, UnitRef, UnitSpan
from uncap.domain.association.store import BIG, BLOCK, Cell, CellStore, batch_pk, file_pk, part_pk
from uncap.domain.association.zones import WHOLE_PART, RunDoc, Zone, read_zones

ValueT = TypeVar("ValueT")

_VIEWS = 192
"""Blocks kept: a view is up to 100 KB, so some 20 MB at most."""

_SMALL = 4_096
_ALONE = 4
"""Up to so many blocks of a partition are fetched one by one, more as one range."""


class StoredAssociation:
    """`AssociationReader`. Answers are at most twice `max_age_ms` old; 0 reads through, strongly consistent.

    One per thread, or callers that do not mind reading a thing twice. Raises TransientError.
    """

    def __init__(
        self,
        cells: CellStore,
        default: AssociationReader,
        clock_ms: Callable[[], int],
        max_age_ms: int,
        *,
        consistent: bool = False,
    ) -> None:
        self._cells = cells
        self._default = default
        self._views: _Aged[BlockView] = _Aged(clock_ms, max_age_ms, _VIEWS)
        self._algebras: _Aged[list[tuple[Origin, Algebra]]] = _Aged(clock_ms, max_age_ms, _VIEWS)
        self._heads: _Aged[Head | None] = _Aged(clock_ms, max_age_ms, _SMALL)
        self._files: _Aged[FileRecord | None] = _Aged(clock_ms, max_age_ms, _SMALL)
        self._below: _Aged[tuple[int, ...]] = _Aged(clock_ms, max_age_ms, _SMALL)
        self._runs: _Aged[list[tuple[RunDoc, Cell]]] = _Aged(clock_ms, max_age_ms, _SMALL)
        self._consistent = consistent or max_age_ms == 0

    def parent_of(self, unit: UnitRef, at_ms: int | None = None) -> UnitRef | None:
        """See the port. Before the first thing known of a unit that no file speaks of, the default holds."""
        head = self._head(unit.batch_no)
        if head is None:
            return self._default.parent_of(unit, at_ms)
        known, parent = self._view(unit.batch_no, unit.index).parent_at(unit.index, at_ms)
        if known:
            return parent
        return None if self._associated(unit.batch_no, head) else self._default.parent_of(unit, at_ms)

    def children_of(self, unit: UnitRef, at_ms: int | None = None) -> Sequence[UnitSpan]:
        """See the port."""
        candidates: dict[int, dict[int, set[int]]] = {}
        plain: list[UnitSpan] = []
        for span in self._default.children_of(unit, at_ms):
            head = self._head(span.batch_no)
            if head is None:
                plain.append(span)
            elif not self._associated(span.batch_no, head):
                for index in range(span.start, span.stop):
                    candidates.setdefault(span.batch_no, {}).setdefault(index // BLOCK, set()).add(index)
        for batch_no in self._batches_below(unit.batch_no):
            for index in self._ever_in(batch_no, unit):
                candidates.setdefault(batch_no, {}).setdefault(index // BLOCK, set()).add(index)
        for batch_no, blocks in candidates.items():
            here = [i for indices in blocks.values() for i in self._still_in(unit, batch_no, sorted(indices), at_ms)]
            plain += _spans(batch_no, sorted(here))
        return sorted(plain)

    def _still_in(self, unit: UnitRef, batch_no: int, indices: Sequence[int], at_ms: int | None) -> Iterator[int]:
        """Of these children, all of one block, those that are in `unit` at that moment."""
        head, view = self._head(batch_no), self._view(batch_no, indices[0])
        implied = head is None or not self._associated(batch_no, head)
        for index in indices:
            known, parent = view.parent_at(index, at_ms)
            if not known and implied:
                parent = self._default.parent_of(UnitRef(batch_no, index), at_ms)
            if parent == unit:
                yield index

    def snapshot(self) -> "StoredAssociation":
        """The same, reading each thing once, strongly consistent, for the length of one piece of work."""
        return StoredAssociation(self._cells, self._default, lambda: 0, 1, consistent=True)

    def history_of(self, unit: UnitRef) -> list[Fact]:
        """What files and hands have said of the unit, in order of time; the default is not among it."""
        return self._view(unit.batch_no, unit.index).history(unit.index) if self._head(unit.batch_no) else []

    def speaks_of(self, batch_no: int) -> bool:
        """Whether a file or a hand has ever said anything of this batch; otherwise the default alone answers."""
        return self._head(batch_no) is not None

    def is_associated(self, batch_no: int) -> bool:
        """Whether a file says what this batch is packed in, so that roll order no longer stands for it."""
        head = self._head(batch_no)
        return head is not None and self._associated(batch_no, head)

    def _associated(self, batch_no: int, head: Head) -> bool:
        if head.visible or not head.lease:
            return head.visible
        record = self._file(head.lease)
        return record is not None and record.state == "visible" and batch_no in record.adds

    def _accepted_at(self, file_id: str, generation: int) -> int | None:
        record = self._file(file_id)
        counts = record is not None and record.state == "visible" and record.generation == generation
        return record.accepted_at_ms if record and counts else None

    def _head(self, batch_no: int) -> Head | None:
        return self._heads.get(batch_no, lambda: self._value(batch_pk(batch_no), "head", Head))

    def _file(self, file_id: str) -> FileRecord | None:
        return self._files.get(file_id, lambda: self._value(file_pk(file_id), "meta", FileRecord))

    def _value(self, pk: str, sk: str, kind: type[ValueT]) -> ValueT | None:
        cell = self._cells.get(pk, sk)
        return None if cell is None else msgspec.json.decode(cell.doc, type=kind)

    def _view(self, batch_no: int, index: int) -> BlockView:
        block = index // BLOCK
        return self._views.get((batch_no, block), lambda: next(self._read_views(batch_no, [block]))[1])

    def _read_views(self, batch_no: int, blocks: Sequence[int]) -> Iterator[tuple[int, BlockView]]:
        """Blocks (numbers within the batch) of one partition, in order."""
        first = blocks[0] * BLOCK
        pk = part_pk(batch_no, first)
        algebras = self._algebras.get((batch_no, first // BIG), lambda: self._read_algebras(pk))
        low, high = (f"b{block % (BIG // BLOCK):03d}" for block in (blocks[0], blocks[-1]))
        by_block: dict[str, list[Cell]] = {}
        for cell in self._cells.query(pk, low + "#", high + "$", consistent=self._consistent):
            by_block.setdefault(cell.sk[: len(low)], []).append(cell)
        for block in blocks:
            cells = by_block.get(f"b{block % (BIG // BLOCK):03d}", ())
            yield block, view_of(cells, algebras, self._accepted_at)

    def _read_algebras(self, pk: str) -> list[tuple[Origin, Algebra]]:
        return algebras_of(self._cells.query(pk, "a#", "a$", consistent=self._consistent), self._accepted_at)

    def _batches_below(self, batch_no: int) -> tuple[int, ...]:
        def read() -> tuple[int, ...]:
            cells = self._cells.query(batch_pk(batch_no), "down#", "down$", consistent=self._consistent)
            return tuple(int(cell.sk.partition("#")[2]) for cell in cells)

        return self._below.get(batch_no, read)

    def _ever_in(self, batch_no: int, parent: UnitRef) -> set[int]:
        """Children of the batch that some item puts into `parent`, whether or not they still are."""
        blocks: dict[int, set[int]] = {}
        for zone in self._zones(batch_no, parent):
            blocks.setdefault(zone.part, set()).update(self._blocks_of(batch_no, zone, parent))
        first = parent.index
        by_hand = self._cells.query(
            batch_pk(parent.batch_no), f"in#{first:09d}#{batch_no}#", f"in#{first:09d}#{batch_no}$"
        )
        for cell in by_hand:
            for index in msgspec.json.decode(cell.doc, type=list[int]):
                blocks.setdefault(index // BIG, set()).add(index // BLOCK)
        found: set[int] = set()
        for part, wanted in blocks.items():
            for block, view in self._views_of(batch_no, sorted(wanted)):
                found |= view.ever_in(parent, part * BIG, block * BLOCK)
        return found

    def _views_of(self, batch_no: int, blocks: list[int]) -> Iterator[tuple[int, BlockView]]:
        missing = [block for block in blocks if not self._views.has((batch_no, block))]
        if len(missing) > _ALONE:
            for block, view in self._read_views(batch_no, missing):
                self._views.put((batch_no, block), view)
                yield block, view
            blocks = [block for block in blocks if block not in set(missing)]
        for block in blocks:
            yield block, self._view(batch_no, block * BLOCK)

    def _blocks_of(self, batch_no: int, zone: Zone, parent: UnitRef) -> Iterable[int]:
        if zone.block != WHOLE_PART:
            return (zone.part * (BIG // BLOCK) + zone.block,)
        pk, first = part_pk(batch_no, zone.part * BIG), zone.part * BIG
        algebras = self._algebras.get((batch_no, zone.part), lambda: self._read_algebras(pk))
        return {
            block
            for _, algebra in algebras
            if algebra.parent_batch == parent.batch_no
            for start, stop in algebra.spans_of(parent.index)
            if start < stop
            for block in range((first + start) // BLOCK, (first + stop - 1) // BLOCK + 1)
        }

    def _zones(self, batch_no: int, parent: UnitRef) -> Iterator[Zone]:
        def read() -> list[tuple[RunDoc, Cell]]:
            cells = self._cells.query(batch_pk(batch_no), "z#", "z$", consistent=self._consistent)
            return [(msgspec.json.decode(cell.doc, type=RunDoc), cell) for cell in cells]

        for doc, cell in self._runs.get(batch_no, read):
            file_id = cell.sk.split("#")[1]
            if doc.may_hold(parent.batch_no, parent.index) and self._accepted_at(file_id, cell.v) is not None:
                for zone in read_zones(doc.zones, cell.body):
                    if zone.parent_batch == parent.batch_no and zone.low <= parent.index <= zone.high:
                        yield zone


def snapshot_of(reader: AssociationReader) -> AssociationReader:
    """What many questions in a row are asked of, where the packing is stored; any other reader as it is."""
    return reader.snapshot() if isinstance(reader, StoredAssociation) else reader


class _Aged(Generic[ValueT]):
    """Values by key, each at most `max_age_ms` old; the one read longest ago goes when there are `limit`."""

    def __init__(self, clock_ms: Callable[[], int], max_age_ms: int, limit: int) -> None:
        self._clock_ms = clock_ms
        self._max_age_ms = max_age_ms
        self._limit = limit
        self._kept: OrderedDict[object, tuple[int, ValueT]] = OrderedDict()

    def get(self, key: object, read: Callable[[], ValueT]) -> ValueT:
        """The value, read if it is not there or too old."""
        entry = self._kept.get(key)
        if entry is not None and self._clock_ms() - entry[0] < self._max_age_ms:
            return entry[1]
        value = read()
        self.put(key, value)
        return value

    def has(self, key: object) -> bool:
        """Whether `get` would not read."""
        entry = self._kept.get(key)
        return entry is not None and self._clock_ms() - entry[0] < self._max_age_ms

    def put(self, key: object, value: ValueT) -> None:
        """Remember what was read by other means. Its age counts from now: reading took no longer than a request."""
        self._kept[key] = self._clock_ms(), value
        self._kept.move_to_end(key)
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)


def _spans(batch_no: int, indices: list[int]) -> list[UnitSpan]:
    cuts = [0, *(at + 1 for at, (a, b) in enumerate(pairwise(indices)) if b != a + 1), len(indices)]
    return [UnitSpan(batch_no, indices[a], indices[b - 1] + 1) for a, b in pairwise(cuts) if a < b]
