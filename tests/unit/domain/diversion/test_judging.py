"""Distances between cells are never overstated, look-ups in compacted cells are exact, vagueness never accuses."""

import math
import random

import h3  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.diversion import judging
from uncap.domain.diversion.judging import CellSet, TerritoryShape, circumradius_m, is_outside
from uncap.domain.errors import PoisonError

WUHAN = (30.6, 114.3)


def disk(lat: float, lng: float, rings: int) -> list[str]:
    return list(h3.grid_disk(h3.latlng_to_cell(lat, lng, 7), rings))


def offset(lat: float, lng: float, north_km: float, east_km: float) -> tuple[float, float]:
    return lat + north_km / 111.2, lng + east_km / (111.2 * math.cos(math.radians(lat)))


CELLS = disk(*WUHAN, 12)
SHAPE = TerritoryShape(h3.compact_cells(CELLS))


def test_h3_keeps_to_the_constants_the_distances_rest_on() -> None:
    rng = random.Random(5)
    for _ in range(1_500):
        lat, lng = math.degrees(math.asin(rng.uniform(-1, 1))), rng.uniform(-180, 180)
        cell = h3.latlng_to_cell(lat, lng, rng.choice((4, 5, 6, 7, 8)))
        if h3.is_pentagon(cell):
            continue
        corners, mean = h3.cell_to_boundary(cell), h3.average_hexagon_edge_length(h3.get_resolution(cell), "m")
        reach = max(h3.great_circle_distance(h3.cell_to_latlng(cell), corner, "m") for corner in corners)
        assert reach <= circumradius_m(h3.get_resolution(cell))
        if len(corners) == 6:  # more: the cell crosses an edge of the icosahedron and has extra corners
            edges = [h3.great_circle_distance(corners[n], corners[n - 1], "m") for n in range(6)]
            assert min(edges) >= judging._SHORTEST_EDGE * mean


@settings(max_examples=150, deadline=None)
@given(st.floats(-60, 60), st.floats(-60, 60), st.sampled_from((5, 6, 7, 8, 9)))
def test_containment_in_compacted_cells_is_that_of_the_cells_themselves(n: float, e: float, resolution: int) -> None:
    cell = h3.latlng_to_cell(*offset(*WUHAN, n, e), resolution)
    at_seven = h3.cell_to_center_child(cell, 7) if resolution < 7 else h3.cell_to_parent(cell, 7)
    assert SHAPE.contains(cell) == (at_seven in set(CELLS))


@settings(max_examples=150, deadline=None)
@given(st.floats(-120, 120), st.floats(-120, 120))
def test_a_distance_is_exact_for_the_discs_and_never_more_than_the_nearest_cell_is_away(n: float, e: float) -> None:
    cell = h3.latlng_to_cell(*offset(*WUHAN, n, e), 7)
    centre = h3.cell_to_latlng(cell)
    found = SHAPE.distance_m(cell)
    to_centres = min(h3.great_circle_distance(centre, h3.cell_to_latlng(one), "m") for one in CELLS)
    assert found <= to_centres
    assert 0 <= found <= SHAPE.horizon_m
    if found not in (0, SHAPE.horizon_m):
        # Compacted cells are at most resolution 5 here: the disc around one exceeds it by less than 0.3 of its radius.
        to_edge = max(0.0, to_centres - circumradius_m(7))
        assert found >= to_edge - 0.35 * circumradius_m(5)
    if found == SHAPE.horizon_m:
        assert to_centres > SHAPE.horizon_m


def test_distances_are_remembered_and_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_MEMO_CELLS", 3)
    shape = TerritoryShape(CELLS)
    far = disk(31.2, 121.5, 1)
    for cell in far:
        assert shape.distance_m(cell) == shape.horizon_m
    assert len(shape._distances) <= 3


@pytest.mark.parametrize(
    ("north_km", "accuracy_m", "outside"),
    [(0, 50, False), (30, 50, False), (40, 50, True), (40, 12_000, False), (60, 2_000, True), (400, 90_000, False)],
)
def test_the_whole_circle_must_be_beyond_the_margin(north_km: float, accuracy_m: int, *, outside: bool) -> None:
    cell = h3.latlng_to_cell(*offset(*WUHAN, north_km, 0), 7)
    assert is_outside(SHAPE, cell, accuracy_m, 5_000) is outside


def test_an_unstated_accuracy_is_taken_for_a_fuzzy_one() -> None:
    shape = TerritoryShape(CELLS)
    for north_km in range(30, 60):
        cell = h3.latlng_to_cell(*offset(*WUHAN, north_km, 0), 7)
        assert is_outside(shape, cell, 0, 5_000) == is_outside(shape, cell, judging.UNSTATED_ACCURACY_M, 5_000)


def test_a_coarser_cell_is_judged_by_its_own_size() -> None:
    place = offset(*WUHAN, 46, 0)
    assert is_outside(SHAPE, h3.latlng_to_cell(*place, 7), 50, 5_000)
    assert not is_outside(SHAPE, h3.latlng_to_cell(*place, 4), 50, 5_000)


def test_very_coarse_territories_work() -> None:
    shape = TerritoryShape([h3.latlng_to_cell(*WUHAN, 2)])
    assert shape.distance_m(h3.latlng_to_cell(*WUHAN, 7)) == 0
    assert shape.distance_m(h3.latlng_to_cell(39.9, 116.4, 7)) == shape.horizon_m
    assert CellSet([]).holder_of(h3.latlng_to_cell(*WUHAN, 7)) is None


def test_what_is_no_cell_is_poison() -> None:
    with pytest.raises(PoisonError, match="cell_malformed"):
        judging.check_cell("nowhere")
    assert judging.check_cell(CELLS[0]) == CELLS[0]
