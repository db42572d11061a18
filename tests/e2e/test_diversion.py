"""Diverted goods on the deployed template with IAM enforced: a case opens, people are told, rebates wait."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from dev.stack.outputs import StackOutputs
from tests.kits.market import Market, eventually
from tests.kits.receiver import Receiver, receiving
from uncap.services.stop_money import MAX_AGE_MS

UNITS_PER_CASE = 24
AWAY = (29.56, 106.55)  # Chongqing; the first half of a market's goods went to Chengdu
HOME = (30.66, 104.06)


@pytest.fixture(scope="module")
def goods(stack: StackOutputs) -> Iterator[Market]:
    """Goods of this test's own: what a case does to their money must not reach the other tests'."""
    with contextlib.closing(Market(stack, units=4 * UNITS_PER_CASE)) as opened:
        yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


def claim(goods: Market, index: int, at: tuple[float, float], number: int = 0) -> None:
    place = {"lat": at[0] + number * 0.05, "lng": at[1], "accuracy_m": 30, "datum": "wgs84"}
    goods.phone().scan(goods.gtin, goods.serial(index), place=place)


def test_a_diverted_case_is_told_held_and_explained(goods: Market, receiver: Receiver) -> None:
    shipment = f"{goods.campaign_id}-dist-chengdu"
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    route = {"url": url, "party_id": "dist-chengdu"}
    known = {
        one["route_id"]: one.get("version", 1) for one in goods.desk.call("GET", "/diversion/alert-routes")["items"]
    }
    goods.desk.call("PUT", "/diversion/alert-routes/e2e", {**route, "version": known.get("e2e", 0)})
    for number, index in enumerate((0, 1, 2, UNITS_PER_CASE, UNITS_PER_CASE + 1)):
        claim(goods, index, AWAY, number)

    def opened() -> dict[str, Any] | None:
        cases = goods.desk.call("GET", "/diversion/cases", count=200)["items"]
        return next((one for one in cases if one["shipment_id"] == shipment), None)

    case = eventually(opened, f"a diversion case about {shipment}")
    assert (case["place"], case["party_id"]) == ("party:dist-chongqing", "dist-chengdu")
    path = f"/diversion/cases/{case['case_id']}"
    case = goods.desk.call(
        "POST", path, {"state": "investigating", "note": "called them", "version": case.get("version", 1)}
    )

    told = told_about(goods, receiver, case["case_id"])
    assert {one["kind"] for one in told} == {"case_opened", "case_moved"}

    time.sleep(MAX_AGE_MS / 1000 + 0.5)
    claim(goods, 5, HOME)
    held = eventually(lambda: rewards_of(goods, 5) or None, "the rewards of a bottle under suspicion")
    assert held["distributor"][:2] == ("HELD", "diversion_case")
    assert held["consumer"][1] != "diversion_case"
    pack = goods.desk.call("GET", f"{path}/evidence")
    assert (pack["path"]["shipment_id"], len(pack["hash"])) == (shipment, 64)
    assert pack["judgement"]["opens"] is True


def told_about(goods: Market, receiver: Receiver, case_id: str) -> list[dict[str, Any]]:
    """What the receiver was sent about the case, once both the opening and the move are there."""

    def look() -> list[dict[str, Any]] | None:
        goods.invoke("alert_job")
        found = [json.loads(body) for _, _, body in receiver.seen]
        mine = [one for one in found if one["subject"] == case_id]
        return mine if len({one["kind"] for one in mine}) == 2 else None

    return eventually(look, f"alerts about {case_id}", 30)


def rewards_of(goods: Market, index: int) -> dict[str, tuple[str, str]]:
    """State and reason by beneficiary, once the distributor's no longer moves by itself."""
    found = {one["beneficiary"]: (one["state"], one["reason"]) for one in goods.rewards_of(index)}
    return found if found.get("distributor", ("PENDING", ""))[0] != "PENDING" else {}
