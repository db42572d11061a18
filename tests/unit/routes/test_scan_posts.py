"""POST /v1/scans: by JSON, by link, by cookie and by form; every refusal with its code and its place."""

import base64
import json
from typing import Any

import msgspec
import pytest

from tests.kits.scan_events import event
from tests.kits.scan_kit import CAMPAIGN, GTIN, documents
from tests.kits.scan_replies import field, html, outage, problem
from tests.unit.routes.conftest import Api
from uncap.domain.catalog import PersonLimit
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.domain.sessions import LIFETIME_S, csrf_token


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


def test_a_withdrawn_code_is_not_won(api: Api) -> None:
    ref = CodeRef.from_key("7.1.1")
    tombstone = Mark("system", 1, "tombstone", reason="decommissioned")
    api.world.scans.items[ref.key()] = ScanImage(ref.key(), tombstone, 1, tombstone)
    answer = json.loads(api.sample("scan_json")["body"])
    assert (answer["outcome"], answer["reason"], answer["first_scan_on"]) == ("observed", "decommissioned", "")


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
