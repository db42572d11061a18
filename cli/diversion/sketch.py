"""A sketch map of H3 cells without borders or coordinates: where goods should be, and where they were scanned.

Pure geometry for `cli/diversion/paper.py`: cells to polygons in kilometres about a middle, and the box that holds them.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import h3  # type: ignore[import-untyped]

_KM_PER_DEGREE = 111.2


class Point(NamedTuple):
    """East and north of the middle, kilometres."""

    x: float
    y: float


class Hexagon(NamedTuple):
    """One cell: its corners, its centre, and how many scans it has (0: territory)."""

    corners: tuple[Point, ...]
    centre: Point
    scans: int


class Sketch(NamedTuple):
    """Everything in one frame; `radius_km`: half the side of the square that holds all of it."""

    territory: tuple[Hexagon, ...]
    seen: tuple[Hexagon, ...]
    radius_km: float


def draw_up(territory: Iterable[str], scans: Mapping[str, int]) -> Sketch:
    """Territory and sightings about the middle of both; sightings alone if the territory is empty."""
    home, away = list(territory), dict(scans)
    everything = [*home, *away]
    middle = _middle(everything)
    homes = tuple(_hexagon(cell, middle, 0) for cell in home)
    seen = tuple(_hexagon(cell, middle, n) for cell, n in sorted(away.items(), key=lambda one: one[1]))
    reach = [max(abs(point.x), abs(point.y)) for one in (*homes, *seen) for point in one.corners]
    return Sketch(homes, seen, max(reach, default=1.0) * 1.05)


def round_length_km(longest_km: float) -> float:
    """The longest of 1, 2, 5 times a power of ten that is not more: for a scale bar."""
    power = 10.0 ** math.floor(math.log10(max(longest_km, 0.001)))
    return max(step * power for step in (1, 2, 5) if step == 1 or step * power <= longest_km)


def _middle(cells: list[str]) -> tuple[float, float]:
    if not cells:
        return 0.0, 0.0
    points = [h3.cell_to_latlng(cell) for cell in cells]
    first = points[0][1]
    # Longitudes about the first one, so that a place on the antimeridian stays in one piece.
    lngs = [first + _turned(lng - first) for _, lng in points]
    lats = [lat for lat, _ in points]
    return (min(lats) + max(lats)) / 2, (min(lngs) + max(lngs)) / 2


def _hexagon(cell: str, middle: tuple[float, float], scans: int) -> Hexagon:
    corners = tuple(_point(lat, lng, middle) for lat, lng in h3.cell_to_boundary(cell))
    lat, lng = h3.cell_to_latlng(cell)
    return Hexagon(corners, _point(lat, lng, middle), scans)


def _point(lat: float, lng: float, middle: tuple[float, float]) -> Point:
    east = _turned(lng - middle[1]) * _KM_PER_DEGREE * math.cos(math.radians(middle[0]))
    return Point(east, (lat - middle[0]) * _KM_PER_DEGREE)


def _turned(degrees: float) -> float:
    return (degrees + 180.0) % 360.0 - 180.0
