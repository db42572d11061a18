"""reconcile_job: claims without rewards, draws at a close, yesterday's statement, ended budgets. On a schedule.

Event: anything (a schedule's), or {"statement_date": "yyyy-mm-dd"} to compare that day's statement only.
"""

import datetime
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from uncap.adapters.account_books import AccountBooks
from uncap.adapters.account_months import AccountMonths
from uncap.adapters.coefficients import coefficient_of
from uncap.adapters.documents import DocumentTable
from uncap.adapters.journal_scan import every_entry
from uncap.adapters.models import PartyItem
from uncap.adapters.reward_lists import RewardLists
from uncap.runtime.observability import NAMESPACE
from uncap.runtime.wiring_back import RelayTools, reconcile_tools
from uncap.services.close_day import close_day
from uncap.services.compare_statement import compare_statement
from uncap.services.keep_months import EVERY_MS, keep_months
from uncap.services.reconcile_scans import reconcile
from uncap.services.run_closings import run_closings
from uncap.services.settle_accounts import continue_settling
from uncap.services.take_back_returns import take_back_returns
from uncap.services.trial_balance import TrialBalance

logger = Logger(service="reconcile_job")
metrics = Metrics(namespace=NAMESPACE, service="reconcile_job")
_RESERVE_MS = 30_000


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Continue the pass over the Scans table; once it is complete, close the day."""
    metrics.add_metric(name="Reconciliations", unit=MetricUnit.Count, value=1)
    tools = reconcile_tools()
    if "statement_date" in event:
        return _compare(str(event["statement_date"]), tools)

    def time_is_up() -> bool:
        return context.get_remaining_time_in_millis() < _RESERVE_MS

    parties = DocumentTable(PartyItem)

    def ppm_of(party_id: str, year: int) -> int:
        return coefficient_of(parties, party_id, year).ppm

    notes = continue_settling(tools.granter.ledger, AccountBooks(), ppm_of, tools.clock_ms(), time_is_up)
    _close_campaigns(tools, time_is_up)
    taken_back = _take_back(tools, time_is_up)
    done = reconcile(tools.scans, tools.granter, tools.clock_ms, time_is_up, RewardLists())
    for pk, cause in done.poison:
        logger.error("claim cannot be granted", extra={"code_key": pk, "reason": cause.code})
    metrics.add_metric(name="RewardsReconciled", unit=MetricUnit.Count, value=len(done.created))
    metrics.add_metric(name="ClaimsUngrantable", unit=MetricUnit.Count, value=len(done.poison))
    counts = {
        "scans": done.scans,
        "compared": done.compared,
        "rewards_created": len(done.created),
        "resent": done.resent,
        "associated": done.associated,
        "credit_notes": notes,
        "taken_back": taken_back,
    }
    if done.complete:
        counts |= _close_day(tools, time_is_up)
    logger.info("reconciled", extra=counts | {"complete": done.complete})
    return counts


def _close_campaigns(tools: RelayTools, time_is_up: Callable[[], bool]) -> None:
    """The draws of campaigns that have ended, ahead of the pass: it may take all the time there is."""
    if tools.closings is None:
        return
    closed = run_closings(tools.closings, time_is_up)
    for campaign_id, code in closed.failed:
        logger.error("closing draw cannot go on", extra={"campaign": campaign_id, "reason": code})
    metrics.add_metric(name="ClosingsFailed", unit=MetricUnit.Count, value=len(closed.failed))


def _take_back(tools: RelayTools, time_is_up: Callable[[], bool]) -> int:
    """Shares of accruals that returned goods took back."""
    if tools.returns is None:
        return 0
    done = take_back_returns(tools.returns, time_is_up)
    if done.cases:
        logger.warning("clawbacks wait for people", extra={"cases": done.cases})
    return done.taken


def _close_day(tools: RelayTools, time_is_up: Callable[[], bool]) -> dict[str, int]:
    now_ms = tools.clock_ms()

    def prove() -> TrialBalance | None:
        return keep_months(every_entry(), AccountMonths(), now_ms, time_is_up)

    counts = close_day(tools.granter.ledger, tools.releases(), tools.rail, now_ms, prove)
    metrics.add_metric(name="StatementDifferences", unit=MetricUnit.Count, value=counts["cases"])
    as_of_ms = AccountMonths().state().as_of_ms
    if now_ms - as_of_ms > 2 * EVERY_MS:
        logger.warning("the books are not read through in one run", extra={"as_of_ms": as_of_ms})
    if "unbalanced" in counts:
        metrics.add_metric(name="LedgerUnbalanced", unit=MetricUnit.Count, value=counts["unbalanced"])
    return counts


def _compare(day: str, tools: RelayTools) -> dict[str, int]:
    if tools.rail is None:
        return {"cases": 0}
    cases = compare_statement(tools.rail, datetime.date.fromisoformat(day), tools.granter.ledger, tools.clock_ms())
    metrics.add_metric(name="StatementDifferences", unit=MetricUnit.Count, value=len(cases))
    logger.info("statement compared", extra={"day": day, "cases": [case.case_id for case in cases]})
    return {"cases": len(cases)}
