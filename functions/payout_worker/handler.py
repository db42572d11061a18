"""payout_worker: one careful step towards paid per message; what fails comes back alone. Triggered by RewardQueue.

A batch's messages are worked on side by side, as nearly all of the time is waiting for the rail.
"""

from concurrent.futures import Future, wait
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from uncap.domain.errors import TransientError, UncapError
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.states import unwatched, waits_for_person
from uncap.runtime.observability import NAMESPACE
from uncap.runtime.wiring_back import payout_tools
from uncap.services.schedule_payouts import PostponedError
from uncap.services.take_message import look_later, send_back, take_message

logger = Logger(service="payout_worker")
metrics = Metrics(namespace=NAMESPACE, service="payout_worker")
# A batch in which every message fails is still a partial response: raising would only lose the reasons.
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Partial batch response: the ids of the messages to deliver again."""
    tools, time_left_ms = payout_tools(), context.get_remaining_time_in_millis
    # However little time a start from cold has left, something is always begun.
    reserve_ms = min(tools.reserve_ms, time_left_ms() // 2)

    def take(body: str) -> list[Reward]:
        return take_message(body, tools.payouts, lambda: time_left_ms() < reserve_ms)

    done = {one["messageId"]: tools.pool.submit(take, one["body"]) for one in event["Records"]}
    wait(done.values())
    failed = {key: future.exception() for key, future in done.items()}
    postponed = {key: cause for key, cause in failed.items() if isinstance(cause, PostponedError)}
    moved = [one for future in done.values() if not future.exception() for one in future.result()]
    unlooked: TransientError | None = None
    try:
        look_later(moved, tools.queue, tools.first_look_s)
    except TransientError as cause:
        unlooked = cause  # the messages of these rewards come back, and are their own look then

    unsent: TransientError | None = None
    try:
        send_back(postponed.values(), tools.queue, tools.payouts.clock_ms())
    except TransientError as cause:
        unsent = cause
    metrics.add_metric(name="PayoutsPostponed", unit=MetricUnit.Count, value=len(postponed))

    def report(record: SQSRecord) -> None:
        if record.message_id not in postponed:
            _report(record, done[record.message_id], unlooked)
        elif unsent:
            raise unsent

    return process_partial_response(event=event, record_handler=report, processor=processor, context=context)


def _report(record: SQSRecord, done: Future[list[Reward]], unlooked: TransientError | None) -> None:
    try:
        rewards = done.result()
        if unlooked and any(unwatched(one) for one in rewards):
            raise unlooked
    except UncapError as cause:
        metrics.add_metric(name="MessageReturned", unit=MetricUnit.Count, value=1)
        logger.warning("message comes back", extra={"message_id": record.message_id, "reason": cause.code})
        raise
    for reward in rewards:
        _measure(reward)


def _measure(reward: Reward) -> None:
    metrics.add_metric(name="PayoutsPaid", unit=MetricUnit.Count, value=int(reward.state is State.PAID))
    metrics.add_metric(name="PayoutFailed", unit=MetricUnit.Count, value=int(reward.state is State.FAILED))
    metrics.add_metric(name="RewardHeld", unit=MetricUnit.Count, value=int(waits_for_person(reward)))
    metrics.add_metric(name="RailTrouble", unit=MetricUnit.Count, value=int(reward.state is State.SUBMITTING))
    extra = {"reward_id": reward.reward_id, "state": reward.state.value, "reason": reward.reason}
    logger.info("payout moved", extra=extra)
