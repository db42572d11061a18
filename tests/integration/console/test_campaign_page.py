"""A campaign's public page from real paper: every odds a consumer has, the commitments, and nothing before its time."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dev.build_web import build
from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench
from tests.integration.console.test_shipments import flow_of
from tests.kits.scan_events import body_of
from uncap.adapters.parties import DynamoParties
from uncap.runtime.observability import Observer
from uncap.runtime.wiring_about import build_handler
from uncap.services.tell_origin import OriginDesk

EVENT = Path(__file__).parents[3] / "events/about_page/page.json"
Ask = Callable[..., dict[str, Any]]
DRAWS = [
    {"draw_id": "lucky", "shares": [{"prize_id": "big", "win": 1, "per": 1000, "total": 50}]},
    {"draw_id": "night", "shares": [{"prize_id": "big", "win": 1, "per": 50, "total": 20}]},
]
RULES = [
    {
        "no": 1,
        "name": "18:00-23:00",
        "when": {"hours": [{"start": 18, "stop": 23}]},
        "effects": [{"no": 2, "beneficiary": "consumer", "kind": "drawn", "prize_id": "night"}],
    },
    {
        "no": 2,
        "name": "trade",
        "when": {},
        "effects": [{"no": 5, "beneficiary": "outlet", "kind": "fixed", "prize_id": "small"}],
    },
]


@pytest.fixture
def ask(bench: Bench) -> Ask:
    """GET /campaigns/{id}."""
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

    def call(campaign_id: str = "open-and-win", **headers: str) -> dict[str, Any]:
        bench.clock.now_ms += 10_000  # past every cache
        event = json.loads(EVENT.read_text())
        path = f"/campaigns/{campaign_id}"
        event |= {
            "rawPath": path,
            "routeKey": "GET /campaigns/{campaign_id}",
            "pathParameters": {"campaign_id": campaign_id},
        }
        event["requestContext"]["http"]["path"] = path
        event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
        return handler(event, None)

    return call


def body(**changes: object) -> dict[str, object]:
    effects = [
        {"no": 1, "beneficiary": "consumer", "kind": "laid"},
        {"no": 2, "beneficiary": "consumer", "kind": "drawn", "prize_id": "lucky"},
        {"no": 3, "beneficiary": "outlet", "kind": "fixed", "prize_id": "small"},
    ]
    closing = {"no": 9, "prizes": [{"prize_id": "big", "count": 2}], "runners_up": 3}
    return brand.campaign_body(effects=effects, draws=DRAWS, rule_set=RULES, closing=closing, **changes)


def facts(reply: dict[str, Any]) -> Any:
    assert reply["statusCode"] == 200
    return json.loads(body_of(reply))


def html(reply: dict[str, Any]) -> str:
    assert reply["statusCode"] == 200
    return gzip.decompress(body_of(reply)).decode()


def odds(told: Any) -> list[tuple[str, int, int, int, bool]]:
    return [
        (one["how"], one["win"], one["per"], one.get("total", 0), one.get("by_rule", False)) for one in told["prizes"]
    ]


def test_every_odds_and_commitment_is_told(admin: Api, ask: Ask) -> None:
    units, _ = brand.batch(admin)
    brand.approved(admin, body())
    assert facts(ask(accept="application/json")).get("seals", []) == []
    released = brand.activated(admin, units, 0, 200)
    planned = admin.ok("POST", "/campaigns/open-and-win/closing", {"beacon_source": "local", "reason": "as announced"})
    told = facts(ask(accept="application/json"))
    assert odds(told) == [
        ("laid", 1, 100, 0, False),
        ("laid", 1, 4, 0, False),
        ("drawn", 1, 1000, 50, False),
        ("drawn", 1, 50, 20, True),
        ("closing", 2, 0, 2, False),
    ]
    assert told["prizes"][3]["rules"] == ["18:00-23:00"]
    assert [one["commitment"] for one in told["seals"]] == [released["commitment"]]
    assert (told["closing"]["state"], told["closing"]["seed_hash"]) == ("planned", planned["seed_hash"])
    assert told["closing"]["runners_up"] == 3
    assert told["products"] == [brand.words("Beer")]
    page = html(ask(accept="text/html", accept_language="en"))
    assert "1 in 50 claims, 20 in all" in page
    assert "only for: 18:00-23:00" in page
    assert planned["seed_hash"] in page
    assert "trade" not in page  # what outlets earn is not for everyone
    early = ask("open-and-win/draw")
    assert (early["statusCode"], json.loads(body_of(early))["code"]) == (404, "closing_not_published")


def test_nothing_is_told_before_its_codes_go_out_or_it_starts(admin: Api, ask: Ask) -> None:
    units, _ = brand.batch(admin)
    brand.approved(admin, body(starts_at_ms=NOW_MS + brand.DAY_MS))
    for campaign_id in ("open-and-win", "unheard-of", "x" * 41):
        reply = ask(campaign_id, accept="text/html")
        assert (reply["statusCode"], json.loads(body_of(reply))["code"]) == (404, "campaign_unknown")
    brand.activated(admin, units, 0, 100)
    assert facts(ask(accept="application/json"))["state"] == "upcoming"


def test_what_a_brand_writes_stays_text(admin: Api, ask: Ask) -> None:
    brand.product(admin)
    brand.approved(admin, body(name=brand.words("<b>Win</b>"), rules=brand.words("<script>alert(1)</script>")))
    reply = ask(accept="text/html")
    assert "&lt;script&gt;" in html(reply)
    assert "<b>" not in html(reply)
    assert "sha256-" in reply["headers"]["Content-Security-Policy"]
