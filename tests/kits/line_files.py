"""Association files applied to cells in memory, with small runs. For the tests of `services/associate_units.py`."""

from collections.abc import Sequence

from tests.kits.cells import MemoryCells
from tests.kits.packing import Book, Nothing, Row, Truth, rows_of
from uncap.adapters.association import StoredAssociation
from uncap.domain.association.files import FileRecord, FileStart, sha256_of
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.association.store import BIG, BLOCK, BatchFacts, Cell
from uncap.services.associate_units import open_file

UNITS = 7


CASES = 8


PACK = 4


T0 = 1_795_300_000_000


BOOK = Book(BatchFacts(UNITS, BIG + 200, "u", PACK, "c"), BatchFacts(CASES, 400, "c", level="case"))


CHUNK = 5


RUN = 10


CHILDREN = [*range(12), *range(BLOCK - 4, BLOCK + 4), *range(BIG - 4, BIG + 4)]


def start_of(rows: Sequence[Row], mode: str = "proceed") -> FileStart:
    return FileStart(sha256_of(repr(rows).encode()), mode, "line-1.csv")


def apply(store: MemoryCells, rows: Sequence[Row], at_ms: int, mode: str = "proceed") -> FileRecord:
    """Feeds the file from where its record says."""
    job = open_file(store, BOOK, start_of(rows, mode), lambda: at_ms)
    if not job.done:
        for at in range(job.record.rows_done, len(rows), CHUNK):
            job.feed(rows_of(rows[at : at + CHUNK], at + 1), mark=str(at))
    return job.finish()


def reader_of(store: MemoryCells) -> StoredAssociation:
    return StoredAssociation(store, Nothing(), lambda: 0, 1)


def cut(rows: Sequence[Row]) -> list[Sequence[Row]]:
    return [rows[at : at + RUN] for at in range(0, len(rows), RUN)]


def assert_same(store: MemoryCells, truth: Truth, moments: Sequence[int | None]) -> None:
    reader = reader_of(store)
    children = [UnitRef(UNITS, index) for index in CHILDREN]
    for moment in moments:
        inside: dict[UnitRef, list[int]] = {}
        for child in children:
            parent = truth.parent_at(child, moment)
            assert reader.parent_of(child, moment) == parent
            if parent:
                inside.setdefault(parent, []).append(child.index)
        for case in range(8):
            spans = reader.children_of(UnitRef(CASES, case), moment)
            assert [i for span in spans for i in range(span.start, span.stop)] == inside.get(UnitRef(CASES, case), [])


def out_of_roll_order(second: int) -> Row:
    """Unit 5 taken out of wherever it is."""
    return Row(UnitRef(UNITS, 5), None, T0 + second * 1_000, delete=True)


def assert_unseen(before: dict[tuple[str, str], Cell], store: MemoryCells) -> None:
    """Until the one write that makes a file visible, look-ups answer as they did."""
    old = MemoryCells()
    old.cells = before
    records = [cell for (pk, sk), cell in store.cells.items() if pk.startswith("assocfile#") and sk == "meta"]
    if all('"state":"visible"' in cell.doc for cell in records):
        return
    for index in CHILDREN:
        now, then = (reader_of(one).parent_of(UnitRef(UNITS, index)) for one in (store, old))
        assert now == then


def _settled(store: MemoryCells) -> dict[tuple[str, str], object]:
    """Without versions: a crash costs versions, nothing else."""
    return {key: (cell.body, "" if key[1] in ("meta", "head") else cell.doc) for key, cell in store.cells.items()}


def in_roll_order(count: int, first: int = 0) -> list[Row]:
    return [Row(UnitRef(UNITS, i), UnitRef(CASES, i // PACK), T0) for i in range(first, first + count)]


class RollOfFour:
    """Roll order of the batches above."""

    def parent_of(self, unit: UnitRef, at_ms: int | None = None) -> UnitRef | None:
        return UnitRef(CASES, unit.index // PACK) if unit.batch_no == UNITS else None

    def children_of(self, unit: UnitRef, at_ms: int | None = None) -> Sequence[UnitSpan]:
        return [UnitSpan(UNITS, unit.index * PACK, (unit.index + 1) * PACK)] if unit.batch_no == CASES else []
