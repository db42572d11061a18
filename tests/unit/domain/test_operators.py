"""Who may do what, tokens that cannot be forged, passwords that are only hashes, acts that need two people."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.approvals import LIFETIME_MS, Proposal, approve, renew
from uncap.domain.errors import AuthError, ConflictError, ForbiddenError, InputError
from uncap.domain.operators import ACTIONS, AREAS, PERMISSIONS, Identity, authorise, issue_token, read_token
from uncap.domain.passwords import hash_password, verify_password
from uncap.routes.console.table import endpoints

KEYS = {"1": b"k" * 32, "2": b"l" * 32}
WHO = Identity("anna", "admin", 3, 1_000)
QUICK = {"n": 16, "r": 8, "p": 1}


def test_the_table_names_known_areas_and_actions() -> None:
    for grants in PERMISSIONS.values():
        assert set(grants) <= set(AREAS)
        assert all(actions <= set(ACTIONS) for actions in grants.values())


def test_every_route_asks_for_something_that_only_some_may() -> None:
    for endpoint in endpoints():
        if endpoint.action:
            assert endpoint.area in AREAS
            assert endpoint.action in ACTIONS
            may = [role for role in PERMISSIONS if endpoint.action in PERMISSIONS[role].get(endpoint.area, ())]
            assert "admin" in may
            assert endpoint.action == "read" or len(may) < len(PERMISSIONS), f"{endpoint.path} is open to every role"


def test_nobody_else_writes() -> None:
    for role in ("auditor",):
        assert all(actions == {"read"} for actions in PERMISSIONS[role].values())
    with pytest.raises(ForbiddenError):
        authorise("nobody", "products", "read")


@given(st.sampled_from(["1", "2"]), st.text(max_size=40), st.integers(0, 10**13))
def test_tokens_round_trip(current: str, login: str, expires: int) -> None:
    identity = Identity(login, "brand", 1, expires)
    token = issue_token(KEYS, current, identity)
    if expires > 500:
        assert read_token(KEYS, token, 500) == identity


@given(st.integers(0, 200), st.sampled_from("ABCxyz019_-."))
def test_any_changed_character_is_refused(place: int, char: str) -> None:
    token = issue_token(KEYS, "1", WHO)
    at = place % len(token)
    changed = token[:at] + char + token[at + 1 :]
    if changed != token:
        with pytest.raises(AuthError, match="token_invalid"):
            read_token(KEYS, changed, 0)


def test_a_token_of_a_lost_key_is_refused() -> None:
    token = issue_token(KEYS, "2", WHO)
    with pytest.raises(AuthError, match="token_invalid"):
        read_token({"1": KEYS["1"]}, token, 0)
    with pytest.raises(AuthError, match="token_expired"):
        read_token(KEYS, token, 1_000)


@given(st.text(min_size=12, max_size=60))
def test_passwords(password: str) -> None:
    stored = hash_password(password, b"s" * 16, **QUICK)
    assert verify_password(password, stored)
    assert not verify_password(password + "x", stored)
    assert password not in msgspec.json.encode(stored).decode()


def test_weak_passwords_and_bad_salts() -> None:
    with pytest.raises(InputError, match="password_too_weak"):
        hash_password("elevenchars", b"s" * 16, **QUICK)
    with pytest.raises(ValueError, match="16 bytes"):
        hash_password("long enough, surely", b"s", **QUICK)


def test_the_default_cost_is_owasps() -> None:
    stored = hash_password("long enough, surely", b"s" * 16)
    assert (stored.n, stored.r, stored.p) == (32_768, 8, 3)
    assert verify_password("long enough, surely", stored)


ASKED = Proposal("replace", "1.2.3", "anna", 1_000, "broken")


def test_two_people() -> None:
    with pytest.raises(ForbiddenError, match="second_person_needed"):
        approve(ASKED, "anna", 2_000)
    done = approve(ASKED, "bert", 2_000)
    assert (done.state, done.decided_by, done.version) == ("approved", "bert", 2)
    for missing in (None, done):
        with pytest.raises(ConflictError, match="proposal_missing"):
            approve(missing, "bert", 2_000)
    with pytest.raises(ConflictError, match="proposal_expired"):
        approve(ASKED, "bert", 1_000 + LIFETIME_MS)


def test_asking_again() -> None:
    later = msgspec.structs.replace(ASKED, requested_at_ms=1_000 + LIFETIME_MS)
    assert renew(None, ASKED) == ASKED
    assert renew(ASKED, later).version == 2
    with pytest.raises(ConflictError, match="proposal_open"):
        renew(ASKED, msgspec.structs.replace(ASKED, requested_at_ms=2_000))
    assert renew(approve(ASKED, "bert", 2_000), ASKED).state == "open"
