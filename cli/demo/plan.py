"""What the demo's 60 people will do, decided beforehand from a seed: 300 scans with their expected answers. Pure.

Used by `cli/demo/run.py`. The mixture is fixed, so the figures the demo must end with are known before it starts.
"""

import random
from collections.abc import Iterator, Sequence

import msgspec

PEOPLE = 60
_TOWN = PEOPLE // 2  # half of them live in each territory; nobody is in two towns within one minute
UNITS_PER_CASE, CASES = 24, 20
UNITS = UNITS_PER_CASE * CASES
SECOND_RELEASE_START = 16 * UNITS_PER_CASE  # the last four cases are activated only after the warehouse scans
SECOND_SHIPMENT_START = 10 * UNITS_PER_CASE  # cases 0–9 go to the first distributor, 10–19 to the second
REJECTED, DECOMMISSIONED = 10, 8
MIX = {
    "warehouse": 15,  # scanned before activation; the same codes are claimed afterwards
    "claim": 176,
    "diverted": 12,  # the first distributor's goods, claimed in the second's territory
    "pair": 24,  # 12 codes, two people at once
    "repeat": 33,
    "retry": 10,
    "forged": 12,
    "decommissioned": DECOMMISSIONED,
    "line_rejected": REJECTED,
}
QR_SCANS = 40


class Place(msgspec.Struct, frozen=True):
    """Where a phone says it is: WGS-84 degrees and the accuracy it claims, metres."""

    lat: float
    lng: float
    accuracy_m: int


class Visit(msgspec.Struct, frozen=True):
    """One scan. `index` < 0 means a forged serial. `repeats` is the number of the visit it retries, if any."""

    number: int
    kind: str
    index: int
    person: int
    place: Place
    by_qr: bool = False
    retries: int = -1


class Plan(msgspec.Struct, frozen=True):
    """Three waves, each to be finished before the next; `rejected` and `decommissioned` are unit indices."""

    warehouse: tuple[Visit, ...]
    market: tuple[Visit, ...]
    after: tuple[Visit, ...]
    rejected: tuple[int, ...]
    decommissioned: tuple[int, ...]

    @property
    def scans(self) -> int:
        return len(self.warehouse) + len(self.market) + len(self.after)


class Scene(msgspec.Struct, frozen=True):
    """Centres of the two territories, (lat, lng); people live within `radius_deg` of one of them."""

    first: tuple[float, float]
    second: tuple[float, float]
    radius_deg: float = 0.2


def draw_up(seed: int, scene: Scene) -> Plan:
    """The plan for this seed. The same seed gives the same plan."""
    return _Drafter(random.Random(seed), scene).plan()


class _Drafter:
    """Hands out unit indices and people, each index once."""

    def __init__(self, rng: random.Random, scene: Scene) -> None:
        self.rng = rng
        self.scene = scene
        self.number = 0
        first_release = list(range(SECOND_RELEASE_START))
        rng.shuffle(first_release)
        self.first_release = first_release
        self.second_release = rng.sample(range(SECOND_RELEASE_START, UNITS), MIX["warehouse"])

    def plan(self) -> Plan:
        diverted = self._diverted_indices()
        gone = {index // UNITS_PER_CASE for index in diverted}  # whole cases left: nobody opens their rest at home
        free = iter([index for index in self.first_release if index // UNITS_PER_CASE not in gone])
        rejected, decommissioned = _take(free, REJECTED), _take(free, DECOMMISSIONED)
        plain = self.second_release + _take(free, MIX["claim"] - MIX["warehouse"])
        paired = _take(free, MIX["pair"] // 2)
        market = [
            *(self._visit("claim", index) for index in plain),
            *(self._visit("diverted", index, away=True) for index in diverted),
            *(self._visit("forged", -1) for _ in range(MIX["forged"])),
            *(self._visit("decommissioned", index) for index in decommissioned),
            *(self._visit("line_rejected", index) for index in rejected),
        ]
        self.rng.shuffle(market)
        market = self._through_qr(market) + self._pairs(paired)
        warehouse = tuple(self._visit("warehouse", index) for index in self.second_release)
        return Plan(warehouse, tuple(market), tuple(self._after(market)), tuple(rejected), tuple(decommissioned))

    def _diverted_indices(self) -> list[int]:
        """Three bottles of each of four cases that belong to the first distributor."""
        cases = self.rng.sample(range(SECOND_SHIPMENT_START // UNITS_PER_CASE), 4)
        picked = [case * UNITS_PER_CASE + unit for case in cases for unit in self.rng.sample(range(UNITS_PER_CASE), 3)]
        return picked[: MIX["diverted"]]

    def _through_qr(self, market: list[Visit]) -> list[Visit]:
        chosen = {v.number for v in [v for v in market if v.kind == "claim"][:QR_SCANS]}
        return [msgspec.structs.replace(v, by_qr=True) if v.number in chosen else v for v in market]

    def _pairs(self, indices: Sequence[int]) -> list[Visit]:
        visits = []
        for index in indices:
            one = self._visit("pair", index)
            other = self._visit("pair", index)
            visits += [one, msgspec.structs.replace(other, person=self._neighbour(one.person))]
        return visits

    def _after(self, market: Sequence[Visit]) -> Iterator[Visit]:
        """Strangers on claimed codes, and clients that send their winning claim again."""
        claimed = [visit for visit in market if visit.kind == "claim"]
        for visit in self.rng.sample(claimed, MIX["repeat"]):
            stranger = self._neighbour(visit.person)
            yield msgspec.structs.replace(self._visit("repeat", visit.index), person=stranger, place=visit.place)
        for visit in self.rng.sample(claimed, MIX["retry"]):
            again = msgspec.structs.replace(visit, number=self.number, kind="retry", by_qr=False, retries=visit.number)
            self.number += 1
            yield again

    def _visit(self, kind: str, index: int, *, away: bool = False) -> Visit:
        """A visit in the territory the bottle belongs to; `away`: in the other one."""
        side = int((index >= SECOND_SHIPMENT_START) != away)
        spread = self.scene.radius_deg
        centre = (self.scene.first, self.scene.second)[side]
        lat, lng = (degrees + self.rng.uniform(-spread, spread) for degrees in centre)
        place = Place(round(lat, 5), round(lng, 5), self.rng.choice((15, 30, 65, 200)))
        self.number += 1
        return Visit(self.number - 1, kind, index, side * _TOWN + self.rng.randrange(_TOWN), place)

    def _neighbour(self, person: int) -> int:
        """Someone else who lives in the same town."""
        town = person // _TOWN * _TOWN
        return town + (person - town + 1 + self.rng.randrange(_TOWN - 1)) % _TOWN


def _take(source: Iterator[int], count: int) -> list[int]:
    return [next(source) for _ in range(count)]


def expected_counts() -> dict[str, int]:
    """Answers the whole plan must produce, by (outcome or reason)."""
    return {
        "first": MIX["claim"] + MIX["diverted"] + MIX["pair"] // 2,
        "retry": MIX["retry"],
        "repeat": MIX["repeat"] + MIX["pair"] // 2,
        "not_activated": MIX["warehouse"],
        "code_not_issued": MIX["forged"],
        "decommissioned": MIX["decommissioned"],
        "line_rejected": MIX["line_rejected"],
    }
