"""Products, parties, territories, batches and campaigns as an operator declares them."""

import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench


def test_a_product_is_declared_once(admin: Api) -> None:
    product = brand.product(admin)
    assert product == admin.ok("GET", f"/products/{brand.UNIT}")
    assert product["roles"] == [0, 1]
    again = {"gtin": brand.UNIT, "name": brand.words("Other"), "roles": ["cap_inner"]}
    assert admin.refused("POST", "/products", again) == (409, "product_exists")
    assert admin.ok("GET", "/products/9520123456788") == product
    assert [one["gtin"] for one in admin.ok("GET", "/products")["items"]] == [brand.UNIT, brand.CASE]


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": ["case_inner"]},
        {"roles": ["cap_inner", "cap_inner"]},
        {"level": "case"},
        {"units_per_case": 24},
        {"case_gtin": brand.UNIT, "units_per_case": 24},
    ],
)
def test_products_that_contradict_themselves(admin: Api, changes: dict[str, object]) -> None:
    body = {"gtin": brand.UNIT, "name": brand.words("Beer"), "roles": ["cap_inner"], **changes}
    assert admin.refused("POST", "/products", body) == (400, "product_invalid")


def test_lists_come_in_pages(admin: Api) -> None:
    brand.product(admin)
    for size in range(1, 8):
        admin.ok("POST", "/batches", {"gtin": brand.UNIT, "size": size})
    numbers, cursor = [], ""
    while True:
        page = admin.ok("GET", f"/batches?count=3&cursor={cursor}")
        assert len(page["items"]) <= 3
        numbers += [one["batch_no"] for one in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert numbers == list(range(1, 8))


def test_the_channel_tree(admin: Api) -> None:
    brand.parties(admin)
    tree = admin.ok("GET", "/parties/brand/tree")
    assert [child["party"]["party_id"] for child in tree["children"]] == ["dist-a", "dist-b"]
    assert tree["children"][0]["children"][0]["party"]["party_id"] == "shop-a"
    assert not tree["cut"]
    assert admin.ok("GET", "/parties/brand/tree?depth=1")["children"][0]["children"] == []
    assert [one["party_id"] for one in admin.ok("GET", "/parties")["items"]] == ["brand"]
    assert [one["party_id"] for one in admin.ok("GET", "/parties?parent_id=dist-a")["items"]] == ["shop-a"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"party_id": "dist-a", "role": "distributor"}, (409, "party_exists")),
        ({"party_id": "x", "role": "outlet", "parent_id": "brand"}, (400, "parent_invalid")),
        ({"party_id": "x", "role": "outlet_staff"}, (400, "parent_invalid")),
        ({"party_id": "x", "role": "outlet", "parent_id": "none"}, (404, "party_unknown")),
        ({"party_id": "x#", "role": "outlet"}, (400, "body_invalid")),
        ({"party_id": "x\n", "role": "outlet"}, (400, "body_invalid")),
        ({"party_id": "x", "role": "emperor"}, (400, "body_invalid")),
    ],
)
def test_parties_refused(admin: Api, body: dict[str, object], expected: tuple[int, str]) -> None:
    brand.parties(admin)
    assert admin.refused("POST", "/parties", {"name": brand.words("X"), **body}) == expected


def test_territories_are_versioned(admin: Api) -> None:
    brand.parties(admin)
    body = {"region": "Chengdu", "shapes": [{"type": "Circle", "lat": 30.66, "lng": 104.06, "radius_m": 20_000}]}
    assert admin.refused("GET", "/parties/dist-a/territory") == (404, "territory_unknown")
    first = admin.ok("PUT", "/parties/dist-a/territory", body)
    assert admin.refused("PUT", "/parties/dist-a/territory", body) == (409, "changed_meanwhile")
    second = admin.ok("PUT", "/parties/dist-a/territory", {**body, "region": "510100", "version": 1})
    assert (first["cells"], second["version"]) == (second["cells"], 2)
    assert admin.refused("PUT", "/parties/shop-a/territory", body) == (409, "not_a_distributor")
    wide = {"type": "Circle", "lat": 91, "lng": 104.06, "radius_m": 20_000}
    assert admin.refused("PUT", "/parties/dist-a/territory", {**body, "shapes": [wide]}) == (400, "body_invalid")


def test_case_batches_follow_their_units(admin: Api) -> None:
    units, _ = brand.batch(admin, 100)
    again = {"gtin": brand.CASE, "unit_batch_no": units}
    assert admin.refused("POST", "/batches", again) == (409, "batch_already_cased")
    more = admin.ok("POST", "/batches", {"gtin": brand.UNIT, "size": 25})["batch_no"]
    wrong = {"gtin": brand.CASE, "unit_batch_no": more, "size": 3}
    assert admin.refused("POST", "/batches", wrong) == (400, "batch_invalid")
    assert admin.ok("POST", "/batches", {**wrong, "size": 2})["size"] == 2
    alone = {"gtin": brand.UNIT, "unit_batch_no": more}
    assert admin.refused("POST", "/batches", alone) == (400, "batch_invalid")


def test_numbers_taken_by_hand_are_skipped(admin: Api) -> None:
    brand.product(admin)
    body = {"gtin": brand.UNIT, "size": 5}
    assert admin.ok("POST", "/batches", {**body, "batch_no": 1})["batch_no"] == 1
    assert admin.refused("POST", "/batches", {**body, "batch_no": 1}) == (409, "batch_exists")
    assert admin.ok("POST", "/batches", body)["batch_no"] == 2


def test_commissioning_twice_and_holding(admin: Api) -> None:
    units, _ = brand.batch(admin)
    again = admin.ok("POST", f"/batches/{units}/commission")
    assert again["state"] == "commissioned"
    held = admin.ok("POST", f"/batches/{units}/hold", {"state": "recalled", "reason": "glass splinters"})
    assert held["hold"] == "recalled"
    brand.campaign(admin)
    body = brand.release_body(0, 10)
    assert admin.refused("POST", f"/batches/{units}/releases", body) == (409, "batch_on_hold")
    assert "hold" not in admin.ok("POST", f"/batches/{units}/hold", {"state": "released", "reason": "all clear"})


def test_no_batch_is_made_under_an_epoch_that_leaked(admin: Api) -> None:
    brand.product(admin)
    admin.ok("POST", "/epochs/1/state", {"state": "compromised", "reason": "key seen in a log"})
    assert admin.ok("GET", "/epochs/1") == {"epoch": 1, "state": "compromised", "key_state": "minting"}
    assert admin.refused("POST", "/batches", {"gtin": brand.UNIT, "size": 5}) == (409, "no_minting_epoch")
    back = {"state": "minting", "reason": "hope"}
    assert admin.refused("POST", "/epochs/1/state", back) == (409, "epoch_compromised")


def test_campaign_versions(bench: Bench, admin: Api) -> None:
    brand.product(admin)
    first = brand.campaign(admin)
    assert first["effective_at_ms"] == NOW_MS + 10_000
    assert admin.refused("POST", "/campaigns", brand.campaign_body()) == (409, "campaign_version_taken")
    early = brand.campaign_body(version=2, effective_at_ms=NOW_MS + 9_999)
    assert admin.refused("POST", "/campaigns", early) == (400, "effective_too_early")
    worse = brand.campaign_body(version=2, ends_at_ms=NOW_MS + brand.DAY_MS)
    assert admin.refused("POST", "/campaigns", worse) == (409, "campaign_started")
    brand.campaign(admin, version=2, claim_until_ms=NOW_MS + 90 * brand.DAY_MS)
    pause = {"paused": True, "reason": "rail is down"}
    assert admin.refused("POST", "/campaigns/open-and-win/pause", {**pause, "version": 1})[0] == 409
    paused = admin.ok("POST", "/campaigns/open-and-win/pause", {**pause, "version": 2})
    assert (paused["version"], paused["paused"]) == (3, True)
    assert [one["version"] for one in admin.ok("GET", "/campaigns/open-and-win/versions")] == [1, 2, 3]
    changed = brand.campaign(admin, version=4, claim_until_ms=NOW_MS + 91 * brand.DAY_MS)
    assert changed["paused"], "a change of the prizes does not lift a pause"
    assert admin.ok("GET", "/campaigns")["items"][0]["version"] == 4


def test_a_campaign_that_a_release_committed_to_cannot_lose_prizes(admin: Api) -> None:
    units, _ = brand.batch(admin)
    future = {"starts_at_ms": NOW_MS + brand.DAY_MS}
    brand.campaign(admin, **future)
    smaller = brand.campaign_body(version=2, pool=[{"prize_id": "big", "win": 1, "per": 100}], **future)
    admin.ok("POST", f"/batches/{units}/releases", brand.release_body(0, 100))
    assert admin.refused("POST", "/campaigns", smaller) == (409, "campaign_started")


def test_a_campaign_names_known_products(admin: Api) -> None:
    assert admin.refused("POST", "/campaigns", brand.campaign_body()) == (404, "product_unknown")
