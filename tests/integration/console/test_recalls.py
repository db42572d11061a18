"""Recalls: by lot, range and shipment; what else they take along; lifting; who is to be told."""

import msgspec
import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench
from tests.integration.console.test_lifecycle import assignment, blank_batch, link_of, says, scanned
from uncap.domain.catalog import Role
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.scans import CodeRef
from uncap.services import recalled_people as people
from uncap.services.stop_money import Brakes


def recall(**scope: object) -> dict[str, object]:
    return {"recall_id": "rc1", "reason": "glass splinters", **scope}


def released(api: Api) -> tuple[int, int]:
    units, cases = brand.batch(api)
    brand.campaign(api)
    brand.activated(api, units)
    return units, cases


def test_a_range_its_cases_and_nothing_else(bench: Bench, admin: Api) -> None:
    units, cases = released(admin)
    body = recall(batch_no=units, start=30, stop=40, notice={"en": "Bring it back", "zh-CN": "请退回"})
    stored = admin.ok("POST", "/recalls", body)
    assert stored["spans"] == [
        {"batch_no": units, "start": 30, "stop": 40},
        {"batch_no": cases, "start": 1, "stop": 2},
    ]
    assert [says(bench, units, index) for index in (29, 30, 39, 40)] == [
        "claimable",
        "recalled",
        "recalled",
        "claimable",
    ]
    assert says(bench, cases, 1, Role.CASE_OUTER) == "recalled"
    assert bench.desk.batch(units).batch.notices == {"rc1": {"en": "Bring it back", "zh-CN": "请退回"}}
    assert admin.ok("GET", "/recalls")["items"][0]["scope"] == f"batch {units}, 30..40"
    assert admin.refused("POST", "/recalls", body) == (409, "recall_exists")
    admin.ok("POST", "/recalls/rc1/lift", {"reason": "laboratory found nothing"})
    assert says(bench, units, 30) == "claimable"
    assert bench.desk.batch(units).batch.notices == {}
    lifted = admin.ok("POST", "/recalls/rc1/lift", {"reason": "twice is once"})
    assert (lifted["state"], lifted["lifted_reason"]) == ("lifted", "laboratory found nothing")


def test_a_lot_in_every_batch_that_has_it(bench: Bench, admin: Api) -> None:
    units, cases = released(admin)  # lot L1
    blank = admin.ok("POST", "/batches", {"gtin": brand.UNIT, "size": 20, "lot": "L2"})["batch_no"]
    admin.ok("POST", "/recalls", recall(lot="L1"))
    assert (says(bench, units, 1_199), says(bench, cases, 49, Role.CASE_OUTER)) == ("recalled", "recalled")
    assert says(bench, blank, 0) == "not_activated"
    assert admin.refused("POST", "/recalls", recall(recall_id="rc2", lot="L9")) == (404, "lot_unknown")


def test_a_lot_that_blank_codes_were_assigned(bench: Bench, admin: Api) -> None:
    blank = blank_batch(admin)
    admin.ok("POST", f"/batches/{blank}/assign", assignment(0, 300, lot="L7"))
    admin.ok("POST", f"/batches/{blank}/assign", assignment(100, 200, lot="L8"))
    stored = admin.ok("POST", "/recalls", recall(lot="L7"))
    assert [(one["start"], one["stop"]) for one in stored["spans"]] == [(0, 100), (200, 300)]


def test_a_shipment_with_all_its_parts(bench: Bench, admin: Api) -> None:
    units, cases = released(admin)
    brand.parties(admin)
    codes = [link_of(bench, cases, at, Role.CASE_OUTER) for at in (1, 5)]
    admin.ok("POST", "/shipments", {"shipment_id": "S1", "to_party": "dist-a", "batch_no": units, "case_codes": codes})
    stored = admin.ok("POST", "/recalls", recall(shipment_id="S1"))
    assert [(one["batch_no"], one["start"], one["stop"]) for one in stored["spans"]] == [
        (units, 24, 48),
        (units, 120, 144),
        (cases, 1, 2),
        (cases, 5, 6),
    ]
    assert admin.refused("POST", "/recalls", recall(recall_id="rc2", shipment_id="S9")) == (404, "shipment_unknown")


def test_two_recalls_over_each_other(bench: Bench, admin: Api) -> None:
    units, _ = released(admin)
    admin.ok("POST", "/recalls", recall(batch_no=units, start=0, stop=48))
    admin.ok("POST", "/recalls", recall(recall_id="rc2", batch_no=units, start=24, stop=72))
    admin.ok("POST", "/recalls/rc1/lift", {"reason": "only the second lot"})
    assert [says(bench, units, index) for index in (0, 24, 71, 72)] == [
        "claimable",
        "recalled",
        "recalled",
        "claimable",
    ]
    assert admin.ok("GET", f"/codes/{units}.30/history")["recalls"] == ["rc2"]


def test_recalls_that_cannot_be(admin: Api) -> None:
    units, _ = brand.batch(admin)
    for scope, answer in (
        ({}, (400, "recall_ambiguous")),
        ({"lot": "L1", "batch_no": units}, (400, "recall_ambiguous")),
        ({"lot": "L1", "start": 0, "stop": 1}, (400, "recall_ambiguous")),
        ({"batch_no": units, "start": 0}, (400, "range_invalid")),
        ({"batch_no": units, "start": 0, "stop": 1_201}, (400, "range_invalid")),
        ({"batch_no": 4_711}, (404, "batch_unknown")),
        ({"batch_no": units, "recall_id": "hold"}, (400, "recall_invalid")),
        ({"batch_no": units, "notice": {"en": "x" * 301}}, (400, "body_invalid")),
    ):
        assert admin.refused("POST", "/recalls", recall(**scope)) == answer
    assert admin.ok("GET", "/recalls")["items"] == []


def test_who_may(bench: Bench, admin: Api) -> None:
    units, _ = released(admin)
    factory, auditor = bench.sign_in("frank", "factory"), bench.sign_in("ada", "auditor")
    body = recall(batch_no=units)
    for api in (factory, auditor):
        assert api.refused("POST", "/recalls", body) == (403, "operator_not_permitted")
    bench.sign_in("bella", "brand").ok("POST", "/recalls", body)
    assert auditor.ok("GET", "/recalls/rc1")["state"] == "active"
    for path in ("/recalls/rc1/people?reason=curious", "/recalls/rc1/lift"):
        method = "GET" if "people" in path else "POST"
        assert auditor.refused(method, path, {"reason": "why not"}) == (403, "operator_not_permitted")


def test_money_stops_for_the_recalled_and_for_nobody_else(bench: Bench, admin: Api) -> None:
    units, _ = released(admin)
    admin.ok("POST", "/recalls", recall(batch_no=units, start=24, stop=48))
    brakes = Brakes(bench.desk.catalog, bench.clock)

    def reason(index: int) -> str:
        ref = CodeRef(units, index, Role.CAP_INNER).key()
        return brakes.reason(
            Reward("r" * 26, ref, "open-and-win@1", "r1-1", 1, "consumer", State.PENDING, NOW_MS, NOW_MS + 1)
        )

    assert [reason(index) for index in (23, 24, 47, 48)] == ["", "recalled", "recalled", ""]
    admin.ok("POST", "/recalls/rc1/lift", {"reason": "a false alarm"})
    assert reason(24) == "recalled"  # for the second that an answer holds
    bench.clock.now_ms += 1_000
    assert reason(24) == ""
    admin.ok("POST", f"/batches/{units}/hold", {"state": "frozen", "reason": "being checked"})
    admin.ok("POST", "/recalls", recall(recall_id="rc2", batch_no=units, start=24, stop=48))
    bench.clock.now_ms += 1_000
    assert [reason(index) for index in (23, 24)] == ["frozen", "recalled"]


def test_people_part_by_part(bench: Bench, admin: Api) -> None:
    units, cases = released(admin)
    scanned(CodeRef(units, 24, Role.CAP_INNER), "p_A")
    scanned(CodeRef(units, 24, Role.CAP_OUTER), "p_B", form="observe")
    scanned(CodeRef(units, 47, Role.CAP_INNER), "p_A", at_ms=NOW_MS + 9_000)
    scanned(CodeRef(cases, 1, Role.CASE_OUTER), "p_C", form="observe")
    scanned(CodeRef(units, 48, Role.CAP_INNER), "p_NOT_RECALLED")
    admin.ok("POST", "/recalls", recall(batch_no=units, start=24, stop=48))
    path = "/recalls/rc1/people?reason=letter+to+buyers"
    whole = admin.ok("GET", path)
    assert whole["people"] == [
        {"person": "p_A", "codes": 2, "claimed": 2, "last_ms": NOW_MS + 9_000},
        {"person": "p_B", "codes": 1, "claimed": 0, "last_ms": NOW_MS + 5_000},
        {"person": "p_C", "codes": 1, "claimed": 0, "last_ms": NOW_MS + 5_000},
    ]
    assert (whole["codes"], whole["next"]) == (25, "")
    seen, cursor, parts = dict[str, int](), "", 0
    while parts == 0 or cursor:
        part = admin.ok("GET", f"{path}&count=10" + (f"&cursor={cursor}" if cursor else ""))
        for person in part["people"]:
            seen[person["person"]] = seen.get(person["person"], 0) + person["codes"]
        cursor, parts = part["next"], parts + 1
    assert (seen, parts) == ({"p_A": 2, "p_B": 1, "p_C": 1}, 3)
    for cursor in ("2.0", "0.23", "0.48", "x", "0.-1"):
        assert admin.refused("GET", f"{path}&cursor={cursor}") == (400, "cursor_malformed")
    audit = admin.ok("GET", "/audit?day=2026-11-22")
    assert [one["reason"] for one in audit["entries"] if one["action"] == "recalls.people"] == ["letter to buyers"] * 4


def test_a_recall_and_another_change_at_once_both_hold(
    bench: Bench, admin: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is decommissioned in part between the recall's look and its write: it looks again."""
    units, _ = released(admin)
    batch_of, raced = type(bench.desk).batch, list[int]()

    def late(desk: object, batch_no: int) -> object:
        view = batch_of(desk, batch_no)  # type: ignore[arg-type]
        if len(raced) == 1 and batch_no == units:  # its own look at the scope came first
            raced.append(batch_no)
            admin.ok("POST", f"/batches/{units}/decommission", {"start": 0, "stop": 3, "reason": "samples"})
        else:
            raced.append(batch_no)
        return view

    monkeypatch.setattr(type(bench.desk), "batch", late)
    admin.ok("POST", "/recalls", recall(batch_no=units, start=0, stop=24))
    monkeypatch.undo()
    batch = bench.desk.batch(units).batch
    assert [(one.start, one.stop) for one in batch.decommissioned] == [(0, 3)]
    assert [(one.start, one.stop) for one in batch.recalled] == [(0, 24)]


def test_a_page_of_people_is_bounded() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"reason": "why", "count": people.MAX_CODES + 1}, people.PeopleQuery)


def test_the_largest_batch_is_recalled_with_its_cases_and_pallets(bench: Bench, admin: Api) -> None:
    size = 1 << 28
    units, cases = brand.batch(admin, size)
    pallets = admin.ok("POST", "/pallets", {"unit_batch_no": cases, "holds": 60, "company_prefix": "9520123"})
    stored = admin.ok("POST", "/recalls", recall(lot="L1"))
    assert {one["batch_no"]: one["stop"] for one in stored["spans"]} == {
        units: size,
        cases: -(-size // 24),
        pallets["batch_no"]: -(-size // 24 // 60),
    }
    history = admin.ok("GET", f"/codes/{units}.{size - 1}/history")
    assert (history["recalls"], len(history["packed_in"])) == (["rc1"], 2)
    assert admin.refused("POST", "/batches", {"gtin": brand.UNIT, "size": size + 1}) == (400, "body_invalid")


def test_a_repacked_bottle_is_recalled_with_the_case_it_is_in_now(bench: Bench, admin: Api) -> None:
    units, cases = released(admin)
    opened = [link_of(bench, cases, 1, Role.CASE_OUTER)]
    bench.clock.now_ms += 1
    admin.ok("POST", "/packing", {"kind": "unpack", "codes": opened, "reason": "opened for inspection"})
    bench.clock.now_ms += 1
    moved = {"kind": "take_out", "codes": [link_of(bench, units, 240, Role.CAP_OUTER)], "reason": "makes room"}
    admin.ok("POST", "/packing", moved)
    bench.clock.now_ms += 1
    body = {"kind": "repack", "codes": [link_of(bench, units, 30, Role.CAP_OUTER)], "reason": "put together"}
    admin.ok("POST", "/packing", {**body, "into": link_of(bench, cases, 10, Role.CASE_OUTER)})
    stored = admin.ok("POST", "/recalls", recall(batch_no=units, start=30, stop=32))
    assert [(one["batch_no"], one["start"], one["stop"]) for one in stored["spans"]] == [
        (units, 30, 32),
        (cases, 10, 11),
    ]
    history = admin.ok("GET", f"/codes/{units}.30/history")
    assert history["packed_in"] == [f"{cases}.10"]
    kinds = [event["what"] for event in history["events"] if event["level"] == "unit"]
    assert (kinds.count("batches.packing"), kinds.count("taken_out"), kinds.count("packed")) == (2, 1, 1)
    assert admin.ok("GET", f"/codes/{units}.31/history")["packed_in"] == []
