"""Builds Powertools responses: JSON, problems, the session cookie. Used by `scan_routes.py` and `scan_pages.py`."""

from typing import Any, Protocol

import msgspec
from aws_lambda_powertools.event_handler.api_gateway import Response
from aws_lambda_powertools.shared.cookies import Cookie, SameSite

from uncap.domain.errors import TransientError, UncapError
from uncap.domain.sessions import LIFETIME_S
from uncap.routes.problems import CONTENT_TYPE, Problem, problem_of, retry_after_s
from uncap.routes.requests import COOKIE, Request
from uncap.services.open_session import OpenSession

JSON_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
# Programs of any origin may read what a resolver says; it is never about a session.
OPEN_HEADERS = {**JSON_HEADERS, "Access-Control-Allow-Origin": "*", "Vary": "Accept"}
_ENCODER = msgspec.json.Encoder()


class Meter(Protocol):
    """Counts what happened, for metrics that leave with the log (runtime/observability.py)."""

    def count(self, name: str) -> None: ...


def json_reply(
    value: Any, *, status: int = 200, headers: dict[str, str] | None = None, media_type: str = "application/json"
) -> Response[str]:
    """Any msgspec value as JSON."""
    return Response(status, media_type, _ENCODER.encode(value).decode(), headers or JSON_HEADERS)


def problem_reply(problem: Problem, *, retry_s: int = 0, headers: dict[str, str] | None = None) -> Response[str]:
    """A problem document, with Retry-After where retrying helps."""
    extra = {"Retry-After": str(retry_s)} if retry_s else {}
    return json_reply(
        problem, status=problem.status, headers={**(headers or JSON_HEADERS), **extra}, media_type=CONTENT_TYPE
    )


def error_reply(error: UncapError, meter: Meter, *, headers: dict[str, str] | None = None) -> Response[str]:
    """The problem document of an error of ours; counts what alarms look at."""
    count_error(error, meter)
    return problem_reply(problem_of(error), retry_s=retry_after_s(error), headers=headers)


def count_error(error: UncapError, meter: Meter) -> None:
    """Forged codes, limits and outages are counted here and nowhere written."""
    name = {"code_not_issued": "CodeForged", "person_limit_reached": "PersonLimited"}.get(error.code, "")
    if name or isinstance(error, TransientError):
        meter.count(name or "StorageUnavailable")


def session_cookie(request: Request, opened: OpenSession) -> list[Cookie]:
    """The cookie to set, none if the visitor's own is still good."""
    if not opened.token:
        return []
    return [
        Cookie(
            COOKIE,
            opened.token,
            path="/",
            secure=not request.is_plain_http,
            http_only=True,
            max_age=LIFETIME_S,
            same_site=SameSite.LAX_MODE,
        )
    ]
