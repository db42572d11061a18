"""From an empty console to a shipped, activated batch whose draw anyone can verify: the main path, call by call."""

import msgspec

from tests.integration.console import brand
from tests.integration.console.conftest import Api, Bench
from uncap.domain.prizes.commitment import derive_seed
from uncap.domain.prizes.laying import laid_prize
from uncap.domain.prizes.published import Noted, PublishedDraw, verify_draw


def test_from_empty_to_a_verified_draw(bench: Bench, admin: Api) -> None:
    brand.parties(admin)
    circle = {"type": "Circle", "lat": 30.66, "lng": 104.06, "radius_m": 60_000}
    territory = admin.ok("PUT", "/parties/dist-a/territory", {"region": "510100", "shapes": [circle]})
    assert len(territory["cells"]) > 100
    units, cases = brand.batch(admin)
    assert admin.ok("GET", f"/batches/{cases}")["batch"]["size"] == 50
    assert admin.ok("GET", f"/batches/{units}")["batch"]["case_batch_no"] == cases
    brand.campaign(admin)
    answer = brand.activated(admin, units, excluded=[{"start": 1_190, "stop": 1_200, "reason": "spares"}])
    release = answer["release"]
    assert release["state"] == "activated"
    assert release["prize_table"] == [{"prize_id": "big", "count": 11}, {"prize_id": "small", "count": 297}]
    shipped = admin.ok(
        "POST", "/shipments", {"shipment_id": "s1", "batch_no": units, "start": 0, "stop": 1_200, "to_party": "dist-a"}
    )
    assert shipped[0]["to_party"] == "dist-a"

    release_id = release["release_id"]
    assert admin.refused("POST", f"/releases/{release_id}/reveal") == (409, "claims_still_open")
    assert admin.refused("GET", f"/releases/{release_id}/draw") == (409, "seed_not_revealed")
    bench.clock.now_ms += 61 * brand.DAY_MS
    later = bench.sign_in("anna", "admin")
    assert later.ok("POST", f"/releases/{release_id}/reveal")["release"]["state"] == "closed"
    draw = msgspec.convert(later.ok("GET", f"/releases/{release_id}/draw"), PublishedDraw)
    report = verify_draw(draw, Noted(answer["commitment"], brand.BEACON))
    assert report.passed, report.mismatches
    assert report.prizes == {"big": 11, "small": 297}


def test_the_budget_is_reserved_once(bench: Bench, admin: Api) -> None:
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    answer = brand.activated(admin, units)
    again = admin.ok("POST", f"/releases/{answer['release']['release_id']}/activate", {"beacon_value": brand.BEACON})
    assert again == answer
    entries = [postings for postings in bench.desk.ledger.postings(0, 1) if postings]
    face_value = 12 * 888 + 300 * 88
    assert len(entries) == 1
    assert sorted(posting.amount_minor for posting in entries[0]) == [-face_value, face_value]


def test_seed_and_prizes_agree_with_the_relay(bench: Bench, admin: Api) -> None:
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    brand.activated(admin, units)
    release = bench.desk.batch(units).releases[0]
    seed = derive_seed(bench.desk.draw_master(), release.release_id)
    prizes = [laid_prize(release, seed, index) for index in range(1_200)]
    assert (prizes.count("big"), prizes.count("small")) == (12, 300)
