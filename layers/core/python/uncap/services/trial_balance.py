"""The sum of every account, read back from all entries: zero per currency, or the ledger is wrong.

Called by reconcile_job, the console and the tests; a segment scan, so for jobs and people, not for requests.
"""

import msgspec

from uncap.domain import ledger as books
from uncap.domain.ledger import Posting, balances, totals_by_currency
from uncap.domain.rewards.ports import LedgerStore

SEGMENTS = 4


class TrialBalance(msgspec.Struct, frozen=True):
    """Balances by account (debits positive) and their total per currency; `entries` were read and each one balances."""

    accounts: dict[str, int]
    totals: dict[str, int]
    entries: int

    @property
    def is_balanced(self) -> bool:
        return not any(self.totals.values())

    def of(self, kind: str, owner: str, currency: str) -> int:
        """One account's balance; 0 if nothing was ever posted to it."""
        return self.accounts.get(books.account(kind, owner, currency), 0)

    def overdrawn(self) -> dict[str, int]:
        """Budgets of which more was granted than was reserved: none, ever, for laid prizes are counted exactly."""
        return {name: sum_ for name, sum_ in self.accounts.items() if name.startswith("budget:") and sum_ > 0}


def trial_balance(ledger: LedgerStore, segments: int = SEGMENTS) -> TrialBalance:
    """Read and check every entry. ConflictError (`entry_unbalanced`) for one whose sides differ."""
    entries: list[tuple[Posting, ...]] = [
        books.balanced(entry) for segment in range(segments) for entry in ledger.postings(segment, segments)
    ]
    sums = balances(entries)
    return TrialBalance(sums, totals_by_currency(sums), len(entries))
