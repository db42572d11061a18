"""Accruals, clawbacks and credit notes: whatever comes in whatever order, no fen is lost and none is paid twice."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kits.account_kit import DAY, FIRST, MemoryBooks, accrual
from uncap.domain.books.accounts import Holder, share_of
from uncap.domain.errors import ConflictError, InputError, TransientError
from uncap.domain.ledger import balances
from uncap.domain.rewards.accruing import ACCRUAL, month_of, month_start_ms, next_month
from uncap.domain.rewards.reward import Case
from uncap.services.claw_back import LIMIT_MINOR, Return, claw_back
from uncap.services.settle_accounts import SETTLES_AFTER_MS, Settling, check_settleable, settle_month

HOLDER = Holder("d-1", "CNY")
BY = ("ann", "bob")
OCTOBER = month_start_ms("2026-10")


def settle(
    books: MemoryBooks,
    month: str,
    now_ms: int,
    settling: Settling | None = None,
    up: Callable[[], bool] = lambda: False,
    ppm_of: Callable[[str, int], int] = lambda _, __: 1_000_000,
) -> tuple[Settling, list[Case]]:
    cases: list[Case] = []
    done = settle_month(settling or Settling(month, BY), books, ppm_of, now_ms, up, lambda _: None, cases.append)
    return done, cases


def total(books: MemoryBooks, kind: str) -> int:
    return sum(row.amount_minor for holder in books.open for row in books.every_row(holder) if row.kind == kind)


def test_a_months_accruals_become_one_credit_note() -> None:
    books = MemoryBooks()
    for number in range(7):
        books.accrue(accrual(number, 5, FIRST + number * DAY))
    books.accrue(accrual(99, 5, OCTOBER))  # the next month's
    done, cases = settle(books, "2026-09", OCTOBER + SETTLES_AFTER_MS)
    (note,) = books.notes.values()
    assert (note.name, note.amount_minor, note.by) == ("brand-202609-000001", 35, BY)
    assert (done.done, done.notes, done.amount_minor, cases) == (True, 1, 35, [])
    assert books.balance(books.open[HOLDER], OCTOBER + DAY) == 5


def test_settling_again_changes_nothing() -> None:
    books = MemoryBooks()
    books.accrue(accrual(1, 500, FIRST))
    settle(books, "2026-09", OCTOBER + SETTLES_AFTER_MS)
    before = dict(books.open)
    again, _ = settle(books, "2026-09", OCTOBER + 3 * DAY)
    assert (again.notes, books.open, len(books.notes)) == (0, before, 1)


@pytest.mark.parametrize("crash", ["before", "after"])
def test_a_crash_in_the_middle_is_resumed(crash: str) -> None:
    books = MemoryBooks()
    for number in range(3):
        books.accrue(accrual(number, 100, FIRST, party=f"d-{number}"))
    books.crash = crash
    with pytest.raises(TransientError):
        settle(books, "2026-09", OCTOBER + SETTLES_AFTER_MS)
    settle(books, "2026-09", OCTOBER + SETTLES_AFTER_MS)
    assert sorted(note.number for note in books.notes.values()) == [1, 2, 3]
    assert sum(note.amount_minor for note in books.notes.values()) == 300


def test_a_month_is_settled_six_hours_after_it_is_over() -> None:
    with pytest.raises(ConflictError, match="month_not_over"):
        check_settleable("2026-09", OCTOBER + SETTLES_AFTER_MS - 1)
    check_settleable("2026-09", OCTOBER + SETTLES_AFTER_MS)
    for wrong in ("2026-13", "september", "2026"):
        with pytest.raises(InputError, match="month_malformed"):
            check_settleable(wrong, OCTOBER)


def test_time_that_is_up_leaves_the_rest_for_the_next_run() -> None:
    books = MemoryBooks()
    for number in range(120):
        books.accrue(accrual(number, 100, FIRST, party=f"d-{number:03d}"))
    turns = iter([False, True])
    first, _ = settle(books, "2026-09", OCTOBER + DAY, up=lambda: next(turns))
    assert (first.done, first.notes) == (False, 50)
    second, _ = settle(books, "2026-09", OCTOBER + DAY, first)
    assert (second.done, second.notes, len(books.notes)) == (True, 120, 120)


def test_an_entry_dated_into_a_closed_month_is_a_case() -> None:
    books = MemoryBooks()
    books.accrue(accrual(1, 500, FIRST))
    settle(books, "2026-09", OCTOBER + DAY)
    books.accrue(accrual(2, 70, FIRST + DAY))
    _, cases = settle(books, "2026-10", month_start_ms("2026-11") + DAY)
    assert [one.kind for one in cases] == ["account_differs"]
    assert len(books.notes) == 1


def test_returns_take_back_in_proportion_exactly() -> None:
    books, one = MemoryBooks(), accrual(1, 100, FIRST)
    books.accrue(one)
    books.accrue(accrual(2, 1_000, FIRST))
    taken = [claw_back(one, Return(f"r{n}", 1, 3), books, FIRST + DAY).clawed_minor for n in range(3)]
    assert taken == [33, 66, 100]
    assert claw_back(one, Return("r2", 1, 3), books, FIRST + DAY).clawed_minor == 100
    assert books.balance(books.open[HOLDER], FIRST + DAY) == 1_000
    with pytest.raises(InputError, match="units_invalid"):
        claw_back(one, Return("r9", 1, 3), books, FIRST + DAY)
    with pytest.raises(ConflictError, match="units_differ"):
        claw_back(one, Return("r9", 1, 12), books, FIRST + DAY)


def test_a_return_of_less_than_a_fen_is_counted_and_taken_with_a_later_one() -> None:
    books, one = MemoryBooks(), accrual(1, 5, FIRST)
    books.accrue(one)
    taken = [claw_back(one, Return(f"r{n}", 1, 12), books, FIRST).clawed_minor for n in range(12)]
    assert taken == [0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5]


def test_a_negative_balance_is_carried_forward() -> None:
    books, one = MemoryBooks(), accrual(1, 800, FIRST)
    books.accrue(one)
    settle(books, "2026-09", OCTOBER + DAY)
    claw_back(one, Return("r", 12, 12), books, OCTOBER + 2 * DAY)
    books.accrue(accrual(2, 300, OCTOBER + 3 * DAY))
    settle(books, "2026-10", month_start_ms("2026-11") + DAY)
    assert len(books.notes) == 1
    assert books.open[HOLDER].carried_minor == -500
    books.accrue(accrual(3, 501, month_start_ms("2026-11")))
    settle(books, "2026-11", month_start_ms("2026-12") + DAY)
    assert books.notes["2026-11", 1].amount_minor == 1


def test_below_its_limit_people_decide() -> None:
    books, one = MemoryBooks(), accrual(1, LIMIT_MINOR + 1, FIRST)
    books.accrue(one)
    settle(books, "2026-09", OCTOBER + DAY)
    with pytest.raises(ConflictError, match="clawback_below_limit"):
        claw_back(one, Return("r", 1, 1), books, OCTOBER + DAY)
    assert books.open[HOLDER].carried_minor == 0
    claw_back(one, Return("r", 1, 1, BY), books, OCTOBER + DAY, agreed=True)
    assert books.open[HOLDER].carried_minor == -LIMIT_MINOR - 1


def test_a_share_outside_the_whole_is_no_share() -> None:
    for returned, whole in ((-1, 3), (4, 3), (0, 0)):
        with pytest.raises(ValueError, match="units"):
            share_of(100, returned, whole)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("accrue"), st.integers(1, 2_000), st.sampled_from(["d-1", "d-2"])),
        st.tuples(st.just("return"), st.integers(0, 40), st.integers(1, 5)),
        st.tuples(st.just("settle"), st.sampled_from(["", "before", "after"]), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 20), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS)
@settings(max_examples=120, deadline=None)
def test_no_fen_is_lost_whatever_happens(steps: list[tuple[str, int | str, str | int]]) -> None:
    books, now_ms = MemoryBooks(), FIRST
    for number, (what, one, other) in enumerate(steps):
        if what == "accrue":
            books.accrue(accrual(number, int(one), now_ms, party=str(other)))
        elif what == "return" and books.rewards:
            _return(books, number, int(one), int(other), now_ms)
        elif what == "wait":
            now_ms += int(one) * DAY
        elif what == "settle":
            _settle_last(books, str(one), now_ms)
        _check(books, now_ms)


def _return(books: MemoryBooks, number: int, which: int, units: int, now_ms: int) -> None:
    try:
        claw_back(
            books.rewards[which % len(books.rewards)], Return(f"r{number}", units, 12), books, now_ms, agreed=True
        )
    except InputError as refused:
        if refused.code != "units_invalid":
            raise


def _settle_last(books: MemoryBooks, crash: str, now_ms: int) -> None:
    month = "2026-08"
    while now_ms >= month_start_ms(next_month(next_month(month))) + SETTLES_AFTER_MS:
        month = next_month(month)
    books.crash = crash
    try:
        _, cases = settle(books, month, max(now_ms, FIRST + DAY))
        assert cases == []
    except TransientError:
        settle(books, month, max(now_ms, FIRST + DAY))
    books.crash = ""


def _check(books: MemoryBooks, now_ms: int) -> None:
    entries = [one.settled for one in books.rewards] + [entry.postings for _, entry in books.journal.values()]
    sums = balances(entries)
    assert sum(sums.values()) == 0
    for holder, account in books.open.items():
        assert books.balance(account, now_ms) == -sums.get(holder.account, 0)
        for (whose, month), period in books.months.items():
            if whose == holder:
                before = [row.amount_minor for row in books.every_row(holder) if month_of(row.at_ms) < month]
                within = [row.amount_minor for row in books.every_row(holder) if month_of(row.at_ms) == month]
                assert (period.opening_minor, period.closing_minor) == (sum(before), sum(before) + sum(within))
    notes = sum(note.amount_minor for note in books.notes.values())
    taken = sum(one.clawed_minor for one in books.taken.values())
    assert total(books, ACCRUAL) - notes - taken == sum(books.balance(one, now_ms) for one in books.open.values())
    for month, last in books.last.items():
        assert sorted(number for at, number in books.notes if at == month) == list(range(1, last + 1))
