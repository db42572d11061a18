"""Statuses and documents of errors."""

import pytest

from uncap.domain.errors import (
    AuthError,
    CodeForgedError,
    ConflictError,
    ForbiddenError,
    InputError,
    LimitError,
    NotFoundError,
    PoisonError,
    TransientError,
    UncapError,
)
from uncap.routes.problems import problem_of, retry_after_s, status_of


@pytest.mark.parametrize(
    ("error", "status", "retry_s"),
    [
        (InputError("x", "m"), 400, 0),
        (InputError("body_too_large", "m"), 413, 0),
        (InputError("media_type_unsupported", "m"), 415, 0),
        (AuthError("x", "m"), 401, 0),
        (ForbiddenError("x", "m"), 403, 0),
        (NotFoundError("x", "m"), 404, 0),
        (NotFoundError("reward_not_ready", "m"), 404, 1),
        (CodeForgedError(), 404, 0),
        (ConflictError("x", "m"), 409, 0),
        (LimitError("x", "m", retry_after_s=7), 429, 7),
        (TransientError("x", "m"), 503, 1),
        (PoisonError("x", "m"), 500, 0),
        (InputError("session_keys_malformed", "m"), 500, 0),
        (UncapError("aws_refused", "m"), 500, 0),
    ],
)
def test_statuses(error: UncapError, status: int, retry_s: int) -> None:
    assert (status_of(error), retry_after_s(error)) == (status, retry_s)
    assert problem_of(error).status == status


def test_a_clients_error_is_explained() -> None:
    problem = problem_of(InputError("gtin_malformed", "a GTIN has digits", where="gtin"))
    assert (problem.title, problem.code, problem.detail, problem.where) == (
        "Bad Request",
        "gtin_malformed",
        "a GTIN has digits",
        "gtin",
    )


@pytest.mark.parametrize(
    "error", [UncapError("aws_refused", "secret"), TransientError("storage_unavailable", "secret")]
)
def test_our_errors_keep_their_details(error: UncapError) -> None:
    assert "secret" not in str(problem_of(error))
