"""The scan API's routes: HTTP in, one service, HTTP out. Mounted by `runtime/wiring_scan.py`, row by row."""

from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError

from uncap.domain.codes.links import check_gtin, fold_serial, parse_code_link
from uncap.domain.errors import AuthError, CodeForgedError, InputError, NotFoundError, UncapError
from uncap.domain.lifecycle import notice_of, product_of
from uncap.domain.sessions import Session, check_csrf
from uncap.routes import member_routes, openapi, resolver, resolver_routes, sign_in_routes
from uncap.routes.problems import internal_problem
from uncap.routes.requests import Request
from uncap.routes.scan_desk import ApiDesk
from uncap.routes.scan_pages import claimed_page, code_page, not_issued_page, refused_page
from uncap.routes.scan_replies import OPEN_HEADERS, error_reply, json_reply, problem_reply
from uncap.routes.scan_schemas import CodeFacts, ScanForm, ScanInput, ScanReply, SessionInput, SessionReply
from uncap.routes.scan_table import ROUTES, SECURITY_SCHEMES, TITLE, VERSION
from uncap.services.claim_code import ScanRequest, ScanResult, consumer_rewards
from uncap.services.find_code import IssuedCode, find_code
from uncap.services.open_session import open_by_credential, require_session
from uncap.services.read_reward import read_reward
from uncap.services.view_code import first_scan_on, link_path, view_code
from webui import assets
from webui.i18n import text_in

_SCAN = msgspec.json.Decoder(ScanInput)
_SIGN_IN = msgspec.json.Decoder(SessionInput)
_NOBODY = Session("", "", 0, 0)


class ScanApi:
    """One method per row of the route table, called with the request and the path's parameters."""

    def __init__(self, desk: ApiDesk) -> None:
        self._desk = desk
        self._public_host = urlsplit(desk.link_base).netloc.lower()

    def show_code(self, request: Request, gtin: str, serial: str) -> Response[str]:
        """The page, or what a program asked for instead."""
        form = resolver_routes.wanted(request)
        if form == "page":
            return self.show_page(request, gtin, serial)
        now_ms = self._desk.clock_ms()
        try:
            code = self._find(gtin, serial, now_ms)
        except CodeForgedError as error:
            return self._refused(error, gtin, serial)
        if form == "json":
            return json_reply(self._facts(request, code, now_ms), headers=OPEN_HEADERS)
        if form == "none":
            raise NotFoundError("link_type_unknown", "There is no link of this type.", where="linkType")
        base = self._desk.link_base or request.origin
        if form in ("redirect", "about"):
            return resolver_routes.redirect(request, base, link_path(code.gtin, code.serial), form)
        product = self._desk.scan.catalog.product(product_of(code.batch, code.index) or code.gtin)
        title = text_in(product.name, resolver_routes.language(request)) if product else ""
        return resolver_routes.linkset_reply(base, resolver_routes.levels_of(code.gtin, code.serial, title))

    def show_page(self, request: Request, gtin: str, serial: str) -> Response[str]:
        """The page, whatever was asked for: here is where it stands."""
        now_ms = self._desk.clock_ms()
        try:
            code = self._find(gtin, serial, now_ms)
        except CodeForgedError:
            self._desk.meter.count("CodeForged")
            return not_issued_page(request, gtin, serial)
        self._desk.meter.count("CodeViewed")
        return code_page(self._desk, request, code, now_ms)

    def head_code(self, request: Request, gtin: str, serial: str) -> Response[str]:
        """GET's headers."""
        reply = self.show_code(request, gtin, serial)
        reply.body, reply.compress = "", False
        return reply

    def options_code(self, _request: Request, **_path: str) -> Response[str]:
        """Methods, and that any origin may read."""
        return resolver_routes.options()

    def scan_code(self, request: Request) -> Response[str]:
        """One scan, as JSON or from the page's form."""
        if request.is_form:
            return self._scan_form(request)
        now_ms = self._desk.clock_ms()
        session = self._session(request, now_ms)
        body = request.json(_SCAN)
        gtin, serial = _named_code(body)
        wanted = ScanRequest(gtin, serial, body.claim_id, body.intent, body.place)
        result, opened = member_routes.record(self._desk, session, wanted, now_ms)
        self._count(result, now_ms)
        first = result.image.first
        mine = first is not None and first.form == "claim" and first.person == session.person
        reply = json_reply(
            ScanReply(
                outcome=result.outcome,
                reason=result.reason,
                claim_id=body.claim_id,
                rewards=consumer_rewards(self._desk.scan.catalog, result.image) if mine else (),
                first_scan_on=first_scan_on(result.image, self._desk.scan.zone),
                scans=result.image.count,
                notice=notice_of(result.code.batch, result.code.index),
            )
        )
        return member_routes.with_cookie(reply, request, opened)

    def accept_invitation(self, request: Request) -> Response[str]:
        """The caller becomes a member of a party."""
        now_ms = self._desk.clock_ms()
        return member_routes.accept(self._desk, request, self._session(request, now_ms), now_ms)

    def show_reward(self, request: Request, reward_id: str) -> Response[str]:
        """The caller's own."""
        token = request.require_session_token()
        session = require_session(self._desk.session, token, self._desk.clock_ms())
        return json_reply(read_reward(self._desk.reward, session, reward_id))

    def open_session(self, request: Request) -> Response[str]:
        """A bearer token."""
        body = request.json(_SIGN_IN)
        now_ms = self._desk.clock_ms()
        opened = open_by_credential(self._desk.session, body.provider, body.credential, now_ms)
        opened = member_routes.signed_in(self._desk, opened, now_ms)
        return json_reply(SessionReply(opened.token, opened.session.expires_at_s))

    def begin_sign_in(self, request: Request) -> Response[str]:
        """To the provider's page."""
        return sign_in_routes.begin(self._desk, request, request.query("to"))

    def finish_sign_in(self, request: Request) -> Response[str]:
        """Back from it."""
        return sign_in_routes.finish(self._desk, request)

    def show_openapi(self, _request: Request) -> Response[str]:
        """The document, made once."""
        return json_reply(self._document, headers=OPEN_HEADERS)

    def show_asset(self, request: Request, file: str) -> Response[bytes]:
        """A script or style of the page."""
        compressed = "gzip" in request.headers.get("accept-encoding", "")
        found = assets.asset(file, compressed=compressed)
        headers = assets.asset_headers(compressed=compressed)
        return Response(200, found.content_type, found.body, headers, compress=False)

    def show_resolver(self, request: Request) -> Response[str]:
        """GS1's description file."""
        origin = self._desk.link_base or request.origin
        return json_reply(resolver.description(origin), headers=OPEN_HEADERS)

    @cached_property
    def _document(self) -> dict[str, Any]:
        from uncap.routes import channel_table  # another function's; few ask, and every cold start would pay for it

        return openapi.build(TITLE, VERSION, (*ROUTES, *channel_table.ROUTES), security_schemes=SECURITY_SCHEMES)

    def _find(self, gtin: str, serial: str, now_ms: int) -> IssuedCode:
        """A link that cannot be ours is as little issued as a wrong serial."""
        try:
            checked = check_gtin(gtin)
        except InputError as malformed:
            raise CodeForgedError from malformed
        return find_code(self._desk.scan.keyring(), self._desk.scan.catalog, checked, fold_serial(serial), now_ms)

    def _session(self, request: Request, now_ms: int) -> Session:
        token = request.require_session_token()
        if not request.bearer():
            request.require_same_origin(self._public_host)
        return require_session(self._desk.session, token, now_ms)

    def _scan_form(self, request: Request) -> Response[str]:
        form = request.form(ScanForm)
        gtin, serial = check_gtin(form.gtin), fold_serial(form.serial)
        now_ms = self._desk.clock_ms()
        try:
            session = require_session(self._desk.session, request.cookie(), now_ms)
            check_csrf(self._desk.session.keys(), session, form.csrf)
            wanted = ScanRequest(gtin, serial, form.claim_id)
            result, opened = member_routes.record(self._desk, session, wanted, now_ms)
        except UncapError as error:
            elsewhere = sign_in_routes.instead(self._desk, request, error, link_path(gtin, serial))
            return elsewhere or refused_page(self._desk, request, form, gtin, error, now_ms)
        self._count(result, now_ms)
        return claimed_page(self._desk, request, opened, result, now_ms)

    def _facts(self, request: Request, code: IssuedCode, now_ms: int) -> CodeFacts:
        session = self._visitor(request, now_ms)
        view = view_code(self._desk.view, session, code, now_ms)
        return CodeFacts(**{name: getattr(view, name) for name in CodeFacts.__struct_fields__})

    def _visitor(self, request: Request, now_ms: int) -> Session:
        """Who asks. A bearer must be good; a cookie that has aged makes its browser nobody, as for a page."""
        if request.bearer():
            return require_session(self._desk.session, request.bearer(), now_ms)
        try:
            return require_session(self._desk.session, request.cookie(), now_ms)
        except AuthError:
            return _NOBODY

    def _refused(self, error: CodeForgedError, gtin: str, serial: str) -> Response[str]:
        """A program learns whether a link is written wrongly (400) or is nobody's (404)."""
        try:
            resolver_routes.link_of(link_path(gtin, serial))
        except InputError as malformed:
            return error_reply(malformed, self._desk.meter, headers=OPEN_HEADERS)
        return error_reply(error, self._desk.meter, headers=OPEN_HEADERS)

    def _count(self, result: ScanResult, now_ms: int) -> None:
        meter = self._desk.meter
        meter.count("CodeScanned" if result.written else "CodeAnsweredFromMemory")
        if result.outcome == "first":
            first = result.image.first
            # A retry of an earlier claim is told the same, and counted once.
            meter.count("CodeClaimed" if first and first.at_ms == now_ms else "ClaimRetried")
        else:
            meter.count("CodeRepeated" if result.outcome == "repeat" else "CodeObserved")


def mount(app: APIGatewayHttpResolver, api: ScanApi, meter_error: Callable[[Exception], None]) -> None:
    """Adds every route of the table and the error handlers. `meter_error` logs and counts what nobody expected."""
    for row in ROUTES:
        path = row.path.replace("{", "<").replace("}", ">")
        app.route(path, method=row.method)(_handler(app, getattr(api, row.name)))

    def known(error: UncapError) -> Response[str]:
        reply = error_reply(error, api._desk.meter)
        if reply.status_code == 500:
            meter_error(error)
        return reply

    def unknown(error: Exception) -> Response[str]:
        meter_error(error)
        return problem_reply(internal_problem())

    keys = resolver_routes.KeyRoutes(api._desk, api.show_code, api.show_page)

    def no_route(_error: RouteNotFoundError) -> Response[str]:
        try:
            reply = keys.answer(Request(app.current_event.raw_event))
        except UncapError as error:
            return error_reply(error, api._desk.meter, headers=OPEN_HEADERS)
        except Exception as error:  # noqa: BLE001
            # Powertools calls this outside its own handlers of errors: the boundary is here.
            return unknown(error)
        return reply or error_reply(NotFoundError("route_unknown", "There is no such address."), api._desk.meter)

    app.exception_handler(UncapError)(known)
    app.exception_handler(Exception)(unknown)
    app.not_found(no_route)


def _handler(app: APIGatewayHttpResolver, method: Callable[..., Response[Any]]) -> Callable[..., Response[Any]]:
    def run(**path: str) -> Response[Any]:
        return method(Request(app.current_event.raw_event), **path)

    return run


def _named_code(body: ScanInput) -> tuple[str, str]:
    """(GTIN-14, serial). Raises InputError (`code_missing`, `code_ambiguous`, the link's and the GTIN's)."""
    if body.link and (body.gtin or body.serial):
        raise InputError("code_ambiguous", "Send a link, or a GTIN and a serial.", where="link")
    if body.link:
        link = parse_code_link(body.link)
        return link.gtin, link.serial
    if not body.gtin or not body.serial:
        raise InputError("code_missing", "Send a link, or a GTIN and a serial.", where="link")
    return check_gtin(body.gtin), fold_serial(body.serial)
