"""The endpoints as a Chalice app: one blueprint per area, one runner for every request, every error a problem document.

Called by `functions/console_api/app.py`. `provide` gives the desk at the first request, so that importing does no I/O.
"""

import base64
import binascii
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

import msgspec
from chalice.app import Blueprint, Chalice, Request, Response

from uncap.domain.errors import InputError, NotFoundError, UncapError
from uncap.domain.operators import authorise
from uncap.routes.console.endpoint import Area, Endpoint, RawInput, Text, check_size
from uncap.routes.console.table import AREAS
from uncap.routes.problems import CONTENT_TYPE, Problem, internal_problem, problem_of, retry_after_s
from uncap.services.desk import Actor, Desk
from uncap.services.sign_in_operator import authenticate

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
}
_OURS = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
_CHALICE_CODES = {405: "method_not_allowed", 415: "media_type_unsupported"}


class Watch(Protocol):
    """What the API tells whoever operates it; never a body, a serial or a name."""

    def answered(self, operation: str, status: int, took_ms: int) -> None:
        """One line per request."""

    def unexpected(self, error: Exception) -> None:
        """An error nobody planned for, or a failing dependency."""


def build_app(provide: Callable[[], Desk], watch: Watch, areas: tuple[Area, ...] = AREAS) -> Chalice:
    """The app with every route of `areas`. Configures no logging and sets no process variables."""
    app = Chalice("console_api", configure_logs=False, env={})
    for area in areas:
        blueprint = Blueprint(__name__)
        for endpoint in area.endpoints:
            _mount(blueprint, endpoint, provide, watch)
        app.register_blueprint(blueprint, name_prefix=f"{area.name}_")
    app.register_middleware(_answer_in_problems, "http")
    return app


def _mount(blueprint: Blueprint, endpoint: Endpoint, provide: Callable[[], Desk], watch: Watch) -> None:
    def view(**_path: str) -> Response:
        began = time.perf_counter()
        response = _run(endpoint, blueprint.current_request, provide, watch)
        took_ms = round((time.perf_counter() - began) * 1000)
        watch.answered(endpoint.name, response.status_code, took_ms)
        return response

    content_types = ["application/json"] if endpoint.body is not None else []
    blueprint.route(endpoint.path, methods=[endpoint.method], name=endpoint.name, content_types=content_types)(view)


def _run(endpoint: Endpoint, request: Request, provide: Callable[[], Desk], watch: Watch) -> Response:
    try:
        desk = provide()
        actor = None if endpoint.is_open else _admit(endpoint, request, desk)
        answer = endpoint.function(**endpoint.arguments(_raw(request), desk, actor))
    except UncapError as error:
        if (problem := problem_of(error)).status in _OURS:
            watch.unexpected(error)
        return _problem(endpoint.reword(problem) if endpoint.reword else problem, retry_after_s(error))
    except Exception as error:  # noqa: BLE001
        # The outermost boundary: whatever it is, the client gets a problem document and the log its place in the code.
        watch.unexpected(error)
        problem = internal_problem()
        return _problem(endpoint.reword(problem) if endpoint.reword else problem, 0)
    return _respond(answer, endpoint.status)


def _admit(endpoint: Endpoint, request: Request, desk: Desk) -> Actor:
    actor = authenticate(desk, request.headers.get("authorization") or "")
    if endpoint.action:
        authorise(actor.role, endpoint.area, endpoint.action)
    return actor


def _raw(request: Request) -> RawInput:
    query = request.query_params
    given = {name: list(query.getlist(name)) for name in query} if query else {}
    event = request.to_original_event()
    body = event.get("body") or b""
    if event.get("isBase64Encoded"):
        check_size(len(body) * 3 // 4)
        try:
            body = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError) as cause:
            raise InputError("json_malformed", "the body is not base64") from cause
    return RawInput(
        request.uri_params or {},
        given,
        body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass"),
        {name.lower(): value for name, value in request.headers.items()},
        str(request.context.get("path") or request.path),
    )


def _respond(answer: Any, status: int) -> Response:
    if isinstance(answer, Text):
        return Response(answer.body, {"Content-Type": answer.media_type, **SECURITY_HEADERS, **answer.headers}, status)
    body = msgspec.json.encode(answer).decode()
    return Response(body, {"Content-Type": "application/json", **SECURITY_HEADERS}, status)


def _problem(problem: Problem, retry_after: int) -> Response:
    headers: dict[str, str | list[str]] = {"Content-Type": CONTENT_TYPE, **SECURITY_HEADERS}
    if retry_after:
        headers["Retry-After"] = str(retry_after)
    return Response(msgspec.json.encode(problem).decode(), headers, problem.status)


def _answer_in_problems(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """Chalice's own refusals (no such method, other media type) as problem documents like ours."""
    if event is None:
        return _problem(problem_of(NotFoundError("route_unknown", "There is no such route.")), 0)
    response = get_response(event)
    if not isinstance(response.body, dict) or "Code" not in response.body:
        return response
    code = _CHALICE_CODES.get(response.status_code)
    if code is None:
        return _problem(internal_problem(), 0)
    answer = _problem(problem_of(InputError(code, str(response.body["Message"])[:200])), 0)
    answer.headers = {**response.headers, **answer.headers}
    return answer
