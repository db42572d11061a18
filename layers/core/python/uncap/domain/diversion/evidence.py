"""What speaks for diversion of one shipment to one place: distinct people and cases, bounded.

Accumulated by `adapters/insights_writer.py` in the transaction that counts the scan; `judgement.py` says whether it is
enough. A shipment is a paper: all its parts, whatever batches and ranges they are, speak together. Pure.
"""

import hashlib
from collections.abc import Iterable

import h3  # type: ignore[import-untyped]
import msgspec

from uncap.domain.codes import crockford

MAX_PEOPLE = 200
MAX_CASES = 200
MAX_CELLS = 50
MAX_DAYS = 60
MAX_GATHERINGS = 60
MAX_BATCHES = 20
_MAX_FRESH_DAYS = 10
_SPOT_RESOLUTION = 6
OVERFLOW = "other"
CASE_BITS = 28
"""A case's number within its batch; above it, in papers of several parts, is the batch's."""


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
    nearness: float = 0.0  # 1 right beyond the margin, falling off by e every 10 km; 0 from afar
    travel_ppm: int = 0  # what the brand has set for this place, 0: nothing
    unit_batch_no: int = 0  # the batch of the code that was scanned; `batch_no` is the one that was shipped
    part_id: str = ""  # of a paper of several parts, the one that these goods are of; `shipment_cases` is that part's
    is_fresh: bool = False  # within days of shipping


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
    part_cases: dict[str, int] = {}  # cases of the parts that were seen, by part
    fresh_days: tuple[str, ...] = ()  # days of sightings within days of shipping


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
        part_cases=_parts(one.part_cases, sighting),
        fresh_days=_fresh(one.fresh_days, sighting),
    )


def gathered(sightings: Iterable[Sighting], evidence: Evidence | None = None) -> Evidence:
    """The evidence with these sightings, all of one shipment and place. ValueError if there is nothing at all."""
    for one in sightings:
        evidence = accumulate(evidence, one)
    if evidence is None:
        raise ValueError("no sightings")
    return evidence


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


def _parts(known: dict[str, int], sighting: Sighting) -> dict[str, int]:
    if not sighting.part_id or not sighting.shipment_cases or known.get(sighting.part_id) == sighting.shipment_cases:
        return known
    return {**known, sighting.part_id: sighting.shipment_cases}  # a paper has at most 30 parts


def _fresh(days: tuple[str, ...], sighting: Sighting) -> tuple[str, ...]:
    if not sighting.is_fresh or sighting.day in days or len(days) >= _MAX_FRESH_DAYS:
        return days
    return (*days, sighting.day)


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
