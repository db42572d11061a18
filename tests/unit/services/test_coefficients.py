"""A year's rebates times the year's coefficient: exact, never more than earned, given back when a cut is lifted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kits.account_kit import DAY, FIRST, MemoryBooks, accrual
from tests.unit.services.test_accounts import settle
from uncap.domain.books.accounts import Holder, YearShare
from uncap.domain.books.coefficients import COEFFICIENT, withheld_of
from uncap.domain.diversion.penalties import FULL_PPM, Coefficient, Cut, lifted, lowered
from uncap.domain.errors import InputError
from uncap.domain.rewards.accruing import accrues, month_of, month_start_ms, next_month
from uncap.services.claw_back import Return, claw_back

HOLDER = Holder("d-1", "CNY")
PPM = st.integers(0, FULL_PPM)


class Year:
    """Books whose only holder's coefficients can be set by year; months are settled one after another."""

    def __init__(self) -> None:
        self.books = MemoryBooks()
        self.ppm: dict[int, int] = {}
        self.month = "2026-09"
        self.count = 0

    def accrue(self, amount_minor: int) -> None:
        self.count += 1
        self.books.accrue(accrual(self.count, amount_minor, month_start_ms(self.month) + self.count))

    def come_back(self, units: int) -> None:
        self.count += 1
        one = self.books.rewards[units % len(self.books.rewards)]
        at_ms = month_start_ms(self.month) + self.count
        try:
            claw_back(one, Return(f"r{self.count}", units, 12), self.books, at_ms, agreed=True)
        except InputError as refused:
            if refused.code != "units_invalid":
                raise

    def settle(self, crash: str = "") -> None:
        ends_at_ms = month_start_ms(next_month(self.month)) + DAY
        if crash:
            self.books.crash = crash
            with pytest.raises(Exception, match="table_unavailable"):
                settle(self.books, self.month, ends_at_ms, ppm_of=self._ppm_of)
        _, cases = settle(self.books, self.month, ends_at_ms, ppm_of=self._ppm_of)
        assert cases == []
        self.month = next_month(self.month)
        self.count += DAY + 1

    def _ppm_of(self, party: str, year: int) -> int:
        assert party == HOLDER.party
        return self.ppm.get(year, FULL_PPM)

    @property
    def notes(self) -> list[int]:
        return [note.amount_minor for _, note in sorted(self.books.notes.items())]

    def share(self, year: int) -> YearShare:
        return next(one for one in self.books.open[HOLDER].years if one.year == year)


def test_a_month_pays_the_coefficients_share_rounded_down_once() -> None:
    year = Year()
    year.ppm[2026] = 950_000
    for _ in range(7):
        year.accrue(5)  # floor(5 × 0.95) each would have been 28 of 35, a fifth and not a twentieth
    year.settle()
    assert year.notes == [33]
    (entry,) = [entry for _, entry in year.books.journal.values() if entry.kind == COEFFICIENT]
    assert [(one.account, one.amount_minor) for one in entry.postings] == [
        ("accrual:d-1:CNY", 2),
        ("breakage:coefficient@2026:CNY", -2),
    ]
    assert entry.note == "2026: 950000 ppm of 35 earned; 2 withheld in all, 2 of it now"
    assert entry.by == ("ann", "bob")


def test_a_cut_late_in_the_year_is_of_the_whole_year_and_never_below_zero() -> None:
    year = Year()
    year.accrue(10_000)
    year.settle()
    year.ppm[2026] = 800_000
    year.accrue(1_500)
    year.settle()  # 2 300 of 11 500 is due, and 1 500 is there
    assert (year.notes, year.share(2026).withheld_minor) == ([10_000], 1_500)
    year.accrue(1_000)
    year.settle()  # 2 500 of 12 500
    assert (year.notes, year.share(2026).withheld_minor) == ([10_000], 2_500)
    year.settle()
    assert sum(year.notes) == 12_500 * 8 // 10


def test_last_years_coefficient_is_followed_through_the_next_year_and_no_longer() -> None:
    year = Year()
    year.accrue(1_000)
    for _ in range(4):
        year.settle()
    assert year.month == "2027-01"
    year.ppm[2026] = 500_000
    year.accrue(2_000)
    year.settle()
    assert year.notes == [1_000, 1_500]
    for _ in range(11):
        year.settle()
    assert year.month == "2028-01"
    year.ppm[2026] = 0
    year.accrue(100)
    year.settle()
    assert year.notes == [1_000, 1_500, 100]


@pytest.mark.parametrize("crash", ["before", "after"])
def test_what_a_lifted_cut_took_is_given_back_once(crash: str) -> None:
    cut = Cut(FIRST, "wang", "CASE", 80_000, "seen on the shelf")
    low = lowered(Coefficient("d-1", 2026), cut)
    year = Year()
    year.ppm[2026] = low.ppm
    year.accrue(12_345)
    year.settle(crash)
    high = lifted(low, "CASE", "zhao", FIRST + DAY)
    year.ppm[2026] = high.ppm
    assert (high.ppm, high.version, high.cuts[0].lifted_by) == (FULL_PPM, 2, "zhao")
    assert lifted(high, "CASE", "zhao", FIRST + 2 * DAY) is high
    year.settle(crash)
    assert year.notes == [11_357, 988]
    assert [entry.postings[0].account for _, entry in year.books.journal.values() if entry.kind == COEFFICIENT] == [
        "accrual:d-1:CNY",
        "breakage:coefficient@2026:CNY",
    ]


def test_two_cuts_below_zero_and_one_lifted() -> None:
    both = lowered(Coefficient("d", 2026), Cut(1, "wang", "A", 700_000, "a"))
    both = lowered(both, Cut(2, "wang", "B", 600_000, "b"))
    assert both.ppm == 0
    assert lifted(both, "A", "zhao", 3).ppm == 400_000


@given(st.integers(-(10**9), 10**12), PPM, PPM)
def test_the_share_is_exact_and_falls_with_the_coefficient(earned: int, one: int, other: int) -> None:
    kept = earned - withheld_of(earned, one)
    if earned <= 0:
        assert kept == earned
        return
    assert 0 <= kept <= earned
    assert kept * FULL_PPM <= earned * one < (kept + 1) * FULL_PPM
    assert withheld_of(earned, FULL_PPM) == 0
    assert withheld_of(earned, 0) == earned
    assert (withheld_of(earned, one) >= withheld_of(earned, other)) or one > other


@pytest.mark.parametrize("ppm", [-1, FULL_PPM + 1])
def test_what_is_no_coefficient(ppm: int) -> None:
    with pytest.raises(ValueError, match="no coefficient"):
        withheld_of(100, ppm)


@given(st.integers(0, 10**6), st.text(max_size=4))
def test_a_consumer_has_no_account_that_a_coefficient_could_weigh(net_minor: int, payee: str) -> None:
    assert not accrues("consumer", net_minor, payee)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("accrue"), st.integers(1, 20_000)),
        st.tuples(st.just("return"), st.integers(1, 6)),
        st.tuples(st.just("coefficient"), PPM),
        st.tuples(st.just("settle"), st.sampled_from([0, 1, 2])),
    ),
    max_size=30,
)


@given(STEPS)
@settings(max_examples=100, deadline=None)
def test_never_more_than_was_earned_and_exactly_the_share_in_the_end(steps: list[tuple[str, int]]) -> None:
    year = Year()
    for what, number in steps:
        if what == "accrue":
            year.accrue(number)
        elif what == "return" and year.books.rewards:
            year.come_back(number)
        elif what == "coefficient":
            year.ppm[int(year.month[:4])] = number
        elif what == "settle":
            year.settle(["", "before", "after"][number] if year.books.open else "")
            _check(year)


def _check(year: Year) -> None:
    books = year.books
    rows = books.every_row(HOLDER) if HOLDER in books.open else []
    for entry in (entry for _, entry in books.journal.values() if entry.kind == COEFFICIENT):
        assert {one.account.split("@")[0] for one in entry.postings} == {"accrual:d-1:CNY", "breakage:coefficient"}
    if not rows:
        return
    account = books.open[HOLDER]
    for share in account.years:
        mine = [row for row in rows if month_of(row.at_ms)[:4] == str(share.year) and month_of(row.at_ms) < year.month]
        earned = sum(row.amount_minor for row in mine if row.kind in ("accrual", "clawback"))
        assert share.earned_minor == earned
        assert share.withheld_minor <= withheld_of(earned, year.ppm.get(share.year, FULL_PPM))
        assert 0 <= share.withheld_minor <= max(0, earned)
        had_enough = account.carried_minor > 0 or any(month == account.closed_month for month, _ in books.notes)
        if had_enough:
            assert share.withheld_minor == withheld_of(earned, year.ppm.get(share.year, FULL_PPM))
    withheld = -sum(row.amount_minor for row in rows if row.kind == COEFFICIENT)
    earned = sum(row.amount_minor for row in rows if row.kind in ("accrual", "clawback"))
    assert withheld >= sum(share.withheld_minor for share in account.years)
    assert sum(year.notes) + account.carried_minor + withheld == earned
