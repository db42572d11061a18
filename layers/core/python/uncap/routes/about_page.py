"""`GET /about/{gtin}/{serial}`: the product safety page, as HTML or JSON. Mounted by `runtime/wiring_about.py`."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError

from uncap.domain.codes.links import check_gtin, fold_serial
from uncap.domain.errors import CodeForgedError, InputError, NotFoundError, UncapError
from uncap.routes.problems import internal_problem
from uncap.routes.requests import Request
from uncap.routes.resolver import wanted_form
from uncap.routes.scan_replies import OPEN_HEADERS, Meter, error_reply, json_reply, problem_reply
from uncap.services.tell_origin import OriginDesk, tell_origin
from webui.about_page import AboutView, render, style_source
from webui.i18n import locale_of
from webui.security import page_headers

PATH = "/about/<gtin>/<serial>"


def show_about(desk: OriginDesk, meter: Meter, request: Request, gtin: str, serial: str) -> Response[str]:
    """The page; programs that ask for JSON get its facts. Nobody is told why a code is not ours."""
    language = request.query("lang") or request.headers.get("accept-language", "")
    as_json = wanted_form(request.headers.get("accept", ""), "", language) == "json"
    status = 200
    try:
        view = tell_origin(desk, _gtin(gtin), fold_serial(serial))
        meter.count("AboutViewed")
    except CodeForgedError as forged:
        if as_json:
            return error_reply(forged, meter, headers=OPEN_HEADERS)
        meter.count("CodeForged")
        view, status = AboutView(issued=False, path=_path(request)), 404
    if as_json:
        return json_reply(view, headers=OPEN_HEADERS)
    headers = {**page_headers(style_sources=(style_source(),)), "Vary": "Accept, Accept-Language, Accept-Encoding"}
    return Response(status, body=render(view, locale_of(language)), headers=headers, compress=True)


def mount(app: APIGatewayHttpResolver, desk: OriginDesk, meter: Meter, unexpected: Callable[[Exception], None]) -> None:
    """Adds the route and the error handlers; `unexpected` logs and counts what nobody planned for."""

    def run(gtin: str, serial: str) -> Response[str]:
        return show_about(desk, meter, Request(app.current_event.raw_event), gtin, serial)

    def known(error: UncapError) -> Response[str]:
        reply = error_reply(error, meter)
        if reply.status_code == 500:
            unexpected(error)
        return reply

    def unknown(error: Exception) -> Response[str]:
        unexpected(error)
        return problem_reply(internal_problem())

    def no_route(_error: Any) -> Response[str]:
        return error_reply(NotFoundError("route_unknown", "There is no such address."), meter)

    app.route(PATH, method="GET")(run)
    app.exception_handler(UncapError)(known)
    app.exception_handler(Exception)(unknown)
    app.exception_handler(RouteNotFoundError)(no_route)


def _gtin(text: str) -> str:
    try:
        return check_gtin(text)
    except InputError as malformed:
        raise CodeForgedError from malformed


def _path(request: Request) -> str:
    """This page's own address again, for the other language: whatever stands in it was sent by the client."""
    return request.path
