"""The endpoints as a Chalice app: one blueprint per area, one runner for every request, every error a problem document.

Called by `functions/console_api/app.py`. `provide` gives the desk at the first request, so that importing does no I/O.
"""

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from chalice.app import Blueprint, Chalice, Request, Response

from uncap.domain.errors import UncapError
from uncap.domain.operators import authorise
from uncap.routes.console.endpoint import Area, Endpoint, RawInput, Text
from uncap.routes.console.table import AREAS
from uncap.services.desk import Actor, Desk
from uncap.services.sign_in_operator import authenticate

_LOG = logging.getLogger(__name__)


def build_app(provide: Callable[[], Desk], areas: tuple[Area, ...] = AREAS) -> Chalice:
    """The app with every route of `areas`. Configures no logging and leaves the environment alone."""
    app = Chalice("console_api", configure_logs=False, env={})
    for area in areas:
        blueprint = Blueprint(__name__)
        for endpoint in area.endpoints:
            _mount(blueprint, endpoint, provide)
        app.register_blueprint(blueprint, name_prefix=f"{area.name}_")
    return app


def _mount(blueprint: Blueprint, endpoint: Endpoint, provide: Callable[[], Desk]) -> None:
    def view(**_path: str) -> Response:
        return _run(endpoint, blueprint.current_request, provide)

    content_types = ["application/json"] if endpoint.body is not None else []
    blueprint.route(endpoint.path, methods=[endpoint.method], name=endpoint.name, content_types=content_types)(view)


def _run(endpoint: Endpoint, request: Request, provide: Callable[[], Desk]) -> Response:
    desk = provide()
    try:
        actor = None if endpoint.is_open else _admit(endpoint, request, desk)
        answer = endpoint.function(**endpoint.arguments(_raw(request), desk, actor))
    except UncapError as error:
        return Response(body={"code": error.code}, status_code=400)
    return _respond(answer, endpoint.status)


def _admit(endpoint: Endpoint, request: Request, desk: Desk) -> Actor:
    actor = authenticate(desk, request.headers.get("authorization", ""))
    if endpoint.action:
        authorise(actor.role, endpoint.area, endpoint.action)
    return actor


def _raw(request: Request) -> RawInput:
    query = request.query_params
    given = {name: list(query.getlist(name)) for name in query} if query else {}
    body = request.raw_body
    return RawInput(request.uri_params or {}, given, body if isinstance(body, bytes) else body.encode())


def _respond(answer: Any, status: int) -> Response:
    if isinstance(answer, Text):
        return Response(answer.body, {"Content-Type": answer.media_type, **answer.headers}, status)
    body = msgspec.json.encode(answer).decode()
    return Response(body, {"Content-Type": "application/json", "Cache-Control": "no-store"}, status)
