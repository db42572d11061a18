"""The handler, from HTTP API events to replies: every route, every refusal, nothing leaked."""

import gzip
import json
import re

import pytest

from tests.kits.scan_events import EVENTS, body_of, event
from tests.kits.scan_kit import GTIN
from tests.kits.scan_replies import field, html, problem
from tests.unit.routes.conftest import Api
from uncap.domain.scans import ScanImage
from uncap.domain.sessions import LIFETIME_S
from uncap.routes.scan_table import ROUTES
from webui import assets


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


def test_facts_take_an_aged_cookie_for_nobody_and_refuse_a_bad_bearer(api: Api) -> None:
    aged = event("facts", serial=api.world.serial(1), cookie="uncap_session=v1.1.e30.aged")
    aged["cookies"] = ["uncap_session=v1.1.e30.aged"]
    aged["headers"].pop("authorization", None)
    assert json.loads(api.call(aged)["body"])["status"] == "claimable"
    bearer = event("facts", serial=api.world.serial(1), authorization="Bearer v1.1.e30.bad")
    problem(api.call(bearer), 401, "session_invalid")
