"""The account of one holder: what the brand owes a party in cash and keeps until a credit note settles it. Pure.

Kept by `adapters/account_books.py`, moved by `services/settle_accounts.py` and `services/claw_back.py`. Accruals are
the rewards' own entries and touch no item but theirs; everything else that moves an account (credit note, clawback,
correction) is one transaction with the account's item, so that it is counted once (ADR 0024).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from uncap.domain import ledger
from uncap.domain.errors import ConflictError
from uncap.domain.ledger import Posting, account
from uncap.domain.rewards.accruing import month_of, next_month

ARRIVES_WITHIN_MS = 6 * 3_600_000
"""A write has arrived, and is in the index, so long after the time it is dated."""


class Holder(NamedTuple):
    """Whose account in which currency. `party` is a party's id, or a person's key."""

    party: str
    currency: str

    @property
    def name(self) -> str:
        """How items are named after it."""
        return f"{self.party}#{self.currency}"

    @property
    def account(self) -> str:
        """Its account in the ledger."""
        return account("accrual", self.party, self.currency)

    def owner(self, month: str) -> str:
        """Under which the index `owner` lists the entries of this month."""
        return f"acct#{self.name}#{month}"


class YearShare(msgspec.Struct, frozen=True, omit_defaults=True):
    """A year of an account: what its goods earned in the months that are closed (accruals less clawbacks), and what of
    that the holder's coefficient, `ppm` millionths when last asked, has withheld (`coefficients.py`)."""

    year: int
    earned_minor: int = 0
    withheld_minor: int = 0
    ppm: int = 1_000_000


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """`carried_minor`: what is owed (negative: what the holder owes), of all accruals to the end of `closed_month` and
    all other entries to this day. Accruals of later months come on top. `rev` counts the item's writes; `years` are the
    last two, as the month's end has weighed them."""

    party: str
    currency: str
    opened_at_ms: int
    closed_month: str = ""
    carried_minor: int = 0
    rev: int = 1
    years: tuple[YearShare, ...] = ()

    @property
    def holder(self) -> Holder:
        return Holder(self.party, self.currency)

    @property
    def first_month(self) -> str:
        """The month of the earliest entry there can be: whoever opened the account may have overtaken another writer
        whose reward is dated a moment before, in the month that was just ending."""
        return month_of(self.opened_at_ms - ARRIVES_WITHIN_MS)

    def open_months(self, through: str) -> list[str]:
        """The months up to this one that are not closed, oldest first."""
        month = next_month(self.closed_month) if self.closed_month else self.first_month
        months = []
        while month <= through:
            months.append(month)
            month = next_month(month)
        return months


class Row(msgspec.Struct, frozen=True):
    """One entry on an account. `amount_minor`: positive is owed to the holder; `ref` the reward or journal entry."""

    at_ms: int
    kind: str  # accrual | credit_note | clawback | coefficient | correction
    ref: str
    amount_minor: int
    note: str = ""


class Period(msgspec.Struct, frozen=True):
    """A month of an account once it is closed. Nothing may be dated into it any more."""

    party: str
    currency: str
    month: str
    opening_minor: int
    closing_minor: int
    entries: int


def on_account(postings: Iterable[Posting], holder: Holder) -> int:
    """What an entry adds to what is owed to the holder."""
    return -sum(one.amount_minor for one in postings if one.account == holder.account)


def closed(holder: Holder, month: str, opening_minor: int, rows: Sequence[Row]) -> Period:
    """The month as its entries make it."""
    closing = opening_minor + sum(row.amount_minor for row in rows)
    return Period(holder.party, holder.currency, month, opening_minor, closing, len(rows))


def after_close(old: Account, month: str, accrued_minor: int) -> Account:
    """The accruals up to the end of `month` are counted in. ConflictError (`month_closed`) if they were before."""
    if old.closed_month >= month:
        raise ConflictError("month_closed", f"{old.closed_month} is closed on this account", where="month")
    carried = old.carried_minor + accrued_minor
    return msgspec.structs.replace(old, closed_month=month, carried_minor=carried, rev=old.rev + 1)


def after_entry(old: Account, postings: Iterable[Posting], at_ms: int) -> Account:
    """With an entry that is no accrual. ConflictError (`month_closed`) for one dated into a closed month."""
    if month_of(at_ms) <= old.closed_month:
        raise ConflictError("month_closed", f"{old.closed_month} is closed; date it later", where="at_ms")
    carried = old.carried_minor + on_account(postings, old.holder)
    return msgspec.structs.replace(old, carried_minor=carried, rev=old.rev + 1)


def noted(holder: Holder, amount_minor: int) -> tuple[Posting, ...]:
    """Postings of a credit note: the debt leaves the account, settled outside by whoever trades with the holder."""
    return ledger.moved(holder.account, account("clearing", "credit_note", holder.currency), amount_minor)


def clawed(holder: Holder, campaign_id: str, amount_minor: int) -> tuple[Posting, ...]:
    """Postings of a clawback: what returned goods had earned is the brand's again."""
    return ledger.moved(holder.account, account("breakage", campaign_id, holder.currency), amount_minor)


def share_of(amount_minor: int, returned: int, total: int) -> int:
    """The part of a reward that `returned` of its `total` units had earned, rounded down: never more than was given,
    and all of it once all are back. ValueError outside 0 <= returned <= total."""
    if not 0 <= returned <= total or total < 1 or amount_minor < 0:
        raise ValueError(f"{returned} of {total} units")
    return amount_minor * returned // total
