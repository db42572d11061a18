"""What a job reads of the association: what counted before a run, and after a crash what the job itself has stored.

Used by `services/associate_units.py`.
"""

from collections.abc import Iterator

import msgspec
import numpy as np

from uncap.domain.association.blocks import read_events
from uncap.domain.association.counting import ParentCounts, distinct, key_of, tally
from uncap.domain.association.coverage import Coverage
from uncap.domain.association.files import FileRecord
from uncap.domain.association.history import BY_HAND, algebras_of, view_of
from uncap.domain.association.known import I64, Known, children_in, children_of_algebra
from uncap.domain.association.store import BIG, BLOCK, Cell, CellStore, batch_pk, part_pk
from uncap.domain.association.zones import RunDoc, read_zones
from uncap.domain.codes.scheme import INDEX_BITS
from uncap.services.association_fills import Fills
from uncap.services.association_leases import stored_file

_BLOCKS = BIG // BLOCK


class RunReads:
    """`domain.association.coverage.Reads`. `run` is the run that is being judged: earlier ones of the file count."""

    def __init__(self, store: CellStore, record: FileRecord, counts: ParentCounts) -> None:
        self.coverage: dict[int, Coverage] = {}
        self.run = record.runs
        self.fills = Fills(store, record, counts)
        self._store = store
        self._file = (record.file_id, record.generation, record.accepted_at_ms)
        self._others: dict[str, FileRecord | None] = {}

    def known(self, batch_no: int, part: int, blocks: list[int]) -> Known | None:
        """See `Reads`."""
        if not blocks:
            return None
        pk = part_pk(batch_no, part * BIG)
        algebras = algebras_of(self._cells(pk, "a#", "a$"), self._accepted_at)
        wanted = {f"b{block % _BLOCKS:03d}": block for block in blocks}
        cells: dict[int, list[Cell]] = {block: [] for block in blocks}
        low, *_ = wanted
        *_, high = wanted
        for cell in self._cells(pk, low + "#", high + "$"):
            block = wanted.get(cell.sk.partition("#")[0])
            if block is not None:
                cells[block].append(cell)
        views = {block: view_of(some, algebras, self._accepted_at) for block, some in cells.items()}
        return Known(views, {part: algebras})

    def fill(self, keys: I64) -> None:
        """See `Reads`."""
        self.fills.look(keys)

    def _cells(self, pk: str, low: str, high: str) -> Iterator[Cell]:
        """Without what a crashed attempt of this very run has left."""
        for cell in self._store.query(pk, low, high):
            parts = cell.sk.split("#")
            source, run = (parts[1], parts[2]) if cell.sk.startswith("a#") else (parts[2], parts[3])
            if source != self._file[0] or int(run) < self.run:
                yield cell

    def _accepted_at(self, file_id: str, generation: int) -> int | None:
        if file_id == self._file[0]:
            return self._file[2] if generation == self._file[1] else None
        if file_id not in self._others:
            # The batch is leased to this job, so no other file's state can change for it meanwhile.
            self._others[file_id] = stored_file(self._store, file_id)
        other = self._others[file_id]
        counts = other is not None and other.state == "visible" and other.generation == generation
        return other.accepted_at_ms if other and counts else None


def recalled(
    store: CellStore, record: FileRecord, batch_no: int, pack: int, coverage: Coverage, counts: ParentCounts
) -> None:
    """Puts into `coverage` and `counts` what the stored runs of the file have placed of this batch."""
    mine = (record.file_id, record.generation)

    def accepted_at(file_id: str, generation: int) -> int | None:
        return record.accepted_at_ms if (file_id, generation) == mine else None

    for part in _parts_of(store, record, batch_no):
        cells = [cell for cell in store.query(part_pk(batch_no, part * BIG), "a#", "c") if _is_of(cell, record)]
        algebraic = [cell for cell in cells if cell.sk.startswith("a#")]
        found = [children_of_algebra(one, part) for _, one in algebras_of(algebraic, accepted_at)]
        for cell in cells:
            block = int(cell.sk[1:4]) + part * _BLOCKS if cell.sk.startswith("b") else 0
            if "#b#" in cell.sk:
                found += [children for _, children in children_in(view_of([cell], [], accepted_at), block)]
            elif "#x#" in cell.sk:
                _recall_events(cell, coverage, counts, pack)
        for child, keys in found:
            coverage.placed(child, ())
            _counted(counts, keys, 1, pack)


def _recall_events(cell: Cell, coverage: Coverage, counts: ParentCounts, pack: int) -> None:
    events = read_events(cell.body)
    table = np.array([(e.parent_batch, e.parent_index, e.out_batch, e.out_index) for e in events], np.int64)
    into, out = table[:, 0] >= 0, (table[:, 0] < 0) & (table[:, 2] >= 0)
    coverage.placed(np.zeros(0, np.int64), [event.index for event in events])
    _counted(counts, key_of(table[into, 0], table[into, 1]), 1, pack)
    _counted(counts, key_of(table[out, 2], table[out, 3]), -1, pack)


def _counted(counts: ParentCounts, keys: I64, sign: int, pack: int) -> None:
    found, times = tally(keys)
    counts.add(found, sign * times)
    for parent_batch in distinct(found >> INDEX_BITS):
        counts.packs[parent_batch] = max(pack, counts.packs.get(parent_batch, 0))


def _parts_of(store: CellStore, record: FileRecord, batch_no: int) -> list[int]:
    """Partitions in which the file's stored runs have items, by their zone maps."""
    parts: set[int] = set()
    for cell in store.query(batch_pk(batch_no), f"z#{record.file_id}#", f"z#{record.file_id}$"):
        if cell.v == record.generation and int(cell.sk.split("#")[2]) < record.runs:
            doc = msgspec.json.decode(cell.doc, type=RunDoc)
            parts.update(zone.part for zone in read_zones(doc.zones, cell.body))
    return sorted(parts)


def discard(store: CellStore, record: FileRecord) -> None:
    """Remove what a failed or abandoned file has placed; nothing of it counted, so this only frees room.

    Repeating it goes on where it was cut off: the zone maps, by which the rest is found, go last.
    """
    if record.state not in ("failed", "given_up"):
        return
    for batch_no in record.batches:
        maps = list(store.query(batch_pk(batch_no), f"z#{record.file_id}#", f"z#{record.file_id}$"))
        zones = [z for cell in maps for z in read_zones(msgspec.json.decode(cell.doc, type=RunDoc).zones, cell.body)]
        for part in sorted({zone.part for zone in zones}):
            cells = store.query(part_pk(batch_no, part * BIG), "a#", "c")
            keys = [(cell.pk, cell.sk) for cell in cells if record.file_id in cell.sk.split("#")]
            store.remove_all(keys, record.generation)
        store.remove_all([(cell.pk, cell.sk) for cell in maps], record.generation)


def _is_of(cell: Cell, record: FileRecord) -> bool:
    """Whether a stored run of this file wrote it; what a crashed run has left is not looked at."""
    names = cell.sk.split("#")
    source, run = (names[1], names[2]) if cell.sk.startswith("a#") else (names[2], names[3])
    return source == record.file_id and not source.startswith(BY_HAND) and int(run) < record.runs
