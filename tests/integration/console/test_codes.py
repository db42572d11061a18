"""Decommissioning and replacing codes."""

import msgspec
import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import Api, Bench
from uncap.adapters.models import ScanItem
from uncap.adapters.scan_items import mark_of, mark_text
from uncap.domain.catalog import Role
from uncap.domain.claims import decide_claim
from uncap.domain.codes.scheme import encode
from uncap.domain.prizes.commitment import derive_seed
from uncap.domain.prizes.laying import laid_prize
from uncap.domain.scans import CodeRef, Mark


def claimed(ref: CodeRef) -> None:
    mark = mark_text(Mark("someone", 1, "claim"))
    ScanItem(ref.key(), f=mark, l=mark, n=1).save()


def link_of(bench: Bench, batch_no: int, index: int, role: Role) -> str:
    batch = bench.desk.batch(batch_no).batch
    serial = encode(bench.keyring.key(batch.epoch, batch.gtin, role), batch_no, index)
    return f"https://q.example.cn/01/{batch.gtin}/21/{serial}"


def test_decommissioning_a_range(admin: Api) -> None:
    units, _ = brand.batch(admin)
    path = f"/batches/{units}/decommission"
    admin.ok("POST", path, {"start": 10, "stop": 20, "reason": "case withdrawn"})
    batch = admin.ok("POST", path, {"start": 15, "stop": 25, "reason": "case withdrawn"})
    assert batch["decommissioned"] == [{"start": 10, "stop": 25, "reason": "case withdrawn"}]


def test_decommissioning_one_unit_buries_all_its_codes(bench: Bench, admin: Api) -> None:
    units, _ = brand.batch(admin)
    body = {"index": 7, "reason": "cap damaged"}
    admin.ok("POST", f"/batches/{units}/decommission", body)
    admin.ok("POST", f"/batches/{units}/decommission", body)
    for role in (Role.CAP_INNER, Role.CAP_OUTER):
        mark = mark_of(ScanItem.get(CodeRef(units, 7, role).key()).f or "")
        assert (mark.form, mark.reason) == ("tombstone", "decommissioned")


def test_decommissioning_by_link(bench: Bench, admin: Api) -> None:
    units, cases = brand.batch(admin)
    link = link_of(bench, units, 9, Role.CAP_INNER)
    admin.ok("POST", f"/batches/{units}/decommission", {"link": link, "reason": "found on the floor"})
    assert ScanItem.count(CodeRef(units, 9, Role.CAP_INNER).key()) == 1
    other = {"link": link, "reason": "found on the floor"}
    assert admin.refused("POST", f"/batches/{cases}/decommission", other) == (409, "code_of_another_batch")
    forged = {"link": link[:-1] + ("0" if link[-1] != "0" else "1"), "reason": "found on the floor"}
    assert admin.refused("POST", f"/batches/{units}/decommission", forged) == (404, "code_not_issued")


def test_a_claimed_code_stays_its_buyers(admin: Api) -> None:
    units, _ = brand.batch(admin)
    claimed(CodeRef(units, 7, Role.CAP_INNER))
    body = {"index": 7, "reason": "cap damaged"}
    assert admin.refused("POST", f"/batches/{units}/decommission", body) == (409, "code_already_claimed")
    outer = CodeRef(units, 7, Role.CAP_OUTER).key()
    with pytest.raises(ScanItem.DoesNotExist):
        ScanItem.get(outer)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"start": 1, "stop": 2, "index": 1},
        {"index": 1, "link": "https://x/01/1/21/1"},
        {"start": 1, "stop": 2, "role": "cap_inner"},
    ],
)
def test_ambiguous_decommissioning(admin: Api, body: dict[str, object]) -> None:
    units, _ = brand.batch(admin)
    answer = admin.refused("POST", f"/batches/{units}/decommission", {**body, "reason": "whatever"})
    assert answer == (400, "decommission_ambiguous")


def replaced(admin: Api, second: Api) -> tuple[int, dict[str, object]]:
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    brand.activated(admin, units, excluded=[{"start": 1_190, "stop": 1_200, "reason": "spares"}])
    pair: dict[str, object] = {"old_index": 5, "new_index": 1_195}
    admin.ok("POST", f"/batches/{units}/replacements", {**pair, "reason": "cap unreadable"})
    return units, pair


def test_a_spare_takes_over_prize_and_place(bench: Bench, admin: Api, second: Api) -> None:
    units, pair = replaced(admin, second)
    path = f"/batches/{units}/replacements/approve"
    assert admin.refused("POST", path, pair) == (403, "second_person_needed")
    second.ok("POST", path, pair)
    view = bench.desk.batch(units)
    release, campaign = view.releases[0], bench.desk.campaign_versions("open-and-win")[0]
    seed = derive_seed(bench.desk.draw_master(), release.release_id)
    before = msgspec.structs.replace(release, replaced=())
    assert laid_prize(release, seed, 1_195) == laid_prize(before, seed, 5)

    def form(index: int) -> str:
        return decide_claim(view.batch, release, campaign, index, Role.CAP_INNER, bench.clock()).form

    assert (form(1_195), form(5), form(1_194)) == ("claim", "observe", "observe")
    assert mark_of(ScanItem.get(CodeRef(units, 5, Role.CAP_INNER).key()).f or "").reason == "replaced"
    assert second.refused("POST", path, pair) == (409, "proposal_missing")
    assert admin.ok("GET", "/proposals")["items"][0]["state"] == "approved"


def test_a_claimed_code_is_not_replaced(bench: Bench, admin: Api, second: Api) -> None:
    units, pair = replaced(admin, second)
    claimed(CodeRef(units, 5, Role.CAP_INNER))
    answer = second.refused("POST", f"/batches/{units}/replacements/approve", pair)
    assert answer == (409, "code_already_claimed")
    assert bench.desk.batch(units).releases[0].replaced == ()


def test_replacements_that_cannot_be(admin: Api, second: Api) -> None:
    units, pair = replaced(admin, second)
    path = f"/batches/{units}/replacements"
    assert admin.refused("POST", path, {**pair, "reason": "again"}) == (409, "proposal_open")
    for old, new in ((5, 6), (1_195, 1_196), (1_300, 1_195)):
        body = {"old_index": old, "new_index": new, "reason": "cap unreadable"}
        assert admin.refused("POST", path, body) == (409, "not_replaceable")


def test_a_prize_is_not_moved_onto_scrap(admin: Api, second: Api) -> None:
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    scrap = {"ranges": [{"start": 1_190, "stop": 1_195}], "reason": "never left the line"}
    admin.ok("POST", f"/batches/{units}/reject", scrap)
    brand.activated(admin, units, excluded=[{"start": 1_195, "stop": 1_200, "reason": "spares"}])
    path = f"/batches/{units}/replacements"
    body = {"old_index": 5, "new_index": 1_190, "reason": "cap unreadable"}
    assert admin.refused("POST", path, body) == (409, "not_replaceable")
    pair: dict[str, object] = {"old_index": 5, "new_index": 1_195}
    admin.ok("POST", path, {**pair, "reason": "cap unreadable"})
    admin.ok("POST", f"/batches/{units}/decommission", {"start": 1_195, "stop": 1_196, "reason": "spare was lost"})
    assert second.refused("POST", f"{path}/approve", pair) == (409, "not_replaceable")
