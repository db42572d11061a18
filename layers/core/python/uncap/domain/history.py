"""A code's life as events, put together from what each part of uncap keeps. Pure.

`services/read_history.py` reads the parts; the console, the trace and `uncap code history` show the result.
"""

from collections.abc import Iterable, Sequence

import msgspec

from uncap.domain.association.history import Fact
from uncap.domain.association.ports import UnitRef
from uncap.domain.audit import Act
from uncap.domain.movements import Movement
from uncap.domain.scans import Mark, ScanImage


class HistoryEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happened to the thing itself, or to a pack it lies in (`level`, `batch_no`, `index` say which).

    `what` is an audited act ("batches.create"), a movement ("shipment"), a scan ("claimed", "scanned"), or packing by a
    file or by hand ("packed", "taken_out").
    """

    at_ms: int
    what: str
    level: str
    batch_no: int
    index: int
    who: str = ""
    detail: str = ""
    reason: str = ""


class Thing(msgspec.Struct, frozen=True):
    """One link of the chain: a unit or a pack, with what is known of its place in its batch."""

    ref: UnitRef
    level: str
    acts: Sequence[Act] = ()
    scans: Sequence[ScanImage] = ()
    packing: Sequence[Fact] = ()


def history_of(chain: Iterable[Thing], movements: Iterable[Movement]) -> list[HistoryEvent]:
    """Oldest first; acts of one moment in the order of the trail.

    No person, payee or place is in it: a history says what happened, not who drank.
    """
    events: list[HistoryEvent] = []
    levels: dict[int, Thing] = {}
    for thing in chain:
        levels.setdefault(thing.ref.batch_no, thing)
        events += [_of_act(thing, act) for act in thing.acts if act.covers(thing.ref.index)]
        events += [event for image in thing.scans for event in _of_scans(thing, image)]
        events += [_of_packing(thing, fact) for fact in thing.packing]
    events += [_of_movement(levels, one) for one in movements]
    return sorted(events, key=lambda event: event.at_ms)


def _of_act(thing: Thing, act: Act) -> HistoryEvent:
    detail = " → ".join(text for text in (act.before, act.after) if text)
    return _event(thing, act.at_ms, act.action, who=act.who, detail=detail, reason=act.reason)


def _of_scans(thing: Thing, image: ScanImage) -> list[HistoryEvent]:
    """The first mark and the last one, if that is another; the scans between are counted."""
    role = image.ref.role.name.lower()
    marks: list[Mark] = [image.first] if image.first else []
    if image.first is None or image.last.claim_id != image.first.claim_id:
        marks.append(image.last)
    counted = f"{role}, {image.count} writes in all"
    return [_event(thing, one.at_ms, _scan_kind(one), detail=counted, reason=one.reason) for one in marks]


def _scan_kind(mark: Mark) -> str:
    return {"claim": "claimed", "tombstone": "withdrawn"}.get(mark.form, "scanned")


def _of_packing(thing: Thing, fact: Fact) -> HistoryEvent:
    source = f"by {fact.origin.source}"
    if fact.parent is None:
        return _event(thing, fact.at_ms, "taken_out", detail=source)
    return _event(thing, fact.at_ms, "packed", detail=f"in {fact.parent.batch_no}.{fact.parent.index}, {source}")


def _of_movement(levels: dict[int, Thing], one: Movement) -> HistoryEvent:
    detail = f"{one.paper}: {one.from_party or '…'} → {one.party or 'the brand'}"
    thing = levels.get(one.batch_no)
    level, index = (thing.level, thing.ref.index) if thing else ("", one.start)
    what = f"{one.kind}.voided" if one.voided else one.kind
    return HistoryEvent(one.at_ms, what, level, one.batch_no, index, detail=detail, reason=one.voided or one.reason)


def _event(thing: Thing, at_ms: int, what: str, *, who: str = "", detail: str = "", reason: str = "") -> HistoryEvent:
    return HistoryEvent(at_ms, what, thing.level, thing.ref.batch_no, thing.ref.index, who, detail, reason)
