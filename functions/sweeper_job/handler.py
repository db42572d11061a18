"""sweeper_job: rewards whose time has come are asked about, released, expired, sent again. Triggered by a schedule."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from uncap.domain.rewards.reward import State
from uncap.domain.rewards.states import waits_for_person
from uncap.runtime.observability import NAMESPACE
from uncap.runtime.wiring_back import payout_tools
from uncap.services.sweep_rewards import Swept, sweep

logger = Logger(service="sweeper_job")
metrics = Metrics(namespace=NAMESPACE, service="sweeper_job")
BATCH = 400
_RESERVE_MS = 15_000


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001
    """Look at what is due, at most 400 rewards, and stop early enough to report."""
    metrics.add_metric(name="Sweeps", unit=MetricUnit.Count, value=1)
    tools = payout_tools()
    done = sweep(
        tools.payouts,
        tools.shipments,
        tools.queue,
        BATCH,
        time_is_up=lambda: context.get_remaining_time_in_millis() < _RESERVE_MS,
    )
    _measure(done)
    for reward_id, reason in done.refused:
        logger.warning("reward not moved", extra={"reward_id": reward_id, "reason": reason})
    counts = {"looked_at": len(done.rewards), "sent": len(done.sent), "refused": len(done.refused)}
    logger.info("swept", extra=counts)
    return counts


def _measure(done: Swept) -> None:
    held = sum(waits_for_person(one) for one in done.rewards)
    metrics.add_metric(name="PayoutsPaid", unit=MetricUnit.Count, value=done.count(State.PAID))
    metrics.add_metric(name="PayoutFailed", unit=MetricUnit.Count, value=done.count(State.FAILED))
    metrics.add_metric(name="RewardHeld", unit=MetricUnit.Count, value=held)
    metrics.add_metric(name="RailTrouble", unit=MetricUnit.Count, value=len(done.refused))
