"""Releases: what may be released, when, by whom; large draws in pages; nothing published before its time."""

import base64

import msgspec
import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench
from uncap.domain.prizes import merkle
from uncap.domain.prizes.published import PublishedDraw, Winner, verify_draw
from uncap.services import commit_release, reveal_draw


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"start": 0, "stop": 1_201}, (400, "range_invalid")),
        ({"start": 5, "stop": 5}, (400, "range_invalid")),
        ({"campaign_id": "other"}, (404, "campaign_unknown")),
        ({"excluded": [{"start": 0, "stop": 100}]}, (400, "release_empty")),
        ({"beacon_source": "drand-quicknet", "beacon_round": "1000"}, (400, "beacon_in_the_past")),
        ({"beacon_source": "drand-quicknet", "beacon_round": "soon"}, (400, "beacon_malformed")),
        ({"beacon_source": "drand-quicknet", "beacon_round": "9" * 60}, (201, "")),
        ({"start": 50, "stop": 150}, (409, "release_overlaps")),
    ],
)
def test_what_may_be_released(admin: Api, changes: dict[str, object], expected: tuple[int, str]) -> None:
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    if expected[1] == "release_overlaps":
        brand.activated(admin, units, 0, 100)
    answer = admin.call("POST", f"/batches/{units}/releases", {**brand.release_body(0, 100), **changes})
    assert (answer.status, answer.body.get("code", "")) == expected


def test_only_commissioned_batches_are_released(admin: Api) -> None:
    brand.product(admin)
    brand.campaign(admin)
    batch_no = admin.ok("POST", "/batches", {"gtin": brand.UNIT, "size": 10})["batch_no"]
    body = brand.release_body(0, 10)
    assert admin.refused("POST", f"/batches/{batch_no}/releases", body) == (409, "batch_not_commissioned")


def test_too_large_is_said_plainly(admin: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    monkeypatch.setattr(commit_release, "MAX_ELIGIBLE", 99)
    answer = admin.call("POST", f"/batches/{units}/releases", brand.release_body(0, 100))
    assert (answer.status, answer.code, answer.body["where"]) == (422, "release_too_large", "stop")


def test_line_rejects_take_no_part_and_come_before_the_release(admin: Api) -> None:
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    rejects = {"ranges": [{"start": 10, "stop": 12}, {"start": 11, "stop": 15}], "reason": "label creased"}
    admin.ok("POST", f"/batches/{units}/reject", rejects)
    release = brand.activated(admin, units, 0, 100)["release"]
    assert release["eligible_count"] == 95
    assert [(gap["start"], gap["stop"]) for gap in release["excluded"]] == [(10, 15)]
    late = {"ranges": [{"start": 99, "stop": 101}], "reason": "label creased"}
    assert admin.refused("POST", f"/batches/{units}/reject", late) == (409, "release_committed")


def test_the_beacon_value_is_recorded_once(admin: Api) -> None:
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    release_id = brand.activated(admin, units)["release"]["release_id"]
    other = {"beacon_value": "6e" * 32}
    assert admin.refused("POST", f"/releases/{release_id}/activate", other) == (409, "beacon_differs")


def test_brand_commits_and_finance_activates(bench: Bench, admin: Api) -> None:
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    writer, payer = bench.sign_in("wu", "brand"), bench.sign_in("fei", "finance")
    assert payer.refused("POST", f"/batches/{units}/releases", brand.release_body(0, 10))[0] == 403
    release_id = writer.ok("POST", f"/batches/{units}/releases", brand.release_body(0, 10))["release"]["release_id"]
    beacon = {"beacon_value": brand.BEACON}
    assert writer.refused("POST", f"/releases/{release_id}/activate", beacon)[0] == 403
    assert payer.ok("POST", f"/releases/{release_id}/activate", beacon)["release"]["activated_at_ms"] == NOW_MS


def test_large_draws_come_in_pages(bench: Bench, admin: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reveal_draw, "INLINE", 100)
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    gaps = [{"start": 150, "stop": 170}, {"start": 0, "stop": 3}]
    release_id = brand.activated(admin, units, 0, 400, excluded=gaps)["release"]["release_id"]
    bench.clock.now_ms += 61 * brand.DAY_MS
    later = bench.sign_in("anna", "admin")
    later.ok("POST", f"/releases/{release_id}/reveal")
    draw = msgspec.convert(later.ok("GET", f"/releases/{release_id}/draw"), PublishedDraw)
    assert draw.code_hashes_file
    assert not draw.winners
    hashes, winners, at = b"", [], 0
    while True:
        page = later.ok("GET", f"/releases/{release_id}/draw/pages?start={at}&count=100")
        hashes += base64.b64decode(page["code_hashes"])
        winners += [Winner(*one) for one in page["winners"]]
        at = page["next"]
        if not at:
            break
    assert len(hashes) == 377 * merkle.HASH_BYTES
    whole = msgspec.structs.replace(draw, code_hashes=hashes, code_hashes_file="", winners=tuple(winners))
    assert verify_draw(whole).passed
    assert later.ok("GET", f"/releases/{release_id}/draw/pages?start=5000")["winners"] == []


def test_revealing_needs_an_activation(bench: Bench, admin: Api) -> None:
    units, _ = brand.batch(admin)
    brand.campaign(admin)
    release_id = admin.ok("POST", f"/batches/{units}/releases", brand.release_body(0, 10))["release"]["release_id"]
    assert admin.refused("POST", f"/releases/{release_id}/reveal") == (409, "release_not_activated")
