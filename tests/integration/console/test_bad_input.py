"""Every way to ask wrongly gets a 4xx problem document, and nothing of ours shows through."""

from typing import Any

import pytest

from functions.console_api.app import app
from tests.integration.console import brand
from tests.integration.console.conftest import Api, Bench
from uncap.routes.console.endpoint import MAX_BODY_BYTES

PRODUCT = {"gtin": brand.UNIT, "name": brand.words("Beer"), "roles": ["cap_inner"]}


def problem(api: Api, raw: bytes, **headers: str) -> tuple[int, str]:
    answer = api.call("POST", "/products", raw=raw, **headers)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["status"] == answer.status
    return answer.status, answer.code


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", (400, "json_malformed")),
        (b"{", (400, "json_malformed")),
        (b"\xff\xfe", (400, "json_malformed")),
        (b'{"gtin": "\\ud800"}', (400, "json_malformed")),
        (b"[]", (400, "body_invalid")),
        (b"[" * 100_000, (400, "body_invalid")),
        (b'{"gtin": 1}', (400, "body_invalid")),
        (b'{"gtin": "09520123456788", "surprise": 1}', (400, "body_invalid")),
        (b" " * (MAX_BODY_BYTES + 1), (413, "body_too_large")),
    ],
)
def test_bodies(admin: Api, raw: bytes, expected: tuple[int, str]) -> None:
    assert problem(admin, raw) == expected


def test_media_type(admin: Api) -> None:
    assert problem(admin, b"a=b", **{"Content-Type": "text/plain"}) == (415, "media_type_unsupported")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/batches/abc", (400, "path_malformed")),
        ("/batches/0", (400, "path_malformed")),
        ("/batches/99999999999999999999", (400, "path_malformed")),
        ("/batches/12", (404, "batch_unknown")),
        ("/products/123", (400, "path_malformed")),
        ("/products/09520123456789", (400, "gtin_check_digit")),
        (f"/products/{brand.UNIT}", (404, "product_unknown")),
        ("/parties/no-such", (404, "party_unknown")),
        ("/parties/%00", (400, "path_malformed")),
        ("/campaigns/none/versions", (404, "campaign_unknown")),
        ("/releases/r1-1/draw", (404, "release_unknown")),
        ("/releases/x/draw", (400, "path_malformed")),
        ("/shipments/none", (404, "shipment_unknown")),
        ("/rewards/none", (400, "path_malformed")),
        ("/rewards/" + "0" * 26, (404, "reward_unknown")),
        ("/diversion/cases/" + "0" * 16, (404, "case_unknown")),
        ("/epochs/7", (404, "epoch_unknown")),
        ("/products?count=0", (400, "query_invalid")),
        ("/products?count=201", (400, "query_invalid")),
        ("/products?count=1&count=2", (400, "query_invalid")),
        ("/products?cursor=%C3%A4", (400, "cursor_malformed")),
        ("/products?cursor=YmF0Y2gjMQ", (400, "cursor_malformed")),
        ("/products?other=1", (400, "query_invalid")),
        ("/shipments", (400, "query_invalid")),
        ("/overview?first_day=2026-13-01&last_day=2026-11-02", (400, "day_range_malformed")),
        ("/overview?first_day=2026-11-03&last_day=2026-11-02", (400, "day_range_malformed")),
        ("/overview?first_day=2016-11-03&last_day=2026-11-02", (400, "day_range_too_long")),
        ("/audit?day=today", (400, "query_invalid")),
    ],
)
def test_paths_and_queries(admin: Api, path: str, expected: tuple[int, str]) -> None:
    assert admin.refused("GET", path) == expected


def test_an_unsupported_method_is_a_problem_too(admin: Api) -> None:
    answer = admin.call("DELETE", "/products")
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST, GET"


def test_an_event_without_a_route_is_a_problem() -> None:
    response: dict[str, Any] = app({"requestContext": {}, "headers": {}}, None)
    assert response["statusCode"] == 404
    assert "route_unknown" in response["body"]


def test_an_unplanned_error_tells_nothing(bench: Bench, admin: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uncap.routes.console.products.create_product", lambda *_: 1 / 0)
    answer = admin.call("POST", "/products", PRODUCT)
    assert (answer.status, answer.code) == (500, "internal_error")
    assert "division" not in str(answer.body)
    assert [type(error) for error in bench.watcher.errors] == [ZeroDivisionError]
    bench.watcher.errors.clear()


def test_no_answer_is_cached_or_sniffed(admin: Api) -> None:
    headers = admin.call("GET", "/me").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
