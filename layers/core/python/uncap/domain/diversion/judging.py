"""Is a scan outside a territory beyond doubt? Distances between H3 cells, never coordinates.

Called by `services/check_diversion.py` for every scan that has a cell; territories come compacted from the Catalog.
"""

import math
from collections.abc import Iterable

import h3  # type: ignore[import-untyped]

from uncap.domain.errors import PoisonError

EARTH_RADIUS_M = 6_371_007.180918475  # the authalic radius H3 itself uses
UNSTATED_ACCURACY_M = 2_500  # what a client that names no accuracy is taken to be off by: WeChat's fuzzy location
BORDER_DECAY_M = 10_000
# Over the whole globe a cell's corners lie within 1.11 mean edges of its centre, and no edge is shorter than 0.70 of
# the mean; tests/unit/domain/diversion/test_judging.py holds H3 to both.
_CIRCUMRADIUS_EDGES = 1.12
_SHORTEST_EDGE = 0.70
_BUCKET_RESOLUTION = 5
_RINGS = 4
_MEMO_CELLS = 200_000

_Vector = tuple[float, float, float]


def circumradius_m(resolution: int) -> float:
    """No point of a cell of this resolution is farther than this from the cell's centre."""
    return _CIRCUMRADIUS_EDGES * _mean_edge_m(resolution)


def _covered_m(rings: int) -> float:
    """From anywhere in a bucket's cell, at least this far lies within its disk of `rings`: rows are 1.5 edges high."""
    return max(0.0, 1.5 * rings - 0.5) * _SHORTEST_EDGE * _mean_edge_m(_BUCKET_RESOLUTION)


def _mean_edge_m(resolution: int) -> float:
    return float(h3.average_hexagon_edge_length(resolution, unit="m"))


def check_cell(cell: str) -> str:
    """The cell itself. Raises PoisonError (`cell_malformed`) if it is not an H3 cell."""
    if not h3.is_valid_cell(cell):
        raise PoisonError("cell_malformed", f"not an H3 cell: {cell[:20]!r}", where="cell")
    return cell


class CellSet:
    """Compacted cells with a mixed-resolution look-up: a cell is contained if it or one of its parents is."""

    def __init__(self, cells: Iterable[str]) -> None:
        self.cells = frozenset(cells)
        self.resolutions = tuple(sorted({h3.get_resolution(cell) for cell in self.cells}, reverse=True))

    def holder_of(self, cell: str) -> str | None:
        """The cell of this set that contains `cell`'s centre, or None."""
        if not self.resolutions:
            return None
        if h3.get_resolution(cell) < self.resolutions[0]:
            cell = h3.cell_to_center_child(cell, self.resolutions[0])
        for resolution in self.resolutions:
            cell = h3.cell_to_parent(cell, resolution)
            if cell in self.cells:
                return cell
        return None


class TerritoryShape:
    """A territory's cells, ready for distance questions. Remembers its answers (bounded), so share it between batches.

    Every cell counts as the disc around it: distances come out too short rather than too long, in favour of the
    accused, by at most 0.3 of the cell's radius. Cells are kept in buckets of one coarse resolution and visited ring
    by ring.
    """

    def __init__(self, cells: Iterable[str]) -> None:
        self._set = CellSet(cells)
        self._buckets: dict[str, list[tuple[_Vector, float]]] | None = None
        self._distances: dict[str, float] = {}
        coarsest = max(min(self._set.resolutions, default=_BUCKET_RESOLUTION), _BUCKET_RESOLUTION)
        self._largest_radius_m = circumradius_m(coarsest)
        self.horizon_m = _covered_m(_RINGS) - self._largest_radius_m

    def contains(self, cell: str) -> bool:
        """Does the territory hold the centre of `cell`?"""
        return self._set.holder_of(cell) is not None

    def distance_m(self, cell: str) -> float:
        """Metres from the centre of `cell` to the territory: 0 within, never too much, at most `horizon_m`."""
        known = self._distances.get(cell)
        if known is None:
            known = 0.0 if self.contains(cell) else self._measure(cell)
            if len(self._distances) >= _MEMO_CELLS:
                self._distances.clear()
            self._distances[cell] = known
        return known

    def _measure(self, cell: str) -> float:
        if self._buckets is None:  # filled on first use: most territories are never asked about in a container's life
            self._buckets = self._fill()
        lat, lng = h3.cell_to_latlng(cell)
        x, y, z = _unit_vector(lat, lng)
        home = h3.latlng_to_cell(lat, lng, _BUCKET_RESOLUTION)
        best = self.horizon_m
        for ring in range(_RINGS + 1):
            for bucket in h3.grid_ring(home, ring):
                for (u, v, w), radius_m in self._buckets.get(bucket, ()):
                    cosine = min(1.0, x * u + y * v + z * w)
                    best = min(best, EARTH_RADIUS_M * math.acos(cosine) - radius_m)
            if best <= _covered_m(ring) - self._largest_radius_m:
                break
        return max(0.0, best)

    def _fill(self) -> dict[str, list[tuple[_Vector, float]]]:
        buckets: dict[str, list[tuple[_Vector, float]]] = {}
        for cell in self._set.cells:
            resolution = h3.get_resolution(cell)
            parts = h3.cell_to_children(cell, _BUCKET_RESOLUTION) if resolution < _BUCKET_RESOLUTION else [cell]
            radius_m = circumradius_m(max(resolution, _BUCKET_RESOLUTION))
            for part in parts:
                lat, lng = h3.cell_to_latlng(part)
                bucket = h3.latlng_to_cell(lat, lng, _BUCKET_RESOLUTION)
                buckets.setdefault(bucket, []).append((_unit_vector(lat, lng), radius_m))
        return buckets


def beyond_m(shape: TerritoryShape, cell: str, accuracy_m: int, margin_m: int) -> float:
    """How far beyond the margin the cell's centre is, if the whole circle the person may be in is; else 0.

    That circle is the claimed accuracy plus the cell's own size. A location too vague to be told apart within the
    shape's horizon is never outside; distances end at the horizon.
    """
    distance_m = shape.distance_m(cell)
    uncertainty_m = (accuracy_m or UNSTATED_ACCURACY_M) + circumradius_m(h3.get_resolution(cell))
    return distance_m - margin_m if distance_m > uncertainty_m + margin_m else 0.0


def is_outside(shape: TerritoryShape, cell: str, accuracy_m: int, margin_m: int) -> bool:
    """True if the whole circle the person may be in (accuracy plus the cell's own size) is over `margin_m` away."""
    return beyond_m(shape, cell, accuracy_m, margin_m) > 0


def nearness(beyond: float, known_to: float) -> float:
    """What a sighting so many metres beyond the margin may owe to shopping across the border: 1 there, e⁻¹ 10 km on.

    0 from `known_to` on, the farthest that distances are told apart: what is anywhere in the country owes it nothing.
    """
    return math.exp(-beyond / BORDER_DECAY_M) if beyond < known_to else 0.0


def _unit_vector(lat: float, lng: float) -> _Vector:
    phi, theta = math.radians(lat), math.radians(lng)
    return math.cos(phi) * math.cos(theta), math.cos(phi) * math.sin(theta), math.sin(phi)
