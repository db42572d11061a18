"""Shapes become cells that cover them, within bounds that keep a request quick and an item small."""

import math
import time

import h3  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.errors import InputError
from uncap.domain.places import gcj02_to_wgs84
from uncap.domain.territories import (
    MAX_CELLS,
    RESOLUTION,
    Circle,
    Datum,
    MultiPolygon,
    Polygon,
    Position,
    Ring,
    area_km2,
    compile_cells,
    shared_cells,
    united,
)


def box(west: float, south: float, east: float, north: float) -> Ring:
    corners: tuple[Position, ...] = ((west, south), (east, south), (east, north), (west, north))
    return (*corners, corners[0])


def holds(cells: tuple[str, ...], lat: float, lng: float) -> bool:
    cell = h3.latlng_to_cell(lat, lng, RESOLUTION)
    return any(h3.cell_to_parent(cell, resolution) in set(cells) for resolution in range(RESOLUTION + 1))


@settings(max_examples=25, deadline=None)
@given(st.floats(-60, 60), st.floats(-170, 170), st.integers(1_000, 20_000))
def test_a_circle_covers_its_inside(lat: float, lng: float, radius_m: int) -> None:
    cells = compile_cells([Circle(lat, lng, radius_m)])
    assert holds(cells, lat, lng)
    for cell in h3.uncompact_cells(cells, RESOLUTION):
        reach_km = h3.great_circle_distance((lat, lng), h3.cell_to_latlng(cell))
        assert reach_km * 1000 <= radius_m + 3_500, "a cell that does not touch the circle"


def test_a_polygon_with_a_hole() -> None:
    cells = compile_cells([Polygon((box(104.0, 30.0, 104.6, 30.6), box(104.2, 30.2, 104.4, 30.4)))])
    assert holds(cells, 30.1, 104.1)
    assert not holds(cells, 30.3, 104.3)
    assert not holds(cells, 30.3, 104.7)


def test_shapes_add_up_and_the_answer_is_canonical() -> None:
    west, east = Polygon((box(104.0, 30.0, 104.2, 30.2),)), Polygon((box(106.0, 30.0, 106.2, 30.2),))
    both = compile_cells([west, east])
    assert both == compile_cells([east, west]) == compile_cells([MultiPolygon((west.coordinates, east.coordinates))])
    assert both == tuple(sorted(both))
    assert set(h3.uncompact_cells(both, RESOLUTION)) == {
        cell for one in (west, east) for cell in h3.uncompact_cells(compile_cells([one]), RESOLUTION)
    }


def test_a_province_fits_an_item() -> None:
    cells = compile_cells([Polygon((box(101.0, 27.0, 108.0, 33.0),))])
    assert len(cells) < MAX_CELLS
    assert sum(len(cell) + 3 for cell in cells) < 380_000


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        (Polygon((box(100.0, 20.0, 120.0, 40.0),)), "territory_too_large"),
        (Polygon(((*box(104.0, 30.0, 104.2, 30.2)[:-1], (1.0, 1.0)),)), "shape_malformed"),
        (Polygon((((104.0, 30.0), (104.2, 30.2), (104.2, 30.0), (104.0, 30.2), (104.0, 30.0)),)), "shape_malformed"),
        (Polygon((((104.0, 30.0), (104.1, 30.0), (104.2, 30.0), (104.0, 30.0)),)), "shape_malformed"),
        (Polygon((((104.0, 30.0),) * 4,)), "shape_malformed"),
        (Polygon((box(104.0, 30.0, 104.2, 30.2), box(106.0, 30.0, 106.1, 30.1))), "shape_malformed"),
        (Polygon((((0.0, 80.0), (120.0, 80.0), (-120.0, 80.0), (0.0, 80.0)),)), "shape_malformed"),
    ],
)
def test_shapes_refused(shape: Polygon | Circle, code: str) -> None:
    with pytest.raises(InputError) as refused:
        compile_cells([shape])
    assert refused.value.code == code


def test_a_refusal_names_shape_and_ring() -> None:
    crossed = (((104.0, 30.0), (104.2, 30.2), (104.2, 30.0), (104.0, 30.2), (104.0, 30.0)),)
    with pytest.raises(InputError, match="cross") as refused:
        compile_cells([Circle(30.0, 104.0, 1_000), MultiPolygon(((box(1, 1, 1.1, 1.1),), crossed))])
    assert refused.value.where == "shapes[1].coordinates[1][0]"


@pytest.mark.parametrize("uncut", [box(179.8, -17.2, -179.8, -16.8), box(-179.8, -17.2, -180.0, -16.8)])
def test_the_antimeridian_is_no_border(uncut: Ring) -> None:
    cells = compile_cells([Polygon((uncut,))])
    assert holds(cells, -17.0, -179.9)
    assert not holds(cells, -17.0, 0.0)
    assert not holds(cells, -17.0, -179.5)


def test_a_shape_across_the_antimeridian_is_the_sum_of_its_halves() -> None:
    whole = compile_cells([Polygon((box(179.8, -17.2, -179.8, -16.8), box(179.93, -17.1, -179.93, -16.9)))])
    assert holds(whole, -17.0, 179.86)
    assert holds(whole, -17.0, -179.86)
    assert not holds(whole, -17.0, 179.965), "the hole crosses it too"
    circle = compile_cells([Circle(-17.0, 179.95, 20_000)])
    assert holds(circle, -17.0, -179.95)
    assert holds(circle, -17.0, 179.85)


def test_chinese_maps_are_moved_to_wgs84() -> None:
    shape = Polygon((box(104.0, 30.0, 104.1, 30.1),))
    moved, plain = compile_cells([shape], "gcj02"), compile_cells([shape])
    assert moved != plain
    corner = gcj02_to_wgs84(30.05, 104.05)
    assert holds(moved, *corner)
    centre_km = h3.great_circle_distance(_middle(moved), _middle(plain))
    assert 0.2 < centre_km < 1.5
    circle = Circle(30.05, 104.05, 5_000)
    assert compile_cells([circle], "gcj02") == compile_cells([Circle(*corner, 5_000)])


def _middle(cells: tuple[str, ...]) -> tuple[float, float]:
    points = [h3.cell_to_latlng(cell) for cell in h3.uncompact_cells(cells, RESOLUTION)]
    return sum(lat for lat, _ in points) / len(points), sum(lng for _, lng in points) / len(points)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(100, 101), st.floats(30, 31)), min_size=3, max_size=9),
    st.sampled_from(["wgs84", "gcj02"]),
)
def test_any_ring_is_filled_or_refused_for_a_reason(points: list[tuple[float, float]], datum: Datum) -> None:
    ring = (*points, points[0])
    refused: InputError | None = None
    cells: tuple[str, ...] = ()
    try:
        cells = compile_cells([Polygon((ring,))], datum)
    except InputError as error:
        refused = error
    if refused:
        assert refused.code in {"shape_malformed", "territory_too_large"}
        assert refused.where.startswith("shapes")
    assert cells == tuple(sorted(cells))


def test_what_two_territories_share() -> None:
    west, east = (compile_cells([Polygon((box(w, 30.0, w + 0.5, 30.5),))]) for w in (104.0, 104.3))
    both = shared_cells(west, east)
    assert both == shared_cells(east, west) or area_km2(both) == pytest.approx(area_km2(shared_cells(east, west)))
    assert area_km2(both) == pytest.approx(0.2 / 0.5 * area_km2(west), rel=0.15)
    assert shared_cells(west, compile_cells([Polygon((box(120.0, 30.0, 120.1, 30.1),))])) == ()
    assert united([west, east]) == compile_cells([Polygon((box(104.0, 30.0, 104.8, 30.5),))])


def test_an_outline_like_a_real_border_is_checked_quickly() -> None:
    wavy = [
        (104 + math.cos(a / 700 * math.pi) * (1 + 0.02 * math.sin(a)), 30 + math.sin(a / 700 * math.pi))
        for a in range(1_400)
    ]
    begun = time.perf_counter()
    compile_cells([Polygon(((*wavy, wavy[0]),))])
    assert time.perf_counter() - begun < 5
    crossed = [*wavy[:700], wavy[690], *wavy[700:]]
    with pytest.raises(InputError, match="cross"):
        compile_cells([Polygon(((*crossed, crossed[0]),))])
