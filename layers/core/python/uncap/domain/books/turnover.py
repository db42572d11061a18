"""Every account by month and day, from one pass over all entries: what it held, what moved it, what it holds. Pure.

Made by `services/keep_months.py` on the pass that proves the books, read as statements (docs/adr/0034).
"""

import datetime
from collections.abc import Iterator

import msgspec

from uncap.domain.books.journal import Booked
from uncap.domain.ledger import balanced

_BEIJING = datetime.timezone(datetime.timedelta(hours=8))


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """All of one kind that moved an account on one day (Beijing's). `kind`: grant, settle, release, reserve, …"""

    day: str
    kind: str
    debit_minor: int = 0
    credit_minor: int = 0
    entries: int = 0


class AccountMonth(msgspec.Struct, frozen=True, omit_defaults=True):
    """One account's month. Debits are positive, as in the trial balance: what is owed to somebody is negative."""

    account: str
    month: str
    opening_minor: int = 0
    turns: tuple[Turn, ...] = ()

    @property
    def closing_minor(self) -> int:
        """The balance at the month's end, or as of the pass."""
        return self.opening_minor + sum(one.debit_minor - one.credit_minor for one in self.turns)


class Turnover:
    """The sums of a pass; about 200 bytes for each account, day and kind."""

    def __init__(self) -> None:
        self._turns: dict[str, dict[tuple[str, str], list[int]]] = {}
        self.entries = 0
        self.sums = 0

    def add(self, booked: Booked) -> None:
        """One entry more. ConflictError (`entry_unbalanced`) for one whose sides differ."""
        day = datetime.datetime.fromtimestamp(booked.at_ms / 1000, _BEIJING).date().isoformat()
        for posting in balanced(booked.postings):
            days = self._turns.setdefault(posting.account, {})
            sums = days.setdefault((day, booked.kind), [0, 0, 0])
            self.sums += not sums[2]
            sums[posting.amount_minor < 0] += abs(posting.amount_minor)
            sums[2] += 1
        self.entries += 1

    def balances(self) -> dict[str, int]:
        """What every account holds."""
        return {name: sum(one[0] - one[1] for one in days.values()) for name, days in self._turns.items()}

    def months(self) -> Iterator[AccountMonth]:
        """Every month in which an account moved, by account and month, each with what it held before."""
        for name in sorted(self._turns):
            days, opening = self._turns[name], 0
            by_month: dict[str, list[Turn]] = {}
            for (day, kind), sums in sorted(days.items()):
                by_month.setdefault(day[:7], []).append(Turn(day, kind, *sums))
            for month, turns in by_month.items():
                found = AccountMonth(name, month, opening, tuple(turns))
                opening = found.closing_minor
                yield found


def later(found: AccountMonth | None, account: str, month: str) -> AccountMonth:
    """The account's `month`, where the last one in which it moved is `found`: nothing moved since."""
    if found is not None and found.month == month:
        return found
    return AccountMonth(account, month, found.closing_minor if found else 0)
