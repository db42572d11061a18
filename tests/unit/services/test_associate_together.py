"""Files that meet: they contradict each other, fill one case together, take turns on one batch, are given up."""

import pytest

from tests.kits.cells import KilledError, MemoryCells
from tests.kits.line_files import BOOK, CASES, PACK, RUN, T0, UNITS, apply, in_roll_order, reader_of, start_of
from tests.kits.packing import Book, Row, rows_of
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.association.store import BIG, BLOCK, BatchFacts
from uncap.domain.errors import ConflictError, TransientError
from uncap.services import associate_units
from uncap.services.associate_units import give_up, issues, open_file


@pytest.fixture(autouse=True)
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(associate_units, "RUN_ROWS", RUN)


def test_two_files_that_contradict_each_other_are_both_named_with_their_lines() -> None:
    store = MemoryCells()
    first = apply(store, in_roll_order(12), T0)
    second = apply(store, [Row(UnitRef(UNITS, 6), UnitRef(CASES, 40), T0 + 5)], T0 + 9)
    (issue,) = [one for one in issues(store, second.file_id) if one.reason == "contradiction"]
    assert (issue.line, issue.child, issue.parent) == (1, UnitRef(UNITS, 6), UnitRef(CASES, 40))
    assert (issue.other, issue.other_file, issue.other_lines) == (UnitRef(CASES, 1), first.file_id, (7, 7))
    assert store.get(f"assocfile#{first.file_id}", f"against#{second.file_id}") is not None
    assert reader_of(store).parent_of(UnitRef(UNITS, 6)) == UnitRef(CASES, 1)


def test_a_case_that_two_files_fill_together_is_never_overfull_and_both_are_named() -> None:
    store = MemoryCells()
    first = apply(store, in_roll_order(7), T0)  # three in the second case
    second = [Row(UnitRef(UNITS, index), UnitRef(CASES, 1), T0 + 5) for index in (BLOCK, BIG, BIG + 1)]
    record = apply(store, second, T0 + 9)
    assert (record.state, record.added, record.counts) == ("visible", 1, {"case_overfull": 2})
    found = [(one.line, one.parent, one.other_file, one.count) for one in issues(store, record.file_id)]
    assert found == [(2, UnitRef(CASES, 1), first.file_id, 3), (3, UnitRef(CASES, 1), first.file_id, 3)]
    assert store.get(f"assocfile#{first.file_id}", f"against#{record.file_id}") is not None
    assert reader_of(store).children_of(UnitRef(CASES, 1)) == [UnitSpan(UNITS, 4, 7), UnitSpan(UNITS, BLOCK, BLOCK + 1)]
    more = [Row(UnitRef(UNITS, 90), UnitRef(CASES, 1), T0 + 6)]
    assert apply(store, more, T0 + 10, "rollback").state == "failed"
    room = [Row(UnitRef(UNITS, 4), UnitRef(CASES, 1), T0 + 7, delete=True), *more]
    assert apply(store, room, T0 + 11, "rollback").counts == {}


def test_of_two_lines_that_fill_one_case_at_the_same_time_the_later_begins_anew_and_is_told() -> None:
    """Different batches are applied side by side; only what is visible last can know of the other."""
    other = 9
    book = Book(*BOOK.batches.values(), BatchFacts(other, 100, "u", PACK, "c"))
    store = MemoryCells()
    rows = {
        no: [Row(UnitRef(no, index), UnitRef(CASES, 3 if index < 3 else no * 10 + index), T0) for index in range(RUN)]
        for no in (UNITS, other)
    }

    def opened(batch_no: int) -> associate_units.AssociationJob:
        job = open_file(store, book, start_of(rows[batch_no]), lambda: T0)
        if not job.done and not job.record.rows_done:
            job.feed(rows_of(rows[batch_no]))
        return job

    one, two = opened(UNITS), opened(other)
    first = one.finish()
    assert first.state == "visible"
    with pytest.raises(TransientError, match="association_busy"):
        two.finish()
    again = opened(other).finish()
    assert (again.state, again.generation, again.added) == ("visible", 2, RUN - 2)
    assert (again.counts["case_overfull"], again.against) == (2, {first.file_id: 2})
    assert reader_of(store).children_of(UnitRef(CASES, 3)) == [UnitSpan(UNITS, 0, 3), UnitSpan(other, 0, 1)]


def test_lines_that_only_share_a_batch_of_cases_do_not_wait_for_each_other() -> None:
    other = 9
    book = Book(*BOOK.batches.values(), BatchFacts(other, 100, "u", PACK, "c"))
    store = MemoryCells()
    jobs = []
    for batch_no, case in ((UNITS, 3), (other, 4)):
        rows = [Row(UnitRef(batch_no, index), UnitRef(CASES, case + index), T0) for index in range(0, 2 * RUN, 2)]
        jobs.append(open_file(store, book, start_of(rows), lambda: T0))
        jobs[-1].feed(rows_of(rows))
    assert [job.finish().state for job in jobs] == ["visible", "visible"]


def test_one_file_at_a_time_is_applied_to_a_batch_until_one_stands_still() -> None:
    store = MemoryCells()
    slow = open_file(store, BOOK, start_of(in_roll_order(12)), lambda: T0)
    slow.feed(rows_of(in_roll_order(12)))
    other = [Row(UnitRef(UNITS, 30), UnitRef(CASES, 30), T0)]
    with pytest.raises(TransientError, match="association_busy"):
        apply(store, other, T0 + 60_000)
    assert apply(store, other, T0 + 11 * 60_000).state == "visible"
    with pytest.raises(ConflictError, match="file_moved"):
        slow.finish()
    again = apply(store, in_roll_order(12), T0 + 12 * 60_000)
    assert (again.state, again.generation, again.added) == ("visible", 2, 12)
    assert reader_of(store).parent_of(UnitRef(UNITS, 3)) == UnitRef(CASES, 0)


def test_of_two_workers_on_one_file_only_one_goes_on() -> None:
    store = MemoryCells()
    rows = in_roll_order(12)
    one, two = (open_file(store, BOOK, start_of(rows), lambda: T0) for _ in range(2))
    one.feed(rows_of(rows))
    with pytest.raises(ConflictError, match="file_moved"):
        two.feed(rows_of(rows))
    assert one.finish().state == "visible"


def test_a_file_that_is_given_up_frees_its_batch_and_stays_unseen() -> None:
    store = MemoryCells()
    job = open_file(store, BOOK, start_of(in_roll_order(12)), lambda: T0)
    job.feed(rows_of(in_roll_order(12)))
    job.feed(rows_of(in_roll_order(1, 12)))
    assert any(job.record.file_id in sk for _, sk in store.cells)
    calm, before = dict(store.cells), store.writes
    assert give_up(store, job.record.file_id, T0).state == "given_up"
    assert not any(job.record.file_id in sk for _, sk in store.cells)
    for die_at in range(1, store.writes - before):  # what a kill leaves behind goes when the file is looked at again
        shaken = MemoryCells()
        shaken.cells, shaken.die_at = dict(calm), die_at
        with pytest.raises(KilledError):
            give_up(shaken, job.record.file_id, T0)
        shaken.die_at = None
        assert open_file(shaken, BOOK, start_of(in_roll_order(12)), lambda: T0).record.state == "given_up"
        assert not any(job.record.file_id in sk for _, sk in shaken.cells)
    assert apply(store, [Row(UnitRef(UNITS, 0), UnitRef(CASES, 3), T0)], T0).state == "visible"
    assert reader_of(store).children_of(UnitRef(CASES, 0)) == []
    with pytest.raises(ConflictError, match="file_ended"):
        give_up(store, job.record.file_id, T0)
    with pytest.raises(ConflictError, match="file_ended"):
        open_file(store, BOOK, start_of(in_roll_order(12)), lambda: T0).feed(rows_of(in_roll_order(12)))
