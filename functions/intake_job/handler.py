"""intake_job: an uploaded file's next slice of work; a long file sends itself its next turn. Triggered by IntakeQueue.

One message at a time (BatchSize 1). A turn is deleted only after the next one has been sent.
"""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from uncap.adapters.uploads import turn_of
from uncap.runtime.observability import NAMESPACE
from uncap.runtime.wiring_intake import intake
from uncap.services.run_upload import BUSY_DELAY_S, Done, run_upload

logger = Logger(service="intake_job")
metrics = Metrics(namespace=NAMESPACE, service="intake_job")
# What is left of a time-out when a slice stops: a step of 100,000 rows and its writes fit in several times over.
RESERVE_PART = 3


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
    """What became of each turn; raises for what the queue shall deliver again."""
    metrics.add_metric(name="Turns", unit=MetricUnit.Count, value=len(event["Records"]))
    tools, queue = intake()
    outcomes: dict[str, str] = {}
    for record in event["Records"]:
        turn = turn_of(record["body"])
        limit_ms = context.get_remaining_time_in_millis()
        done = run_upload(turn, tools, tools.clock_ms() + limit_ms, _alarm(context, limit_ms // RESERVE_PART))
        if done.upload is not None and done.outcome in ("more", "busy"):
            queue.send(done.upload, BUSY_DELAY_S if done.outcome == "busy" else 0)
        _report(done)
        outcomes[turn.upload_id] = done.outcome
    return outcomes


def _alarm(context: LambdaContext, reserve_ms: int) -> Callable[[], bool]:
    return lambda: context.get_remaining_time_in_millis() < reserve_ms


def _report(done: Done) -> None:
    upload = done.upload
    metrics.add_metric(name="UploadsDone", unit=MetricUnit.Count, value=int(done.outcome == "done"))
    metrics.add_metric(name="UploadsFailed", unit=MetricUnit.Count, value=int(done.outcome == "failed"))
    if upload is not None:
        extra = {"upload_id": upload.upload_id, "kind": upload.kind, "rows": upload.rows_done, "outcome": done.outcome}
        logger.info("turn taken", extra=extra | {"reason": upload.reason.code if upload.reason else ""})
