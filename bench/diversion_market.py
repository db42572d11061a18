"""A made-up market with labels: distributors' territories, honest and diverted shipments, and who scans them where.

Innocent scans outside a territory come from border shopping, travel, parcels, feasts that take a whole case along, and
phones that report a wrong place. Used by bench/diversion.py; everything follows from the seed.
"""

import math
import random
from collections.abc import Iterator
from functools import cached_property

import h3  # type: ignore[import-untyped]
import msgspec

from uncap.domain.catalog import Territory
from uncap.domain.diversion.regions import RegionMap
from uncap.domain.read_models import ScanFact

HOUR_MS = 3_600_000
UNITS_PER_CASE = 24
_KM_PER_DEGREE = 111.2
_GRID = (5, 4)
_SPACING_KM = 95.0  # territories of 45 km radius: neighbours almost touch
_RADIUS_KM = 45.0
_METROPOLIS, _METROPOLIS_PULL = "d22", 4.0  # one city that everybody travels to


class ShipmentLabel(msgspec.Struct, frozen=True):
    """A shipment and the truth about it. `diverted_cases` of its cases went to `diverted_at` (lat, lng)."""

    batch_no: int
    distributor: str
    cases: int
    scanned_share: float
    diverted_cases: int = 0
    diverted_at: tuple[float, float] = (0.0, 0.0)
    borderer: bool = False
    feast: bool = False

    @property
    def units(self) -> int:
        return self.cases * UNITS_PER_CASE


class Market:
    """`shipments` labelled shipments, 15 % of them diverted in part (4 % to 60 % of their cases, at least two)."""

    def __init__(self, seed: int, shipments: int) -> None:
        self._rng = random.Random(seed)
        self._seed = seed
        self.centres = {
            f"d{row}{column}": _moved((29.0, 112.0), row * _SPACING_KM, column * _SPACING_KM)
            for row in range(_GRID[0])
            for column in range(_GRID[1])
        }
        self.territories = tuple(Territory(name, name, _disc(at, _RADIUS_KM)) for name, at in self.centres.items())
        self.labels = [self._label(number) for number in range(1, shipments + 1)]

    @cached_property
    def regions(self) -> RegionMap:
        return RegionMap(self.territories)

    def scans(self, label: ShipmentLabel) -> list[ScanFact]:
        """The shipment's scans in order of time; the same every time it is asked."""
        return [fact for fact, _ in self._walk(label)]

    def true_places(self, label: ShipmentLabel) -> set[str]:
        """Where diverted bottles of the shipment really were scanned, named as a diversion case names places."""
        return {place for _, place in self._walk(label) if place}

    def _walk(self, label: ShipmentLabel) -> Iterator[tuple[ScanFact, str]]:
        """Each scan, with the true place if the bottle was diverted."""
        rng = random.Random(self._seed * 1_000_003 + label.batch_no)
        scanned = [unit for unit in range(label.units) if rng.random() < label.scanned_share]
        rng.shuffle(scanned)
        moved = set(rng.sample(range(label.cases), label.diverted_cases))
        feast = rng.choice([case for case in range(label.cases) if case not in moved]) if label.feast else -1
        feast_at = self._elsewhere(rng, label.distributor)
        for turn, unit in enumerate(scanned):
            case, place = unit // UNITS_PER_CASE, ""
            if case in moved:
                at = _near(rng, label.diverted_at, 8)
                place = self.regions.place_of(h3.latlng_to_cell(*at, 7))
            elif case == feast:
                at = _near(rng, feast_at, 1)
            else:
                at = self._place(rng, label)
            yield self._fact(rng, label, turn, unit, at), place

    def _label(self, number: int) -> ShipmentLabel:
        rng = self._rng
        distributor, cases = rng.choice(list(self.centres)), rng.choice((10, 25, 50, 50, 100))
        base = ShipmentLabel(
            number, distributor, cases, rng.uniform(0.15, 0.5), borderer=rng.random() < 0.15, feast=rng.random() < 0.05
        )
        if rng.random() >= 0.15:
            return base
        at = self._elsewhere(rng, distributor)
        return msgspec.structs.replace(
            base,
            diverted_at=at,
            diverted_cases=min(cases - 2, max(2, round(cases * rng.uniform(0.04, 0.6)))),
        )

    def _place(self, rng: random.Random, label: ShipmentLabel) -> tuple[float, float]:
        """Where an innocent bottle is scanned: 95 % at home, 3 % on a journey, 1 % sent by parcel, 1 % misplaced."""
        centre, chance = self.centres[label.distributor], rng.random()
        if chance < 0.04:
            return _near(rng, self._elsewhere(rng, label.distributor), 12)
        if chance < 0.05:
            return _moved(centre, rng.uniform(-900, 900), rng.uniform(-900, 900))
        if label.borderer and rng.random() < 0.2:  # the outlet stands at the border, its customers live on both sides
            return _moved(centre, rng.gauss(0, 3), _RADIUS_KM + rng.uniform(-8, 4))
        return _near(rng, centre, 15)

    def _elsewhere(self, rng: random.Random, distributor: str) -> tuple[float, float]:
        """Another territory, the nearer the likelier (gravity), mostly; else somewhere that is nobody's."""
        if rng.random() < 0.15:
            return _moved((40.0, 95.0), rng.uniform(-300, 300), rng.uniform(-300, 300))
        others, weights = self._pulls[distributor]
        return rng.choices(others, weights)[0]

    @cached_property
    def _pulls(self) -> dict[str, tuple[list[tuple[float, float]], list[float]]]:
        """From each territory: the other centres and how strongly they draw."""
        pulls = {}
        for home, at in self.centres.items():
            others = {name: other for name, other in self.centres.items() if name != home}
            weights = [
                (_METROPOLIS_PULL if name == _METROPOLIS else 1) / h3.great_circle_distance(at, other, "km")
                for name, other in others.items()
            ]
            pulls[home] = (list(others.values()), weights)
        return pulls

    def _fact(
        self, rng: random.Random, label: ShipmentLabel, turn: int, unit: int, at: tuple[float, float]
    ) -> ScanFact:
        """One in ten gives no place; one in six only a fuzzy one, whose error exceeds what it claims now and then."""
        placed = rng.random() < 0.9
        accuracy_m = rng.choice((30, 30, 65, 65, 200, 2_500))
        seen = _near(rng, at, accuracy_m / 1_000)
        return ScanFact(
            f"e{label.batch_no}.{turn}",
            turn * HOUR_MS,
            f"{label.batch_no}.{unit}.1",
            "claim",
            True,
            True,
            person=f"p_{label.batch_no}.{rng.randrange(max(20, label.units // 3))}",
            cell=h3.latlng_to_cell(*seen, 7) if placed else "",
            accuracy_m=accuracy_m if placed else 0,
        )


def _moved(at: tuple[float, float], north_km: float, east_km: float) -> tuple[float, float]:
    return at[0] + north_km / _KM_PER_DEGREE, at[1] + east_km / (_KM_PER_DEGREE * math.cos(math.radians(at[0])))


def _near(rng: random.Random, at: tuple[float, float], sigma_km: float) -> tuple[float, float]:
    return _moved(at, rng.gauss(0, sigma_km), rng.gauss(0, sigma_km))


def _disc(centre: tuple[float, float], radius_km: float) -> tuple[str, ...]:
    rings = math.ceil(radius_km / 1.8)
    cells = h3.grid_disk(h3.latlng_to_cell(*centre, 7), rings)
    inside = [one for one in cells if h3.great_circle_distance(centre, h3.cell_to_latlng(one), "km") <= radius_km]
    return tuple(h3.compact_cells(inside))
