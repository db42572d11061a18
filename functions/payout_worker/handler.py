"""payout_worker: one careful step towards paid per message; what fails comes back alone. Triggered by RewardQueue."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from uncap.adapters.reward_queue import message_of
from uncap.domain.errors import UncapError
from uncap.domain.rewards.reward import State
from uncap.domain.rewards.states import waits_for_person
from uncap.runtime.observability import NAMESPACE
from uncap.runtime.wiring_back import payout_tools
from uncap.services.pay_reward import pay

logger = Logger(service="payout_worker")
metrics = Metrics(namespace=NAMESPACE, service="payout_worker")
# A batch in which every message fails is still a partial response: raising would only lose the reasons.
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Partial batch response: the ids of the messages to deliver again."""
    return process_partial_response(event=event, record_handler=_pay, processor=processor, context=context)


def _pay(record: SQSRecord) -> None:
    try:
        reward = pay(message_of(record.body).reward_id, payout_tools().payouts)
    except UncapError as cause:
        metrics.add_metric(name="MessageReturned", unit=MetricUnit.Count, value=1)
        logger.warning("message comes back", extra={"message_id": record.message_id, "reason": cause.code})
        raise
    metrics.add_metric(name="PayoutsPaid", unit=MetricUnit.Count, value=int(reward.state is State.PAID))
    metrics.add_metric(name="PayoutFailed", unit=MetricUnit.Count, value=int(reward.state is State.FAILED))
    metrics.add_metric(name="RewardHeld", unit=MetricUnit.Count, value=int(waits_for_person(reward)))
    metrics.add_metric(name="RailTrouble", unit=MetricUnit.Count, value=int(reward.state is State.SUBMITTING))
    extra = {"reward_id": reward.reward_id, "state": reward.state.value, "reason": reward.reason}
    logger.info("payout moved", extra=extra)
