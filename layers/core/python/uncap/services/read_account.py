"""Any account of the ledger as a statement: month by month, by day and kind; by name, or all of a party's.

Called by `routes/console/books.py`. It is read as the last pass kept it (`keep_months.py`), one item a month, so nobody
walks the table and a page costs what it shows. Single entries are in the month's files, and for what accrues in
`read_statement.py`.
"""

from typing import Annotated

import msgspec

from uncap.adapters.account_months import CHUNK, Balance
from uncap.domain.books.turnover import AccountMonth, Turn, later
from uncap.domain.errors import InputError, NotFoundError
from uncap.domain.rewards.accruing import checked_month, month_of
from uncap.services.desk import Desk
from uncap.services.list_entries import Listing, PageQuery, cursor_of, read_cursor

AccountName = Annotated[str, msgspec.Meta(pattern=r"^[a-z_]+:[A-Za-z0-9_@-]{1,80}:[A-Z]{3}$(?!\n)", max_length=100)]
_MonthText = Annotated[str, msgspec.Meta(max_length=7)]


class MonthQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`month`: this one, if none is named."""

    month: _MonthText = ""


class AccountQuery(MonthQuery, frozen=True, forbid_unknown_fields=True):
    """`account`: `kind:owner:currency`, as the trial balance names it."""

    account: AccountName = ""


class AccountStatement(msgspec.Struct, frozen=True):
    """Debits positive, as in the trial balance. `as_of_ms`: what was booked later is not in it yet."""

    account: str
    month: str
    as_of_ms: int
    opening_minor: int
    closing_minor: int
    turns: tuple[Turn, ...]


def list_balances(desk: Desk, query: PageQuery) -> Listing[Balance]:
    """Every account with what it holds, by name. Raises InputError (`cursor_malformed`)."""
    text = read_cursor(query.cursor, "")
    if text and not text.isdecimal():
        raise InputError("cursor_malformed", "not a cursor of this list", where="cursor")
    number, skip = divmod(int(text or "0"), CHUNK)
    chunk = desk.months.chunk(number)
    shown = chunk[skip : skip + query.count]
    following = number * CHUNK + skip + len(shown)
    more = len(shown) > 0 and (skip + len(shown) < len(chunk) or len(chunk) == CHUNK)
    return Listing(shown, cursor_of(str(following)) if more else "")


def read_account(desk: Desk, query: AccountQuery) -> AccountStatement:
    """Raises InputError (`month_malformed`), NotFoundError (`account_unknown`: nothing was ever posted to it)."""
    as_of_ms = desk.months.state().as_of_ms
    owner = query.account.split(":")[1] if query.account else ""
    if query.account not in desk.months.accounts_of(owner):
        raise NotFoundError("account_unknown", "nothing is booked on this account yet", where="account")
    return _statement(desk, query.account, _month(desk, query.month), as_of_ms)


def read_accounts_of(desk: Desk, owner: str, query: MonthQuery) -> list[AccountStatement]:
    """All accounts kept for a party, a campaign, a release or a rail. Raises InputError (`month_malformed`),
    NotFoundError (`account_unknown`)."""
    names = desk.months.accounts_of(owner)
    if not names:
        raise NotFoundError("account_unknown", "nothing is booked for it yet", where="owner")
    as_of_ms, month = desk.months.state().as_of_ms, _month(desk, query.month)
    return [_statement(desk, name, month, as_of_ms) for name in names]


def _month(desk: Desk, month: str) -> str:
    return checked_month(month or month_of(desk.clock_ms()))


def _statement(desk: Desk, account: str, month: str, as_of_ms: int) -> AccountStatement:
    found: AccountMonth = later(desk.months.month(account, month), account, month)
    return AccountStatement(account, month, as_of_ms, found.opening_minor, found.closing_minor, found.turns)
