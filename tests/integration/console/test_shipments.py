"""Shipments by units, by cases and by scanned codes; the same goods leave once, or move on down the tree."""

import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench
from tests.integration.console.test_codes import link_of
from uncap.adapters.flow import DynamoFlow
from uncap.adapters.levels import Levels
from uncap.adapters.parties import DynamoParties
from uncap.domain.catalog import Role
from uncap.services.roll_order import RollOrder


def shipment(units: int, **changes: object) -> dict[str, object]:
    return {"shipment_id": "s1", "batch_no": units, "to_party": "dist-a", **changes}


def flow_of(bench: Bench) -> DynamoFlow:
    """As the relay reads it, nothing remembered."""
    parties = DynamoParties(bench.clock, 0)
    return DynamoFlow(levels=Levels(bench.desk.catalog, RollOrder(bench.desk.catalog), parties.party))


def test_by_units_and_by_cases(bench: Bench, admin: Api) -> None:
    brand.parties(admin)
    units, cases = brand.batch(admin, 100)
    admin.ok("POST", "/shipments", shipment(units, start=0, stop=48))
    by_case = admin.ok("POST", "/shipments", shipment(units, shipment_id="s2", cases={"start": 2, "stop": 5}))
    # Kept at the level at which it was declared: three cases stay three cases.
    assert (by_case[0]["batch_no"], by_case[0]["start"], by_case[0]["stop"]) == (cases, 2, 5)
    assert admin.ok("GET", "/shipments/s2") == by_case[0]
    for batch_no, ids in ((units, ["s1"]), (cases, ["s2"])):
        listed = admin.ok("GET", f"/shipments?batch_no={batch_no}")["items"]
        assert [one["shipment_id"] for one in listed] == ids
    flow = flow_of(bench)
    assert [flow.shipped_to(units, index) for index in (0, 47, 48, 99, 100)] == ["dist-a"] * 4 + [""]


def test_by_scanned_case_codes(bench: Bench, admin: Api) -> None:
    brand.parties(admin)
    units, cases = brand.batch(admin, 240)
    links = [link_of(bench, cases, index, Role.CASE_OUTER) for index in (7, 0, 1, 4)]
    links.append(links[0].rpartition("/")[2].lower())
    parts = admin.ok("POST", "/shipments", shipment(units, case_codes=links))
    assert [(p["shipment_id"], p["start"], p["stop"]) for p in parts] == [
        ("s1-1", 0, 2),
        ("s1-2", 4, 5),
        ("s1-3", 7, 8),
    ]
    bottle = link_of(bench, units, 3, Role.CAP_OUTER)
    refused = admin.refused("POST", "/shipments", shipment(units, shipment_id="s9", case_codes=[bottle]))
    assert refused == (409, "case_of_another_batch")


def test_the_same_goods_leave_once(admin: Api) -> None:
    brand.parties(admin)
    units, _ = brand.batch(admin, 100)
    first = shipment(units, start=0, stop=48)
    admin.ok("POST", "/shipments", first)
    assert admin.refused("POST", "/shipments", shipment(units, start=60, stop=70)) == (409, "shipment_exists")
    over = shipment(units, shipment_id="s2", to_party="dist-b", start=47, stop=60)
    assert admin.refused("POST", "/shipments", over) == (409, "shipment_overlaps")


def test_goods_move_on_down_the_tree(bench: Bench, admin: Api) -> None:
    brand.parties(admin)
    units, _ = brand.batch(admin, 100)
    admin.ok("POST", "/shipments", shipment(units, start=0, stop=48, shipped_at_ms=NOW_MS - 1_000))
    onward = shipment(units, shipment_id="s2", to_party="shop-a", start=24, stop=48)
    admin.ok("POST", "/shipments", onward)
    assert [flow_of(bench).shipped_to(units, index) for index in (23, 24)] == ["dist-a", "shop-a"]
    earlier = shipment(units, shipment_id="s3", to_party="shop-a", start=0, stop=24, shipped_at_ms=NOW_MS - 2_000)
    assert admin.refused("POST", "/shipments", earlier) == (409, "shipment_overlaps")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (400, "goods_ambiguous")),
        ({"start": 1}, (400, "goods_ambiguous")),
        ({"start": 0, "stop": 9, "cases": {"start": 0, "stop": 1}}, (400, "goods_ambiguous")),
        ({"start": 0, "stop": 101}, (400, "range_invalid")),
        ({"cases": {"start": 4, "stop": 6}}, (400, "range_invalid")),
        ({"start": 0, "stop": 9, "to_party": "nobody"}, (404, "party_unknown")),
        ({"start": 0, "stop": 9, "batch_no": 77}, (404, "batch_unknown")),
        ({"start": 0, "stop": 9, "batch_no": 2}, (400, "range_invalid")),
        ({"start": 0, "stop": 9, "shipped_at_ms": NOW_MS + 2 * brand.DAY_MS}, (400, "moved_in_the_future")),
        ({"case_codes": ["0" * 17]}, (404, "code_not_issued")),
    ],
)
def test_shipments_refused(admin: Api, changes: dict[str, object], expected: tuple[int, str]) -> None:
    brand.parties(admin)
    units, _ = brand.batch(admin, 100)
    assert admin.refused("POST", "/shipments", shipment(units, **changes)) == expected


def test_a_refusal_names_the_field_as_it_was_written(admin: Api) -> None:
    brand.parties(admin)
    units, _ = brand.batch(admin, 100)
    late = NOW_MS + 2 * brand.DAY_MS
    for changes, where in (
        ({"shipped_at_ms": late}, "shipped_at_ms"),
        ({"to_party": "nobody"}, "to_party"),
        ({"from_party": "nobody"}, "from_party"),
    ):
        answer = admin.call("POST", "/shipments", shipment(units, start=0, stop=9, **changes))
        assert answer.body["where"] == where
    answer = admin.call("POST", "/parties", {"party_id": "x", "role": "outlet", "parent_id": "x", "name": {"en": "x"}})
    assert (answer.code, answer.body["where"]) == ("party_unknown", "parent_id"), "nobody stands under themselves"
