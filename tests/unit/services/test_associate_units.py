"""Association files against the plain truth: random packing, crashes at every write, past moments, both ways."""

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kits.cells import KilledError, MemoryCells
from tests.kits.packing import Book, Nothing, Row, Truth, rows_of
from uncap.adapters.association import StoredAssociation
from uncap.domain.association.files import FileRecord, FileStart, sha256_of
from uncap.domain.association.ports import UnitRef
from uncap.domain.association.store import BIG, BLOCK, BatchFacts, Cell
from uncap.services import associate_units
from uncap.services.associate_units import open_file

UNITS, CASES, PACK = 7, 8, 4
T0 = 1_795_300_000_000
BOOK = Book(BatchFacts(UNITS, BIG + 200, "u", PACK, "c"), BatchFacts(CASES, 400, "c"))
CHUNK, RUN = 5, 10
CHILDREN = [*range(12), *range(BLOCK - 4, BLOCK + 4), *range(BIG - 4, BIG + 4)]


@pytest.fixture(autouse=True)
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(associate_units, "RUN_ROWS", RUN)


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


row = st.builds(
    Row,
    st.sampled_from(CHILDREN).map(lambda index: UnitRef(UNITS, index)),
    st.integers(0, 7).map(lambda index: UnitRef(CASES, index)),
    st.integers(0, 6).map(lambda step: T0 + step * 1000),
    st.sampled_from((False, False, False, True)),
).flatmap(lambda one: st.sampled_from((one, one._replace(parent=None) if one.delete else one)))
in_order = st.integers(0, 3).map(
    lambda first: [Row(UnitRef(UNITS, i), UnitRef(CASES, i // PACK), T0) for i in range(first, 12)]
)
file = st.one_of(
    st.lists(row, max_size=35), st.tuples(in_order, st.lists(row, max_size=8)).map(lambda two: two[0] + two[1])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(file, min_size=1, max_size=3))
def test_any_files_mean_what_their_rows_say(files: list[list[Row]]) -> None:
    store, truth = MemoryCells(), Truth(PACK)
    for number, rows in enumerate(files):
        if files.index(rows) < number:
            before = dict(store.cells)
            apply(store, rows, T0 + number)
            assert store.cells == before
            continue
        record = apply(store, rows, T0 + number)
        expected = truth.apply(cut(rows), T0 + number)
        assert Counter({k: n for k, n in record.counts.items() if n}) == expected
        assert record.state == "visible"
    assert_same(store, truth, (None, T0 - 1, T0, T0 + 2500, T0 + 6000))


@settings(max_examples=12, deadline=None)
@given(st.lists(file, min_size=2, max_size=2), st.randoms(use_true_random=False))
def test_a_kill_at_any_write_changes_nothing_in_the_end(files: list[list[Row]], rng: random.Random) -> None:
    calm, shaken = MemoryCells(), MemoryCells()
    for number, rows in enumerate(files):
        before = calm.writes
        apply(calm, rows, T0 + number)
        writes = calm.writes - before
        for die_at in sorted(rng.sample(range(writes), min(4, writes))):
            shaken.die_at = shaken.writes + die_at
            seen = dict(shaken.cells)
            try:
                apply(shaken, rows, T0 + number)
            except KilledError:
                shaken.die_at = None
                assert_unseen(seen, shaken)
        shaken.die_at = None
        apply(shaken, rows, T0 + number)
    assert _settled(shaken) == _settled(calm)


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
