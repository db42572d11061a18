"""Receipts, returns, cancellations at any level: what does not fit is a stated finding, and nothing is edited."""

from zoneinfo import ZoneInfo

import pytest

from cli.trace import lines
from tests.integration.console import brand
from tests.integration.console.brand import DAY_MS
from tests.integration.console.conftest import NOW_MS, Api, Bench
from tests.integration.console.test_codes import link_of
from tests.integration.console.test_shipments import flow_of
from uncap.adapters.flow import DynamoChannel
from uncap.adapters.parties import DynamoParties
from uncap.adapters.shipments import CachedShipments
from uncap.domain.catalog import Role
from uncap.domain.codes.sscc import sscc_of, sscc_of_body
from uncap.domain.rewards.ports import Channel

HOUR_MS = 3_600_000


class Goods:
    """480 bottles in 20 cases on 4 pallets of five, and a channel with two distributors and a shop."""

    def __init__(self, api: Api) -> None:
        brand.parties(api)
        self.units, self.cases = brand.batch(api, 480)
        pallets = {"unit_batch_no": self.cases, "holds": 5, "company_prefix": "6901234"}
        answer = api.ok("POST", "/pallets", pallets)
        self.pallets, self.first = answer["batch_no"], answer["sscc_first"]

    def sscc(self, index: int) -> str:
        return sscc_of(self.first, index)


@pytest.fixture
def goods(admin: Api) -> Goods:
    return Goods(admin)


def shipment(name: str, to: str, **more: object) -> dict[str, object]:
    return {"shipment_id": name, "to_party": to, "shipped_at_ms": NOW_MS - 10 * HOUR_MS, **more}


def receipt(name: str, party: str, **more: object) -> dict[str, object]:
    return {"receipt_id": name, "party": party, "received_at_ms": NOW_MS - 5 * HOUR_MS, **more}


def giving_back(name: str, giver: str, **more: object) -> dict[str, object]:
    return {"return_id": name, "from_party": giver, "reason": "too much stock", **more}


def codes(answer: dict[str, object]) -> list[str]:
    findings = answer["findings"]
    assert isinstance(findings, list)
    return [one["code"] for one in findings]


def test_one_paper_names_pallets_cases_and_bottles(bench: Bench, admin: Api, goods: Goods) -> None:
    named = [
        f"https://q.example.cn/00/{goods.sscc(0)}",
        goods.sscc(1),
        link_of(bench, goods.cases, 12, Role.CASE_OUTER),
        link_of(bench, goods.units, 400, Role.CAP_OUTER),
    ]
    parts = admin.ok("POST", "/shipments", shipment("s1", "dist-a", codes=named))
    assert [(one["batch_no"], one["start"], one["stop"]) for one in parts] == [
        (goods.units, 400, 401),
        (goods.cases, 12, 13),
        (goods.pallets, 0, 2),
    ]
    assert {one["document"] for one in parts} == {"s1"}
    flow = flow_of(bench)
    there = {0, 239, 12 * 24, 12 * 24 + 23, 400}
    asked = there | {240, 12 * 24 - 1, 13 * 24, 399}
    assert {index for index in asked if flow.shipped_to(goods.units, index) == "dist-a"} == there


def test_the_projector_and_the_relay_see_the_pallet_behind_the_bottle(bench: Bench, admin: Api, goods: Goods) -> None:
    admin.ok("POST", "/shipments", shipment("s1", "dist-a", codes=[goods.sscc(0)]))
    flow = flow_of(bench)
    cached = CachedShipments(bench.clock, 5_000, flow._levels)
    for batch_no, index in ((goods.units, 119), (goods.cases, 4), (goods.pallets, 0)):
        found = cached.shipment_of(batch_no, index)
        assert found is not None
        assert (found.shipment_id, found.to_party) == ("s1", "dist-a")
        assert cached.shipment_of(batch_no, index, NOW_MS - 11 * HOUR_MS) is None
    assert cached.shipment_of(goods.units, 120) is None
    admin.ok("POST", "/receipts", receipt("r1", "shop-a", codes=[link_of(bench, goods.cases, 4, Role.CASE_OUTER)]))
    channel = DynamoChannel(flow, DynamoParties(bench.clock, 0))
    assert channel.channel_of(goods.units, 119) == Channel(True, "dist-a", outlet="shop-a", received=True)
    assert channel.channel_of(goods.units, 95) == Channel(True, "dist-a", received=False)
    assert channel.channel_of(goods.units, 120) == Channel()


def test_a_pack_whose_bottles_were_shipped_goes_by_them(bench: Bench, admin: Api, goods: Goods) -> None:
    body = shipment("s1", "dist-b", batch_no=goods.units, start=24, stop=48)
    admin.ok("POST", "/shipments", body)
    cached = CachedShipments(bench.clock, 5_000, flow_of(bench)._levels)
    found = cached.shipment_of(goods.cases, 1)
    assert found is not None
    assert found.to_party == "dist-b"
    assert cached.shipment_of(goods.cases, 2) is None


def test_partial_receipt_over_receipt_and_receipt_twice(admin: Api, goods: Goods) -> None:
    spans = [{"batch_no": goods.cases, "start": 0, "stop": 10}]
    admin.ok("POST", "/shipments", shipment("s1", "dist-a", spans=spans))
    half = admin.ok("POST", "/receipts", receipt("r1", "dist-a", batch_no=goods.cases, start=0, stop=5))
    assert codes(half) == []
    more = admin.ok("POST", "/receipts", receipt("r2", "dist-a", batch_no=goods.cases, start=5, stop=12))
    assert codes(more) == ["receipt_without_shipment"]
    again = receipt("r3", "dist-a", batch_no=goods.cases, start=0, stop=2)
    again["received_at_ms"] = NOW_MS
    assert codes(admin.ok("POST", "/receipts", again)) == ["received_twice"]
    assert admin.refused("POST", "/receipts", again) == (409, "receipt_exists")
    assert admin.ok("GET", "/receipts/r2")["start"] == 5


def test_how_much_of_a_shipment_has_arrived(bench: Bench, admin: Api, goods: Goods) -> None:
    named = [goods.sscc(0), goods.sscc(1)]
    admin.ok("POST", "/shipments", shipment("s1", "dist-a", codes=named))

    def arrival() -> tuple[str, int, int, list[tuple[int, int]]]:
        found = admin.ok("GET", "/shipments/s1/arrival")
        missing = [(one["start"], one["stop"]) for one in found["missing"]]
        return found["state"], found["received"], found["part_received"], missing

    assert arrival() == ("open", 0, 0, [(0, 2)])
    admin.ok("POST", "/receipts", receipt("r1", "dist-a", batch_no=goods.cases, start=0, stop=3))
    assert arrival() == ("partial", 0, 1, [(0, 2)])
    admin.ok("POST", "/receipts", receipt("r2", "shop-a", batch_no=goods.cases, start=3, stop=5))
    assert arrival() == ("partial", 1, 0, [(1, 2)])
    admin.ok("POST", "/receipts", receipt("r3", "dist-a", codes=[goods.sscc(1)]))
    assert arrival() == ("complete", 2, 0, [])
    admin.ok("POST", "/shipments/s1/cancel", {"reason": "another test"})
    assert arrival()[0] == "cancelled"
    assert admin.refused("GET", "/shipments/s9/arrival") == (404, "shipment_unknown")


def test_a_whole_shipment_is_received_by_its_number(admin: Api, goods: Goods) -> None:
    named = [goods.sscc(0), goods.sscc(2)]
    admin.ok("POST", "/shipments", shipment("s1", "dist-a", codes=named))
    answer = admin.ok("POST", "/receipts", receipt("r1", "dist-a", shipment_id="s1"))
    assert codes(answer) == []
    assert [(one["movement_id"], one["start"]) for one in answer["movements"]] == [("r1-1", 0), ("r1-2", 2)]
    both = receipt("r2", "dist-a", shipment_id="s1", codes=[goods.sscc(1)])
    assert admin.refused("POST", "/receipts", both) == (400, "goods_ambiguous")
    assert admin.refused("POST", "/receipts", receipt("r2", "dist-a", shipment_id="no")) == (404, "shipment_unknown")


def test_goods_in_the_wrong_hands(admin: Api, goods: Goods) -> None:
    admin.ok("POST", "/shipments", shipment("s1", "dist-a", codes=[goods.sscc(0)]))
    elsewhere = admin.ok("POST", "/receipts", receipt("r1", "dist-b", batch_no=goods.cases, start=0, stop=1))
    assert codes(elsewhere) == ["received_elsewhere"]
    assert elsewhere["findings"][0]["expected"] == "dist-a"
    nobody = admin.ok("POST", "/returns", giving_back("b1", "dist-b", codes=[goods.sscc(3)]))
    assert codes(nobody) == ["return_without_shipment"]


def test_goods_come_back_and_leave_again(bench: Bench, admin: Api, goods: Goods) -> None:
    admin.ok("POST", "/shipments", shipment("s1", "dist-a", codes=[goods.sscc(0)]))
    away = shipment("s2", "dist-b", batch_no=goods.cases, start=0, stop=1, shipped_at_ms=NOW_MS)
    assert admin.refused("POST", "/shipments", away) == (409, "shipment_overlaps")
    back = giving_back("b1", "dist-a", codes=[goods.sscc(0)], returned_at_ms=NOW_MS - HOUR_MS)
    answer = admin.ok("POST", "/returns", back)
    assert codes(answer) == []
    assert (answer["movements"][0]["party"], admin.ok("GET", "/returns/b1")["from_party"]) == ("brand", "dist-a")
    channel = DynamoChannel(flow_of(bench), DynamoParties(bench.clock, 0))
    assert channel.channel_of(goods.units, 3) == Channel()
    admin.ok("POST", "/shipments", away)
    assert channel.channel_of(goods.units, 3) == Channel(shipped=True, distributor="dist-b")
    assert channel.channel_of(goods.units, 24) == Channel()


def test_a_mistaken_shipment_is_cancelled_by_an_entry_beside_it(bench: Bench, admin: Api, goods: Goods) -> None:
    [mistaken] = admin.ok("POST", "/shipments", shipment("s1", "dist-a", codes=[goods.sscc(0)]))
    right = shipment("s2", "dist-b", codes=[goods.sscc(0)])
    assert admin.refused("POST", "/shipments", right) == (409, "shipment_overlaps")
    cancelled = admin.ok("POST", "/shipments/s1/cancel", {"reason": "keyed in wrong"})
    assert [one["voided"] for one in cancelled] == ["keyed in wrong"]
    assert admin.refused("POST", "/shipments/s1/cancel", {"reason": "again"}) == (409, "movement_cancelled")
    assert admin.refused("POST", "/shipments/s9/cancel", {"reason": "none"}) == (404, "shipment_unknown")
    admin.ok("POST", "/shipments", right)
    assert flow_of(bench).shipped_to(goods.units, 0) == "dist-b"
    assert admin.ok("GET", "/shipments/s1") == mistaken
    listed = admin.ok("GET", f"/shipments?batch_no={goods.pallets}&count=1")
    assert listed["items"] == [{**mistaken, "cancelled": "keyed in wrong"}]
    trail = admin.ok("GET", "/audit?day=2026-11-22")["entries"]
    assert [one["reason"] for one in trail if one["action"] == "shipments.cancel"] == ["keyed in wrong"]


def test_a_paper_of_several_parts_is_cancelled_as_one(bench: Bench, admin: Api, goods: Goods) -> None:
    named = [goods.sscc(0), goods.sscc(2)]
    admin.ok("POST", "/shipments", shipment("s1", "dist-a", codes=named))
    admin.ok("POST", "/receipts", receipt("r1", "dist-a", shipment_id="s1"))
    assert len(admin.ok("POST", "/shipments/s1/cancel", {"reason": "never left"})) == 2
    assert len(admin.ok("POST", "/receipts/r1/cancel", {"reason": "nor came"})) == 2
    admin.ok("POST", "/returns", giving_back("b1", "dist-a", codes=[goods.sscc(0)]))
    admin.ok("POST", "/returns/b1/cancel", {"reason": "nor went back"})
    assert [flow_of(bench).whereabouts(goods.units, index).party for index in (0, 240)] == ["", ""]


def test_goods_that_truly_moved_so_are_recorded_despite_the_paper(bench: Bench, admin: Api, goods: Goods) -> None:
    admin.ok("POST", "/shipments", shipment("s1", "dist-a", codes=[goods.sscc(0)]))
    admin.ok("POST", "/shipments", shipment("s2", "dist-b", codes=[goods.sscc(0)], despite=True, shipped_at_ms=NOW_MS))
    assert flow_of(bench).shipped_to(goods.units, 0) == "dist-b"


def test_what_was_recorded_before_there_were_levels_is_still_read(bench: Bench, admin: Api, goods: Goods) -> None:
    old = f'{{"shipment_id":"old","batch_no":{goods.units},"start":0,"stop":24,"to_party":"dist-a","shipped_at_ms":1}}'
    key = {"pk": {"S": f"batch#{goods.units}"}, "sk": {"S": "ship#000000000#old"}}
    bench.client.put_item(TableName="flow", Item={**key, "doc": {"S": old}, "v": {"N": "1"}})
    assert flow_of(bench).shipped_to(goods.units, 23) == "dist-a"
    body = receipt("r1", "shop-a", batch_no=goods.units, cases={"start": 0, "stop": 1})
    assert codes(admin.ok("POST", "/receipts", body)) == ["receipt_without_shipment"]


def test_an_outer_range_is_found_behind_any_number_of_inner_ones(bench: Bench, admin: Api, goods: Goods) -> None:
    def put(name: str, start: int, stop: int, to: str) -> None:
        doc = (
            f'{{"shipment_id":"{name}","batch_no":8,"start":{start},"stop":{stop},"to_party":"{to}","shipped_at_ms":1}}'
        )
        key = {"pk": {"S": "batch#8"}, "sk": {"S": f"ship#{start:09d}#{name}"}}
        bench.client.put_item(TableName="flow", Item={**key, "doc": {"S": doc}, "v": {"N": "1"}})

    put("all", 0, 1_000, "dist-a")
    for index in range(60):
        put(f"one-{index}", index, index + 1, "shop-a")
    assert [flow_of(bench).shipped_to(8, index) for index in (59, 60, 999, 1_000)] == ["shop-a", "dist-a", "dist-a", ""]


REFUSED: list[tuple[dict[str, object], tuple[int, str]]] = [
    ({}, (400, "goods_ambiguous")),
    ({"start": 0, "stop": 4}, (400, "goods_ambiguous")),
    ({"batch_no": 1, "start": 0}, (400, "goods_ambiguous")),
    ({"codes": ["0" * 17]}, (400, "code_needs_gtin")),
    ({"codes": ["123456789012345678"]}, (400, "sscc_check_digit")),
    ({"codes": [sscc_of_body(690123400000000)]}, (404, "sscc_unknown")),
    ({"codes": ["https://q.example.cn/01/09520123456788/21/" + "0" * 17]}, (404, "code_not_issued")),
    ({"codes": ["https://q.example.cn/01/09520123456789/21/" + "0" * 17]}, (400, "gtin_check_digit")),
    ({"codes": ["0" * 17], "batch_no": 1}, (404, "code_not_issued")),
    ({"spans": [{"batch_no": 9_999, "start": 0, "stop": 1}]}, (404, "batch_unknown")),
    ({"spans": [{"batch_no": 1, "start": 5, "stop": 5}]}, (400, "range_invalid")),
    ({"spans": [{"batch_no": 1, "start": at, "stop": at + 1} for at in range(31)]}, (400, "body_invalid")),
    ({"party": "nobody", "batch_no": 1, "start": 0, "stop": 1}, (404, "party_unknown")),
    ({"received_at_ms": NOW_MS + 2 * DAY_MS, "batch_no": 1, "start": 0, "stop": 1}, (400, "moved_in_the_future")),
]


def test_receipts_refused(admin: Api, goods: Goods) -> None:
    for body, expected in REFUSED:
        assert admin.refused("POST", "/receipts", {"receipt_id": "r1", "party": "dist-a", **body}) == expected, body
    assert admin.refused("GET", "/receipts/r1") == (404, "receipt_unknown")


def test_shipments_take_serials_of_any_level_of_their_batch(bench: Bench, admin: Api, goods: Goods) -> None:
    of_case = link_of(bench, goods.cases, 3, Role.CASE_OUTER).rpartition("/")[2]
    of_bottle = link_of(bench, goods.units, 3, Role.CAP_OUTER).rpartition("/")[2].lower()
    parts = admin.ok("POST", "/shipments", shipment("s1", "dist-a", batch_no=goods.units, codes=[of_case, of_bottle]))
    assert [(one["batch_no"], one["start"]) for one in parts] == [(goods.units, 3), (goods.cases, 3)]


def test_a_bottle_is_traced_up_and_a_pallet_down(bench: Bench, admin: Api, goods: Goods) -> None:
    admin.ok("POST", "/shipments", shipment("s1", "dist-a", codes=[goods.sscc(0)]))
    link = link_of(bench, goods.cases, 4, Role.CASE_OUTER)
    admin.ok("POST", "/receipts", receipt("r1", "shop-a", codes=[link]))
    found = admin.ok("GET", f"/trace?code={goods.units}.119")
    assert [(one["level"], one["code"]) for one in found["up"]] == [
        ("unit", f"{goods.units}.119"),
        ("case", f"{goods.cases}.4"),
        ("pallet", f"{goods.pallets}.0"),
    ]
    assert (found["up"][0]["lot"], found["up"][2]["sscc"]) == ("L1", goods.sscc(0))
    assert [(one["status"], one["movement_id"], one["by"]) for one in found["path"][1:]] == [
        ("shipped", "s1", f"pallet {goods.pallets}.0"),
        ("received", "r1", f"case {goods.cases}.4"),
    ]
    assert (found["place"]["party"]["party_id"], found["place"]["shipment"]) == ("shop-a", "s1")
    assert [(one["party_id"], one["role"]) for one in found["channel"]] == [
        ("shop-a", "outlet"),
        ("dist-a", "distributor"),
        ("brand", "brand"),
    ]
    assert [one["code"] for one in found["findings"]] == ["onward_leg_missing"]
    assert found["down"] == {"spans": [], "counts": {}, "complete": True}
    down = admin.ok("GET", f"/trace?code={goods.sscc(0)}")["down"]
    assert down == {"spans": [["case", goods.cases, 0, 5]], "counts": {"case": 5, "unit": 120}, "complete": True}
    assert admin.ok("GET", f"/trace?code={link}")["up"][0]["code"] == f"{goods.cases}.4"


def test_a_trace_of_a_past_moment_and_of_what_was_cancelled(bench: Bench, admin: Api, goods: Goods) -> None:
    admin.ok("POST", "/shipments", shipment("s1", "dist-a", codes=[goods.sscc(0)]))
    before = admin.ok("GET", f"/trace?code={goods.units}.0&at_ms={NOW_MS - 11 * HOUR_MS}")
    assert (before["place"]["status"], before["place"]["party"]) == ("origin", None)
    admin.ok("POST", "/shipments/s1/cancel", {"reason": "never left"})
    after = admin.ok("GET", f"/trace?code={goods.units}.0")
    assert after["place"]["status"] == "origin"
    assert after["cancelled"] == [{"movement_id": "s1", "kind": "shipment", "reason": "never left"}]
    assert admin.refused("GET", f"/trace?code={goods.units}.9999") == (404, "code_unknown")
    assert admin.refused("GET", "/trace?code=99999.1") == (404, "batch_unknown")
    assert admin.refused("GET", "/trace?code=x.y") == (404, "code_not_issued")


def test_the_trace_in_words(bench: Bench, admin: Api, goods: Goods) -> None:
    admin.ok("POST", "/shipments", shipment("s1", "dist-a", codes=[goods.sscc(0)]))
    admin.ok("POST", "/receipts", receipt("r1", "dist-b", codes=[goods.sscc(0)]))
    told = "\n".join(lines(admin.ok("GET", f"/trace?code={goods.sscc(0)}"), ZoneInfo("Asia/Shanghai")))
    assert f"pallet {goods.pallets}.0  SSCC {goods.sscc(0)}" in told
    assert "shipped to dist-a (distributor): s1, as pallet" in told
    assert "holds 5 case, 120 unit" in told
    assert "finding received_elsewhere: r1 of dist-b, expected at dist-a" in told
