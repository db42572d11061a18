"""Signing in: uniform refusals, exact throttling, tokens that end with the operator's record, roles that hold."""

import pytest

from tests.integration.console.conftest import PASSWORD, Api, Bench
from uncap.adapters.sign_in_throttle import throttle_key
from uncap.domain.operators import SIGN_IN_ATTEMPTS, SIGN_IN_WINDOW_MS, TOKEN_LIFETIME_MS
from uncap.domain.passwords import PasswordHash
from uncap.services.sign_in_operator import ensure_operator


@pytest.fixture(autouse=True)
def quick_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names nobody has cost what the bench's own operators cost here, not the quarter second they cost a guesser."""
    nobody = PasswordHash(16, 8, 1, "00" * 16, "00" * 32)
    monkeypatch.setattr("uncap.services.sign_in_operator._NOBODY", nobody)


def sign_in(api: Api, login: str, password: str = PASSWORD) -> tuple[int, str]:
    return api.refused("POST", "/sign-in", {"login": login, "password": password})


def test_the_token_says_who_and_what(bench: Bench) -> None:
    api = bench.sign_in("carl", "auditor")
    me = api.ok("GET", "/me")
    assert (me["login"], me["role"]) == ("carl", "auditor")
    assert me["permissions"]["audit"] == ["read"]


def test_wrong_password_and_unknown_login_are_told_alike(bench: Bench) -> None:
    bench.add_operator("carl", "auditor")
    anyone = Api(bench.app)
    assert sign_in(anyone, "carl", "not the password") == sign_in(anyone, "nobody") == (401, "sign_in_refused")


@pytest.mark.parametrize("login", ["carl", "nobody"])
def test_guessing_is_stopped_for_known_and_unknown_logins(bench: Bench, login: str) -> None:
    bench.add_operator("carl", "auditor")
    anyone = Api(bench.app)
    for _ in range(SIGN_IN_ATTEMPTS):
        assert sign_in(anyone, login, "wrong wrong wrong") == (401, "sign_in_refused")
    refused = anyone.call("POST", "/sign-in", {"login": login, "password": PASSWORD})
    assert (refused.status, refused.code) == (429, "too_many_sign_ins")
    assert 0 < int(refused.headers["Retry-After"]) <= SIGN_IN_WINDOW_MS // 1000
    bench.clock.now_ms += SIGN_IN_WINDOW_MS
    assert anyone.call("POST", "/sign-in", {"login": login, "password": PASSWORD}).status != 429


def test_a_success_forgets_the_failures(bench: Bench) -> None:
    bench.add_operator("carl", "auditor")
    anyone = Api(bench.app)
    for _ in range(3):
        for _ in range(SIGN_IN_ATTEMPTS - 1):
            sign_in(anyone, "carl", "wrong wrong wrong")
        anyone.ok("POST", "/sign-in", {"login": "carl", "password": PASSWORD})


def test_tokens_end(bench: Bench, admin: Api) -> None:
    bench.clock.now_ms += TOKEN_LIFETIME_MS
    assert admin.refused("GET", "/me") == (401, "token_expired")


def test_a_changed_operator_must_sign_in_again(bench: Bench) -> None:
    api = bench.sign_in("carl", "brand")
    desk = bench.desk
    ensure_operator(desk.writes, desk.parties, desk.random_bytes, "carl", PASSWORD, "auditor")
    assert api.refused("GET", "/me") == (401, "token_revoked")


def test_ensuring_the_same_operator_keeps_the_token(bench: Bench) -> None:
    api = bench.sign_in("carl", "brand")
    desk = bench.desk
    ensure_operator(desk.writes, desk.parties, desk.random_bytes, "carl", PASSWORD, "brand")
    assert api.ok("GET", "/me")["login"] == "carl"


def test_forged_and_foreign_tokens(bench: Bench, admin: Api) -> None:
    version, key, payload, tag = admin.token.split(".")
    for token in (
        "",
        "x",
        f"{version}.{key}.{payload}.{tag[:-2]}AA",
        f"{version}.2.{payload}.{tag}",
        f"{version}.{key}.{payload[:-1]}.{tag}",
        f"o2.{key}.{payload}.{tag}",
        "a.b.c.d.e",
        "o1.1..",
    ):
        assert Api(bench.app, token).refused("GET", "/me")[0] == 401
    basic = Api(bench.app).call("GET", "/me", Authorization="Basic YTpi")
    assert (basic.status, basic.code) == (401, "token_missing")


def test_old_keys_still_verify_after_a_rotation(bench: Bench, admin: Api) -> None:
    keys = bench.vault.values["operator-keys"]
    keys["keys"]["2"] = "ab" * 32
    keys["current"] = "2"
    bench.clock.now_ms += 301_000
    assert admin.ok("GET", "/me")["login"] == "anna"
    fresh = Api(bench.app).ok("POST", "/sign-in", {"login": "anna", "password": PASSWORD})["token"]
    assert fresh.split(".")[1] == "2"


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("auditor", "POST", "/products"),
        ("factory", "GET", "/rewards"),
        ("brand", "GET", "/exports/x1-00000000/codes"),
        ("brand", "POST", "/releases/r1-1/activate"),
        ("finance", "POST", "/batches"),
        ("logistics", "GET", "/audit?day=2026-11-22"),
        ("inspector", "POST", "/epochs/1/state"),
        ("factory", "POST", "/batches/1/hold"),
        ("factory", "POST", "/exports"),
        ("factory", "POST", "/exports/x1-00000000/skips"),
        ("factory", "POST", "/batches/1/replacements/approve"),
    ],
)
def test_roles_are_refused_what_the_table_does_not_grant(bench: Bench, role: str, method: str, path: str) -> None:
    assert bench.sign_in("carl", role).refused(method, path, {}) == (403, "operator_not_permitted")


def test_using_up_one_name_tells_nothing_of_another(bench: Bench) -> None:
    """With a bucket that anyone can compute, a refusal of the second name would say that nobody has it."""
    anyone = Api(bench.app)
    key = bytes.fromhex(bench.vault.values["operator-keys"]["keys"]["1"])
    assert throttle_key("zoe", key, known=False) != throttle_key("zoe", bytes(32), known=False)
    for name in (f"guess-{number}" for number in range(40)):
        sign_in(anyone, name, "wrong wrong wrong")
    assert sign_in(anyone, "zoe") == (401, "sign_in_refused")
