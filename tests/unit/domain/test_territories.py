"""Shapes become cells that cover them, within bounds that keep a request quick and an item small."""

import h3  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.errors import InputError
from uncap.domain.territories import MAX_CELLS, RESOLUTION, Circle, MultiPolygon, Polygon, Position, Ring, compile_cells


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
        (Polygon((box(-179.9, 10.0, 179.9, 10.1),)), "shape_malformed"),
        (Circle(10.0, 179.9, 50_000), "shape_malformed"),
    ],
)
def test_shapes_refused(shape: Polygon | Circle, code: str) -> None:
    with pytest.raises(InputError) as refused:
        compile_cells([shape])
    assert refused.value.code == code


def test_a_degenerate_ring_still_names_its_place() -> None:
    point = Polygon((((104.0, 30.0), (104.0, 30.0), (104.0, 30.0), (104.0, 30.0)),))
    assert holds(compile_cells([point]), 30.0, 104.0)
