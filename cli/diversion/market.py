"""A labelled market: distributors' territories, honest and diverting shipments, and who scans their bottles where.

Everything follows from a scenario and a seed. Used by `cli/diversion/evaluation.py` and bench/diversion.py; how one
shipment's bottles are sold is in `cli/diversion/sales.py`.
"""

import math
import random
from collections.abc import Sequence
from functools import cached_property

import h3  # type: ignore[import-untyped]
import msgspec

from cli.diversion.scenario import Scenario
from uncap.domain.catalog import Territory
from uncap.domain.diversion.regions import RegionMap

Point = tuple[float, float]
"""Latitude and longitude, degrees."""
KM_PER_DEGREE = 111.2
START_MS = 1_790_000_000_000
_ORIGIN: Point = (29.0, 112.0)
_NOWHERE: Point = (41.0, 93.0)
"""A thinly settled region that is nobody's territory."""


class ShipmentLabel(msgspec.Struct, frozen=True):
    """A shipment and the truth about it. `diverted_cases` went to `diverted_at`; `moved_cases` moved with approval."""

    batch_no: int
    distributor: str
    cases: int
    units_per_case: int
    scanned_share: float
    diverted_cases: int = 0
    diverted_at: tuple[Point, ...] = ()
    loose: bool = False
    colluding: bool = False
    moved_cases: int = 0
    moved_to: str = ""
    border: bool = False
    feast_cases: int = 0

    @property
    def units(self) -> int:
        return self.cases * self.units_per_case

    @property
    def shipment_id(self) -> str:
        return f"s{self.batch_no}"


class Market:
    """The scenario's land and its labelled shipments. The same scenario and seed give the same market."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        self.seed = seed
        self._rng = random.Random(seed)
        land = scenario.land
        self.centres: dict[str, Point] = {
            f"d{row:02d}{column:02d}": moved(_ORIGIN, row * land.spacing_km, column * land.spacing_km)
            for row in range(land.rows)
            for column in range(land.columns)
        }
        self.metropolis = f"d{land.rows // 2:02d}{land.columns // 2:02d}"
        self.territories = tuple(Territory(name, name, disc(at, land.radius_km)) for name, at in self.centres.items())
        self.festival_at = {name: self.elsewhere(self._rng, name) for name in self.centres}
        names = list(self.centres)
        self._rng.shuffle(names)
        self.colluders = {name: self.elsewhere(self._rng, name) for name in names[: scenario.collusion.distributors]}
        self.labels: Sequence[ShipmentLabel] = [self._label(number) for number in range(1, scenario.shipments + 1)]

    @cached_property
    def regions(self) -> RegionMap:
        """The territories as the projector sees them."""
        return RegionMap(self.territories)

    def elsewhere(self, rng: random.Random, home: str) -> Point:
        """Where a journey leads: another territory, nearer ones likelier, or now and then a place that is nobody's."""
        if rng.random() < self.scenario.travel.nobody_share:
            return moved(_NOWHERE, rng.uniform(-300, 300), rng.uniform(-300, 300))
        names, weights = self._pulls[home]
        return self.centres[rng.choices(names, weights)[0]]

    def neighbour(self, home: str) -> Point:
        """The nearest other territory's centre."""
        others = [at for name, at in self.centres.items() if name != home]
        return min(others, key=lambda at: float(h3.great_circle_distance(self.centres[home], at, "km")))

    def _label(self, number: int) -> ShipmentLabel:
        rng, scenario = self._rng, self.scenario
        cases = rng.choice(scenario.trade.cases)
        base = ShipmentLabel(
            number,
            rng.choice(list(self.centres)),
            cases,
            scenario.trade.units_per_case,
            rng.uniform(*scenario.trade.scanned_share),
            border=rng.random() < scenario.border.shipment_share,
            feast_cases=rng.choice(scenario.feasts.cases) if rng.random() < scenario.feasts.shipment_share else 0,
        )
        diverts, transfers = rng.random() < scenario.diverters.shipment_share, rng.random()
        if base.distributor in self.colluders:
            at = (self.colluders[base.distributor],)
            count = self._count(cases, scenario.collusion.cases_share, 1)
            return msgspec.structs.replace(base, diverted_at=at, diverted_cases=count, colluding=True)
        if diverts:
            return self._diverted(base)
        if transfers < scenario.transfers.shipment_share:
            names, weights = self._pulls[base.distributor]
            count = self._count(cases, scenario.transfers.cases_share, 1)
            return msgspec.structs.replace(base, moved_cases=count, moved_to=rng.choices(names, weights)[0])
        return base

    def _diverted(self, base: ShipmentLabel) -> ShipmentLabel:
        rng, diverters = self._rng, self.scenario.diverters
        next_door = rng.random() < diverters.next_door_share
        at = [
            self.neighbour(base.distributor) if next_door else self.elsewhere(rng, base.distributor)
            for _ in range(diverters.places)
        ]
        count = self._count(base.cases, diverters.cases_share, diverters.cases_min)
        loose = rng.random() < diverters.loose_share
        return msgspec.structs.replace(base, diverted_at=tuple(at), diverted_cases=count, loose=loose)

    def _count(self, cases: int, share: tuple[float, float], least: int) -> int:
        return min(cases, max(least, round(cases * self._rng.uniform(*share))))

    @cached_property
    def _pulls(self) -> dict[str, tuple[list[str], list[float]]]:
        """From each territory: the others and how strongly they draw."""
        pulls = {}
        for home, at in self.centres.items():
            others = {name: other for name, other in self.centres.items() if name != home}
            metropolis = self.scenario.land.metropolis_pull
            weights = [
                (metropolis if name == self.metropolis else 1) / float(h3.great_circle_distance(at, other, "km"))
                for name, other in others.items()
            ]
            pulls[home] = (list(others), weights)
        return pulls


def moved(at: Point, north_km: float, east_km: float) -> Point:
    """The point so far away, on a flat earth; good enough for made-up markets."""
    return at[0] + north_km / KM_PER_DEGREE, at[1] + east_km / (KM_PER_DEGREE * math.cos(math.radians(at[0])))


def near(rng: random.Random, at: Point, sigma_km: float) -> Point:
    """A point normally distributed about another."""
    return moved(at, rng.gauss(0, sigma_km), rng.gauss(0, sigma_km))


def disc(centre: Point, radius_km: float) -> tuple[str, ...]:
    """The compacted cells within a radius."""
    rings = math.ceil(radius_km / 1.8)
    cells = h3.grid_disk(h3.latlng_to_cell(*centre, 7), rings)
    inside = [one for one in cells if h3.great_circle_distance(centre, h3.cell_to_latlng(one), "km") <= radius_km]
    return tuple(h3.compact_cells(inside))
