"""Double entry: entries balance per currency, accounts keep one currency, sums come out at zero."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain import ledger
from uncap.domain.errors import ConflictError
from uncap.domain.ledger import Posting

AMOUNTS = st.integers(1, 10**12)


@given(AMOUNTS, st.integers(0, 10**11))
def test_a_rewards_whole_life_sums_to_zero(amount: int, tax: int) -> None:
    tax = min(tax, amount - 1)
    entries = [
        ledger.reserved("c", "r", {"CNY": amount + 5}),
        ledger.granted("r", "consumer", "CNY", amount),
        ledger.paid("consumer", "wechat_transfer", "CNY", amount, tax),
        ledger.unclaimed("r", "c", "CNY", 5),
    ]
    sums = ledger.balances(entries)
    assert ledger.totals_by_currency(sums) == {"CNY": 0}
    assert sums["clearing:wechat_transfer:CNY"] == tax - amount
    assert sums["budget:r:CNY"] == 0
    assert sums["liability:consumer:CNY"] == 0


def test_currencies_do_not_offset_each_other() -> None:
    mixed = (Posting("budget:r:CNY", 5), Posting("liability:consumer:PTS", -5))
    with pytest.raises(ConflictError, match="entry_unbalanced"):
        ledger.balanced(mixed)


@pytest.mark.parametrize("postings", [(), (Posting("budget:r:CNY", 0),), (Posting("budget:r:CNY", 1),)])
def test_an_entry_that_does_not_balance_is_refused(postings: tuple[Posting, ...]) -> None:
    with pytest.raises(ConflictError, match="entry_unbalanced"):
        ledger.balanced(postings)


def test_floats_are_not_money() -> None:
    with pytest.raises(ConflictError, match="entry_unbalanced"):
        ledger.balanced((Posting("budget:r:CNY", 1.0), Posting("liability:c:CNY", -1.0)))  # type: ignore[arg-type]


@pytest.mark.parametrize("parts", [("cash", "r", "CNY"), ("budget", "", "CNY"), ("budget", "a:b", "CNY")])
def test_accounts_that_would_not_come_apart_again_are_refused(parts: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match="no such account"):
        ledger.account(*parts)


def test_nothing_to_reserve_is_no_entry() -> None:
    assert ledger.reserved("c", "r", {"CNY": 0}) == ()
