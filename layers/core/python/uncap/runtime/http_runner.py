"""A Powertools resolver as a Lambda handler: answer, then a line of metrics. For scan_api, channel_api, about_page."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver

from uncap.runtime.observability import Observer

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def runner(
    app: APIGatewayHttpResolver, observer: Observer, answered: Callable[[dict[str, Any]], None] = lambda _event: None
) -> Handler:
    """`answered` sees each event after its answer was made and before the metrics are written."""

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        try:
            return app.resolve(event, context)
        finally:
            answered(event)
            observer.flush()

    return handle
