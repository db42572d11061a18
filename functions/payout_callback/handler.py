"""payout_callback: the rail's webhook, `POST /v1/rails/wechat/notify` (HTTP API, payload 2.0)."""

from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from aws_lambda_powertools.utilities.typing import LambdaContext

from uncap.domain.errors import AuthError, ConflictError, InputError, NotFoundError, PoisonError, UncapError
from uncap.domain.rewards.reward import State
from uncap.domain.rewards.states import waits_for_person
from uncap.runtime.observability import NAMESPACE
from uncap.runtime.wiring_back import payout_tools
from uncap.services.receive_callback import receive_callback

logger = Logger(service="payout_callback")
metrics = Metrics(namespace=NAMESPACE, service="payout_callback")
# Anything but 200 or 204 makes the rail call again for a day, which is right for what may heal and harmless otherwise.
STATUS = {AuthError: 401, NotFoundError: 404, InputError: 400, ConflictError: 409, PoisonError: 400}


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """204 once the notice is in the ledger (or already was); the rail's own form of failure otherwise."""
    call, tools = APIGatewayProxyEventV2(event), payout_tools()
    try:
        body = (call.decoded_body or "").encode()
        reward = receive_callback(call.headers, body, tools.books or tools.payouts.rails["cash"], tools.payouts)
    except UncapError as cause:
        metrics.add_metric(name="CallbackRefused", unit=MetricUnit.Count, value=1)
        logger.warning("notice refused", extra={"reason": cause.code})
        status = next((status for kind, status in STATUS.items() if isinstance(cause, kind)), 503)
        return _reply(status, {"code": "FAIL", "message": cause.code})
    except (UnicodeDecodeError, ValueError):
        metrics.add_metric(name="CallbackRefused", unit=MetricUnit.Count, value=1)
        return _reply(400, {"code": "FAIL", "message": "callback_malformed"})
    metrics.add_metric(name="PayoutsPaid", unit=MetricUnit.Count, value=int(reward.state is State.PAID))
    metrics.add_metric(name="PayoutFailed", unit=MetricUnit.Count, value=int(reward.state is State.FAILED))
    metrics.add_metric(name="RewardHeld", unit=MetricUnit.Count, value=int(waits_for_person(reward)))
    logger.info("notice taken", extra={"reward_id": reward.reward_id, "state": reward.state.value})
    return {"statusCode": 204}


def _reply(status: int, body: dict[str, str]) -> dict[str, Any]:
    text = msgspec.json.encode(body).decode()
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": text}
