"""alert_job: alerts about diversion leave the outbox for the topic and the webhooks. Triggered by a schedule."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from uncap.runtime.observability import NAMESPACE
from uncap.runtime.wiring_alerts import alert_tools
from uncap.services.send_alerts import send_alerts

logger = Logger(service="alert_job")
metrics = Metrics(namespace=NAMESPACE, service="alert_job")
BATCH = 100
_RESERVE_MS = 10_000  # one receiver that keeps silent, and the report


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001
    """Send what is due, at most 100 alerts, and stop early enough to report."""
    done = send_alerts(alert_tools(), BATCH, lambda: context.get_remaining_time_in_millis() < _RESERVE_MS)
    counts = {"delivered": done.delivered, "dropped": done.dropped, "waiting": done.waiting}
    metrics.add_metric(name="AlertDelivered", unit=MetricUnit.Count, value=done.delivered)
    metrics.add_metric(name="AlertDropped", unit=MetricUnit.Count, value=done.dropped)
    logger.info("alerts sent", extra=counts)
    return counts
