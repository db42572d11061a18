"""What speaks for diversion of one shipment to one place: distinct people and cases, bounded, and when it is enough.

Accumulated by `adapters/insights_writer.py` in the transaction that counts the scan. Pure.
"""

import hashlib
import math
from collections import Counter

import msgspec

from uncap.domain.codes import crockford

MAX_PEOPLE = 100
MAX_CASES = 100
MAX_CELLS = 50
MAX_DAYS = 60
OVERFLOW = "other"


class DiversionRule(msgspec.Struct, frozen=True):
    """Thresholds. `travel_ppm`: of a shipment's scans, how many innocents carry to any one other place.

    The floors alone accuse half of all honest shipments in the labelled market, because a large shipment always has
    three travellers in the same city; with the defaults it is 1 in 300 (`make bench ONLY=diversion_check`).
    `false_rate`: how improbable the sightings must be under travel alone. `feast_rate`: the same, asked again without
    the most-seen case, because a feast or a present takes one whole case along.
    """

    margin_m: int = 5_000
    min_people: int = 3
    min_cases: int = 2
    travel_ppm: int = 10_000
    false_rate: float = 0.001
    feast_rate: float = 0.05


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
    )


def suffices(evidence: Evidence, shipment_scans: int, rule: DiversionRule) -> bool:
    """Is this more than travel, presents and chance explain? `shipment_scans`: placed consumer scans of the shipment.

    Never on one scan, one person or one case: distinct people and cases reach the floors, and a Poisson count of
    travellers with mean travel_ppm × shipment_scans would reach as many people with probability `false_rate` at most,
    and those outside the most-seen case with `feast_rate` at most.
    """
    people, cases = len(evidence.people), len(evidence.cases)
    if people < max(2, rule.min_people) or cases < max(2, rule.min_cases):
        return False
    travellers = rule.travel_ppm * max(shipment_scans, evidence.scans) / 1e6
    beyond_top_case = people - max(Counter(evidence.people.values()).values())
    return (
        _poisson_tail(people, travellers) <= rule.false_rate
        and _poisson_tail(beyond_top_case, travellers) <= rule.feast_rate
    )


def _poisson_tail(count: int, mean: float) -> float:
    """P(X ≥ count) for a Poisson variable with this mean."""
    term = below = math.exp(-mean)
    if count <= 0:
        return 1.0
    for k in range(1, count):
        term *= mean / k
        below += term
    return max(0.0, 1.0 - below)


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
