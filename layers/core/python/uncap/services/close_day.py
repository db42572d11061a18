"""What a complete reconcile pass allows: the books are proved, yesterday's statement compared, ended budgets closed.

Called by reconcile_job. Everything is idempotent; differences become cases, nothing is corrected by itself.
"""

import datetime
from collections.abc import Callable, Iterable

from uncap.domain.catalog import Release
from uncap.domain.errors import TransientError
from uncap.domain.rails import Books
from uncap.domain.rewards.ports import LedgerStore
from uncap.domain.rewards.reward import Case
from uncap.services.compare_statement import compare_statement
from uncap.services.reserve_budget import book_breakage
from uncap.services.trial_balance import TrialBalance, trial_balance

STATEMENT_CURSOR = "statement"
_BEIJING = datetime.timezone(datetime.timedelta(hours=8))
_READY_HOUR = 10


def close_day(
    ledger: LedgerStore,
    releases: Iterable[Release],
    rail: Books | None,
    now_ms: int,
    prove: Callable[[], TrialBalance | None] | None = None,
) -> dict[str, int]:
    """Counts: `unbalanced` currencies and overdrawn budgets, `cases` from the statement, `closed` releases.

    `prove` reads every entry, or says None: then only the statement is compared (`services/keep_months.py`).
    """
    balance = prove() if prove else trial_balance(ledger)
    cases = {"cases": _compare_yesterday(ledger, rail, now_ms)}
    if balance is None:
        return cases
    wrong = [f"ledger_unbalanced-{unit}" for unit, total in balance.totals.items() if total]
    wrong += [f"budget_overdrawn-{name}" for name in balance.overdrawn()]
    for case_id in wrong:
        ledger.open_case(Case(case_id, case_id.split("-", 1)[0], now_ms))
    return cases | {"unbalanced": len(wrong), "closed": len(book_breakage(ledger, releases, now_ms, balance))}


def _compare_yesterday(ledger: LedgerStore, rail: Books | None, now_ms: int) -> int:
    """The statement of the rail's yesterday, once it is ready and not compared yet."""
    local = datetime.datetime.fromtimestamp(now_ms / 1000, _BEIJING)
    day = local.date() - datetime.timedelta(days=1)
    if rail is None or local.hour < _READY_HOUR or ledger.read_cursor(STATEMENT_CURSOR) >= day.isoformat():
        return 0
    try:
        cases = compare_statement(rail, day, ledger, now_ms)
    except TransientError:
        return 0  # the rail has no statement ready; the next pass asks again
    ledger.save_cursor(STATEMENT_CURSOR, day.isoformat())
    return len(cases)
