"""The handler, from HTTP API events to replies: every route, every refusal, nothing leaked."""

import base64
import gzip
import json
import re
from html import unescape
from typing import Any

import msgspec
import pytest

from tests.kits.scan_events import EVENTS, body_of, event
from tests.kits.scan_kit import CAMPAIGN, GTIN, documents
from tests.unit.routes.conftest import Api
from uncap.domain.catalog import PersonLimit
from uncap.domain.errors import TransientError
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.domain.sessions import LIFETIME_S, csrf_token
from uncap.routes.scan_table import ROUTES
from webui import assets


def html(reply: dict[str, Any]) -> str:
    body = body_of(reply)
    return (gzip.decompress(body) if reply["headers"].get("Content-Encoding") == "gzip" else body).decode()


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return unescape(found[1])


def problem(reply: dict[str, Any], status: int, code: str) -> dict[str, Any]:
    assert reply["headers"]["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = json.loads(body_of(reply))
    assert (reply["statusCode"], document["status"], document["code"]) == (status, status, code)
    return document


def outage(*_: object) -> ScanImage:
    raise TransientError("storage_unavailable", "UpdateItem failed 4 times, last ThrottlingException")


def test_every_route_has_a_sample_event() -> None:
    keys = {json.loads(path.read_text())["routeKey"] for path in EVENTS.glob("*.json")}
    assert keys == {f"{route.method} {route.path}" for route in ROUTES}


def test_the_page_opens_a_session_and_consumes_nothing(api: Api) -> None:
    reply = api.sample("page")
    page = html(reply)
    assert reply["statusCode"] == 200
    assert reply["headers"]["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in reply["headers"]["Content-Security-Policy"]
    assert reply["headers"]["Cache-Control"] == "no-store"
    assert "Accept-Language" in reply["headers"]["Vary"]
    (cookie,) = reply["cookies"]
    assert re.fullmatch(
        r"uncap_session=v1\.1\.[\w-]+\.[\w-]+; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax", cookie
    )
    assert len(field(page, "claim_id")) == 32
    assert field(page, "csrf")
    assert 'lang="zh-CN"' in page
    assert (api.world.scans.reads, api.world.scans.writes) == (1, 0)


def test_claim_ids_are_fresh(api: Api) -> None:
    assert field(html(api.sample("page")), "claim_id") != field(html(api.sample("page")), "claim_id")


def test_a_returning_visitor_keeps_the_session(api: Api) -> None:
    assert api.sample("page_returning")["cookies"] == []


def test_the_language_can_be_chosen(api: Api) -> None:
    assert 'lang="en"' in html(api.sample("page_english"))


def test_serials_are_case_folded(api: Api) -> None:
    assert api.sample("page_lower_case")["statusCode"] == 200


def test_head_is_get_without_a_body(api: Api) -> None:
    get, head = api.sample("page_returning"), api.sample("head")
    assert (head["statusCode"], body_of(head)) == (200, b"")
    assert set(get["headers"]) - set(head["headers"]) <= {"Content-Encoding"}


def test_options_tell_resolver_clients_what_they_may(api: Api) -> None:
    reply = api.sample("options")
    assert (reply["statusCode"], reply["body"]) == (204, "")
    assert reply["headers"]["Allow"] == "GET, HEAD, OPTIONS"
    assert reply["headers"]["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("name", ["page", "page_broken_link"])
def test_what_nobody_issued_has_one_page_and_costs_nothing(api: Api, name: str) -> None:
    reply = api.sample(name, serial="1" * 17)
    assert (reply["statusCode"], reply["cookies"]) == (404, [])
    assert "<script" not in html(reply)
    assert (api.world.source.reads, api.world.scans.reads) == (0, 0)


def test_a_hostile_address_is_only_text(api: Api) -> None:
    for path in ("/01/1/21/%22%3E<b>x</b>", "/01/1/21/\ud800", "/01/1/21/a b"):
        page = html(api.call(event("page") | {"rawPath": path}))
        assert "<b>" not in page


@pytest.mark.parametrize("name", ["linkset_accept", "linkset_parameter"])
def test_resolver_clients_get_a_linkset(api: Api, name: str) -> None:
    reply = api.sample(name)
    assert reply["headers"]["Content-Type"] == "application/linkset+json"
    assert reply["headers"]["Access-Control-Allow-Origin"] == "*"
    assert "json-ld#context" in reply["headers"]["Link"]
    links, product = json.loads(reply["body"])["linkset"]
    assert links["anchor"] == f"https://scan.example.com/01/{GTIN}/21/{api.world.serial(1)}"
    assert product["anchor"] == f"https://scan.example.com/01/{GTIN}"
    ((default,), (page,)) = links["https://gs1.org/voc/defaultLink"], links["https://gs1.org/voc/pip"]
    assert default["href"] == page["href"]
    assert reply["cookies"] == []
    assert api.world.scans.reads == 0
    problem(api.sample(name, serial="1" * 17), 404, "code_not_issued")


def test_an_unknown_link_type_is_not_found(api: Api) -> None:
    problem(api.sample("link_type_unknown"), 404, "link_type_unknown")


def test_programs_get_facts(api: Api) -> None:
    reply = api.sample("facts")
    facts = json.loads(reply["body"])
    assert (facts["verdict"], facts["status"], facts["inner"], reply["cookies"]) == ("issued", "claimable", True, [])
    problem(api.sample("facts", serial="1" * 17), 404, "code_not_issued")


def test_a_scan_by_json(api: Api) -> None:
    reply = api.sample("scan_json")
    answer = json.loads(reply["body"])
    assert reply["statusCode"] == 200
    (reward_id,) = answer.pop("rewards")
    assert len(reward_id) == 26
    assert answer == {
        "outcome": "first",
        "reason": "",
        "claim_id": "5f0c1d2e3b4a59687766554433221100",
        "first_scan_on": "2026-11-22",
        "scans": 1,
    }
    again = json.loads(api.sample("scan_json")["body"])
    assert (again["outcome"], again["rewards"], again["scans"]) == ("first", [reward_id], 2)
    other = json.loads(api.sample("scan_json", person="bob")["body"])
    assert (other["outcome"], other["rewards"]) == ("repeat", [])


def test_a_scan_by_link_keeps_a_district_only(api: Api) -> None:
    assert api.sample("scan_link_with_place")["statusCode"] == 200
    (image,) = api.world.scans.items.values()
    assert len(image.last.cell) == 15
    assert "31.23" not in str(image)


def test_a_scan_by_cookie_from_our_page(api: Api) -> None:
    assert json.loads(api.sample("scan_json_by_cookie")["body"])["outcome"] == "first"
    api.world.now_ms += 1
    absent = event("scan_json_by_cookie", serial=api.world.serial(1), token=api.token())
    del absent["headers"]["origin"]
    assert api.call(absent)["statusCode"] == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "https://scan.example.com.evil.example", "http://["]
)
def test_a_cookie_from_another_page_is_refused(api: Api, origin: str) -> None:
    problem(api.sample("scan_json_by_cookie", origin=origin), 403, "origin_refused")
    assert api.world.scans.writes == 0


def claim_by_form(api: Api, *, token: str = "", swap: str = "|") -> dict[str, Any]:
    """The page's own form, sent with its own cookie; `swap` ("old|new") alters the body."""
    first = api.sample("page")
    own = first["cookies"][0].partition("=")[2].partition(";")[0]
    filled = event("scan_form", serial=api.world.serial(1), token=token or own, csrf=field(html(first), "csrf"))
    old, _, new = swap.partition("|")
    body = base64.b64decode(filled["body"]).decode()
    filled["body"] = base64.b64encode((body.replace(old, new) if old else body).encode()).decode()
    return api.call(filled)


def test_a_form_is_answered_by_the_page(api: Api) -> None:
    reply = claim_by_form(api)
    assert reply["statusCode"] == 200
    assert "data-id=" in html(reply)
    assert api.world.scans.writes == 1
    (image,) = api.world.scans.items.values()
    assert image.first is not None


def test_a_form_without_a_session_gets_a_fresh_page(api: Api) -> None:
    reply = claim_by_form(api, token="junk")
    page = html(reply)
    assert reply["statusCode"] == 401
    assert field(page, "claim_id") == "5f0c1d2e3b4a59687766554433221100"
    assert reply["cookies"]
    assert 'role="alert"' in page
    assert api.world.scans.writes == 0


def test_a_form_with_anothers_csrf_token_is_refused(api: Api) -> None:
    stolen = csrf_token(api.world.keys, api.world.session("bob"))
    reply = api.call(event("scan_form", serial=api.world.serial(1), token=api.token("ann"), csrf=stolen))
    assert reply["statusCode"] == 401
    assert api.world.scans.writes == 0


def test_a_forms_forged_code(api: Api) -> None:
    reply = api.call(
        event("scan_form", serial="1" * 17, token=api.token(), csrf=csrf_token(api.world.keys, api.world.session()))
    )
    assert reply["statusCode"] == 404
    assert "<form" not in html(reply)


@pytest.mark.parametrize(
    ("swap", "code"),
    [
        ("gtin=|ctin=", "body_invalid"),
        ("gtin=|gtin=1&gtin=", "form_malformed"),
        ("gtin=0|gtin=9", "gtin_check_digit"),
        ("claim_id=|claim_id=%ff", "form_malformed"),
        ("claim_id=5f|claim_id=%00", "body_invalid"),
    ],
)
def test_forms_our_page_never_sends_are_problems(api: Api, swap: str, code: str) -> None:
    problem(claim_by_form(api, swap=swap), 400, code)


def test_over_the_limit(api: Api) -> None:
    api.world.source.docs = documents(campaigns=[msgspec.structs.replace(CAMPAIGN, limit=PersonLimit(per_day=1))])
    api.sample("scan_json")
    reply = api.sample("scan_json", serial=api.world.serial(2))
    problem(reply, 429, "person_limit_reached")
    assert reply["headers"]["Retry-After"] == str(12 * 3600)
    csrf = csrf_token(api.world.keys, api.world.session())
    form = api.call(event("scan_form", serial=api.world.serial(2), token=api.token(), csrf=csrf))
    assert (form["statusCode"], form["headers"]["Retry-After"]) == (429, str(12 * 3600))
    assert "12" in html(form)


def test_an_outage_says_try_again_and_keeps_the_claim_id(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.world.scans, "claim", outage)
    reply = api.sample("scan_json")
    document = problem(reply, 503, "storage_unavailable")
    assert reply["headers"]["Retry-After"] == "1"
    assert "UpdateItem" not in json.dumps(document)
    csrf = csrf_token(api.world.keys, api.world.session())
    form = api.call(event("scan_form", serial=api.world.serial(1), token=api.token(), csrf=csrf))
    assert form["statusCode"] == 503
    assert field(html(form), "claim_id") == "5f0c1d2e3b4a59687766554433221100"


def test_a_bug_is_logged_once_without_what_it_was_about(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    serial = api.world.serial(1)

    def bug(*_: object) -> ScanImage:
        raise KeyError(serial)

    monkeypatch.setattr(api.world.scans, "claim", bug)
    reply = api.sample("scan_json")
    document = problem(reply, 500, "internal_error")
    (record,) = caplog.records
    assert (record.getMessage(), vars(record)["error"]) == ("unexpected error", "KeyError")
    assert "uncap/services/claim_code.py" in str(vars(record)["trail"])
    assert serial not in str(vars(record)) + json.dumps(document)
    assert '"UnexpectedError":[1.0]' in capsys.readouterr().out


def test_no_serial_person_or_token_is_ever_logged(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("page", "scan_json", "scan_link_with_place", "facts", "reward", "session"):
        api.sample(name)
    logged = capsys.readouterr().out
    assert "CodeClaimed" in logged
    for secret in (api.world.serial(1), api.token(), api.world.session().person, "31.23", "autumn"):
        assert secret not in logged


def test_metrics_count_what_happened(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.sample("page")
    api.sample("scan_json")
    api.sample("scan_json", person="bob")
    api.sample("facts", serial="1" * 17)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = [sorted(key for key in line if key[0].isupper()) for line in lines]
    assert names == [["CodeViewed"], ["CodeClaimed", "CodeScanned"], ["CodeRepeated", "CodeScanned"], ["CodeForged"]]
    assert {line["_aws"]["CloudWatchMetrics"][0]["Namespace"] for line in lines} == {"uncap"}
    assert {line["service"] for line in lines} == {"scan_api"}


def scan_with(api: Api, body: object, **headers: str) -> dict[str, Any]:
    sample = event("scan_json", token=api.token(), **headers)
    sample["body"] = body if isinstance(body, str) else json.dumps(body)
    return api.call(sample)


GOOD = {"gtin": GTIN, "serial": "1" * 17, "claim_id": "claim-0001"}


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        ("", "json_malformed", "body"),
        ("{", "json_malformed", "body"),
        ("\x00", "json_malformed", "body"),
        ("[]", "body_invalid", "body"),
        ("null", "body_invalid", "body"),
        ({}, "body_invalid", "body"),
        (GOOD | {"claim_id": 5}, "body_invalid", "claim_id"),
        (GOOD | {"claim_id": "short"}, "body_invalid", "claim_id"),
        (GOOD | {"claim_id": "has space"}, "body_invalid", "claim_id"),
        (GOOD | {"extra": 1}, "body_invalid", "body"),
        (GOOD | {"serial": "1" * 21}, "body_invalid", "serial"),
        (GOOD | {"intent": "steal"}, "body_invalid", "intent"),
        (GOOD | {"place": {"lat": 91, "lng": 0}}, "body_invalid", "place.lat"),
        (GOOD | {"place": {"lat": 0, "lng": 0, "alt": 1}}, "body_invalid", "place"),
        (GOOD | {"place": [1, 2]}, "body_invalid", "place"),
        (GOOD | {"gtin": ""}, "code_missing", "link"),
        (GOOD | {"gtin": "12345678901234"}, "gtin_check_digit", "gtin"),
        (GOOD | {"gtin": "abc"}, "gtin_malformed", "gtin"),
        (GOOD | {"link": "https://h/01/x"}, "code_ambiguous", "link"),
        ({"claim_id": "claim-0001"}, "code_missing", "link"),
        ({"claim_id": "claim-0001", "link": "https://h/01/09520123456788/21/"}, "link_malformed", "link"),
        ({"claim_id": "claim-0001", "link": "ftp://h/01/09520123456788/21/X"}, "link_malformed", "link"),
        ({"claim_id": "claim-0001", "link": "https://h/00/095201234567890017"}, "link_malformed", "link"),
    ],
)
def test_impossible_scans(api: Api, body: object, code: str, where: str) -> None:
    assert problem(scan_with(api, body), 400, code).get("where") == where
    assert api.world.scans.writes == 0


def test_bodies_are_bounded_and_typed(api: Api) -> None:
    problem(scan_with(api, "x" * 4_097), 413, "body_too_large")
    problem(scan_with(api, "x" * 400_000), 413, "body_too_large")
    problem(scan_with(api, "é" * 2_100), 413, "body_too_large")
    problem(scan_with(api, GOOD, content_type="text/plain"), 415, "media_type_unsupported")
    broken = event("scan_json", token=api.token()) | {"body": "%%%", "isBase64Encoded": True}
    problem(api.call(broken), 400, "body_malformed")
    encoded = event("scan_json", serial=api.world.serial(1), token=api.token())
    encoded |= {"body": base64.b64encode(encoded["body"].encode()).decode(), "isBase64Encoded": True}
    assert api.call(encoded)["statusCode"] == 200


def test_other_refusals(api: Api) -> None:
    problem(scan_with(api, GOOD), 404, "code_not_issued")
    problem(scan_with(api, GOOD | {"intent": "receive"}), 403, "intent_not_allowed")
    for token, code in (
        ("", "session_required"),
        ("Bearer x.y", "session_invalid"),
        ("Basic eDp5", "session_required"),
    ):
        problem(scan_with(api, GOOD, authorization=token), 401, code)
    token = api.token()
    api.world.now_ms += LIFETIME_S * 1000
    problem(scan_with(api, GOOD, authorization=f"Bearer {token}"), 401, "session_expired")


def test_a_session_for_programs(api: Api) -> None:
    reply = api.sample("session")
    answer = json.loads(reply["body"])
    assert answer["expires_at"] == api.world.now_ms // 1000 + LIFETIME_S
    scanned = api.call(event("scan_json", serial=api.world.serial(1), token=answer["token"]))
    assert json.loads(scanned["body"])["outcome"] == "first"
    bad = event("session")
    bad["body"] = '{"provider":"wechat","credential":"x"}'
    problem(api.call(bad), 400, "identity_provider_unknown")
    bad["body"] = '{"provider":"local","credential":"a b"}'
    problem(api.call(bad), 401, "credential_invalid")


def test_a_reward_is_asked_for_again(api: Api) -> None:
    reply = api.sample("reward")
    problem(reply, 404, "reward_not_ready")
    assert reply["headers"]["Retry-After"] == "1"
    anonymous = event("reward")
    del anonymous["headers"]["authorization"]
    problem(api.call(anonymous), 401, "session_required")


def test_assets_are_served_for_good(api: Api) -> None:
    sample = event("asset")
    name = assets.url("scan.en.js").rpartition("/")[2]
    reply = api.call(sample | {"rawPath": f"/static/{name}", "pathParameters": {"file": name}})
    assert reply["statusCode"] == 200
    assert "immutable" in reply["headers"]["Cache-Control"]
    assert b"use strict" in gzip.decompress(body_of(reply))
    problem(api.call(sample), 404, "asset_not_found")
    problem(api.call(sample | {"rawPath": "/static/..%2f..%2fetc"}), 404, "asset_not_found")


def test_the_resolver_describes_itself(api: Api) -> None:
    description = json.loads(api.sample("resolver")["body"])
    assert description["resolverRoot"] == "https://scan.example.com"
    assert description["supportedPrimaryKeys"] == ["00", "01"]


def test_unknown_addresses(api: Api) -> None:
    sample = event("page")
    problem(api.call(sample | {"rawPath": "/nope"}), 404, "route_unknown")


def test_cookies_are_not_secure_on_a_developers_machine_only(api: Api) -> None:
    def cookie(**headers: str) -> str:
        sample = event("page", serial=api.world.serial(1), **headers)
        if "x_forwarded_proto" not in headers:
            del sample["headers"]["x-forwarded-proto"]
        return str(api.call(sample)["cookies"][0])

    assert "Secure" not in cookie(host="abc.execute-api.localhost:4566")
    assert "Secure" in cookie(host="localhost", x_forwarded_proto="https")
    assert "Secure" in cookie(host="scan.example.com")


def test_a_withdrawn_code_is_not_won(api: Api) -> None:
    ref = CodeRef.from_key("7.1.1")
    tombstone = Mark("system", 1, "tombstone", reason="decommissioned")
    api.world.scans.items[ref.key()] = ScanImage(ref.key(), tombstone, 1, tombstone)
    answer = json.loads(api.sample("scan_json")["body"])
    assert (answer["outcome"], answer["reason"], answer["first_scan_on"]) == ("observed", "decommissioned", "")


def test_facts_take_an_aged_cookie_for_nobody_and_refuse_a_bad_bearer(api: Api) -> None:
    aged = event("facts", serial=api.world.serial(1), cookie="uncap_session=v1.1.e30.aged")
    aged["cookies"] = ["uncap_session=v1.1.e30.aged"]
    aged["headers"].pop("authorization", None)
    assert json.loads(api.call(aged)["body"])["status"] == "claimable"
    bearer = event("facts", serial=api.world.serial(1), authorization="Bearer v1.1.e30.bad")
    problem(api.call(bearer), 401, "session_invalid")


def test_a_claim_id_ends_where_it_ends(api: Api) -> None:
    sample = event("scan_json", token=api.token(), serial=api.world.serial(1))
    sample["body"] = json.dumps(json.loads(sample["body"]) | {"claim_id": "aaaaaaaa\n"})
    problem(api.call(sample), 400, "body_invalid")


def test_letters_that_fold_into_the_alphabet_are_nobodys_serial(api: Api) -> None:
    """`ſ` is an S in upper case: a second spelling of a code that is neither printed nor known to any cache."""
    index, serial = next((at, one) for at in range(1, 200) if "S" in (one := api.world.serial(at)))
    sample = event("scan_json", token=api.token(), serial=serial)
    assert api.call(sample)["statusCode"] == 200, index
    sample["body"] = sample["body"].replace(serial, serial.replace("S", "ſ", 1))
    problem(api.call(sample), 404, "code_not_issued")
