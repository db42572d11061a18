"""Labelled claims: a scenario file as values with its schema, and the people, parties and thieves drawn from it.

Used by `cli/risk/command.py`. Every field has a default; samples and the schema are in examples/risk/.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec

from cli.given_files import read_given, schema_of
from cli.risk.attempt import DAY_MS, FIRST_LEAKED, START_MS, Attempt
from cli.risk.people import (
    Buyers,
    Farm,
    Ghosts,
    Insiders,
    Outlets,
    Overdrawn,
    Package,
    Parties,
    Recyclers,
    Share,
    Waiters,
)
from cli.risk.trade import trade_claims


class RiskScenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One week."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] = "default"
    about: Annotated[str, msgspec.Meta(max_length=500)] = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 7
    units_per_case: Annotated[int, msgspec.Meta(ge=2, le=100)] = 24
    unshipped_share: Share = 0.02
    """Honest goods whose shipment nobody has uploaded."""
    buyers: Buyers = Buyers()
    parties: Annotated[tuple[Parties, ...], msgspec.Meta(max_length=20)] = (Parties(10), Parties(10, people=40))
    waiters: Waiters = Waiters(10)
    recyclers: Annotated[tuple[Recyclers, ...], msgspec.Meta(max_length=20)] = (
        Recyclers(5),
        Recyclers(5, seconds=25.0),
    )
    packages: Annotated[tuple[Package, ...], msgspec.Meta(max_length=20)] = (
        Package(600),
        Package(600, shuffled=True),
    )
    insiders: Annotated[tuple[Insiders, ...], msgspec.Meta(max_length=20)] = (
        Insiders(5, shipped=False),
        Insiders(5, own_scanner=True),
    )
    outlets: Outlets = Outlets(150, new=20)
    farms: Farm = Farm(5)
    ghosts: Ghosts = Ghosts(5)
    overdrawn: Annotated[tuple[Overdrawn, ...], msgspec.Meta(max_length=20)] = (
        Overdrawn(5),
        Overdrawn(5, cases=7, receiving=True),
    )


def load_scenario(path: Path) -> RiskScenario:
    """The scenario in a file. Raises InputError (`scenario_malformed`, `scenario_invalid`) with the field, OSError."""
    return read_given(path.read_bytes(), RiskScenario, "scenario")


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a scenario file."""
    return schema_of(RiskScenario)


def claims_of(scenario: RiskScenario, seed: int) -> list[Attempt]:
    """All claims in the order of time; the same for the same seed."""
    return sorted(Week(scenario, random.Random(seed)).claims())


class Week:
    """Everybody's doings."""

    def __init__(self, scenario: RiskScenario, rng: random.Random) -> None:
        self.scenario, self.rng = scenario, rng
        self._cases, self._people = 0, 0
        self._open: list[list[int]] = []

    def claims(self) -> Iterator[Attempt]:
        given = self.scenario
        yield from self._buyers(given.buyers)
        for party in given.parties:
            yield from self._times(party.count, lambda party=party: self._party(party))
        yield from self._times(given.waiters.count, lambda: self._waiter(given.waiters))
        for recycler in given.recyclers:
            yield from self._times(recycler.count, lambda one=recycler: self._recycler(one))
        for number, package in enumerate(given.packages):
            yield from self._package(package, FIRST_LEAKED + number)
        for insider in given.insiders:
            yield from self._times(insider.count, lambda one=insider: self._insider(one))
        yield from self._times(given.farms.count, lambda: self._farm(given.farms))
        yield from trade_claims(given.outlets, given.ghosts, given.overdrawn, self)

    def _times(self, count: int, one: Any) -> Iterator[Attempt]:
        for _ in range(count):
            yield from one()

    def _buyers(self, buyers: Buyers) -> Iterator[Attempt]:
        rng = self.rng
        for _ in range(buyers.count):
            person = self.person()
            for _ in range(rng.randint(1, 2 * buyers.purchases - 1)):
                bottles, bought_ms = self._off_the_shelf(rng.choice(buyers.bottles)), self.evening()
                shipped = rng.random() >= self.scenario.unshipped_share
                at_ms = bought_ms
                for index in bottles:
                    # A few at one dinner, the others on days to come.
                    at_ms += int(rng.uniform(8, 120) * 1000) if rng.random() < 0.6 else rng.randrange(DAY_MS)
                    yield Attempt(at_ms, index, person, "household", False, shipped)

    def _party(self, party: Parties) -> Iterator[Attempt]:
        start_ms, rng = self.evening(), self.rng
        guests = [self.person() for _ in range(party.people)]
        codes = self._whole_cases(party.bottles)
        rng.shuffle(codes)
        kind = "wedding, one phone" if party.people == 1 else "wedding, guests"
        pace = party.hours * 3_600_000 / len(codes)
        for number, index in enumerate(codes):
            at_ms = start_ms + int((number + rng.uniform(0.1, 0.9)) * pace)
            yield Attempt(at_ms, index, rng.choice(guests), kind, False)

    def _waiter(self, waiter: Waiters) -> Iterator[Attempt]:
        person, rng = self.person(), self.rng
        for day in range(self.scenario.days):
            cases = [self._case() for _ in range(waiter.open_cases)]
            codes = rng.sample([one for case in cases for one in case], min(waiter.bottles_a_day, sum(map(len, cases))))
            at_ms = START_MS + day * DAY_MS + rng.randrange(17 * 3_600_000, 20 * 3_600_000)
            for index in codes:
                at_ms += int(waiter.seconds * rng.uniform(1, 20) * 1000)
                yield Attempt(at_ms, index, person, "waiter", False)

    def _recycler(self, recycler: Recyclers) -> Iterator[Attempt]:
        person, at_ms = self.person(), self.evening()
        kind = "recycled caps, script" if recycler.seconds < 5 else "recycled caps, by hand"
        for _ in range(recycler.caps):
            at_ms += int(recycler.seconds * self.rng.uniform(0.5, 1.5) * 1000)
            yield Attempt(at_ms, self._off_the_shelf(1)[0], person, kind, True)

    def _package(self, package: Package, batch_no: int) -> Iterator[Attempt]:
        codes, at_ms = list(range(package.codes)), self.evening()
        phones = [self.person() for _ in range(package.phones)]
        if package.shuffled:
            self.rng.shuffle(codes)
        kind = "leaked package, shuffled" if package.shuffled else "leaked package, in order"
        for index in codes:
            at_ms += int(package.seconds * self.rng.uniform(0.2, 1.8) * 1000)
            yield Attempt(at_ms, index, self.rng.choice(phones), kind, True, package.shipped, batch_no=batch_no)

    def _insider(self, insider: Insiders) -> Iterator[Attempt]:
        person, at_ms, outlet = self.person(), self.evening(), ""
        if insider.own_scanner:
            outlet = f"o-{person}"
        kind = "insider, foreign goods" if outlet else "insider, unshipped"
        codes = self._whole_cases(insider.bottles)
        self.rng.shuffle(codes)
        for index in codes:
            at_ms += int(insider.seconds * self.rng.uniform(0.7, 2) * 1000)
            yield Attempt(at_ms, index, person, kind, True, insider.shipped, outlet)

    def _farm(self, farm: Farm) -> Iterator[Attempt]:
        at_ms, device = self.evening(), self.person()
        for _ in range(farm.accounts):
            person = self.person()
            for _ in range(farm.caps_each):
                at_ms += int(farm.seconds * self.rng.uniform(0.5, 1.5) * 1000)
                yield Attempt(at_ms, self._off_the_shelf(1)[0], person, "phone farm", True, device=device)

    def person(self) -> str:
        """Somebody new."""
        self._people += 1
        return f"p{self._people}"

    def evening(self) -> int:
        """A moment between ten and ten."""
        day = self.rng.randrange(self.scenario.days)
        return START_MS + day * DAY_MS + self.rng.randrange(10 * 3_600_000, 22 * 3_600_000)

    def days(self) -> int:
        """How long the week is."""
        return self.scenario.days

    def case(self) -> int:
        """A case that nobody has opened."""
        self._cases += 1
        return self._cases - 1

    def _case(self) -> list[int]:
        per_case, number = self.scenario.units_per_case, self.case()
        return list(range(number * per_case, (number + 1) * per_case))

    def _whole_cases(self, bottles: int) -> list[int]:
        codes: list[int] = []
        while len(codes) < bottles:
            codes += self._case()
        return codes[:bottles]

    def _off_the_shelf(self, bottles: int) -> list[int]:
        """Out of one of the many cases that stand open in shops."""
        while len(self._open) < 400:
            case = self._case()
            self.rng.shuffle(case)
            self._open.append(case)
        at = self.rng.randrange(len(self._open))
        taken, self._open[at] = self._open[at][:bottles], self._open[at][bottles:]
        if not self._open[at]:
            self._open.pop(at)
        return taken
