"""Where alerts go is set by people who may, to addresses that are safe, with a key that is shown once."""

import dataclasses

import pytest

from tests.integration.console.conftest import Api, Bench
from uncap.domain.alerts import AlertRoute, route_key
from uncap.routes.console.mount import build_app
from uncap.services.alert_desk import AlertDesk

MASTER = b"k" * 32


@pytest.fixture
def boss(bench: Bench, admin: Api) -> Api:
    """An admin at a console that has the alerts' key."""
    desk = dataclasses.replace(bench.desk, alerts=AlertDesk(bench.desk.alerts.outbox, lambda: MASTER))
    return Api(build_app(lambda: desk, bench.watcher), admin.token)


def route(**more: object) -> dict[str, object]:
    return {"url": "https://hooks.example.cn/diversion", **more}


def test_a_route_is_set_with_its_key_and_listed_without(boss: Api) -> None:
    boss.ok("POST", "/parties", {"party_id": "dist-a", "role": "distributor", "name": {"en": "A"}})
    made = boss.ok("PUT", "/diversion/alert-routes/south", route(party_id="dist-a", kinds=["case_opened"]))
    assert made["signing_key"] == route_key(MASTER, AlertRoute("south", ""))
    assert boss.refused("PUT", "/diversion/alert-routes/south", route()) == (409, "changed_meanwhile")
    changed = boss.ok("PUT", "/diversion/alert-routes/south", route(version=1, key_no=2, disabled=True))
    assert changed["signing_key"] != made["signing_key"]
    (listed,) = boss.ok("GET", "/diversion/alert-routes")["items"]
    assert (listed["route_id"], listed["disabled"]) == ("south", True)
    assert "signing_key" not in listed


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (route(url="http://hooks.example.cn/x"), (400, "webhook_refused")),
        (route(url="https://u:p@hooks.example.cn/x"), (400, "webhook_refused")),
        (route(url="http://127.0.0.1:80/x"), (400, "webhook_refused")),
        (route(party_id="nobody"), (404, "party_unknown")),
        (route(kinds=["everything"]), (400, "body_invalid")),
        (route(key_no=0), (400, "body_invalid")),
    ],
)
def test_routes_refused(boss: Api, body: dict[str, object], refusal: tuple[int, str]) -> None:
    assert boss.refused("PUT", "/diversion/alert-routes/south", body) == refusal


def test_only_those_who_may(bench: Bench, boss: Api) -> None:
    inspector = bench.sign_in("ines", "inspector")
    assert inspector.refused("PUT", "/diversion/alert-routes/south", route()) == (403, "operator_not_permitted")


def test_without_a_key_nothing_can_be_set(admin: Api) -> None:
    assert admin.refused("PUT", "/diversion/alert-routes/south", route()) == (409, "alerts_not_configured")
