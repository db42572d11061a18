"""scan_projector: every scan is archived, counted once and checked for diversion. Triggered by the Scans stream."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from uncap.runtime.wiring_projector import projector
from uncap.services.project_scans import project_scans

logger = Logger(service="scan_projector")
metrics = Metrics(namespace="uncap", service="scan_projector")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001
    """Project the batch, or raise so that the stream delivers all of it again; counting twice is impossible."""
    done = project_scans(event["Records"], projector())
    metrics.add_metric(name="ScansProjected", unit=MetricUnit.Count, value=done.counted)
    metrics.add_metric(name="DiversionCaseOpened", unit=MetricUnit.Count, value=len(done.opened))
    metrics.add_metric(name="DiversionSignal", unit=MetricUnit.Count, value=len(done.signals))
    metrics.add_metric(name="CanaryScanned", unit=MetricUnit.Count, value=len(done.leaked))
    for order in done.leaked:
        logger.error("canary scanned: the file of this export has leaked", extra={"export_id": order})
    metrics.add_metric(name="RecordParked", unit=MetricUnit.Count, value=done.parked)
    logger.info(
        "scans projected",
        extra={
            "records": done.records,
            "counted": done.counted,
            "replayed": done.replayed,
            "parked": done.parked,
            "cases_opened": list(done.opened),
            "signals": list(done.signals),
        },
    )
    return {"records": done.records, "counted": done.counted, "replayed": done.replayed, "parked": done.parked}
