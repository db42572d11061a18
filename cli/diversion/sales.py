"""How the bottles of one labelled shipment are sold, taken along, sent on, diverted and scanned. Seeded.

Called by `cli/diversion/evaluation.py` and bench/diversion.py with a shipment of a Market; gives its scans in order of
time, each with the place where a diverted bottle truly was ("" for every other).
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import h3  # type: ignore[import-untyped]

from cli.diversion.market import START_MS, Market, Point, ShipmentLabel, moved, near
from uncap.domain.read_models import ScanFact

DAY_MS = 86_400_000
_EVENING_MS = 4 * 3_600_000
_OPENED_WITHIN_DAYS = 6.0
_UNIT_ROLE = 1


class LabelledScan(NamedTuple):
    """A scan and the truth: the place a diverted bottle was in, "" if it was not diverted."""

    fact: ScanFact
    diverted_to: str


class _Opened(NamedTuple):
    """A bottle is opened: where, when, by whom. `hidden`: the phone gives no place; `spoofed`: it claims to be home."""

    unit: int
    at: Point
    at_ms: int
    person: str
    diverted: bool = False
    hidden: bool = False
    spoofed: bool = False


def scans_of(market: Market, label: ShipmentLabel) -> list[LabelledScan]:
    """The shipment's scans, oldest first; the same every time it is asked."""
    seller = _Seller(market, label)
    opened = sorted(seller.opened(), key=lambda one: (one.at_ms, one.unit))
    return [seller.scanned(turn, one) for turn, one in enumerate(opened)]


class _Seller:
    """Decides the fate of every case, then of every purchase."""

    def __init__(self, market: Market, label: ShipmentLabel) -> None:
        self.market, self.label, self.scenario = market, label, market.scenario
        self.rng = random.Random(market.seed * 1_000_003 + label.batch_no)
        self.home = market.centres[label.distributor]
        self.shipped_ms = START_MS + self.rng.randrange(60) * DAY_MS
        self._people = 0

    def opened(self) -> Iterator[_Opened]:
        """Every bottle that is both opened and scanned."""
        label, rng = self.label, self.rng
        order = list(range(label.cases))
        rng.shuffle(order)
        whole = 0 if label.loose else label.diverted_cases
        diverted, rest = order[:whole], order[whole:]
        moved_on, rest = rest[: label.moved_cases], rest[label.moved_cases :]
        feast, rest = rest[: label.feast_cases], rest[label.feast_cases :]
        at_border = round(len(rest) * self.scenario.border.case_share) if label.border else 0
        loose = (
            set(rng.sample(range(label.units), label.diverted_cases * label.units_per_case)) if label.loose else set()
        )
        for turn, case in enumerate(diverted):
            yield from self._diverted(self._bottles(case), label.diverted_at[turn % len(label.diverted_at)])
        for case in moved_on:
            yield from self._sold(self._bottles(case), self.market.centres[label.moved_to], 8)
        if feast:
            yield from self._feast([unit for case in feast for unit in self._bottles(case)], len(feast))
        for case in rest[:at_border]:
            yield from self._border(self._bottles(case))
        for case in rest[at_border:]:
            yield from self._home([unit for unit in self._bottles(case) if unit not in loose])
        yield from self._diverted(
            [unit for unit in sorted(loose) if self._scans()], label.diverted_at[0] if loose else self.home
        )

    def scanned(self, turn: int, one: _Opened) -> LabelledScan:
        """What the phone says about it."""
        rng, phones = self.rng, self.scenario.phones
        placed = rng.random() < phones.placed_share and not one.hidden
        accuracy_m = rng.choice(phones.accuracies_m)
        error_km = phones.understated_km if rng.random() < phones.understated_share else accuracy_m / 1_000
        seen = near(rng, near(rng, self.home, 5) if one.spoofed else one.at, error_km)
        if rng.random() < phones.wrong_share:
            seen = moved(self.home, *(rng.uniform(-phones.wrong_km, phones.wrong_km) for _ in range(2)))
        fact = ScanFact(
            f"e{self.label.batch_no}.{turn}",
            one.at_ms,
            f"{self.label.batch_no}.{one.unit}.{_UNIT_ROLE}",
            "claim",
            True,
            True,
            person=f"p_{self.label.batch_no}.{one.person}",
            cell=h3.latlng_to_cell(*seen, 7) if placed else "",
            accuracy_m=accuracy_m if placed else 0,
        )
        truth = self.market.regions.place_of(h3.latlng_to_cell(*one.at, 7)) if one.diverted else ""
        return LabelledScan(fact, "" if truth == f"party:{self.label.distributor}" else truth)

    def _scans(self) -> bool:
        return self.rng.random() < self.label.scanned_share

    def _bottles(self, case: int) -> list[int]:
        """The bottles of a case that somebody will scan."""
        first = case * self.label.units_per_case
        return [unit for unit in range(first, first + self.label.units_per_case) if self._scans()]

    def _purchases(self, units: Sequence[int]) -> Iterator[tuple[list[int], list[str], int]]:
        """Bottles of one case, the household that has bought them, and when."""
        share, left = self.label.scanned_share, list(units)
        while left:
            # A purchase of six bottles of which half are scanned is three scanned bottles.
            size = sum(self.rng.random() < share for _ in range(self.rng.choice(self._sizes))) or 1
            day = self.rng.expovariate(3.0 / self.scenario.trade.sale_days)
            bought_ms = self.shipped_ms + int((1 + min(day, self.scenario.trade.sale_days)) * DAY_MS)
            yield left[:size], self._household(self.rng.randint(1, 2)), bought_ms
            left = left[size:]

    @property
    def _sizes(self) -> Sequence[int]:
        return self.scenario.trade.bottles_per_purchase

    def _household(self, size: int) -> list[str]:
        self._people += size
        return [f"{self._people - number}" for number in range(size)]

    def _used(
        self, units: Iterable[int], at: Point, people: Sequence[str], from_ms: int, days: float, diverted: bool = False
    ) -> Iterator[_Opened]:
        for unit in units:
            at_ms = from_ms + int(self.rng.uniform(0, days) * DAY_MS)
            yield _Opened(unit, at, at_ms, self.rng.choice(people), diverted)

    def _sold(self, units: Sequence[int], at: Point, spread_km: float, diverted: bool = False) -> Iterator[_Opened]:
        """Sold by shops about `at`, each purchase used at one address."""
        for bottles, people, bought_ms in self._purchases(units):
            yield from self._used(
                bottles, near(self.rng, at, spread_km), people, bought_ms, _OPENED_WITHIN_DAYS, diverted
            )

    def _diverted(self, units: Sequence[int], at: Point) -> Iterator[_Opened]:
        collusion = self.scenario.collusion
        for one in self._sold(units, at, self.scenario.diverters.spread_km, diverted=True):
            trick = self.rng.random() if self.label.colluding else 1.0
            yield one._replace(
                hidden=trick < collusion.hidden_share,
                spoofed=collusion.hidden_share <= trick < collusion.hidden_share + collusion.spoofed_share,
            )

    def _feast(self, units: Sequence[int], cases: int) -> Iterator[_Opened]:
        """One evening, one hall, ten guests a case."""
        hall = near(self.rng, self.market.elsewhere(self.rng, self.label.distributor), 10)
        guests = [self._household(1)[0] for _ in range(10 * cases)]
        evening_ms = self.shipped_ms + self.rng.randrange(5, 40) * DAY_MS
        for unit in units:
            at_ms = evening_ms + self.rng.randrange(_EVENING_MS)
            yield _Opened(unit, near(self.rng, hall, 0.2), at_ms, self.rng.choice(guests))

    def _border(self, units: Sequence[int]) -> Iterator[_Opened]:
        """Customers of a border shop live on this side, or beyond it."""
        border = self.scenario.border
        for bottles, people, bought_ms in self._purchases(units):
            across = abs(self.rng.gauss(0, border.reach_km)) * (1 if self.rng.random() < border.across_share else -1)
            at = moved(self.home, self.rng.gauss(0, 5), self.scenario.land.radius_km + across)
            yield from self._used(bottles, at, people, bought_ms, _OPENED_WITHIN_DAYS)

    def _home(self, units: Sequence[int]) -> Iterator[_Opened]:
        """A case sold in the territory, unless it is sent or carried away whole; some of its purchases travel."""
        parcels, chance = self.scenario.parcels, self.rng.random()
        if chance < parcels.case_share + parcels.gift_case_share:
            at = self._anywhere() if chance < parcels.case_share else self._journey()
            people = self._household(self.rng.randint(1, parcels.household_people))
            from_ms = self.shipped_ms + int(self.rng.uniform(1, self.scenario.trade.sale_days) * DAY_MS)
            yield from self._used(units, at, people, from_ms, parcels.use_days)
            return
        for bottles, people, bought_ms in self._purchases(units):
            yield from self._used(bottles, self._address(bought_ms), people, bought_ms, _OPENED_WITHIN_DAYS)

    def _address(self, bought_ms: int) -> Point:
        """Where an innocent purchase is used."""
        travel, chance = self.scenario.travel, self.rng.random()
        if chance < travel.share:
            return self._journey()
        if chance < travel.share + self.scenario.parcels.purchase_share:
            return self._anywhere()
        day = (bought_ms - START_MS) / DAY_MS % 90
        if self._is_festival(day) and self.rng.random() < travel.festival_share:
            return near(self.rng, self.market.festival_at[self.label.distributor], travel.spread_km)
        return near(self.rng, self.home, self.scenario.trade.spread_km)

    def _is_festival(self, day: float) -> bool:
        travel = self.scenario.travel
        return travel.festival_from_day <= day < travel.festival_from_day + travel.festival_days

    def _journey(self) -> Point:
        return near(self.rng, self.market.elsewhere(self.rng, self.label.distributor), self.scenario.travel.spread_km)

    def _anywhere(self) -> Point:
        """Online buyers live where people live: in any territory, the metropolis first, or in the country."""
        return near(self.rng, self.market.elsewhere(self.rng, self.label.distributor), 30)
