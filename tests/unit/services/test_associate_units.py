"""Association files against the plain truth: random packing, crashes at every write, past moments, both ways."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kits.cells import KilledError, MemoryCells
from tests.kits.line_files import (
    BOOK,
    CASES,
    CHILDREN,
    PACK,
    RUN,
    T0,
    UNITS,
    RollOfFour,
    _settled,
    apply,
    assert_same,
    assert_unseen,
    cut,
    in_roll_order,
    out_of_roll_order,
    reader_of,
    start_of,
)
from tests.kits.packing import Book, Row, Truth, rows_of
from uncap.adapters.association import StoredAssociation
from uncap.domain.association.files import FileStart
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.association.store import BIG, BatchFacts
from uncap.domain.codes.reading import Fault
from uncap.domain.errors import InputError
from uncap.services import associate_units
from uncap.services.associate_units import issues, open_file

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


@pytest.fixture(autouse=True)
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(associate_units, "RUN_ROWS", RUN)


@settings(max_examples=40, deadline=None)
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


def test_what_was_only_taken_out_is_remembered_after_a_kill_at_any_write() -> None:
    """The deletion is in a block where the file places nothing; forgotten, the case it made room in is called short."""
    rows = [Row(UnitRef(UNITS, 8), None, T0, delete=True), Row(UnitRef(UNITS, BIG), UnitRef(CASES, 2), T0)]
    calm = MemoryCells()
    apply(calm, in_roll_order(12), T0)
    before = calm.writes
    counts = apply(calm, rows, T0 + 1).counts
    for die_at in range(calm.writes - before):
        shaken = MemoryCells()
        apply(shaken, in_roll_order(12), T0)
        shaken.die_at = shaken.writes + die_at
        with pytest.raises(KilledError):
            apply(shaken, rows, T0 + 1)
        shaken.die_at = None
        assert apply(shaken, rows, T0 + 1).counts == counts
        assert _settled(shaken) == _settled(calm)


def test_the_next_file_knows_what_one_took_out_of_roll_order() -> None:
    """Nothing was ever placed in the block: the deletion alone says that roll order no longer holds there."""
    book = Book(BatchFacts(UNITS, 40, "u", PACK, "c", CASES), BatchFacts(CASES, 10, "c", level="case"))
    store = MemoryCells()
    counts = []
    for number in range(2):
        job = open_file(store, book, start_of(rows := [out_of_roll_order(number)]), lambda: T0 + 2_000)
        job.feed(rows_of(rows))
        counts.append(job.finish().counts)
    assert counts == [{}, {"not_packed": 1}]
    assert reader_of(store).parent_of(UnitRef(UNITS, 5)) is None


def test_the_report_says_every_row_that_was_refused_and_why() -> None:
    store = MemoryCells()
    rows = in_roll_order(10)
    rows += [
        Row(UnitRef(UNITS, 2), UnitRef(CASES, 0), T0),  # line 11: read twice by the camera
        Row(UnitRef(UNITS, 3), UnitRef(CASES, 5), T0),  # 12: seen in another case
        Row(UnitRef(UNITS, 50), UnitRef(CASES, 0), T0),  # 13: a fifth bottle in a case of four
        Row(UnitRef(UNITS, BIG + 200), UnitRef(CASES, 9), T0),  # 14: beyond the batch
        Row(UnitRef(99, 0), UnitRef(CASES, 9), T0),  # 15: no such batch
        Row(UnitRef(UNITS, 51), UnitRef(UNITS, 52), T0),  # 16: a bottle in a bottle
        Row(UnitRef(CASES, 1), UnitRef(CASES, 2), T0),  # 17: a case in a case
        Row(UnitRef(UNITS, 53), UnitRef(CASES, 9), 5),  # 18: in 1970
        Row(UnitRef(UNITS, 53), UnitRef(CASES, 9), T0 + 2 * 86_400_000),  # 19: the day after tomorrow
        Row(UnitRef(UNITS, 54), UnitRef(CASES, 9), T0, delete=True),  # 20: out of where it never was
        Row(UnitRef(UNITS, 55), None, T0),  # 21: into nothing
    ]
    record = apply(store, rows, T0)
    found = {(one.line, one.reason) for one in issues(store, record.file_id)}
    assert found == {
        (11, "repeat"), (12, "contradiction"), (13, "case_overfull"), (14, "code_not_issued"),
        (15, "code_not_issued"), (16, "other_product"), (17, "other_product"), (18, "time_invalid"),
        (19, "time_invalid"), (20, "not_packed"), (21, "code_malformed"), (9, "case_short"),
    }  # fmt: skip
    assert (record.added, record.state, record.sound) == (10, "visible", False)
    short = next(one for one in issues(store, record.file_id) if one.reason == "case_short")
    assert (short.parent, short.count) == (UnitRef(CASES, 2), 2)


def test_faults_of_reading_are_counted_exactly_and_kept_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(associate_units, "KEPT_ISSUES", 3)
    store, rows = MemoryCells(), rows_of(in_roll_order(30))
    rows.child.fault[:25] = Fault.CHECK_DIGIT
    job = open_file(store, BOOK, FileStart("ab" * 32, "proceed"), lambda: T0)
    job.feed(rows)
    record = job.finish()
    assert record.counts["check_digit"] == 25
    assert [one.line for one in issues(store, record.file_id)] == [1, 2, 3]


def test_rollback_shows_nothing_of_a_file_with_an_error_and_all_of_a_sound_one() -> None:
    store = MemoryCells()
    bad = apply(store, [*in_roll_order(20), Row(UnitRef(UNITS, 1), UnitRef(CASES, 9), T0)], T0, "rollback")
    assert (bad.state, bad.counts["contradiction"]) == ("failed", 1)
    assert not any(bad.file_id in sk for _, sk in store.cells)
    assert reader_of(store).parent_of(UnitRef(UNITS, 0)) is None
    good = apply(store, in_roll_order(20), T0, "rollback")
    assert good.state == "visible"
    assert reader_of(store).parent_of(UnitRef(UNITS, 5)) == UnitRef(CASES, 1)


def test_a_failed_file_can_be_tried_again_and_leaves_nothing_of_its_first_attempt() -> None:
    store = MemoryCells()
    rows = [*in_roll_order(12), Row(UnitRef(77, 0), UnitRef(CASES, 9), T0)]
    assert apply(store, rows, T0, "rollback").state == "failed"
    assert apply(store, rows, T0, "rollback").state == "failed"
    book = Book(*BOOK.batches.values(), BatchFacts(77, 10, "w", level="box", parent_gtin="c"))
    job = open_file(store, book, start_of(rows, "rollback"), lambda: T0 + 1, again=True)
    job.feed(rows_of(rows))
    assert job.finish().state == "visible"
    assert reader_of(store).parent_of(UnitRef(77, 0)) == UnitRef(CASES, 9)
    assert reader_of(store).children_of(UnitRef(CASES, 1)) == [UnitSpan(UNITS, 4, 8)]


def test_roll_order_holds_until_a_file_says_otherwise_and_unpacking_can_lean_on_it() -> None:
    store = MemoryCells()
    book = Book(BatchFacts(UNITS, 100, "u", PACK, "c", CASES), BatchFacts(CASES, 25, "c", level="case"))
    reader = StoredAssociation(store, RollOfFour(), lambda: 0, 0)
    assert reader.parent_of(UnitRef(UNITS, 9)) == UnitRef(CASES, 2)
    opened = rows_of([Row(UnitRef(UNITS, 9), UnitRef(CASES, 2), T0 + 50, delete=True)])
    job = open_file(store, book, FileStart("cd" * 32, "proceed"), lambda: T0)
    job.feed(opened)
    assert job.finish().deleted == 1
    assert reader.parent_of(UnitRef(UNITS, 9)) is None
    assert reader.parent_of(UnitRef(UNITS, 9), T0) == UnitRef(CASES, 2)
    assert reader.children_of(UnitRef(CASES, 2)) == [UnitSpan(UNITS, 8, 9), UnitSpan(UNITS, 10, 12)]
    assert not reader.is_associated(UNITS)
    apply(store, in_roll_order(4), T0 + 99)
    assert reader.is_associated(UNITS)
    assert reader.parent_of(UnitRef(UNITS, 20)) is None
    assert reader.children_of(UnitRef(CASES, 5)) == []


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(InputError, match="mode_unknown"):
        open_file(MemoryCells(), BOOK, FileStart("ab" * 32, "perhaps"), lambda: T0)
