"""Cells find their region and place; maps follow the territories' versions and keep what is still true."""

import h3  # type: ignore[import-untyped]

from uncap.domain.catalog import Territory
from uncap.domain.diversion.regions import ELSEWHERE, UNPLACED, RegionMap

WUHAN, SHANGHAI, BEIJING = (h3.latlng_to_cell(*at, 7) for at in ((30.6, 114.3), (31.2, 121.5), (39.9, 116.4)))


def territory(party_id: str, region: str, centre: str, rings: int = 5, version: int = 1) -> Territory:
    return Territory(party_id, region, tuple(h3.compact_cells(h3.grid_disk(centre, rings))), version=version)


def test_region_and_place() -> None:
    regions = RegionMap([territory("d-east", "Shanghai", SHANGHAI), territory("d-mid", "Wuhan", WUHAN)])
    assert regions.region_of(WUHAN) == "Wuhan"
    assert regions.region_of(BEIJING) == ELSEWHERE
    assert regions.region_of("") == UNPLACED
    assert regions.place_of(SHANGHAI) == "party:d-east"
    assert regions.place_of(BEIJING) == "h3:" + h3.cell_to_parent(BEIJING, 3)
    assert regions.place_of(h3.cell_to_parent(BEIJING, 3)) == "h3:" + h3.cell_to_parent(BEIJING, 3)
    assert "d-mid" in regions
    assert "d-north" not in regions


def test_overlaps_name_the_first_party() -> None:
    assert RegionMap([territory("b", "B", WUHAN), territory("a", "A", WUHAN, 2)]).party_at(WUHAN) == "a"


def test_a_territory_without_cells_is_none() -> None:
    regions = RegionMap([Territory("d-new", "not drawn yet", ())])
    assert "d-new" not in regions
    assert regions.region_of(WUHAN) == ELSEWHERE


def test_a_new_map_takes_over_the_shapes_that_did_not_change() -> None:
    before = RegionMap([territory("a", "A", WUHAN), territory("b", "B", SHANGHAI)])
    after = RegionMap([territory("a", "A", WUHAN), territory("b", "B", BEIJING, version=2)], before)
    assert after.shape("a") is before.shape("a")
    assert after.shape("b") is not before.shape("b")
    assert after.edition == (("a", 1), ("b", 2))
