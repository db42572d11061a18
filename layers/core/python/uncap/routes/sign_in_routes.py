"""Signing in on the identity provider's own page and coming back (WeChat). Used by `scan_routes.py`."""

from urllib.parse import urlencode

from aws_lambda_powertools.event_handler.api_gateway import Response

from uncap.domain.errors import UncapError
from uncap.routes.requests import Request
from uncap.routes.scan_desk import ApiDesk
from uncap.routes.scan_replies import session_cookie
from uncap.services.open_session import OpenSession
from uncap.services.sign_in_person import AsksElsewhere, finish_sign_in, sign_in_address

_WECHAT = "MicroMessenger"


def begin(desk: ApiDesk, request: Request, page: str) -> Response[str]:
    """302 to the provider. Raises what `sign_in_address` raises."""
    origin = desk.link_base or request.origin
    return _go(302, sign_in_address(desk.session, request.cookie(), origin, page, desk.clock_ms()))


def finish(desk: ApiDesk, request: Request) -> Response[str]:
    """303 back to the page, with the session that knows its person. Raises what `finish_sign_in` raises."""
    code, state, page = (request.query(name) for name in ("code", "state", "to"))
    opened = finish_sign_in(desk.session, request.cookie(), code, state, page, desk.clock_ms())
    reply = _go(303, page)
    reply.cookies = session_cookie(request, opened)
    return reply


def instead(desk: ApiDesk, request: Request, error: UncapError, page: str) -> Response[str] | None:
    """A form that nobody known has sent: first to the sign-in, where the provider has one and the browser a session."""
    if error.code != "session_required" or not request.cookie() or not isinstance(desk.session.provider, AsksElsewhere):
        return None
    return _go(303, f"/v1/sign-in?{urlencode({'to': page})}")


def silently(desk: ApiDesk, request: Request, opened: OpenSession, page: str) -> Response[str] | None:
    """Inside WeChat nobody is asked anything: who is not known yet goes there and back before seeing the page.

    The session goes along as a cookie; whoever keeps none is refused on the way back, and not sent round again.
    """
    inside = _WECHAT in request.headers.get("user-agent", "")
    if not inside or opened.session.person or not isinstance(desk.session.provider, AsksElsewhere):
        return None
    reply = _go(302, f"/v1/sign-in?{urlencode({'to': page})}")
    reply.cookies = session_cookie(request, opened)
    return reply


def _go(status: int, address: str) -> Response[str]:
    return Response(status, body="", headers={"Location": address, "Cache-Control": "no-store"})
