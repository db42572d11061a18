"""The channel API's table mounted on Powertools' resolver, and its error handlers. Called by `wiring_channel.py`."""

import re
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError

from uncap.domain.errors import NotFoundError, UncapError
from uncap.routes.channel_routes import ChannelApi
from uncap.routes.channel_table import ROUTES
from uncap.routes.problems import internal_problem
from uncap.routes.requests import Request
from uncap.routes.scan_replies import error_reply, problem_reply


def mount(app: APIGatewayHttpResolver, api: ChannelApi, unexpected: Callable[[Exception], None]) -> None:
    """Adds every route and the error handlers; `unexpected` logs and counts what nobody planned for."""
    for route in ROUTES:
        path = re.sub(r"{(\w+)}", r"<\1>", route.path)
        app.route(path, method=route.method)(_handler(app, getattr(api, route.name)))

    def known(error: UncapError) -> Response[str]:
        reply = error_reply(error, api.meter)
        if reply.status_code == 500:
            unexpected(error)
        return reply

    def unknown(error: Exception) -> Response[str]:
        unexpected(error)
        return problem_reply(internal_problem())

    def no_route(_error: RouteNotFoundError) -> Response[str]:
        return error_reply(NotFoundError("route_unknown", "There is no such address."), api.meter)

    app.exception_handler(UncapError)(known)
    app.exception_handler(Exception)(unknown)
    app.not_found(no_route)


def _handler(app: APIGatewayHttpResolver, method: Callable[..., Response[Any]]) -> Callable[..., Response[Any]]:
    def run(**path: str) -> Response[Any]:
        return method(Request(app.current_event.raw_event), **path)

    return run
