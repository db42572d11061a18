"""reward_relay: first claims become rewards, and what is owed goes on the queue. Triggered by the Scans stream."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from uncap.adapters.scans_stream import change_of, parked_record
from uncap.runtime.observability import NAMESPACE
from uncap.runtime.wiring_back import relay_tools
from uncap.services.relay_claims import relay_claims

logger = Logger(service="reward_relay")
metrics = Metrics(namespace=NAMESPACE, service="reward_relay")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001
    """Grant the batch, or raise so that the stream delivers all of it again: granting twice is impossible."""
    tools, records = relay_tools(), event["Records"]
    metrics.add_metric(name="RecordsSeen", unit=MetricUnit.Count, value=len(records))
    done = relay_claims(records, tools.granter, tools.parking, decode=change_of, redact=parked_record)
    metrics.add_metric(name="RewardsGranted", unit=MetricUnit.Count, value=done.owed)
    metrics.add_metric(name="PayoutsPaid", unit=MetricUnit.Count, value=done.paid)
    metrics.add_metric(name="RewardHeld", unit=MetricUnit.Count, value=done.held)
    metrics.add_metric(name="RecordParked", unit=MetricUnit.Count, value=len(done.poison))
    for pk, cause in done.poison:
        logger.error("record parked", extra={"code_key": pk, "reason": cause.code})
    counts = {
        "records": len(records),
        "rewards": len(done.rewards),
        "paid": done.paid,
        "sent": done.sent,
        "parked": len(done.poison),
    }
    logger.info("claims relayed", extra=counts)
    return counts
