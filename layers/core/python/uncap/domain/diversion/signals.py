"""Early signals: what one case's scans say before there is a diversion case. Pure; kept by `adapters/case_watch.py`.

    case_mates_apart   bottles of one case opened by several people in two places far apart within days
    person_many_mates  one person with most of a case: a shop's own staff, or a ring that opens goods
    opened_unreceived  a case opened although no outlet was ever sent it
    before_shipment, before_activation: counted with every scan (`domain/read_models.py`)

A signal is a hint for people and never withholds anything.
"""

import hashlib
from collections import Counter
from itertools import combinations

import h3  # type: ignore[import-untyped]
import msgspec

from uncap.domain.codes import crockford

APART, MANY_MATES, UNRECEIVED = "case_mates_apart", "person_many_mates", "opened_unreceived"
KINDS = (APART, MANY_MATES, UNRECEIVED)
SPOT_RESOLUTION = 5
MAX_UNITS = 200
_DAY_MS = 86_400_000


class WatchRule(msgspec.Struct, frozen=True):
    """When a signal is raised. `apart_km` 0 and `many_mates` 0 switch theirs off."""

    apart_km: int = 200
    apart_days: int = 14
    apart_people: int = 2  # on either side
    many_mates: int = 8


class Glimpse(msgspec.Struct, frozen=True):
    """One scan of a unit of a case, by someone, perhaps somewhere. `unreceived`: see the module."""

    batch_no: int
    case_no: int
    unit: int
    person: str
    cell: str
    at_ms: int
    day: str
    gtin: str
    party_id: str = ""
    region: str = ""
    shipment_id: str = ""
    unreceived: bool = False


class UnitSeen(msgspec.Struct, frozen=True, array_like=True):
    """The first scan of a unit: a tag of the person, a coarse cell ("" without a place), and when."""

    person: str
    spot: str
    at_ms: int


class CaseFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of one case's units, and the signals raised for it so far."""

    units: dict[int, UnitSeen] = {}
    raised: tuple[str, ...] = ()


class Signal(msgspec.Struct, frozen=True):
    """A signal about one case. `figures` say how much; nobody's key is among them."""

    kind: str
    batch_no: int
    case_no: int
    gtin: str
    party_id: str
    region: str
    shipment_id: str
    day: str
    at_ms: int
    figures: dict[str, int]

    @property
    def signal_id(self) -> str:
        """The same case cannot raise the same signal twice."""
        return f"{self.kind}.{self.batch_no}.{self.case_no}"


def noted(file: CaseFile, glimpse: Glimpse) -> CaseFile:
    """The file with one more glimpse; a unit's first scan stays."""
    if not glimpse.person or glimpse.unit in file.units or len(file.units) >= MAX_UNITS:
        return file
    spot = h3.cell_to_parent(glimpse.cell, SPOT_RESOLUTION) if glimpse.cell else ""
    text = f"{glimpse.batch_no}|{glimpse.case_no}|{glimpse.person}"
    tag = crockford.digest(hashlib.sha256(text.encode()).digest(), 8)
    return msgspec.structs.replace(file, units={**file.units, glimpse.unit: UnitSeen(tag, spot, glimpse.at_ms)})


def judged(file: CaseFile, last: Glimpse, rule: WatchRule) -> tuple[CaseFile, tuple[Signal, ...]]:
    """The file with what it raises now for the first time."""
    figures: dict[str, dict[str, int]] = {}
    if apart := _apart(file, rule):
        figures[APART] = apart
    most = max(Counter(one.person for one in file.units.values()).values(), default=0)
    if 0 < rule.many_mates <= most:
        figures[MANY_MATES] = {"units": most}
    if last.unreceived:
        figures[UNRECEIVED] = {}
    new = tuple(_signal(kind, last, found) for kind, found in figures.items() if kind not in file.raised)
    if not new:
        return file, ()
    return msgspec.structs.replace(file, raised=(*file.raised, *(one.kind for one in new))), new


def _apart(file: CaseFile, rule: WatchRule) -> dict[str, int]:
    """How far, with how many people on the smaller side; empty if the case is in one piece."""
    spots: dict[str, list[UnitSeen]] = {}
    for one in file.units.values():
        if one.spot:
            spots.setdefault(one.spot, []).append(one)
    if rule.apart_km <= 0 or len(spots) < 2:
        return {}
    best: dict[str, int] = {}
    for here, there in combinations(spots, 2):
        far_km = int(h3.great_circle_distance(h3.cell_to_latlng(here), h3.cell_to_latlng(there), "km"))
        if far_km < max(rule.apart_km, best.get("km", 0)):
            continue
        sides = [_near(spot, spots, rule.apart_km // 4) for spot in (here, there)]
        people = min(len({one.person for one in side}) for side in sides)
        days = abs(min(one.at_ms for one in sides[0]) - min(one.at_ms for one in sides[1])) // _DAY_MS
        if people >= rule.apart_people and days <= rule.apart_days:
            best = {"km": far_km, "people": people}
    return best


def _near(spot: str, spots: dict[str, list[UnitSeen]], within_km: int) -> list[UnitSeen]:
    """Everything seen about a spot."""
    centre = h3.cell_to_latlng(spot)
    near = [other for other in spots if h3.great_circle_distance(centre, h3.cell_to_latlng(other), "km") <= within_km]
    return [one for other in near for one in spots[other]]


def _signal(kind: str, last: Glimpse, figures: dict[str, int]) -> Signal:
    return Signal(
        kind,
        last.batch_no,
        last.case_no,
        last.gtin,
        last.party_id,
        last.region,
        last.shipment_id,
        last.day,
        last.at_ms,
        figures,
    )
