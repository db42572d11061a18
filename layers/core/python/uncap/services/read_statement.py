"""A holder's account as its statement: what was owed before, every entry of a month, what is owed after.

Called by `routes/console/books.py` and `uncap books statement`. A closed month's opening is stored; that of an open one
is summed from the last closed, so nobody walks the table.
"""

import csv
import io
from collections.abc import Iterable
from typing import Annotated, Protocol

import msgspec

from uncap.domain.books.accounts import Account, Holder, Period, Row, YearShare
from uncap.domain.errors import NotFoundError
from uncap.domain.rewards.accruing import checked_month, month_of, next_month
from uncap.services.list_entries import PageQuery, cursor_of, read_cursor

Month = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}$(?!\n)", max_length=7, description="yyyy-mm, Beijing")]
Unit = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)", max_length=3)]


class StatementQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """`month`: this one, if none is named."""

    month: Annotated[str, msgspec.Meta(max_length=7)] = ""
    currency: Unit = "CNY"


class Statement(msgspec.Struct, frozen=True):
    """Positive is owed to the party. `entries` is one page of the month's, `next` the cursor of the following one.

    `closed`: the month is settled and never changes again; an open month's sums may lack the last second. `year`: what
    the month's year has earned in settled months and what the holder's coefficient has withheld of it.
    """

    party: str
    currency: str
    month: str
    closed: bool
    opening_minor: int
    closing_minor: int
    entries: list[Row]
    next: str
    year: YearShare | None = None


class Books(Protocol):
    """See adapters/account_books.py."""

    def account(self, holder: Holder) -> Account | None: ...

    def rows(self, holder: Holder, month: str) -> Iterable[Row]: ...

    def page(self, holder: Holder, month: str, limit: int, after: str = "") -> tuple[list[Row], str]: ...

    def period(self, holder: Holder, month: str) -> Period | None: ...


def read_statement(books: Books, party: str, query: StatementQuery, now_ms: int) -> Statement:
    """Raises NotFoundError (`account_unknown`), InputError (`month_malformed`, `cursor_malformed`)."""
    holder, month = Holder(party, query.currency), checked_month(query.month or month_of(now_ms))
    account = books.account(holder)
    if account is None:
        raise NotFoundError("account_unknown", "nothing was ever kept for this party", where="party_id")
    prefix = f"{holder.name}#{month}#"
    after = read_cursor(query.cursor, prefix)[len(prefix) :]
    entries, following = books.page(holder, month, query.count, after)
    period = books.period(holder, month)
    opening, closing = (period.opening_minor, period.closing_minor) if period else _open(books, account, month)
    more = cursor_of(prefix + following) if following else ""
    year = next((one for one in account.years if one.year == int(month[:4])), None)
    return Statement(party, query.currency, month, period is not None, opening, closing, entries, more, year)


def statement_csv(statement: Statement) -> str:
    """A table with the columns at_ms, kind, ref, amount_minor, note; opening first, closing last."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("at_ms", "kind", "ref", "amount_minor", "note"))
    writer.writerow(("", "opening", statement.month, statement.opening_minor, statement.currency))
    for row in statement.entries:
        writer.writerow((row.at_ms, row.kind, row.ref, row.amount_minor, row.note))
    writer.writerow(("", "closing", statement.month, statement.closing_minor, statement.currency))
    return text.getvalue()


def _open(books: Books, account: Account, month: str) -> tuple[int, int]:
    """Opening and closing of a month that is not closed: one before the account, too, in which nothing was owed."""
    last = books.period(account.holder, account.closed_month) if account.closed_month else None
    at, opening = (next_month(last.month), last.closing_minor) if last else (account.first_month, 0)
    if month < at:
        return 0, 0
    while at < month:
        opening += sum(row.amount_minor for row in books.rows(account.holder, at))
        at = next_month(at)
    return opening, opening + sum(row.amount_minor for row in books.rows(account.holder, month))
