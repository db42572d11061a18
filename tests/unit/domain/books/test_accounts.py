"""Which months an account has: the one a moment before it was opened is among them."""

from uncap.domain.books.accounts import ARRIVES_WITHIN_MS, Account
from uncap.domain.rewards.accruing import month_start_ms

OCTOBER = month_start_ms("2026-10")


def test_an_account_opened_after_midnight_has_the_month_before() -> None:
    """Another writer may be a moment behind, with a reward that is dated before midnight."""
    assert Account("d-1", "CNY", OCTOBER).open_months("2026-11") == ["2026-09", "2026-10", "2026-11"]
    assert Account("d-1", "CNY", OCTOBER + ARRIVES_WITHIN_MS).open_months("2026-11") == ["2026-10", "2026-11"]
    assert Account("d-1", "CNY", OCTOBER - 1).open_months("2026-10") == ["2026-09", "2026-10"]


def test_a_closed_month_is_never_opened_again() -> None:
    account = Account("d-1", "CNY", OCTOBER, closed_month="2026-10")
    assert account.open_months("2026-10") == []
    assert account.open_months("2026-11") == ["2026-11"]
