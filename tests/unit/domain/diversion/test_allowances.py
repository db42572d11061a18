"""What the brand knows to be innocent, where, when and for whom."""

import h3  # type: ignore[import-untyped]
import msgspec
import pytest

from uncap.domain.catalog import Territory
from uncap.domain.diversion.allowances import (
    TRANSFER_SK,
    TRAVEL_SK,
    Allowances,
    ApprovedTransfer,
    ExpectedTravel,
    allowances_of,
)
from uncap.domain.diversion.regions import RegionMap

EAST = h3.latlng_to_cell(31.2, 121.5, 7)
NEAR_EAST = h3.latlng_to_cell(31.2, 121.71, 7)
FAR = h3.latlng_to_cell(39.9, 116.4, 7)
REGIONS = RegionMap([Territory("east", "Shanghai", tuple(h3.compact_cells(h3.grid_disk(EAST, 8))))])
TRANSFER = ApprovedTransfer("t", "mid", "party:east", 100, 200, "short of stock", "anna")
TRAVEL = ExpectedTravel("f", "party:east", 80_000, 100, 200, "festival", "anna")


def approved(one: ApprovedTransfer, cell: str = EAST, at_ms: int = 150, gtin: str = "g", party: str = "mid") -> str:
    return Allowances([one]).approved(party, gtin, cell, at_ms, REGIONS, slack_m=5_000, accuracy_m=50)


def test_approved_goods_in_their_place_and_time() -> None:
    assert approved(TRANSFER) == "t"
    assert approved(TRANSFER, at_ms=99) == ""
    assert approved(TRANSFER, at_ms=200) == ""
    assert approved(TRANSFER, FAR) == ""
    assert approved(TRANSFER, party="other") == ""
    assert approved(TRANSFER, NEAR_EAST) == "t", "customers live on both sides of a border"


def test_one_product_or_all() -> None:
    one = msgspec.structs.replace(TRANSFER, gtin="g")
    assert approved(one) == "t"
    assert approved(one, gtin="h") == ""


def test_a_revoked_approval_explains_what_was_before() -> None:
    ended = msgspec.structs.replace(TRANSFER, revoked_at_ms=150)
    assert approved(ended, at_ms=149) == "t"
    assert approved(ended, at_ms=150) == ""


def test_a_place_may_be_a_cell() -> None:
    cell = msgspec.structs.replace(TRANSFER, place=f"h3:{h3.cell_to_parent(EAST, 4)}")
    assert approved(cell) == "t"
    assert approved(cell, FAR) == ""


@pytest.mark.parametrize(
    ("party", "place", "at_ms", "expected"),
    [
        ("mid", "party:east", 150, 80_000),
        ("mid", "party:east", 250, 0),
        ("mid", "h3:elsewhere", 150, 80_000),
    ],
)
def test_expected_travel(party: str, place: str, at_ms: int, expected: int) -> None:
    assert Allowances(travel=[TRAVEL]).travel_ppm(party, place, EAST, at_ms, REGIONS) == expected


def test_the_largest_expectation_counts_and_one_partys_is_its_own() -> None:
    more = msgspec.structs.replace(TRAVEL, travel_id="g", share_ppm=200_000, party_id="other")
    both = Allowances(travel=[TRAVEL, more])
    assert both.travel_ppm("mid", "party:east", EAST, 150, REGIONS) == 80_000
    assert both.travel_ppm("other", "party:east", EAST, 150, REGIONS) == 200_000
    assert both.travel_ppm("mid", f"h3:{h3.cell_to_parent(FAR, 3)}", FAR, 150, REGIONS) == 0


def test_as_stored() -> None:
    rows = [
        (f"{TRANSFER_SK}t", msgspec.json.encode(TRANSFER).decode()),
        (f"{TRAVEL_SK}f", msgspec.json.encode(TRAVEL).decode()),
    ]
    stored = allowances_of(rows)
    assert stored.approved("mid", "g", EAST, 150, REGIONS, slack_m=0, accuracy_m=50) == "t"
    assert stored.travel_ppm("mid", "party:east", EAST, 150, REGIONS) == 80_000
