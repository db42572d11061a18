"""Places: bounds, the GCJ-02 offset and its inverse, the cell."""

import math

import h3  # type: ignore[import-untyped]
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.places import CELL_RESOLUTION, Place, cell_of, gcj02_to_wgs84, wgs84_to_gcj02

LATS, LNGS = st.floats(18, 53), st.floats(74, 134)


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(h3.great_circle_distance(a, b, unit="m"))


def test_known_offset_of_tiananmen() -> None:
    """A point published in both datums (WGS-84 39.907375, 116.391349 is GCJ-02 39.908776, 116.397588 within metres)."""
    assert metres(wgs84_to_gcj02(39.907375, 116.391349), (39.908776, 116.397588)) < 10


@settings(max_examples=200, deadline=None)
@given(LATS, LNGS)
def test_the_inverse_is_good_to_a_metre(lat: float, lng: float) -> None:
    assert metres(gcj02_to_wgs84(*wgs84_to_gcj02(lat, lng)), (lat, lng)) < 1
    assert 10 < metres(wgs84_to_gcj02(lat, lng), (lat, lng)) < 1_200


@pytest.mark.parametrize(("lat", "lng"), [(0, 0), (48.2, 16.4), (-33.9, 151.2), (90, 180), (-90, -180)])
def test_nothing_is_shifted_elsewhere(lat: float, lng: float) -> None:
    assert wgs84_to_gcj02(lat, lng) == (lat, lng) == gcj02_to_wgs84(lat, lng)


def test_a_cell_is_a_district() -> None:
    cell = cell_of(Place(31.23, 121.47, 20.0))
    assert cell == h3.latlng_to_cell(31.23, 121.47, CELL_RESOLUTION)
    assert h3.get_resolution(cell) == 7
    shifted = wgs84_to_gcj02(31.23, 121.47)
    assert cell_of(Place(*shifted, 20.0, "gcj02")) == cell


@settings(max_examples=200, deadline=None)
@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from(["wgs84", "gcj02"]))
def test_every_valid_place_has_a_cell(lat: float, lng: float, datum: str) -> None:
    place = msgspec.convert({"lat": lat, "lng": lng, "datum": datum}, Place)
    assert h3.is_valid_cell(cell_of(place))


@pytest.mark.parametrize(
    "text",
    [
        '{"lat":91,"lng":0}',
        '{"lat":0,"lng":-180.1}',
        '{"lat":"1","lng":0}',
        '{"lat":0}',
        '{"lat":0,"lng":0,"accuracy_m":-1}',
        '{"lat":0,"lng":0,"accuracy_m":100001}',
        '{"lat":0,"lng":0,"datum":"bd09"}',
        '{"lat":0,"lng":0,"altitude":3}',
        '{"lat":1e999,"lng":0}',
        '{"lat":NaN,"lng":0}',
    ],
)
def test_impossible_places_are_refused(text: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        msgspec.json.decode(text, type=Place)


def test_offsets_are_finite_everywhere() -> None:
    for lat in range(-90, 91, 15):
        for lng in range(-180, 181, 15):
            assert all(math.isfinite(value) for value in gcj02_to_wgs84(lat, lng))
