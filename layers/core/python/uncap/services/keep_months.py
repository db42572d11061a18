"""One pass over every entry proves the books and keeps each account's months, from which statements are read.

Called by reconcile_job, at most every six hours: proving is reading everything (docs/adr/0024). What a statement then
reads is one item.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from uncap.adapters.account_months import BooksState
from uncap.domain.books.journal import Booked
from uncap.domain.books.turnover import AccountMonth, Turnover
from uncap.domain.ledger import totals_by_currency
from uncap.services.trial_balance import TrialBalance

EVERY_MS = 6 * 3_600_000
_LOOK_EVERY = 1_000
_MOST_SUMS = 1_000_000
"""Accounts × days × kinds that fit into the job's memory."""


class Months(Protocol):
    """See adapters/account_months.py."""

    def state(self) -> BooksState: ...

    def keep(self, months: Iterable[AccountMonth], balances: Mapping[str, int], state: BooksState) -> int: ...


def keep_months(
    entries: Iterable[Booked], months: Months, now_ms: int, time_is_up: Callable[[], bool]
) -> TrialBalance | None:
    """The trial balance; None if the last pass is young, or this one ran out of time or room and kept nothing.

    ConflictError (`entry_unbalanced`) for an entry whose sides differ.
    """
    if now_ms - months.state().as_of_ms < EVERY_MS:
        return None
    turnover = Turnover()
    for number, one in enumerate(entries):
        if number % _LOOK_EVERY == 0 and (time_is_up() or turnover.sums > _MOST_SUMS):
            return None
        turnover.add(one)
    sums = turnover.balances()
    months.keep(turnover.months(), sums, BooksState(now_ms, len(sums), turnover.entries))
    return TrialBalance(sums, totals_by_currency(sums), turnover.entries)
