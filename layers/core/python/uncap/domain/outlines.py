"""Rings of a polygon made fit to be filled: closed, without crossings, cut at the antimeridian. Pure.

Called by `domain/territories.py`. Positions are GeoJSON's: longitude, then latitude (RFC 7946). An edge takes the
shorter way round the globe, so a ring that crosses the antimeridian need not be cut beforehand.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from uncap.domain.errors import InputError

Point = tuple[float, float]
"""Longitude and latitude, degrees; longitudes may lie beyond 180 until the ring is cut."""
Rings = list[list[Point]]
"""The outer ring, then holes; none repeats its first point at the end."""

_GRID = 64
_MOST_ENTRIES = 400_000
_WINDOWS = (-360.0, 0.0, 360.0)


def fit(rings: Sequence[Sequence[Point]], where: str) -> Iterator[Rings]:
    """The polygon as one or two that can be filled.

    Raises InputError (`shape_malformed`): a ring that is open, has no area, crosses itself, goes round a pole, or lies
    outside its outer ring.
    """
    turned = [_unwrapped(_ring(ring, f"{where}[{number}]"), f"{where}[{number}]") for number, ring in enumerate(rings)]
    for number, ring in enumerate(turned):
        _check_simple(ring, f"{where}[{number}]")
    outer, *holes = turned
    beside = [_beside(hole, outer) for hole in holes]
    for number, hole in enumerate(beside, 1):
        if not _overlap(_box(hole), _box(outer)):
            raise _malformed("a hole lies outside its outer ring", f"{where}[{number}]")
    for shift in _WINDOWS:
        cut = [_window(ring, shift) for ring in (outer, *beside)]
        if len(cut[0]) > 2:
            yield [cut[0], *(hole for hole in cut[1:] if len(hole) > 2)]


def _ring(ring: Sequence[Point], where: str) -> list[Point]:
    if ring[0] != ring[-1]:
        raise _malformed("a ring ends where it began", where)
    points = [point for point, following in pairwise(ring) if point != following]
    if len(set(points)) < 3:
        raise _malformed("a ring has at least three different corners", where)
    return points


def _unwrapped(ring: list[Point], where: str) -> list[Point]:
    """Longitudes without jumps: each edge takes the shorter way."""
    points = [ring[0]]
    for lng, lat in ring[1:]:
        points.append((points[-1][0] + _shorter(lng - points[-1][0]), lat))
    if abs(_shorter(ring[0][0] - points[-1][0]) - (points[0][0] - points[-1][0])) > 1:
        raise _malformed("a ring goes round a pole", where)
    return points


def _shorter(degrees: float) -> float:
    return (degrees + 180.0) % 360.0 - 180.0


def _beside(hole: list[Point], outer: list[Point]) -> list[Point]:
    """The hole on the same turn of the globe as its outer ring."""
    turn = round((_middle(outer) - _middle(hole)) / 360.0) * 360.0
    return [(lng + turn, lat) for lng, lat in hole]


def _middle(ring: list[Point]) -> float:
    lngs = [lng for lng, _ in ring]
    return (min(lngs) + max(lngs)) / 2


def _window(ring: list[Point], shift: float) -> list[Point]:
    """The part of the ring that lies between -180 and 180 after a shift, by Sutherland and Hodgman's clipping."""
    moved = [(lng + shift, lat) for lng, lat in ring]
    for edge, side in ((-180.0, 1.0), (180.0, -1.0)):
        if all((lng - edge) * side >= 0 for lng, _ in moved):
            continue
        kept: list[Point] = []
        for (lng, lat), (to_lng, to_lat) in _edges(moved):
            inside, to_inside = (lng - edge) * side > 0, (to_lng - edge) * side > 0
            if inside:
                kept.append((lng, lat))
            if inside != to_inside:
                part = (edge - lng) / (to_lng - lng)
                kept.append((edge, lat + part * (to_lat - lat)))
        moved = kept
    return moved


def _check_simple(ring: list[Point], where: str) -> None:
    """No edge crosses another, and there is an inside. Edges are compared within the squares of a grid."""
    edges = list(_edges(ring))
    squares: dict[tuple[int, int], list[int]] = {}
    west, south, east, north = _box(ring)
    width, height = (east - west) / _GRID or 1.0, (north - south) / _GRID or 1.0
    entries = 0
    for number, (a, b) in enumerate(edges):
        columns = sorted((int((a[0] - west) / width), int((b[0] - west) / width)))
        rows = sorted((int((a[1] - south) / height), int((b[1] - south) / height)))
        entries += (columns[1] - columns[0] + 1) * (rows[1] - rows[0] + 1)
        if entries > _MOST_ENTRIES:
            raise _malformed("a ring is too tangled to check", where)
        for column in range(columns[0], columns[1] + 1):
            for row in range(rows[0], rows[1] + 1):
                squares.setdefault((column, row), []).append(number)
    for members in squares.values():
        for place, one in enumerate(members):
            for other in members[place + 1 :]:
                if _cross(*edges[one], *edges[other]):
                    raise _malformed(f"edges {one} and {other} of a ring cross", where)
    if abs(sum((a[0] - west) * (b[1] - south) - (b[0] - west) * (a[1] - south) for a, b in edges)) < 1e-12:
        raise _malformed("a ring encloses nothing", where)


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Do the segments cross in a point inside both? Touching ends are no crossing: borders meet in corners."""
    first, second = _side(a, b, c), _side(a, b, d)
    third, fourth = _side(c, d, a), _side(c, d, b)
    return first * second < 0 and third * fourth < 0


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _edges(ring: list[Point]) -> Iterable[tuple[Point, Point]]:
    return zip(ring, [*ring[1:], *ring[:1]], strict=True)


def _box(ring: list[Point]) -> tuple[float, float, float, float]:
    lngs, lats = [lng for lng, _ in ring], [lat for _, lat in ring]
    return min(lngs), min(lats), max(lngs), max(lats)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def _malformed(reason: str, where: str) -> InputError:
    return InputError("shape_malformed", reason, where=where)
