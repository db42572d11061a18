"""From an error's code to an HTTP status: the one table, and the problem document (RFC 9457) both APIs answer with."""

from http import HTTPStatus

import msgspec

from uncap.domain.errors import (
    AuthError,
    ConflictError,
    ForbiddenError,
    InputError,
    LimitError,
    NotFoundError,
    TransientError,
    UncapError,
)

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 1

# Codes whose status is not their class's.
_BY_CODE = {
    "code_not_issued": 404,
    "body_too_large": 413,
    "media_type_unsupported": 415,
    "method_not_allowed": 405,
    # EPCIS 2.0, chapter 12.
    "capture_limit_exceeded": 413,
    "epcis_event_too_large": 413,
    "query_too_large": 413,
    "query_too_complex": 413,
    "version_not_acceptable": 406,
    "resource_unlisted": 413,
    # Right in itself, but more than one request may ask for.
    "overview_too_large": 422,
    "release_too_large": 422,
    "territory_too_large": 422,
    # Not the caller's fault: a deployment that is not set up, or an AWS call that was refused.
    "aws_refused": 500,
    "code_keys_malformed": 500,
    "payee_keys_malformed": 500,
    "address_keys_malformed": 500,
    "session_keys_malformed": 500,
}
# The most special class first.
_BY_CLASS: tuple[tuple[type[UncapError], int], ...] = (
    (NotFoundError, 404),
    (InputError, 400),
    (ConflictError, 409),
    (AuthError, 401),
    (ForbiddenError, 403),
    (LimitError, 429),
    (TransientError, 503),
)


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """`code` is for machines and stable, `detail` for people, `where` names the field or line."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    where: str = ""


def status_of(error: UncapError) -> int:
    """500 for what no client can mend (a poison record, a bug, a deployment that is not set up)."""
    by_code = _BY_CODE.get(error.code)
    if by_code is not None:
        return by_code
    return next((status for kind, status in _BY_CLASS if isinstance(error, kind)), 500)


def problem_of(error: UncapError) -> Problem:
    """The document. An error of ours (5xx) keeps its details to itself."""
    status = status_of(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return internal_problem()
    detail = "Please try again." if status == HTTPStatus.SERVICE_UNAVAILABLE else error.message
    return Problem("about:blank", HTTPStatus(status).phrase, status, error.code, detail, error.where)


def internal_problem() -> Problem:
    """What the caller learns of a bug."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return Problem("about:blank", status.phrase, int(status), "internal_error", "Something went wrong on our side.")


def retry_after_s(error: UncapError) -> int:
    """Seconds for Retry-After; 0 where retrying does not help."""
    if isinstance(error, LimitError):
        return error.retry_after_s
    return RETRY_AFTER_S if isinstance(error, TransientError) or error.code == "reward_not_ready" else 0
