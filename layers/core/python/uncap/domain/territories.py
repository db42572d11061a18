"""From shapes on a map to the H3 cells of a territory. Called by `services/set_territory.py`.

A territory is a union of polygons (GeoJSON rings) and circles, in WGS-84 or in GCJ-02 as Chinese maps are, filled at
resolution 7 (cells of about 5 km²) with every cell that overlaps the shape, then compacted. Only cells are kept; no
border geometry is stored.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import h3  # type: ignore[import-untyped]
import msgspec

from uncap.domain.diversion.judging import CellSet
from uncap.domain.errors import InputError
from uncap.domain.outlines import Rings, fit
from uncap.domain.places import gcj02_to_wgs84

RESOLUTION = 7
MAX_POINTS = 5_000
MAX_AREA_KM2 = 1_500_000.0
MAX_CELLS = 15_000  # compacted; as JSON text they stay within one DynamoDB item (400 KB)
_CIRCLE_POINTS = 64
_COARSE = 2
_EARTH_RADIUS_KM = 6371.0088

Datum = Literal["wgs84", "gcj02"]
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


def compile_cells(shapes: Sequence[Shape], datum: Datum = "wgs84") -> tuple[str, ...]:
    """The compacted cells covering all shapes, sorted.

    Raises InputError: `shape_malformed` (a ring that is open, crosses itself, encloses nothing, goes round a pole),
    `territory_too_large`; `where` names the shape and the ring.
    """
    polygons = [one for number, shape in enumerate(shapes) for one in _polygons(shape, datum, f"shapes[{number}]")]
    if sum(len(ring) for rings in polygons for ring in rings) > MAX_POINTS:
        raise InputError("territory_too_large", f"at most {MAX_POINTS} points in all", where="shapes")
    # Checked before filling: filling a continent would take the machine's memory, not just its time.
    if sum(_box_area_km2(rings) for rings in polygons) > MAX_AREA_KM2:
        raise InputError("territory_too_large", f"shapes span more than {MAX_AREA_KM2:.0f} km²", where="shapes")
    cells: set[str] = set()
    for rings in polygons:
        cells.update(_fill(rings))
    if not cells:
        raise InputError("shape_malformed", "the shapes enclose nothing", where="shapes")
    return united([cells])


def united(sets: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Several sets of cells, compacted or not, as one compacted set. Raises InputError (`territory_too_large`)."""
    cells: set[str] = set()
    for one in sets:
        cells.update(h3.uncompact_cells(list(one), RESOLUTION))
    compacted = tuple(sorted(h3.compact_cells(cells)))
    if len(compacted) > MAX_CELLS:
        raise InputError("territory_too_large", f"the outline needs more than {MAX_CELLS} cells", where="shapes")
    return compacted


def area_km2(cells: Iterable[str]) -> float:
    """The area of compacted cells."""
    return float(sum(h3.cell_area(cell, "km^2") for cell in cells))


def shared_cells(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """What two compacted sets have in common, as cells of either. Sets far apart are told apart at a glance."""
    if not _meet(_coarse(one), _coarse(other)):
        return ()
    left, right = CellSet(one), CellSet(other)
    of_left = {cell for cell in left.cells if _is_within(cell, right)}
    return tuple(sorted(of_left | {cell for cell in right.cells if cell not in left.cells and _is_within(cell, left)}))


def _coarse(cells: Iterable[str]) -> CellSet:
    found = {h3.cell_to_parent(cell, min(h3.get_resolution(cell), _COARSE)) for cell in cells}
    return CellSet(found)


def _meet(one: CellSet, other: CellSet) -> bool:
    return any(other.holder_of(cell) for cell in one.cells) or any(one.holder_of(cell) for cell in other.cells)


def _is_within(cell: str, whole: CellSet) -> bool:
    """Does one cell of the set hold all of this one? The holder of a coarse cell's centre may be finer than it."""
    holder = whole.holder_of(cell)
    return holder is not None and h3.get_resolution(holder) <= h3.get_resolution(cell)


def _polygons(shape: Shape, datum: Datum, where: str) -> Iterable[Rings]:
    if isinstance(shape, Circle):
        lat, lng = gcj02_to_wgs84(shape.lat, shape.lng) if datum == "gcj02" else (shape.lat, shape.lng)
        yield from fit([_circle_ring(Circle(lat, lng, shape.radius_m))], where)
        return
    several = isinstance(shape, MultiPolygon)
    for number, rings in enumerate(shape.coordinates if isinstance(shape, MultiPolygon) else (shape.coordinates,)):
        place = f"{where}.coordinates[{number}]" if several else f"{where}.coordinates"
        yield from fit([_true(ring) for ring in rings] if datum == "gcj02" else rings, place)


def _true(ring: Ring) -> Ring:
    """A ring of a Chinese map in WGS-84."""
    moved = [gcj02_to_wgs84(lat, lng) for lng, lat in ring]
    return tuple((lng, lat) for lat, lng in moved)


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


def _box_area_km2(rings: Rings) -> float:
    lngs, lats = [p[0] for p in rings[0]], [p[1] for p in rings[0]]
    height = math.sin(math.radians(max(lats))) - math.sin(math.radians(min(lats)))
    return _EARTH_RADIUS_KM**2 * height * math.radians(max(lngs) - min(lngs))


def _fill(rings: Rings) -> Iterable[str]:
    outer, *holes = [[(lat, lng) for lng, lat in ring] for ring in rings]
    try:
        return list(h3.h3shape_to_cells_experimental(h3.LatLngPoly(outer, *holes), RESOLUTION, "overlap"))
    except (h3.H3BaseException, ValueError) as cause:
        raise InputError("shape_malformed", "a ring cannot be filled", where="shapes") from cause
