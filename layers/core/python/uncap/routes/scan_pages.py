"""The scan API's HTML: the page behind a code and the page that answers its form. Used by `scan_routes.py`."""

import msgspec
from aws_lambda_powertools.event_handler.api_gateway import Response

from uncap.domain.errors import AuthError, CodeForgedError, LimitError, TransientError, UncapError
from uncap.domain.sessions import csrf_token
from uncap.routes import sign_in_routes
from uncap.routes.problems import status_of
from uncap.routes.requests import Request
from uncap.routes.scan_desk import ApiDesk
from uncap.routes.scan_replies import count_error, session_cookie
from uncap.routes.scan_schemas import ScanForm
from uncap.services.claim_code import ScanResult
from uncap.services.find_code import IssuedCode, find_code
from uncap.services.open_session import OpenSession, session_for_page
from uncap.services.view_code import link_path, not_issued_view, view_code, view_of
from webui.i18n import locale_of
from webui.scan_page import render
from webui.security import page_headers
from webui.views import ScanPageView

_CLAIM_ID_BYTES = 16


def code_page(desk: ApiDesk, request: Request, code: IssuedCode, now_ms: int) -> Response[str]:
    """The page of an issued code, with what its form needs: a fresh claim id and the session's CSRF token."""
    opened = session_for_page(desk.session, request.cookie(), now_ms)
    if elsewhere := sign_in_routes.silently(desk, request, opened, link_path(code.gtin, code.serial)):
        return elsewhere
    view = view_code(desk.view, opened.session, code, now_ms, back=_address(desk, request, code.gtin, code.serial))
    return _page(desk, request, opened, view, 200, desk.session.random_bytes(_CLAIM_ID_BYTES).hex())


def not_issued_page(request: Request, gtin: str, serial: str) -> Response[str]:
    """The page of a code nobody issued: the same for all of them, no session, nothing read."""
    return _html(request, not_issued_view(gtin, serial), 404)


def claimed_page(
    desk: ApiDesk, request: Request, opened: OpenSession, result: ScanResult, now_ms: int
) -> Response[str]:
    """What a form's claim came to."""
    back = _address(desk, request, result.code.gtin, result.code.serial)
    view = view_of(desk.view, opened.session, result.code, result.image, now_ms, back=back)
    return _page(desk, request, opened, view, 200, desk.session.random_bytes(_CLAIM_ID_BYTES).hex())


def refused_page(
    desk: ApiDesk, request: Request, form: ScanForm, gtin: str, error: UncapError, now_ms: int
) -> Response[str]:
    """Why a form was refused. The claim id stays the same, so that trying again is the same claim."""
    if isinstance(error, CodeForgedError):
        count_error(error, desk.meter)
        return not_issued_page(request, gtin, form.serial)
    if not isinstance(error, AuthError | LimitError | TransientError):
        raise error
    count_error(error, desk.meter)
    opened = session_for_page(desk.session, request.cookie(), now_ms)
    view = msgspec.structs.replace(
        _view_after_refusal(desk, opened, form, gtin, error, now_ms),
        error="busy" if isinstance(error, TransientError) else error.code,
        retry_after_s=error.retry_after_s if isinstance(error, LimitError) else 0,
    )
    return _page(desk, request, opened, view, status_of(error), form.claim_id)


def _view_after_refusal(
    desk: ApiDesk, opened: OpenSession, form: ScanForm, gtin: str, error: UncapError, now_ms: int
) -> ScanPageView:
    if isinstance(error, TransientError):
        # Storage does not answer: show the form again without asking it for anything.
        path = link_path(gtin, form.serial)
        return ScanPageView(verdict="issued", link_path=path, status="claimable", gtin=gtin, serial=form.serial)
    code = find_code(desk.scan.keyring(), desk.scan.catalog, gtin, form.serial, now_ms)
    if isinstance(error, LimitError):
        return view_of(desk.view, opened.session, code, None, now_ms)
    return view_code(desk.view, opened.session, code, now_ms)


def _page(
    desk: ApiDesk, request: Request, opened: OpenSession, view: ScanPageView, status: int, claim_id: str
) -> Response[str]:
    csrf = csrf_token(desk.session.keys(), opened.session)
    reply = _html(request, msgspec.structs.replace(view, claim_id=claim_id, csrf=csrf), status)
    reply.cookies = session_cookie(request, opened)
    return reply


def _html(request: Request, view: ScanPageView, status: int) -> Response[str]:
    locale = locale_of(request.query("lang") or request.headers.get("accept-language", ""))
    headers = {**page_headers(), "Vary": "Accept, Accept-Language, Accept-Encoding"}
    if view.retry_after_s:
        headers["Retry-After"] = str(view.retry_after_s)
    return Response(status, body=render(view, locale), headers=headers, compress=True)


def _address(desk: ApiDesk, request: Request, gtin: str, serial: str) -> str:
    return (desk.link_base or request.origin) + link_path(gtin, serial)
