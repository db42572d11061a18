"""The product safety page from real paper: as finely as the brand allows, and nothing of outlets or papers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dev.build_web import build
from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench
from tests.integration.console.test_codes import link_of
from tests.integration.console.test_movements import HOUR_MS, Goods, giving_back, receipt, shipment
from tests.integration.console.test_shipments import flow_of
from tests.kits.scan_events import body_of
from uncap.adapters.parties import DynamoParties
from uncap.domain.catalog import Role
from uncap.runtime.observability import Observer
from uncap.runtime.wiring_about import build_handler
from uncap.services.tell_origin import OriginDesk

EVENT = Path(__file__).parents[3] / "events/about_page/page.json"
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def goods(admin: Api) -> Goods:
    return Goods(admin)


@pytest.fixture
def ask(bench: Bench) -> Ask:
    """GET /about for a link's code."""
    build()
    desk = OriginDesk(
        catalog=bench.desk.catalog,
        flow=flow_of(bench),
        party_of=DynamoParties(bench.clock, 0).party,
        zone=ZoneInfo("Asia/Shanghai"),
        clock_ms=bench.clock,
        keyring=bench.desk.keyring,
    )
    handler = build_handler(desk, Observer("about_page"))

    def call(link: str, **headers: str) -> dict[str, Any]:
        gtin, serial = link.split("/")[-3::2]
        event = json.loads(EVENT.read_text().replace("GTIN", gtin).replace("SERIAL", serial))
        event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
        return handler(event, None)

    return call


def facts(reply: dict[str, Any]) -> Any:
    assert reply["statusCode"] == 200
    return json.loads(body_of(reply))


def told(ask: Ask, link: str) -> list[tuple[str, str, str]]:
    way = facts(ask(link, accept="application/json")).get("way", [])
    return [(one["kind"], one["on"], one["place"].get("en", "")) for one in way]


def test_the_way_is_shown_as_finely_as_the_brand_allows(bench: Bench, admin: Api, goods: Goods, ask: Ask) -> None:
    circle = {"type": "Circle", "lat": 30.66, "lng": 104.06, "radius_m": 20_000}
    admin.ok("PUT", "/parties/dist-a/territory", {"region": "Sichuan", "shapes": [circle]})
    admin.ok("POST", "/shipments", shipment("s1", "dist-a", codes=[goods.sscc(0)]))
    case = link_of(bench, goods.cases, 0, Role.CASE_OUTER)
    admin.ok("POST", "/receipts", receipt("r1", "shop-a", codes=[case]))
    bottle = link_of(bench, goods.units, 3, Role.CAP_OUTER)
    assert told(ask, bottle) == []
    admin.ok("PUT", f"/products/{brand.UNIT}/origin", {"origin": "region"})
    assert told(ask, bottle) == [("out", "2026-11-21", "Sichuan")]
    admin.ok("PUT", f"/products/{brand.UNIT}/origin", {"origin": "distributor"})
    assert told(ask, bottle) == [("out", "2026-11-21", "dist-a")]
    admin.ok("POST", "/returns", giving_back("b1", "dist-a", codes=[goods.sscc(0)], returned_at_ms=NOW_MS - HOUR_MS))
    admin.ok("POST", "/shipments", shipment("s2", "dist-b", codes=[goods.sscc(0)], shipped_at_ms=NOW_MS))
    assert told(ask, bottle) == [
        ("out", "2026-11-21", "dist-a"),
        ("back", "2026-11-22", ""),
        ("out", "2026-11-22", "dist-b"),
    ]
    page = body_of(ask(bottle, accept_encoding="identity")).decode()
    assert "dist-b" in page
    assert "shop-a" not in page
    assert "s1" not in json.dumps(facts(ask(bottle, accept="application/json")))


def test_lot_and_dates_in_both_languages(bench: Bench, admin: Api, goods: Goods, ask: Ask) -> None:
    bottle = link_of(bench, goods.units, 3, Role.CAP_INNER)
    reply = ask(bottle, accept_encoding="identity")
    assert reply["headers"]["Cache-Control"] == "no-store"
    assert "script-src 'self'" in reply["headers"]["Content-Security-Policy"]
    assert not reply.get("cookies")
    assert "关于这件商品" in body_of(reply).decode()
    english = body_of(ask(bottle, accept_encoding="identity", accept_language="en")).decode()
    assert "About this product" in english
    assert "L1" in english
    admin.ok("POST", f"/batches/{goods.units}/hold", {"state": "recalled", "reason": "caps leak"})
    assert facts(ask(bottle, accept="application/json"))["recalled"] is True


def test_a_code_nobody_issued_gets_the_uniform_answer(bench: Bench, goods: Goods, ask: Ask) -> None:
    bottle = link_of(bench, goods.units, 3, Role.CAP_INNER)
    forged = bottle[:-1] + ("0" if bottle[-1] != "0" else "1")
    for link in (forged, "https://q/01/123/21/X", "https://q/01/09520123456789/21/" + "0" * 17):
        reply = ask(link, accept_encoding="identity")
        assert reply["statusCode"] == 404
        assert "不是我们的码" in body_of(reply).decode() or "<h1>" in body_of(reply).decode()
        problem = json.loads(body_of(ask(link, accept="application/json")))
        assert problem["code"] == "code_not_issued"
