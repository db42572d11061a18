"""From shapes on a map to the H3 cells of a territory. Called by `services/set_territory.py`.

A territory is a union of polygons (GeoJSON rings, WGS84) and circles, filled at resolution 7 (cells of about 5 km²)
with every cell that overlaps the shape, then compacted. Only cells are kept; no border geometry is stored.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Annotated

import h3  # type: ignore[import-untyped]
import msgspec

from uncap.domain.errors import InputError

RESOLUTION = 7
MAX_POINTS = 5_000
MAX_AREA_KM2 = 1_500_000.0
MAX_CELLS = 15_000  # compacted; as JSON text they stay within one DynamoDB item (400 KB)
_CIRCLE_POINTS = 64
_EARTH_RADIUS_KM = 6371.0088

Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Latitude = Annotated[float, msgspec.Meta(ge=-85, le=85)]
Position = tuple[Longitude, Latitude]
"""GeoJSON order: longitude, then latitude."""
Ring = Annotated[tuple[Position, ...], msgspec.Meta(min_length=4, max_length=MAX_POINTS)]


class Polygon(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="Polygon"):
    """GeoJSON Polygon (RFC 7946): the outer ring, then holes; each ring ends where it began."""

    coordinates: Annotated[tuple[Ring, ...], msgspec.Meta(min_length=1, max_length=100)]


class MultiPolygon(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="MultiPolygon"):
    """GeoJSON MultiPolygon."""

    coordinates: Annotated[
        tuple[Annotated[tuple[Ring, ...], msgspec.Meta(min_length=1, max_length=100)], ...],
        msgspec.Meta(min_length=1, max_length=100),
    ]


class Circle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="Circle"):
    """Everything within `radius_m` of a point."""

    lat: Latitude
    lng: Longitude
    radius_m: Annotated[int, msgspec.Meta(ge=100, le=500_000)]


Shape = Polygon | MultiPolygon | Circle


def compile_cells(shapes: Sequence[Shape]) -> tuple[str, ...]:
    """The compacted cells covering all shapes, sorted.

    Raises InputError: `shape_malformed` (ring open, crosses the antimeridian, encloses nothing), `territory_too_large`.
    """
    polygons = [rings for shape in shapes for rings in _rings_of(shape)]
    if sum(len(ring) for rings in polygons for ring in rings) > MAX_POINTS:
        raise InputError("territory_too_large", f"at most {MAX_POINTS} points in all", where="shapes")
    # Checked before filling: filling a continent would take the machine's memory, not just its time.
    if sum(_box_area_km2(rings[0]) for rings in polygons) > MAX_AREA_KM2:
        raise InputError("territory_too_large", f"shapes span more than {MAX_AREA_KM2:.0f} km²", where="shapes")
    cells: set[str] = set()
    for rings in polygons:
        cells.update(_fill(rings))
    if not cells:
        raise InputError("shape_malformed", "the shapes enclose nothing", where="shapes")
    compacted = tuple(sorted(h3.compact_cells(cells)))
    if len(compacted) > MAX_CELLS:
        raise InputError("territory_too_large", f"the outline needs more than {MAX_CELLS} cells", where="shapes")
    return compacted


def _rings_of(shape: Shape) -> Iterable[tuple[Ring, ...]]:
    if isinstance(shape, Circle):
        return [(_circle_ring(shape),)]
    polygons = shape.coordinates if isinstance(shape, MultiPolygon) else (shape.coordinates,)
    for rings in polygons:
        for ring in rings:
            if ring[0] != ring[-1]:
                raise InputError("shape_malformed", "a ring ends where it began", where="shapes")
    return polygons


def _circle_ring(circle: Circle) -> Ring:
    """A regular polygon on the sphere, corners on the circle (destination point formula)."""
    distance = circle.radius_m / 1000 / _EARTH_RADIUS_KM
    lat, lng = math.radians(circle.lat), math.radians(circle.lng)
    points: list[Position] = []
    for step in range(_CIRCLE_POINTS):
        bearing = 2 * math.pi * step / _CIRCLE_POINTS
        to_lat = math.asin(math.sin(lat) * math.cos(distance) + math.cos(lat) * math.sin(distance) * math.cos(bearing))
        to_lng = lng + math.atan2(
            math.sin(bearing) * math.sin(distance) * math.cos(lat),
            math.cos(distance) - math.sin(lat) * math.sin(to_lat),
        )
        points.append((math.degrees(to_lng), math.degrees(to_lat)))
    return (*points, points[0])


def _box_area_km2(ring: Ring) -> float:
    lngs, lats = [p[0] for p in ring], [p[1] for p in ring]
    if max(lngs) - min(lngs) > 180 or max(lngs) > 180 or min(lngs) < -180:
        raise InputError("shape_malformed", "shapes across the antimeridian must be cut there", where="shapes")
    height = math.sin(math.radians(max(lats))) - math.sin(math.radians(min(lats)))
    return _EARTH_RADIUS_KM**2 * height * math.radians(max(lngs) - min(lngs))


def _fill(rings: tuple[Ring, ...]) -> Iterable[str]:
    outer, *holes = [[(lat, lng) for lng, lat in ring[:-1]] for ring in rings]
    try:
        return list(h3.h3shape_to_cells_experimental(h3.LatLngPoly(outer, *holes), RESOLUTION, "overlap"))
    except (h3.H3BaseException, ValueError) as cause:
        raise InputError("shape_malformed", "a ring cannot be filled", where="shapes") from cause
