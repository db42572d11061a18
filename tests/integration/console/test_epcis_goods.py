"""Captured events act on goods, once each: packed, shipped, received, returned; faults name event and field."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import Api, Bench, Cloud, make_bench
from tests.integration.console.test_codes import link_of
from tests.integration.console.test_epcis import Json, document, event, told_events
from tests.integration.console.test_movements import Goods
from uncap.adapters.flow_rows import EveryMovement
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.catalog import Role
from uncap.domain.codes.links import check_digit
from uncap.domain.movements import follow
from uncap.services.store_movements import Tree

BRAND, DIST, SHOP, NOBODY = (f"952012300{n:03d}{check_digit(f'952012300{n:03d}')}" for n in range(1, 5))


def sgln(gln: str) -> str:
    return f"urn:epc:id:sgln:9520123.{gln[7:12]}.0"


def pgln(gln: str) -> str:
    return f"https://example.org/417/{gln}"


def moving(number: int, step: str, things: list[str], giver: str = "", taker: str = "", **more: Any) -> Json:
    sides: Json = {}
    if giver:
        sides["sourceList"] = [{"type": "owning_party", "source": pgln(giver)}]
    if taker:
        carrier = {"type": "possessing_party", "destination": pgln(NOBODY)}
        sides["destinationList"] = [carrier, {"type": "owning_party", "destination": pgln(taker)}]
    made = {**event(number, epcList=things, bizStep=step, **sides, **more)}
    return {name: value for name, value in made.items() if value is not None and name != "bizLocation"} | (
        {"bizLocation": more["bizLocation"]} if "bizLocation" in more else {}
    )


@pytest.fixture(scope="module")
def bench(cloud: Cloud) -> Iterator[Bench]:
    """Shared by this file's tests, each of which moves pallets of its own."""
    with pytest.MonkeyPatch.context() as patches:
        made = make_bench(cloud, patches)
        yield made
        assert made.watcher.errors == []


@pytest.fixture(scope="module")
def admin(bench: Bench) -> Api:
    return bench.sign_in("anna", "admin")


@pytest.fixture(scope="module")
def goods(admin: Api) -> Goods:
    made = Goods(admin)
    for party_id, gln in (("brand", pgln(BRAND)), ("dist-a", sgln(DIST)), ("shop-a", SHOP)):
        admin.ok("PUT", f"/parties/{party_id}/gln", {"gln": gln, "reason": "master data"})
    return made


@pytest.fixture(scope="module")
def erp(bench: Bench) -> Api:
    return bench.sign_in("sap", "erp")


def sscc(goods: Goods, index: int) -> str:
    return f"https://id.gs1.org/00/{goods.sscc(index)}"


def captured(api: Api, *events: Json, behaviour: str = "rollback") -> Any:
    sent = {"GS1-Capture-Error-Behaviour": behaviour}
    answer = api.call("POST", "/epcis/capture", document(*events), None, **sent)
    assert answer.status == 202, answer.body
    return api.ok("GET", answer.headers["Location"])


def places(bench: Bench, goods: Goods, index: int) -> list[tuple[str, str]]:
    stored = EveryMovement(bench.desk.flow.starting).movements_of(UnitRef(goods.pallets, index))
    story = follow(stored, Tree(bench.desk).below)
    return [(one.status, one.party) for one in story.steps[1:]]


def kept(api: Api, things: list[str]) -> int:
    return len(told_events(api.call("GET", f"/epcis/epcs/{quote(things[0], safe='')}/events")))


def errors(job: Any) -> list[tuple[str, str]]:
    return [tuple(one["detail"].split(": ")[:2]) for one in job["errors"]]


def test_a_pallet_goes_out_and_comes_back_once_however_often_it_is_told(bench: Bench, erp: Api, goods: Goods) -> None:
    pallet = [sscc(goods, 0)]
    told = (
        moving(1, "shipping", pallet, BRAND, DIST),
        moving(2, "receiving", pallet, taker=DIST),
        moving(3, "shipping", pallet, bizLocation={"id": sgln(DIST)}, taker=SHOP),
        moving(4, "receiving", pallet, bizLocation={"id": sgln(SHOP)}),
        moving(5, "shipping", pallet, SHOP, DIST, disposition="returned"),
        moving(6, "shipping", pallet, DIST, BRAND),  # back to where it was made
        moving(7, "receiving", pallet, taker=BRAND),
    )
    expected = [
        ("shipped", "dist-a"), ("received", "dist-a"), ("shipped", "shop-a"), ("received", "shop-a"),
        ("returned", "dist-a"), ("returned", ""),
    ]  # fmt: skip
    for _ in range(2):
        job = captured(erp, *told)
        assert (job["success"], job["errors"], job.get("notes")) == (True, [], None)
        assert places(bench, goods, 0) == expected
    assert erp.call("POST", "/epcis/events", {"@context": document()["@context"], **told[0]}).status == 201
    assert places(bench, goods, 0) == expected
    assert kept(erp, pallet) == 7


def test_what_cannot_be_is_told_by_event_and_field_and_nothing_of_it_is_done(
    bench: Bench, erp: Api, goods: Goods
) -> None:
    forged = f"https://id.gs1.org/01/{brand.UNIT}/21/0000000000000"
    foreign = "urn:epc:id:sgtin:9501101.053000.1"
    pallet, other = [sscc(goods, 1)], [sscc(goods, 2)]
    wrong = (
        moving(1, "shipping", pallet, NOBODY, DIST),
        moving(2, "shipping", pallet, BRAND, NOBODY),
        moving(3, "shipping", pallet, BRAND),
        moving(4, "shipping", [*pallet, forged], BRAND, DIST),
        moving(5, "receiving", pallet),
        moving(6, "shipping", pallet, taker=DIST, disposition="returned"),
        moving(7, "shipping", pallet, BRAND, DIST, eventTime="2027-11-02T08:15:00+08:00"),
        moving(8, "shipping", [link_of(bench, goods.units, n, Role.CAP_OUTER) for n in range(0, 80, 2)], BRAND, DIST),
    )
    right = (
        moving(11, "shipping", [*other, foreign], BRAND, DIST),
        moving(12, "shipping", [foreign], NOBODY, NOBODY),
        moving(13, "shipping", [forged], NOBODY, NOBODY),
    )
    found = [
        ("/sourceList/0/source", "gln_unknown"),
        ("/destinationList/1/destination", "gln_unknown"),
        ("/destinationList", "party_missing"),
        ("/epcList/1", "code_not_issued"),
        ("/destinationList", "party_missing"),
        ("/sourceList", "party_missing"),
        ("/eventTime", "moved_in_the_future"),
        ("/epcList", "too_many_ranges"),
    ]
    expected = [(f"/epcisBody/eventList/{at}{field}", code) for at, (field, code) in enumerate(found)]
    job = captured(erp, *wrong, *right)
    assert (job["success"], errors(job)) == (False, expected)
    assert (kept(erp, pallet), kept(erp, other), places(bench, goods, 1), places(bench, goods, 2)) == (0, 0, [], [])
    job = captured(erp, *wrong, *right, behaviour="proceed")
    assert (job["success"], errors(job)) == (False, expected)
    assert (kept(erp, pallet), kept(erp, other), kept(erp, [foreign]), kept(erp, [forged])) == (0, 1, 2, 1)
    assert (places(bench, goods, 1), places(bench, goods, 2)) == ([], [("shipped", "dist-a")])
    bare = {"@context": document()["@context"], **wrong[1]}
    assert erp.refused("POST", "/epcis/events", bare) == (409, "epcis_act_refused")


def test_contradictions_are_refused_and_what_only_does_not_fit_is_noted(
    bench: Bench, admin: Api, erp: Api, goods: Goods
) -> None:
    admin.ok("PUT", "/parties/dist-b/gln", {"gln": NOBODY, "reason": "master data"})
    pallet = [sscc(goods, 3)]
    first, second = moving(1, "shipping", pallet, BRAND, DIST), moving(2, "shipping", pallet, BRAND, NOBODY)
    job = captured(erp, first, second)
    assert errors(job) == [("/epcisBody/eventList/1/epcList", "shipment_overlaps")]
    assert places(bench, goods, 3) == []
    job = captured(erp, first, moving(3, "receiving", pallet, taker=NOBODY))
    assert (job["success"], [one.split(": ")[1] for one in job["notes"]]) == (True, ["received_elsewhere"])
    denied = {**first, "errorDeclaration": {"declarationTime": "2026-11-03T08:15:00Z", "reason": "did_not_occur"}}
    for _ in range(2):
        assert captured(erp, denied)["success"]
        assert [one for one in places(bench, goods, 3) if one[0] == "shipped"] == []
    assert captured(erp, first)["success"]  # what was taken back stays so
    assert [one for one in places(bench, goods, 3) if one[0] == "shipped"] == []


def packing(number: int, parent: str, children: list[str], action: str = "ADD") -> Json:
    about = {"type": "AggregationEvent", "bizStep": "packing", "parentID": parent, "childEPCs": children}
    made = {**event(number, action=action), **about}
    return {name: value for name, value in made.items() if name != "epcList"}


def test_aggregations_pack_whole_events_and_say_what_contradicts(bench: Bench, erp: Api, goods: Goods) -> None:
    cases = [link_of(bench, goods.cases, index, Role.CASE_OUTER) for index in range(10)]
    first = packing(1, sscc(goods, 0), [cases[0], cases[7], "urn:epc:id:sgtin:9501101.053000.1"])
    for _ in range(2):
        assert captured(erp, first)["success"]
    reader = bench.desk.association
    on_it = [UnitSpan(goods.cases, 0, 1), UnitSpan(goods.cases, 7, 8)]
    assert reader.children_of(UnitRef(goods.pallets, 0)) == on_it
    wrong = packing(2, sscc(goods, 1), [cases[1], cases[7]])
    right = packing(3, sscc(goods, 1), [cases[2]])
    assert errors(captured(erp, wrong, right)) == [("/epcisBody/eventList/0/childEPCs", "contradiction")]
    assert reader.children_of(UnitRef(goods.pallets, 1)) == []
    job = captured(erp, wrong, right, moving(9, "shipping", [sscc(goods, 1)], BRAND, DIST), behaviour="proceed")
    assert errors(job) == [("/epcisBody/eventList/0/childEPCs", "contradiction")]
    assert reader.children_of(UnitRef(goods.pallets, 1)) == [UnitSpan(goods.cases, 2, 3)]
    assert places(bench, goods, 1) == [("shipped", "dist-a")]
    assert captured(erp, packing(4, sscc(goods, 0), [], "DELETE"))["success"]
    assert reader.children_of(UnitRef(goods.pallets, 0)) == []
    assert captured(erp, packing(5, "urn:epc:id:sscc:9501101.0530003456", [cases[3]]))["success"]
    assert reader.parent_of(UnitRef(goods.cases, 3)) is None


def test_a_gln_is_one_partys(admin: Api, goods: Goods) -> None:
    shop = {"party_id": "shop-b", "role": "outlet", "name": brand.words("Shop"), "parent_id": "dist-b"}
    assert admin.refused("POST", "/parties", {**shop, "gln": sgln(SHOP)}) == (409, "gln_taken")
    other = "9520123000998"
    assert admin.ok("POST", "/parties", {**shop, "gln": other})["gln"] == other
    given = {"gln": other, "reason": "master data"}
    assert admin.refused("PUT", "/parties/dist-a/gln", given) == (409, "gln_taken")
    assert admin.refused("PUT", "/parties/dist-a/gln", {**given, "gln": other[:-1] + "0"}) == (400, "gln_invalid")
    assert admin.ok("PUT", "/parties/shop-b/gln", {**given, "gln": ""}).get("gln", "") == ""
    assert admin.ok("PUT", "/parties/dist-a/gln", given)["gln"] == other
    again = {**given, "gln": f"https://example.org/414/{other}"}
    assert admin.ok("PUT", "/parties/dist-a/gln", again)["version"] == admin.ok("GET", "/parties/dist-a")["version"]
