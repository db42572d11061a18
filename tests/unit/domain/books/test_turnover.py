"""Accounts by month against the naive fold; the tax of a month, paid in parts, never more than was withheld."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.books.journal import Booked, of_entry
from uncap.domain.books.taxes import TaxMonth, TaxPayment, entry_of, with_payment, withheld_in
from uncap.domain.books.turnover import AccountMonth, Turn, Turnover, later
from uncap.domain.errors import ConflictError
from uncap.domain.ledger import Posting, balances
from uncap.domain.rewards.accruing import month_of, month_start_ms

DAY = 86_400_000
START = month_start_ms("2026-09")
NAMES = ("budget:r:CNY", "liability:consumer:CNY", "tax:withheld:CNY", "clearing:wechat:CNY")
BOOKED = st.builds(
    lambda number, debit, credit, amount, day, kind: Booked(
        f"e{number}", kind, START + day * DAY, (Posting(NAMES[debit], amount), Posting(NAMES[credit], -amount))
    ),
    st.integers(0, 10**6),
    st.integers(0, 1),
    st.integers(2, 3),
    st.integers(1, 10**6),
    st.integers(0, 100),
    st.sampled_from(("grant", "settle", "tax_paid")),
)


def kept(entries: list[Booked]) -> Turnover:
    turnover = Turnover()
    for one in entries:
        turnover.add(one)
    return turnover


@settings(max_examples=40)
@given(st.lists(BOOKED, max_size=60))
def test_every_statement_is_the_naive_fold(entries: list[Booked]) -> None:
    turnover = kept(entries)
    assert turnover.balances() == balances(one.postings for one in entries)
    months = list(turnover.months())
    for one in months:
        before = [p for e in entries if month_of(e.at_ms) < one.month for p in e.postings if p.account == one.account]
        within = [p for e in entries if month_of(e.at_ms) == one.month for p in e.postings if p.account == one.account]
        assert one.opening_minor == sum(p.amount_minor for p in before)
        assert one.closing_minor - one.opening_minor == sum(p.amount_minor for p in within)
        assert sum(turn.entries for turn in one.turns) == len(within)
    assert len({(one.account, one.month) for one in months}) == len(months)


def test_a_quiet_month_opens_and_closes_with_what_is_there() -> None:
    found = AccountMonth("a:b:CNY", "2026-09", 5, (Turn("2026-09-02", "grant", 0, 7, 1),))
    assert later(found, "a:b:CNY", "2026-09") is found
    assert later(found, "a:b:CNY", "2026-11") == AccountMonth("a:b:CNY", "2026-11", -2)
    assert later(None, "a:b:CNY", "2026-11").closing_minor == 0


def test_an_entry_that_does_not_balance_is_refused() -> None:
    with pytest.raises(ConflictError, match="entry_unbalanced"):
        kept([Booked("e", "grant", START, (Posting(NAMES[0], 5), Posting(NAMES[2], -4)))])


def payment(amount: int, reference: str = "r-1", day: str = "2026-10-14") -> TaxPayment:
    return TaxPayment(reference, day, amount, START + 44 * DAY, ("ann",))


@given(st.integers(0, 10**6), st.lists(st.integers(1, 10**6), max_size=8))
def test_no_more_than_was_withheld_is_ever_paid(withheld: int, amounts: list[int]) -> None:
    month = TaxMonth("2026-09", "CNY")
    entries = []
    for number, amount in enumerate(amounts):
        given_one = payment(amount, f"r-{number}")
        if month.paid_minor + amount > withheld:
            with pytest.raises(ConflictError, match="tax_exceeds_withheld"):
                with_payment(month, given_one, withheld)
            continue
        month = with_payment(month, given_one, withheld)
        assert with_payment(month, given_one, withheld) is month, "the same receipt counts once"
        entries.append(entry_of(month, given_one, "note"))
    assert month.paid_minor <= withheld
    sums = balances(one.postings for one in entries)
    assert sum(sums.values()) == 0
    assert sums.get("tax:withheld:CNY", 0) == month.paid_minor
    turned = {one.account: one for one in kept([of_entry(one) for one in entries]).months()}
    assert not entries or withheld_in(turned["tax:withheld:CNY"]) == 0, "a payment is not what was withheld"


def test_a_receipt_with_another_amount_is_another_receipt() -> None:
    month = with_payment(TaxMonth("2026-09", "CNY"), payment(5), 9)
    for other in (payment(4), payment(5, day="2026-10-15")):
        with pytest.raises(ConflictError) as refused:
            with_payment(month, other, 9)
        assert refused.value.code == "tax_differs"
    assert msgspec.json.decode(msgspec.json.encode(month), type=TaxMonth) == month
