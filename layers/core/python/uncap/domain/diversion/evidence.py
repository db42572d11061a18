"""What speaks for diversion of one shipment to one place: distinct people and cases, bounded, and when it is enough.

Accumulated by `adapters/insights_writer.py` in the transaction that counts the scan. Pure.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping

import h3  # type: ignore[import-untyped]
import msgspec

from uncap.domain.codes import crockford
from uncap.domain.diversion.weighing import CaseCount, weigh

MAX_PEOPLE = 200
MAX_CASES = 200
MAX_CELLS = 50
MAX_DAYS = 60
MAX_GATHERINGS = 60
MAX_BATCHES = 20
GATHERING_PEOPLE = 5
"""So many people on one day in one spot may be a feast that took several cases along."""
_SPOT_RESOLUTION = 6
OVERFLOW = "other"


class DiversionRule(msgspec.Struct, frozen=True):
    """Thresholds. Floors first: never on one scan, one person or one case.

    `travel_ppm`: of a shipment's scans, how many innocents carry to any one other place in ordinary times.
    `border_ppm`: what is added to that right at the margin; it falls off by e every 10 km.
    `odds`: how many times likelier the moving of whole cases must be than innocence (`weighing.py`).
    `odds_without_top`: the same, asked again without the most telling case: a present takes a whole case along.
    """

    margin_m: int = 5_000
    min_people: int = 3
    min_cases: int = 2
    travel_ppm: int = 10_000
    border_ppm: int = 500_000
    odds: float = 100.0
    odds_without_top: float = 2.2


class Sighting(msgspec.Struct, frozen=True):
    """One consumer's scan outside the territory its goods were shipped to. `day`: in the brand's time zone."""

    shipment_id: str
    place: str
    gtin: str
    batch_no: int
    party_id: str  # the distributor whose goods these are
    region: str  # that distributor's region
    case_no: int
    person: str
    cell: str
    day: str
    at_ms: int
    shipment_cases: int = 0  # cases in the shipment, 0 if unknown
    nearness: float = 0.0  # 1 right beyond the margin, falling off by e every 8 km
    travel_ppm: int = 0  # what the brand has set for this place, 0: nothing
    unit_batch_no: int = 0  # the batch of the code that was scanned; `batch_no` is the one that was shipped


class Gathering(msgspec.Struct, frozen=True):
    """What was seen on one day around one spot: people met there for the first time, and scans by case."""

    people: int = 0
    cases: dict[int, int] = {}


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """All sightings of one shipment in one place. `people`: tag → the case of that person's first sighting.

    A tag is a digest of shipment, place and person: two pieces of evidence cannot be linked by it. Sets stop growing
    at their bounds and `capped` names those that did ("at least"); `scans` and the sums over cells and days stay exact.
    """

    shipment_id: str
    place: str
    gtin: str
    batch_no: int
    party_id: str
    region: str
    first_at_ms: int
    last_at_ms: int
    scans: int = 0
    people: dict[str, int] = {}
    cases: tuple[int, ...] = ()
    cells: dict[str, int] = {}
    days: dict[str, int] = {}
    capped: tuple[str, ...] = ()
    case_id: str = ""  # once a case is open
    case_scans: dict[int, int] = {}
    gatherings: dict[str, Gathering] = {}  # by "day|cell at resolution 6"
    shipment_cases: int = 0
    nearness: float = 0.0  # summed over scans
    travel_ppm: int = 0
    unit_batches: tuple[int, ...] = ()


class Judgement(msgspec.Struct, frozen=True):
    """What the evidence came to under a rule, in figures that people can be shown. `opens`: enough for a case.

    `odds_ln` and its siblings are natural logarithms of likelihood ratios; `travel_ppm` is the innocent share it was
    held against, `moved_ppm` the share of the shipment's cases that explains the sightings best.
    """

    opens: bool
    people: int
    cases: int
    shipment_scans: int
    odds_ln: float = 0.0
    without_top_case_ln: float = 0.0
    travel_ppm: int = 0
    moved_ppm: int = 0


def person_tag(sighting: Sighting) -> str:
    """16 Crockford characters over shipment, place and the person's keyed hash."""
    text = f"{sighting.shipment_id}|{sighting.place}|{sighting.person}"
    return crockford.digest(hashlib.sha256(text.encode()).digest(), 16)


def accumulate(evidence: Evidence | None, sighting: Sighting) -> Evidence:
    """The evidence with one more sighting."""
    one = evidence or _empty(sighting)
    capped = set(one.capped)
    people, cases, tag = one.people, one.cases, person_tag(sighting)
    if tag not in people:
        if len(people) < MAX_PEOPLE:
            people = {**people, tag: sighting.case_no}
        else:
            capped.add("people")
    if sighting.case_no not in cases:
        if len(cases) < MAX_CASES:
            cases = tuple(sorted((*cases, sighting.case_no)))
        else:
            capped.add("cases")
    is_new = tag not in one.people and tag in people
    return msgspec.structs.replace(
        one,
        first_at_ms=min(one.first_at_ms, sighting.at_ms),
        last_at_ms=max(one.last_at_ms, sighting.at_ms),
        scans=one.scans + 1,
        people=people,
        cases=cases,
        cells=_tally(one.cells, sighting.cell, MAX_CELLS),
        days=_tally(one.days, sighting.day, MAX_DAYS),
        capped=tuple(sorted(capped)),
        case_scans=_counted(one.case_scans, sighting.case_no) if sighting.case_no in cases else one.case_scans,
        gatherings=_gathered(one.gatherings, sighting, is_new=is_new),
        shipment_cases=max(one.shipment_cases, sighting.shipment_cases),
        nearness=one.nearness + sighting.nearness,
        travel_ppm=sighting.travel_ppm or one.travel_ppm,
        unit_batches=_also(one.unit_batches, sighting.unit_batch_no),
    )


def gathered(sightings: Iterable[Sighting], evidence: Evidence | None = None) -> Evidence:
    """The evidence with these sightings, all of one shipment and place. ValueError if there is nothing at all."""
    for one in sightings:
        evidence = accumulate(evidence, one)
    if evidence is None:
        raise ValueError("no sightings")
    return evidence


def may_open(evidence: Evidence, rule: DiversionRule) -> bool:
    """Are the floors reached? Only then is there anything to weigh."""
    people, cases = len(evidence.people), len(evidence.cases)
    return people >= max(2, rule.min_people) and cases >= max(2, rule.min_cases)


def judge(evidence: Evidence, shipment_scans: int, home: Mapping[int, int], rule: DiversionRule) -> Judgement:
    """Is this more than travel, presents, feasts, borders and chance explain?

    `shipment_scans`: placed consumer scans of the shipment; `home`: those inside the territory, by case, for the cases
    of the evidence at least.
    """
    people, cases = len(evidence.people), len(evidence.cases)
    scans = max(shipment_scans, evidence.scans)
    if not may_open(evidence, rule):
        return Judgement(False, people, cases, scans)
    travel = _travel_share(evidence, rule)
    voices = _voices(evidence, home)
    if not voices:  # kept before cases were weighed
        return Judgement(False, people, cases, scans)
    seen = sum(one.there + one.home for one in voices)
    heard = len(evidence.case_scans)
    others = (max(0, (evidence.shipment_cases or heard + scans - seen) - heard), max(0, scans - seen))
    top = max(voices, key=lambda one: (one.there, -one.home))
    rest = list(voices)
    rest.remove(top)
    everything, without_top = weigh(voices, *others, travel), weigh(rest, *others, travel)
    return Judgement(
        everything.odds_ln >= math.log(rule.odds) and without_top.odds_ln >= math.log(rule.odds_without_top),
        people,
        cases,
        scans,
        round(everything.odds_ln, 3),
        round(without_top.odds_ln, 3),
        round(everything.travel_share * 1e6),
        round(everything.moved_share * 1e6),
    )


def _travel_share(evidence: Evidence, rule: DiversionRule) -> float:
    """The innocent share to expect in this place, in steps of an eighth so that equal questions are asked again."""
    ordinary = (evidence.travel_ppm or max(1, rule.travel_ppm)) / 1e6
    share = ordinary + rule.border_ppm / 1e6 * evidence.nearness / max(1, evidence.scans)
    return min(0.5, math.exp(math.ceil(math.log(share) * 8) / 8))


def _voices(evidence: Evidence, home: Mapping[int, int]) -> list[CaseCount]:
    """What speaks independently: cases, and gatherings, at which all cases that were opened together speak as one.

    A case counts only if somebody opened it whom no other case accounts for: one buyer's ten cases speak once.
    """
    people = Counter(evidence.people.values())
    left = dict(evidence.case_scans)
    at_home = {case: home.get(case, 0) for case in left}
    voices = []
    for gathering in _gatherings(evidence.gatherings):
        there = away = 0
        for case, scans in gathering.cases.items():
            taken = min(scans, left.get(case, 0))
            there += taken
            left[case] = left.get(case, 0) - taken
            if taken and not left[case]:
                away += at_home.pop(case, 0)
        voices.append(CaseCount(there, away, gathering.people))
        people.subtract({case: people[case] - 1 for case in gathering.cases if people[case]})
    voices += [CaseCount(n, at_home.get(case, 0), people[case]) for case, n in left.items() if n and people[case]]
    return [one for one in voices if one.there]


def _gatherings(known: Mapping[str, Gathering]) -> list[Gathering]:
    """Days and spots where so many met that it may have been a feast; neighbouring spots of a day are one."""
    found, used = [], set[str]()
    for key in sorted(known, key=lambda one: (-known[one].people, one)):
        day, _, spot = key.partition("|")
        near = [f"{day}|{one}" for one in (h3.grid_disk(spot, 1) if h3.is_valid_cell(spot) else [spot])]
        members = [one for one in near if one in known and one not in used]
        people = sum(known[one].people for one in members)
        if key in used or people < GATHERING_PEOPLE:
            continue
        used.update(members)
        cases: Counter[int] = Counter()
        for one in members:
            cases.update(known[one].cases)
        found.append(Gathering(people, dict(cases)))
    return found


def _gathered(known: dict[str, Gathering], sighting: Sighting, *, is_new: bool) -> dict[str, Gathering]:
    key = f"{sighting.day}|{_spot(sighting.cell)}"
    before = known.get(key, Gathering())
    kept = known
    if key not in known and len(known) >= MAX_GATHERINGS:
        smallest = min(known, key=lambda one: known[one].people)
        kept = {one: gathering for one, gathering in known.items() if one != smallest}
    return {**kept, key: Gathering(before.people + is_new, _counted(before.cases, sighting.case_no))}


def _spot(cell: str) -> str:
    resolution = h3.get_resolution(cell) if h3.is_valid_cell(cell) else 0
    return str(h3.cell_to_parent(cell, _SPOT_RESOLUTION)) if resolution > _SPOT_RESOLUTION else cell


def _also(batches: tuple[int, ...], batch_no: int) -> tuple[int, ...]:
    if not batch_no or batch_no in batches or len(batches) >= MAX_BATCHES:
        return batches
    return tuple(sorted((*batches, batch_no)))


def _counted(counts: dict[int, int], key: int) -> dict[int, int]:
    return {**counts, key: counts.get(key, 0) + 1}


def _tally(counts: dict[str, int], key: str, limit: int) -> dict[str, int]:
    name = key if key in counts or len(counts) < limit else OVERFLOW
    return {**counts, name: counts.get(name, 0) + 1}


def _empty(sighting: Sighting) -> Evidence:
    return Evidence(
        shipment_id=sighting.shipment_id,
        place=sighting.place,
        gtin=sighting.gtin,
        batch_no=sighting.batch_no,
        party_id=sighting.party_id,
        region=sighting.region,
        first_at_ms=sighting.at_ms,
        last_at_ms=sighting.at_ms,
    )
