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
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.association.store import BIG, BLOCK, BatchFacts, Cell
from uncap.domain.codes.reading import Fault
from uncap.domain.errors import ConflictError, InputError, TransientError
from uncap.services import associate_units
from uncap.services.associate_units import give_up, issues, open_file

UNITS, CASES, PACK = 7, 8, 4
T0 = 1_795_300_000_000
BOOK = Book(BatchFacts(UNITS, BIG + 200, "u", PACK, "c"), BatchFacts(CASES, 400, "c", level="case"))
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


class RollOfFour:
    """Roll order of the batches above."""

    def parent_of(self, unit: UnitRef, at_ms: int | None = None) -> UnitRef | None:
        return UnitRef(CASES, unit.index // PACK) if unit.batch_no == UNITS else None

    def children_of(self, unit: UnitRef, at_ms: int | None = None) -> Sequence[UnitSpan]:
        return [UnitSpan(UNITS, unit.index * PACK, (unit.index + 1) * PACK)] if unit.batch_no == CASES else []


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(InputError, match="mode_unknown"):
        open_file(MemoryCells(), BOOK, FileStart("ab" * 32, "perhaps"), lambda: T0)
