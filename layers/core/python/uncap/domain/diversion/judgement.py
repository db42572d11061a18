"""Is the evidence more than travel, presents, feasts, borders and chance explain? Thresholds and verdict. Pure.

Called by `adapters/insights_writer.py` for every sighting and by the command line's evaluation (docs/adr/0016).
"""

import math
from collections import Counter
from collections.abc import Mapping

import h3  # type: ignore[import-untyped]
import msgspec

from uncap.domain.diversion.evidence import Evidence, Gathering
from uncap.domain.diversion.weighing import CaseCount, weigh

GATHERING_PEOPLE = 5
"""So many people on one day in one spot may be a feast that took several cases along."""


class DiversionRule(msgspec.Struct, frozen=True):
    """Thresholds. Floors first: never on one scan, one person or one case.

    `travel_ppm`: of a shipment's scans, how many innocents carry to any one other place in ordinary times.
    `border_ppm`: what is added to that right at the margin; it falls off by e every 10 km.
    `odds`: how many times likelier the moving of whole cases must be than innocence (`weighing.py`).
    `odds_without_top`: the same, asked again without the most telling case: a present takes a whole case along.
    Without the busiest day it must at least not speak for innocence, unless the goods had just come: a feast is a day.
    """

    margin_m: int = 5_000
    min_people: int = 3
    min_cases: int = 2
    travel_ppm: int = 10_000
    border_ppm: int = 500_000
    odds: float = 100.0
    odds_without_top: float = 2.2


class Judgement(msgspec.Struct, frozen=True):
    """What the evidence came to under a rule, in figures that people can be shown. `opens`: enough for a case.

    `odds_ln` and its siblings are natural logarithms of likelihood ratios, the siblings of what is left without the
    most telling case and without the busiest day; `travel_ppm` is the innocent share it was held against, `moved_ppm`
    the share of the shipment's cases that explains the sightings best.
    """

    opens: bool
    people: int
    cases: int
    shipment_scans: int
    odds_ln: float = 0.0
    without_top_case_ln: float = 0.0
    travel_ppm: int = 0
    moved_ppm: int = 0
    without_top_day_ln: float | None = None  # None: not asked, or every day lay within days of shipping


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
    others = _others(evidence, scans, voices)
    top = max(voices, key=lambda one: (one.there, -one.home))
    rest = list(voices)
    rest.remove(top)
    everything, without_top = weigh(voices, *others, travel), weigh(rest, *others, travel)
    opens = everything.odds_ln >= math.log(rule.odds) and without_top.odds_ln >= math.log(rule.odds_without_top)
    day = _busiest_day(evidence) if opens else ""
    left = weigh(_voices(evidence, home, day), *others, travel).odds_ln if day else None
    return Judgement(
        opens and (left is None or left >= 0),
        people,
        cases,
        scans,
        round(everything.odds_ln, 3),
        round(without_top.odds_ln, 3),
        round(everything.travel_share * 1e6),
        round(everything.moved_share * 1e6),
        None if left is None else round(left, 3),
    )


def _others(evidence: Evidence, scans: int, voices: list[CaseCount]) -> tuple[int, int]:
    """Cases of the shipment that were never seen there, and their scans at home."""
    seen, heard = sum(one.there + one.home for one in voices), len(evidence.case_scans)
    shipped = sum(evidence.part_cases.values()) or evidence.shipment_cases or heard + scans - seen
    return max(0, shipped - heard), max(0, scans - seen)


def _busiest_day(evidence: Evidence) -> str:
    """The day with most scans there, "" if all were within days of shipping: goods that have just come are opened at
    once, but a feast takes goods that were in the shops."""
    scans: Counter[str] = Counter()
    for key, gathering in evidence.gatherings.items():
        scans[key.partition("|")[0]] += sum(gathering.cases.values())
    late = [day for day in scans if day not in evidence.fresh_days]
    return max(late, key=lambda day: (scans[day], day), default="")


def _travel_share(evidence: Evidence, rule: DiversionRule) -> float:
    """The innocent share to expect in this place, in steps of an eighth so that equal questions are asked again."""
    ordinary = (evidence.travel_ppm or max(1, rule.travel_ppm)) / 1e6
    share = ordinary + rule.border_ppm / 1e6 * evidence.nearness / max(1, evidence.scans)
    return min(0.5, math.exp(math.ceil(math.log(share) * 8) / 8))


def _voices(evidence: Evidence, home: Mapping[int, int], without: str = "") -> list[CaseCount]:
    """What speaks independently: cases, and gatherings, at which all cases that were opened together speak as one.

    `without`: a day whose scans are left out.

    A case counts only if somebody opened it whom no other case accounts for: one buyer's ten cases speak once.
    """
    people = Counter(evidence.people.values())
    left = dict(evidence.case_scans)
    known = evidence.gatherings
    if without:
        for case, scans in _on(without, known).items():
            left[case] = max(0, left.get(case, 0) - scans)
        known = {key: one for key, one in known.items() if not key.startswith(f"{without}|")}
    at_home = {case: home.get(case, 0) for case in left}
    voices = []
    for gathering in _gatherings(known):
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


def _on(day: str, known: Mapping[str, Gathering]) -> Counter[int]:
    found: Counter[int] = Counter()
    for key, one in known.items():
        if key.startswith(f"{day}|"):
            found.update(one.cases)
    return found


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
