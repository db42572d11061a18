"""Where a session cookie is found: payload 2.0's own list, or the header in which the local stack leaves it."""

from typing import Any

import pytest

from uncap.routes.requests import Request


@pytest.mark.parametrize(
    ("event", "token"),
    [
        ({"cookies": ["a=1", "uncap_session=t"]}, "t"),
        ({"cookies": [], "headers": {"Cookie": "a=1; uncap_session=t; b=2"}}, "t"),
        ({"headers": {"cookie": 'uncap_session="t"'}}, "t"),
        ({"cookies": ["uncap_session=list"], "headers": {"cookie": "uncap_session=header"}}, "list"),
        ({"headers": {"cookie": "other_uncap_session=t"}}, ""),
        ({}, ""),
    ],
)
def test_the_session_cookie(event: dict[str, Any], token: str) -> None:
    assert Request(event).cookie() == token
