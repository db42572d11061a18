"""A case from evidence to decision: the pack, objection, exhibits, what it does to money and the yearly coefficient."""

import hashlib
import json

import h3  # type: ignore[import-untyped]
import msgspec
import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench
from uncap.adapters.models import CatalogItem, FlowItem, InsightItem
from uncap.domain.catalog import CodeBatch, Role, Shipment, Territory
from uncap.domain.diversion.cases import open_case
from uncap.domain.diversion.evidence import Sighting, gathered
from uncap.domain.diversion.holds import DiversionHold
from uncap.domain.diversion.judgement import DiversionRule, judge
from uncap.domain.errors import TransientError
from uncap.services.show_evidence import EvidencePack, hash_of

RULE = DiversionRule()
SPOT = h3.latlng_to_cell(31.2, 121.5, 7)
PERSON = "p_ABCDEFGHJKMNPQRSTVWXYZ0123"


@pytest.fixture
def case_id(admin: Api) -> str:
    """Goods shipped to dist-a, seen by five people of two cases in Shanghai."""
    for party in ("dist-a", "dist-b"):
        body = {"party_id": party, "role": "distributor", "name": {"zh-CN": f"经销商 {party}"}}
        admin.ok("POST", "/parties", body)
    batch = CodeBatch(7, brand.UNIT, 240, 1, (Role.CAP_INNER,), lot="L7", units_per_case=24)
    CatalogItem("batch#7", "meta", doc=_doc(batch), v=1).save()
    home = tuple(h3.compact_cells(h3.grid_disk(h3.latlng_to_cell(30.6, 104.1, 7), 12)))
    CatalogItem("territories", "dist-a", doc=_doc(Territory("dist-a", "510100", home)), v=1).save()
    FlowItem("shipment#s1", "meta", doc=_doc(Shipment("s1", 7, 24, 240, "dist-a", NOW_MS - 1)), v=1).save()
    evidence = gathered(
        Sighting(
            *("s1", "party:dist-b", brand.UNIT, 7, "dist-a", "510100", 1 + n % 2, f"{PERSON}{n}", SPOT),
            f"2026-11-{20 + n}",
            NOW_MS + n,
            shipment_cases=9,
            unit_batch_no=7,
        )
        for n in range(8)
    )
    case = open_case(evidence, NOW_MS, judge(evidence, 9, {}, RULE), RULE)
    InsightItem("cases", case.case_id, doc=_doc(case), v=1).save()
    return case.case_id


def _doc(value: object) -> str:
    return msgspec.json.encode(value).decode()


def hold(case_id: str) -> DiversionHold:
    item = CatalogItem.get("batch#7", f"diversion#{case_id}", consistent_read=True)
    return msgspec.json.decode(item.doc, type=DiversionHold)


def move(admin: Api, case_id: str, state: str, version: int, **more: object) -> dict[str, object]:
    body = {"state": state, "note": f"{state} after a visit", "version": version, **more}
    answer: dict[str, object] = admin.ok("POST", f"/diversion/cases/{case_id}", body)
    return answer


def test_the_pack_holds_the_whole_path_and_nobody(admin: Api, case_id: str) -> None:
    pack = admin.ok("GET", f"/diversion/cases/{case_id}/evidence")
    assert pack["path"]["shipment_id"] == "s1"
    assert (pack["path"]["lot"], pack["path"]["units"], pack["path"]["region"]) == ("L7", 216, "510100")
    assert [line["party_id"] for line in pack["path"]["channel"]] == ["dist-a"]
    assert pack["distributor"]["name"] == {"zh-CN": "经销商 dist-a"}
    assert pack["map"]["scans"] == {SPOT: 8}
    assert pack["seen"]["by_day"] == {f"2026-11-{20 + n}": 1 for n in range(8)}
    assert pack["judgement"]["opens"] is True
    assert pack["rule"]["min_people"] == 3
    assert all(set(text) == {"zh-CN", "en"} for text in pack["explained"])
    assert PERSON[:8] not in json.dumps(pack)
    assert "31.2" not in json.dumps(pack)


def test_the_packs_hash_is_over_all_of_it(admin: Api, case_id: str) -> None:
    pack = msgspec.convert(admin.ok("GET", f"/diversion/cases/{case_id}/evidence"), EvidencePack)
    assert pack.hash == hash_of(pack)
    unsealed = msgspec.to_builtins(pack) | {"hash": ""}
    text = json.dumps(unsealed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == pack.hash, "anyone can check it without uncap"
    changed = msgspec.structs.replace(pack, state="confirmed")
    assert hash_of(changed) != pack.hash


def test_money_waits_then_is_forfeited_and_the_coefficient_falls_once(admin: Api, case_id: str) -> None:
    move(admin, case_id, "investigating", 1)
    assert hold(case_id) == DiversionHold(case_id, "s1", 7, 24, 240, "investigating", 1)
    before = admin.ok("GET", "/diversion/coefficients/dist-a?year=2026")
    assert (before.get("ppm", 1_000_000), before.get("cuts", [])) == (1_000_000, [])
    closed = move(admin, case_id, "confirmed", 2, cut_ppm=80_000)
    assert closed["state"] == "confirmed"
    assert hold(case_id).state == "confirmed"
    after = admin.ok("GET", "/diversion/coefficients/dist-a?year=2026")
    assert (after["ppm"], after["cuts"][0]["case_id"], after["cuts"][0]["operator"]) == (920_000, case_id, "anna")
    assert admin.refused("GET", "/diversion/coefficients/nobody?year=2026") == (404, "party_unknown")
    body = {"state": "dismissed", "note": "changed our mind", "version": 3}
    assert admin.refused("POST", f"/diversion/cases/{case_id}", body) == (409, "objection_missing")


def test_a_confirmation_is_reversed_upon_an_objection_by_a_second_person(admin: Api, case_id: str) -> None:
    move(admin, case_id, "investigating", 1)
    move(admin, case_id, "confirmed", 2, cut_ppm=80_000)
    said = {"party_id": "dist-a", "text": "here is the delivery note", "version": 3}
    admin.ok("POST", f"/diversion/cases/{case_id}/objection", said)
    body = {"state": "dismissed", "note": "the note is real", "version": 4}
    assert admin.refused("POST", f"/diversion/cases/{case_id}", body) == (403, "second_person_needed")
    reversed_ = admin.second().ok("POST", f"/diversion/cases/{case_id}", body)
    assert (reversed_["state"], reversed_["objection"]["state"]) == ("dismissed", "upheld")
    assert hold(case_id).state == "dismissed"
    after = admin.ok("GET", "/diversion/coefficients/dist-a?year=2026")
    assert (after.get("ppm", 1_000_000), after["cuts"][0]["lifted_by"]) == (1_000_000, "zoe")


def test_a_paper_of_several_parts_is_held_whole(admin: Api, case_id: str) -> None:
    FlowItem.get("shipment#s1", "meta").delete()
    for number, (batch_no, start) in enumerate([(7, 24), (7, 100), (9, 0)], 1):
        part = Shipment(f"s1-{number}", batch_no, start, start + 60, "dist-a", NOW_MS - 1, document="s1")
        FlowItem(f"shipment#s1-{number}", "meta", doc=_doc(part), v=1).save()
    pack = admin.ok("GET", f"/diversion/cases/{case_id}/evidence")
    assert (pack["path"]["units"], pack["path"]["to_party"]) == (180, "dist-a")
    move(admin, case_id, "investigating", 1)
    one = hold(case_id)
    assert (one.moved_batch_no, one.start, one.stop, one.more) == (7, 24, 84, ((7, 100, 160), (9, 0, 60)))
    other = CatalogItem.get("batch#9", f"diversion#{case_id}", consistent_read=True)
    assert msgspec.json.decode(other.doc, type=DiversionHold) == one, "money on the third part waits too"
    assert [one.covers(*thing) for thing in [(7, 24), (7, 90), (7, 159), (9, 59), (9, 60), (8, 24)]] == [
        *(True, False, True, True, False, False)
    ]


def test_a_dismissed_case_pays_and_cuts_nothing(admin: Api, case_id: str) -> None:
    move(admin, case_id, "investigating", 1)
    move(admin, case_id, "dismissed", 2)
    assert hold(case_id).state == "dismissed"
    assert admin.ok("GET", "/diversion/coefficients/dist-a?year=2026").get("cuts", []) == []


def test_a_crash_between_money_and_case_is_healed_by_the_same_move_only(
    bench: Bench, admin: Api, case_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    move(admin, case_id, "investigating", 1)
    real = bench.desk.insights.update_case

    def lost(case: object) -> None:
        raise TransientError("table_unavailable", "the process died here")

    monkeypatch.setattr(type(bench.desk.insights), "update_case", lambda _, case: lost(case))
    body = {"state": "confirmed", "note": "seen on the shelf", "version": 2}
    assert admin.refused("POST", f"/diversion/cases/{case_id}", body)[0] == 503
    monkeypatch.setattr(type(bench.desk.insights), "update_case", lambda _, case: real(case))
    bench.watcher.errors.clear()
    other = {"state": "dismissed", "note": "was a wedding", "version": 2}
    assert admin.refused("POST", f"/diversion/cases/{case_id}", other) == (409, "case_moved")
    assert admin.ok("POST", f"/diversion/cases/{case_id}", body)["state"] == "confirmed"
    assert len(admin.ok("GET", "/diversion/coefficients/dist-a?year=2026")["cuts"]) == 1


def test_the_distributor_objects_and_the_decision_answers(admin: Api, case_id: str) -> None:
    path = f"/diversion/cases/{case_id}/objection"
    assert admin.refused("POST", path, {"party_id": "dist-b", "text": "not me", "version": 1}) == (
        400,
        "not_the_accused",
    )
    shown = admin.ok("POST", path, {"party_id": "dist-a", "text": "a customer moved house", "version": 1})
    assert (shown["objection"]["state"], shown["notes"][-1]["state"], shown["version"]) == ("raised", "objection", 2)
    assert admin.refused("POST", path, {"party_id": "dist-a", "text": "again", "version": 1}) == (409, "case_moved")
    move(admin, case_id, "investigating", 2)
    assert move(admin, case_id, "dismissed", 3)["objection"]["state"] == "upheld"  # type: ignore[index]
    trail = admin.ok("GET", "/audit?day=2026-11-22&count=50")
    assert "diversion.object" in json.dumps(trail)


def test_exhibits_are_references_with_hashes(admin: Api, case_id: str) -> None:
    path = f"/diversion/cases/{case_id}/exhibits"
    photo = {"kind": "photo", "reference": "drive/visit-7/shelf.jpg", "sha256": "ab" * 32, "version": 1}
    assert admin.ok("POST", path, photo)["exhibits"][0]["sha256"] == "ab" * 32
    assert admin.refused("POST", path, photo) == (409, "case_moved")
    assert admin.refused("POST", path, {**photo, "sha256": "ab", "version": 2}) == (400, "body_invalid")
    pack = admin.ok("GET", f"/diversion/cases/{case_id}/evidence")
    assert pack["exhibits"][0]["reference"] == "drive/visit-7/shelf.jpg"


def test_transfers_are_approved_listed_and_revoked(bench: Bench, admin: Api, case_id: str) -> None:
    one = {
        "approval_id": "t1",
        "party_id": "dist-a",
        "place": "party:dist-b",
        "from_ms": NOW_MS,
        "until_ms": NOW_MS + 30 * brand.DAY_MS,
        "reason": "dist-b ran out of stock",
    }
    assert admin.ok("POST", "/diversion/transfers", one)["operator"] == "anna"
    assert admin.refused("POST", "/diversion/transfers", one) == (409, "approval_exists")
    bad = {**one, "approval_id": "t2"}
    for change, refusal in (
        ({"until_ms": NOW_MS}, (400, "period_invalid")),
        ({"place": "party:nobody"}, (404, "party_unknown")),
        ({"place": "party:dist-a"}, (400, "place_invalid")),
        ({"place": "h3:fffffffffffffff"}, (400, "place_invalid")),
        ({"place": "Shanghai"}, (400, "body_invalid")),
        ({"party_id": "nobody"}, (404, "party_unknown")),
    ):
        assert admin.refused("POST", "/diversion/transfers", {**bad, **change}) == refusal
    bench.clock.now_ms += 5
    ended = admin.ok("POST", "/diversion/transfers/t1/revoke", {"reason": "stock is back"})
    assert ended["revoked_at_ms"] == NOW_MS + 5
    again = admin.refused("POST", "/diversion/transfers/t1/revoke", {"reason": "stock is back"})
    assert again == (409, "already_revoked")
    assert admin.refused("POST", "/diversion/transfers/t9/revoke", {"reason": "no such"}) == (404, "approval_unknown")
    assert [item["approval_id"] for item in admin.ok("GET", "/diversion/transfers")["items"]] == ["t1"]


def test_travel_is_expected_for_a_time(admin: Api, case_id: str) -> None:
    one = {
        "travel_id": "spring",
        "place": f"h3:{h3.cell_to_parent(SPOT, 3)}",
        "share_ppm": 120_000,
        "from_ms": NOW_MS,
        "until_ms": NOW_MS + 20 * brand.DAY_MS,
        "reason": "Spring Festival",
    }
    assert admin.ok("POST", "/diversion/travel", one)["share_ppm"] == 120_000
    assert admin.refused("POST", "/diversion/travel", one) == (409, "travel_exists")
    assert admin.refused("POST", "/diversion/travel", {**one, "share_ppm": 0}) == (400, "body_invalid")
    assert admin.ok("GET", "/diversion/travel")["items"][0]["travel_id"] == "spring"


def test_an_inspector_may_and_a_factory_may_not(bench: Bench, case_id: str) -> None:
    inspector, factory = bench.sign_in("ines", "inspector"), bench.sign_in("fritz", "factory")
    assert inspector.ok("GET", f"/diversion/cases/{case_id}/evidence")["case_id"] == case_id
    assert factory.refused("GET", f"/diversion/cases/{case_id}/evidence") == (403, "operator_not_permitted")
    assert factory.refused("POST", f"/diversion/cases/{case_id}/objection", {}) == (403, "operator_not_permitted")
    assert inspector.refused("GET", "/diversion/cases/0123456789ABCDEF/evidence") == (404, "case_unknown")
