"""What other files and hands have put into the packs a file packs into, so that together they cannot over-fill one.

Used by `services/associate_units.py` through `association_reads.RunReads`. Zone maps say where to look: a file whose
packs nobody else has touched reads no more than those maps (docs/adr/0010).
"""

from collections.abc import Iterator

import msgspec
import numpy as np

from uncap.domain.association.counting import I64, ParentCounts, distinct
from uncap.domain.association.files import FileRecord, Fill
from uncap.domain.association.history import algebras_of, view_of
from uncap.domain.association.known import children_in, children_of_algebra
from uncap.domain.association.store import BIG, BLOCK, Cell, CellStore, batch_pk, part_pk
from uncap.domain.association.zones import RunDoc, read_zones
from uncap.domain.codes.scheme import INDEX_BITS, INDEX_LIMIT
from uncap.services.association_leases import stored_file

_GUARDED = 80
"""Pack batches whose `fill` can stand in the write that shows a file; a transaction takes a hundred items."""


class Fills:
    """`counts` gets what others packed, a partition of children at a time, each once."""

    def __init__(self, store: CellStore, record: FileRecord, counts: ParentCounts) -> None:
        self._store = store
        self._file_id = record.file_id
        self._counts = counts
        self._files: dict[str, FileRecord | None] = {}
        self._versions: dict[int, int] = {}
        self._places: dict[int, I64] = {}
        self._read: set[tuple[int, int]] = set()

    def look(self, keys: I64) -> None:
        """Everything that others have put into the parents of these sorted distinct keys is counted after this."""
        for parent_batch in distinct(keys >> INDEX_BITS):
            ours = keys[keys >> INDEX_BITS == parent_batch] & (INDEX_LIMIT - 1)
            if parent_batch not in self._places:
                # The version first: whoever packs into it after that moves it, and this file will see that it moved.
                self._versions[parent_batch] = self._version(parent_batch)
                self._places[parent_batch] = self._places_of(parent_batch)
            child, part, low, high = self._places[parent_batch].T
            meets = np.searchsorted(ours, low) < np.searchsorted(ours, high, "right")
            wanted = set(zip(child[meets].tolist(), part[meets].tolist(), strict=True))
            for batch_no, number in sorted(wanted - self._read):
                self._read.add((batch_no, number))
                self._count(batch_no, number)

    def following(self) -> list[Cell]:
        """`fill` of each batch the file has put something into, to be stored with what makes it visible."""
        batches = distinct(self._counts.filled() >> INDEX_BITS)[:_GUARDED]
        return [fill_cell(batch_no, self._versions[batch_no] + 1) for batch_no in batches]

    def moved(self) -> bool:
        """Whether anybody has become visible in these batches since they were looked at."""
        return any(self._version(batch_no) != version for batch_no, version in self._versions.items())

    def _version(self, batch_no: int) -> int:
        cell = self._store.get(batch_pk(batch_no), "fill")
        return 0 if cell is None else msgspec.json.decode(cell.doc, type=Fill).version

    def _places_of(self, parent_batch: int) -> I64:
        """Rows (child batch, partition, least and greatest parent) of all that others say is in packs of the batch."""
        rows: list[tuple[int, int, int, int]] = []
        for cell in self._store.query(batch_pk(parent_batch), "down#", "down$"):
            rows += self._zones_of(int(cell.sk.partition("#")[2]), parent_batch)
        for cell in self._store.query(batch_pk(parent_batch), "in#", "in$"):
            _, parent, child_batch, _ = cell.sk.split("#")
            parts = {index // BIG for index in msgspec.json.decode(cell.doc, type=list[int])}
            rows += [(int(child_batch), part, int(parent), int(parent)) for part in parts]
        return np.array(rows, np.int64).reshape(-1, 4)

    def _zones_of(self, batch_no: int, parent_batch: int) -> Iterator[tuple[int, int, int, int]]:
        for cell in self._store.query(batch_pk(batch_no), "z#", "z$"):
            doc = msgspec.json.decode(cell.doc, type=RunDoc)
            if parent_batch in doc.parents and self._accepted_at(cell.sk.split("#")[1], cell.v) is not None:
                for zone in read_zones(doc.zones, cell.body):
                    if zone.parent_batch == parent_batch:
                        yield batch_no, zone.part, zone.low, zone.high

    def _accepted_at(self, file_id: str, generation: int) -> int | None:
        """None for this file too: what it says itself is counted as it goes."""
        if file_id == self._file_id:
            return None
        if file_id not in self._files:
            self._files[file_id] = stored_file(self._store, file_id)
        other = self._files[file_id]
        counts = other is not None and other.state == "visible" and other.generation == generation
        return other.accepted_at_ms if other and counts else None

    def _count(self, batch_no: int, part: int) -> None:
        """The parents that children of a partition are in at last."""
        algebraic: list[Cell] = []
        blocks: dict[int, list[Cell]] = {}
        for cell in self._store.query(part_pk(batch_no, part * BIG), "a#", "c"):
            if cell.sk.startswith("a#"):
                algebraic.append(cell)
            else:
                blocks.setdefault(part * (BIG // BLOCK) + int(cell.sk[1:4]), []).append(cell)
        algebras = algebras_of(algebraic, self._accepted_at)
        placed = [(origin.source, children_of_algebra(one, part)) for origin, one in algebras]
        changed: set[int] = set()
        last: dict[str, list[int]] = {}
        for block, cells in blocks.items():
            view = view_of(cells, algebras, self._accepted_at)
            placed += children_in(view, block)
            changed.update(view.changed)
            for index in view.changed:
                fact = view.history(index)[-1]
                if fact.parent is not None:
                    key = fact.parent.batch_no << INDEX_BITS | fact.parent.index
                    last.setdefault(fact.origin.source, []).append(key)
        moved = np.array(sorted(changed), np.int64)
        for source, (children, keys) in placed:
            self._counts.add_others(source, keys[~np.isin(children, moved)])
        for source, some in last.items():
            self._counts.add_others(source, np.array(some, np.int64))


def fill_cell(batch_no: int, version: int) -> Cell:
    """The batch's `fill`; stored only over the version before it."""
    return Cell(batch_pk(batch_no), "fill", msgspec.json.encode(Fill(version)).decode(), v=version)
