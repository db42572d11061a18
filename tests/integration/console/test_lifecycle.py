"""Blank codes, activation by range and by case, goods destroyed, and the history that tells it all."""

from typing import Any

from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench
from uncap.adapters.models import ScanItem
from uncap.adapters.scan_items import mark_text
from uncap.domain.catalog import Role
from uncap.domain.claims import decide_claim
from uncap.domain.codes.links import build_code_link
from uncap.domain.codes.scheme import encode
from uncap.domain.scans import CodeRef, Mark

BLANK = "09520123456795"


def says(bench: Bench, batch_no: int, index: int, role: Role = Role.CAP_INNER) -> str:
    """What the scan path would say of a code now."""
    view = bench.desk.batch(batch_no)
    release = view.release_of(index)
    campaign = bench.desk.catalog.campaign(release.campaign_id, bench.clock()) if release else None
    return decide_claim(view.batch, release, campaign, index, role, bench.clock()).reason or "claimable"


def link_of(bench: Bench, batch_no: int, index: int, role: Role) -> str:
    batch = bench.desk.batch(batch_no).batch
    serial = encode(bench.keyring.key(batch.epoch, batch.gtin, role), batch_no, index)
    return build_code_link("https://q.example.cn", batch.gtin, serial)


def scanned(ref: CodeRef, person: str, form: str = "claim", at_ms: int = NOW_MS + 5_000) -> None:
    text = mark_text(Mark(claim_id=f"{person}-{ref.key()}", at_ms=at_ms, form=form, person=person, payee="v1.sealed"))
    ScanItem(ref.key(), f=text if form == "claim" else None, l=text, n=1).save()


def blank_batch(api: Api, size: int = 1_000) -> int:
    brand.product(api)
    technical = {"gtin": BLANK, "name": brand.words("Blank"), "roles": ["cap_inner"], "blank": True}
    api.ok("POST", "/products", technical)
    number: int = api.ok("POST", "/batches", {"gtin": BLANK, "size": size})["batch_no"]
    api.ok("POST", f"/batches/{number}/commission")
    return number


def assignment(start: int, stop: int, **changes: object) -> dict[str, object]:
    return {"start": start, "stop": stop, "gtin": brand.UNIT, "reason": "filled today", **changes}


def test_blank_codes_become_a_product_that_is_sold(bench: Bench, admin: Api) -> None:
    blank = blank_batch(admin)
    brand.campaign(admin)
    assert says(bench, blank, 5) == "not_assigned"
    refused = admin.refused("POST", f"/batches/{blank}/releases", brand.release_body(0, 400))
    assert refused == (409, "codes_not_assigned")
    first = assignment(0, 500, market="530000", lot="L7", best_before="2027-12-01", campaign_id="open-and-win")
    admin.ok("POST", f"/batches/{blank}/assign", first)
    admin.ok("POST", f"/batches/{blank}/assign", assignment(400, 450, lot="L8"))
    assert (says(bench, blank, 5), says(bench, blank, 500)) == ("not_activated", "not_assigned")
    crossing = admin.refused("POST", f"/batches/{blank}/releases", brand.release_body(300, 500))
    assert crossing == (409, "codes_not_assigned")
    brand.activated(admin, blank, 0, 400)
    assert says(bench, blank, 5) == "claimable"
    again = admin.refused("POST", f"/batches/{blank}/assign", assignment(399, 410))
    assert again == (409, "codes_activated")
    history = admin.ok("GET", f"/codes/{blank}.5/history")
    assert (history["gtin"], history["market"], history["lot"]) == (brand.UNIT, "530000", "L7")
    assert [event["what"] for event in history["events"]] == [
        "batches.create",
        "batches.commission",
        "batches.assign",
        "releases.commit",
        "releases.activate",
    ]
    assert admin.ok("GET", f"/codes/{blank}.420/history")["lot"] == "L8"


def test_the_campaign_they_were_assigned(admin: Api) -> None:
    blank = blank_batch(admin)
    brand.campaign(admin)
    brand.campaign(admin, campaign_id="other")
    admin.ok("POST", f"/batches/{blank}/assign", assignment(0, 100, campaign_id="other"))
    refused = admin.refused("POST", f"/batches/{blank}/releases", brand.release_body(0, 100))
    assert refused == (409, "campaign_not_assigned")


def test_assignments_that_cannot_be(admin: Api) -> None:
    blank = blank_batch(admin)
    for changes, answer in (
        ({"gtin": BLANK}, (400, "product_invalid")),
        ({"gtin": brand.CASE}, (400, "product_invalid")),
        ({"gtin": "39520123456789"}, (404, "product_unknown")),
        ({"campaign_id": "nowhere"}, (404, "campaign_unknown")),
        ({"start": 10, "stop": 10}, (400, "range_invalid")),
        ({"stop": 1_001}, (400, "range_invalid")),
        ({"lot": "with space"}, (400, "body_invalid")),
    ):
        assert admin.refused("POST", f"/batches/{blank}/assign", {**assignment(0, 100), **changes}) == answer
    plain = admin.ok("POST", "/batches", {"gtin": brand.UNIT, "size": 10})["batch_no"]
    assert admin.refused("POST", f"/batches/{plain}/assign", assignment(0, 10)) == (409, "batch_not_blank")


def ranged_batch(bench: Bench, api: Api) -> tuple[int, int]:
    """1,200 units in 50 cases; the units ask for activation by range, and are released as a whole."""
    brand.product(api)
    new = {"gtin": brand.UNIT, "size": 1_200, "activation": "range", "lot": "L1"}
    units: int = api.ok("POST", "/batches", new)["batch_no"]
    cases: int = api.ok("POST", "/batches", {"gtin": brand.CASE, "unit_batch_no": units})["batch_no"]
    for number in (units, cases):
        api.ok("POST", f"/batches/{number}/commission")
    brand.campaign(api)
    brand.activated(api, units)
    return units, cases


def test_activation_by_range_by_case_number_and_by_scattered_case_codes(bench: Bench, admin: Api) -> None:
    units, cases = ranged_batch(bench, admin)
    path = f"/batches/{units}/activate"
    assert says(bench, units, 0) == "not_activated"
    admin.ok("POST", path, {"start": 0, "stop": 10, "reason": "line test"})
    assert (says(bench, units, 9), says(bench, units, 10)) == ("claimable", "not_activated")
    by_number = admin.ok("POST", path, {"cases": {"start": 2, "stop": 4}, "reason": "shift one"})
    assert (by_number["codes"], by_number["spans"]) == (48, [{"batch_no": units, "start": 48, "stop": 96}])
    codes = [link_of(bench, cases, at, Role.CASE_OUTER) for at in (10, 30)]
    bare = link_of(bench, cases, 20, Role.CASE_OUTER).rpartition("/")[2]
    scattered = admin.ok("POST", path, {"case_codes": [*codes, bare], "reason": "scanned at the gate"})
    assert [(one["start"], one["stop"]) for one in scattered["spans"]] == [(240, 264), (480, 504), (720, 744)]
    active = bench.desk.batch(units).batch.active
    assert [(one.start, one.stop) for one in active] == [(0, 10), (48, 96), (240, 264), (480, 504), (720, 744)]
    version = bench.desk.batch(units).batch.version
    admin.ok("POST", path, {"start": 50, "stop": 60, "reason": "again"})
    assert bench.desk.batch(units).batch.version == version


def test_activation_that_cannot_be(bench: Bench, admin: Api) -> None:
    units, cases = ranged_batch(bench, admin)
    path = f"/batches/{units}/activate"
    for body, code in (
        ({}, "selection_ambiguous"),
        ({"start": 0}, "range_invalid"),
        ({"start": 0, "stop": 1_201}, "range_invalid"),
        ({"start": 0, "stop": 5, "cases": {"start": 0, "stop": 1}}, "selection_ambiguous"),
        ({"cases": {"start": 49, "stop": 51}}, "range_invalid"),
        ({"case_codes": ["HTTPS://Q.EXAMPLE.CN/01/19520123456785/21/1ABCDEFGHJKMNPQRS"]}, "code_not_issued"),
        ({"case_codes": ["095201230000000011"]}, "sscc_unknown"),
    ):
        assert admin.refused("POST", path, {**body, "reason": "because"})[1] == code
    by_release = admin.refused("POST", f"/batches/{cases}/activate", {"start": 0, "stop": 1, "reason": "because"})
    assert by_release == (409, "activated_by_release")
    admin.ok("POST", f"/batches/{units}/hold", {"state": "frozen", "reason": "line check"})
    assert admin.refused("POST", path, {"start": 0, "stop": 5, "reason": "because"}) == (409, "batch_on_hold")
    other = admin.ok("POST", "/batches", {"gtin": brand.UNIT, "size": 10, "activation": "range"})["batch_no"]
    stranger = {"case_codes": [link_of(bench, cases, 1, Role.CASE_OUTER)], "reason": "because"}
    assert admin.refused("POST", f"/batches/{other}/activate", stranger)[1] == "batch_not_commissioned"
    admin.ok("POST", f"/batches/{other}/commission")
    assert admin.refused("POST", f"/batches/{other}/activate", stranger) == (409, "case_of_another_batch")


def test_destroyed_cases_take_their_bottles_along(bench: Bench, admin: Api) -> None:
    units, cases = brand.batch(admin)
    body = {"cases": {"start": 3, "stop": 5}, "kind": "destroyed", "reason": "forklift accident"}
    admin.ok("POST", f"/batches/{units}/decommission", body)
    gone = bench.desk.batch(units).batch.decommissioned
    assert [(one.start, one.stop, one.reason) for one in gone] == [(72, 120, "destroyed: forklift accident")]
    assert [(one.start, one.stop) for one in bench.desk.batch(cases).batch.decommissioned] == [(3, 5)]
    assert says(bench, units, 72) == "decommissioned"
    bench.clock.now_ms += 1
    sample = {"start": 200, "stop": 206, "kind": "sample", "reason": "for the laboratory"}
    admin.ok("POST", f"/batches/{units}/decommission", sample)
    events = admin.ok("GET", f"/codes/{units}.203/history")["events"]
    assert events[-1]["reason"] == "for the laboratory"
    assert events[-1]["detail"].startswith("sample: 6 codes")
    assert not any(event["what"] == "batches.decommission" for event in _events(admin, units, 206))


def _events(api: Api, batch_no: int, index: int) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = api.ok("GET", f"/codes/{batch_no}.{index}/history")["events"]
    return events


def test_a_history_has_everything_and_no_person(bench: Bench, admin: Api, second: Api) -> None:
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    brand.parties(admin)
    spare = [{"start": 1_190, "stop": 1_200, "reason": "spares"}]
    brand.activated(admin, units, excluded=spare)
    shipped_at = bench.clock() + 60_000
    shipment = {"shipment_id": "S1", "to_party": "dist-a", "batch_no": units, "start": 0, "stop": 480}
    admin.ok("POST", "/shipments", {**shipment, "shipped_at_ms": shipped_at})
    scanned(CodeRef(units, 30, Role.CAP_INNER), "p_WHO", at_ms=shipped_at + 1_000)
    pair = {"old_index": 31, "new_index": 1_195}
    admin.ok("POST", f"/batches/{units}/replacements", {**pair, "reason": "cap unreadable"})
    second.ok("POST", f"/batches/{units}/replacements/approve", pair)
    recall = {"recall_id": "rc1", "batch_no": units, "start": 24, "stop": 48, "reason": "glass splinters"}
    admin.ok("POST", "/recalls", recall)
    kinds = [event["what"] for event in _events(admin, units, 30)]
    assert sorted(kinds) == sorted([
        "batches.create", "batches.commission", "releases.commit", "releases.activate",
        "shipments.record", "shipment", "claimed", "recalls.order",
        "batches.create", "batches.commission", "recalls.order",  # its case's
    ])  # fmt: skip
    replaced = admin.ok("GET", f"/codes/{units}.31.1/history")
    assert {"batches.replace", "withdrawn"} <= {event["what"] for event in replaced["events"]}
    assert {one["role"]: one["says"] for one in replaced["status"]} == {
        "cap_inner": "recalled",
        "cap_outer": "recalled",
    }
    assert {"batches.replace"} <= {event["what"] for event in _events(admin, units, 1_195)}
    assert "p_WHO" not in str(_events(admin, units, 30))
    times = [event["at_ms"] for event in _events(admin, units, 30)]
    assert times == sorted(times)


def test_codes_are_named_without_a_trace_in_the_address(bench: Bench, admin: Api) -> None:
    units, cases = brand.batch(admin)
    link = link_of(bench, units, 7, Role.CAP_OUTER)
    assert admin.ok("POST", "/codes/name", {"link": link})["code"] == f"{units}.7"
    assert admin.ok("POST", "/codes/name", {"link": link_of(bench, cases, 7, Role.CASE_OUTER)})["level"] == "case"
    assert admin.refused("POST", "/codes/name", {"link": link[:-1] + "0"})[1] == "code_not_issued"
    assert admin.refused("POST", "/codes/name", {"link": link.rpartition("/")[2] + "0"})[1] == "link_malformed"
    assert admin.refused("GET", f"/codes/{units}.1200/history") == (404, "code_unknown")
    assert admin.refused("GET", "/codes/9999.0/history") == (404, "batch_unknown")
    assert admin.refused("GET", "/codes/0.0/history")[1] == "path_malformed"


def test_who_was_sent_a_code_stands_in_its_history(admin: Api) -> None:
    units, _ = brand.batch(admin, 60)
    order = brand.export(admin, units, start=10, stop=40)
    assert admin.call("GET", f"/exports/{order}/codes?count=10").status == 200
    sent = [event["what"] for event in _events(admin, units, 19) if event["what"].startswith("exports")]
    later = [event["what"] for event in _events(admin, units, 20) if event["what"].startswith("exports")]
    assert (sent, later) == (["exports.order", "exports.codes"], ["exports.order"])
    assert not any(event["what"].startswith("exports") for event in _events(admin, units, 9))
