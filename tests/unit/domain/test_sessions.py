"""Session tokens: round trip, binding, expiry, rotation; CSRF tokens fit their session only."""

import json
import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.errors import AuthError, InputError
from uncap.domain.sessions import (
    LIFETIME_S,
    Session,
    SessionKeys,
    check_csrf,
    csrf_token,
    needs_renewal,
    new_session,
    seal,
    unseal,
)

NOW_MS = 1_795_320_000_000


def keys_of(*names: str, current: str = "") -> SessionKeys:
    document = {"current": current or names[0], "keys": {name: secrets.token_hex(32) for name in names}}
    return SessionKeys.parse(json.dumps(document))


KEYS = keys_of("1")
SESSION = new_session("wx1", "ab" * 16, NOW_MS, person="p_X", payee="v1.y")


def test_a_token_gives_its_session_back() -> None:
    token = seal(KEYS, SESSION)
    assert unseal(KEYS, token, "wx1", NOW_MS) == SESSION
    assert len(token) < 600


def refused(token: str, *, keys: SessionKeys = KEYS, app: str = "wx1", now_ms: int = NOW_MS) -> str:
    with pytest.raises(AuthError) as caught:
        unseal(keys, token, app, now_ms)
    return caught.value.code


def test_a_token_belongs_to_its_app_and_time() -> None:
    token = seal(KEYS, SESSION)
    assert refused(token, app="wx2") == "session_invalid"
    assert refused(token, now_ms=NOW_MS + LIFETIME_S * 1000) == "session_expired"
    assert refused(token, now_ms=NOW_MS - 301_000) == "session_invalid"
    assert unseal(KEYS, token, "wx1", NOW_MS - 299_000) == SESSION
    assert refused(token, keys=keys_of("1")) == "session_invalid"


@settings(max_examples=300, deadline=None)
@given(position=st.integers(0, 10_000), char=st.sampled_from("AZaz09-_.=é"))
def test_no_character_can_be_changed(position: int, char: str) -> None:
    token = seal(KEYS, SESSION)
    position %= len(token)
    forged = token[:position] + char + token[position + 1 :]
    if forged != token:
        assert refused(forged) == "session_invalid"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_junk_is_refused(junk: str) -> None:
    assert refused(junk) == "session_invalid"


def test_rotation_keeps_sessions_until_the_old_key_goes() -> None:
    old = keys_of("1")
    both = SessionKeys("2", old.keys | keys_of("2").keys)
    token = seal(old, SESSION)
    assert unseal(both, token, "wx1", NOW_MS) == SESSION
    assert seal(both, SESSION).startswith("v1.2.")
    assert refused(token, keys=SessionKeys("2", {"2": both.keys["2"]})) == "session_invalid"


def test_renewal_comes_in_the_second_half() -> None:
    assert not needs_renewal(SESSION, NOW_MS + LIFETIME_S * 500)
    assert needs_renewal(SESSION, NOW_MS + LIFETIME_S * 500 + 1_000)


def test_csrf_tokens_fit_their_session_only() -> None:
    token = csrf_token(KEYS, SESSION)
    check_csrf(KEYS, SESSION, token)
    renewed = Session("wx1", SESSION.device, SESSION.issued_at_s + 5, SESSION.expires_at_s + 5, "p_X")
    check_csrf(KEYS, renewed, token)
    check_csrf(SessionKeys("2", KEYS.keys | keys_of("2").keys), SESSION, token)
    for other in (
        new_session("wx1", "cd" * 16, NOW_MS, person="p_X"),
        new_session("wx1", SESSION.device, NOW_MS, person="p_Y"),
    ):
        with pytest.raises(AuthError, match="csrf_invalid"):
            check_csrf(KEYS, other, token)
    for junk in ("", "é", token[:-1], seal(KEYS, SESSION)):
        with pytest.raises(AuthError, match="csrf_invalid"):
            check_csrf(KEYS, SESSION, junk)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{}",
        "[]",
        '{"current":"2","keys":{"1":"00"}}',
        '{"current":"1","keys":{"1":"zz"}}',
        '{"current":1,"keys":{}}',
    ],
)
def test_unreadable_keys_say_nothing_of_their_content(document: str) -> None:
    with pytest.raises(InputError, match="session_keys_malformed") as caught:
        SessionKeys.parse(document)
    assert caught.value.__cause__ is None
