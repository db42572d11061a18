"""Captured events that move goods between parties become shipments, receipts and returns, once each by their hash.

Used by `act_on_events.py`. First everything is checked against what is recorded and what the document itself says,
then each event's paper is one transaction of `store_movements.py`. Rules: docs/epcis.md, ADR 0014.
"""

from collections.abc import Sequence
from typing import NamedTuple

from uncap.adapters.flow_rows import EveryMovement
from uncap.domain.catalog import Party
from uncap.domain.epcis.faults import Fault
from uncap.domain.epcis.goods import Named, Said, said_of
from uncap.domain.errors import ConflictError, NotFoundError
from uncap.domain.movements import RECEIPT, RETURN, SHIPMENT, Finding, Movement
from uncap.services.cancel_movement import Cancellation, cancel_movement, stored_parts
from uncap.services.desk import Actor
from uncap.services.event_acts import Acting
from uncap.services.find_things import Things, not_issued
from uncap.services.goods_desk import GoodsDesk
from uncap.services.name_goods import MAX_SPANS, merged, spans_of
from uncap.services.store_movements import CLOCK_AHEAD_MS, check_movements, parts_of, store_movements

BRAND = "brand"
_RACES = 4


class Paper(NamedTuple):
    """What an event comes to: the parts of one movement, or with `denied` the end of one."""

    one: Acting
    kind: str
    movement_id: str
    parts: list[Movement]
    denied: str | None


class EventMoves:
    """The movements of one document's events."""

    def __init__(self, desk: GoodsDesk, actor: Actor, things: Things) -> None:
        self._desk = desk
        self._actor = actor
        self._things = things

    def papers(self, events: Sequence[Acting]) -> tuple[list[Paper], list[Fault]]:
        """What these events come to, in order of time, and what cannot be."""
        papers: list[Paper] = []
        faults: list[Fault] = []
        for one in events:
            said = said_of(one.event)
            if said is None:
                continue
            wrong, paper = self._read(one, said)
            faults += wrong
            if paper is not None and not wrong:
                papers.append(paper)
        return sorted(papers, key=lambda paper: paper.parts[0].at_ms), faults

    def check(self, papers: Sequence[Paper]) -> list[Fault]:
        """What contradicts earlier paper, or papers before it in the document. Nothing is written."""
        stored = EveryMovement(self._desk.flow.starting)
        faults: list[Fault] = []
        for paper in papers:
            if paper.denied is not None or self._is_recorded(paper):
                continue
            try:
                check_movements(self._desk, paper.parts, stored, refuse=paper.kind == SHIPMENT)
            except ConflictError as refused:
                faults.append(_refused(paper, refused))
            else:
                stored.expect(paper.parts)
        return faults

    def record(self, papers: Sequence[Paper]) -> tuple[list[Fault], list[Fault]]:
        """(what was refused after all, because somebody else was quicker; what does not fit and was recorded)."""
        faults: list[Fault] = []
        notes: list[Fault] = []
        for paper in papers:
            try:
                notes += [_note(paper, finding) for finding in self._record(paper)]
            except ConflictError as refused:
                faults.append(_refused(paper, refused))
        return faults, notes

    def _record(self, paper: Paper) -> Sequence[Finding]:
        if paper.denied is not None:
            return self._cancel(paper, paper.denied)
        for _ in range(_RACES):
            if self._is_recorded(paper):
                return ()
            try:
                reason = paper.parts[0].reason
                refuse = paper.kind == SHIPMENT
                return store_movements(self._desk, self._actor, paper.parts, refuse=refuse, reason=reason)
            except ConflictError as refused:
                if refused.code != "changed_meanwhile" and not refused.code.endswith("_exists"):
                    raise
        raise ConflictError("changed_meanwhile", "other papers of the same batch keep coming in; send this again")

    def _cancel(self, paper: Paper, reason: str) -> Sequence[Finding]:
        for kind in {paper.kind, RETURN} if paper.kind == SHIPMENT else {paper.kind}:
            try:
                cancel_movement(self._desk, self._actor, kind, paper.movement_id, Cancellation(f"EPCIS: {reason}"))
            except NotFoundError:
                continue  # its event never moved anything
            except ConflictError as refused:
                if refused.code != "movement_cancelled":
                    raise
        return ()

    def _is_recorded(self, paper: Paper) -> bool:
        try:
            return bool(stored_parts(self._desk, paper.kind, paper.movement_id))
        except NotFoundError:
            return False

    def _read(self, one: Acting, said: Said) -> tuple[list[Fault], Paper | None]:
        found = self._things.find(said.things)
        known = any(self._things.party(place.value) for place in (*said.givers, *said.takers))
        if not found.ours and not (found.forged and known):
            return [], None  # other people's goods: kept and told, nothing more
        giver, taker = self._first(said.givers), self._first(said.takers)
        kind = RETURN if said.kind == SHIPMENT and taker is not None and taker.role == BRAND else said.kind
        whole = _movement(kind, f"e-{one.key[:32]}", said.at_ms, giver, taker)
        if said.denied is not None:
            return [], Paper(one, kind, whole.movement_id, [whole], said.denied)
        faults = [not_issued(one.pointer, field) for field in found.forged]
        faults += _missing(one.pointer, said, kind, giver, taker)
        spans = merged(spans_of(found.ours))
        if said.at_ms > self._desk.clock_ms() + CLOCK_AHEAD_MS:
            faults.append(Fault(f"{one.pointer}/eventTime", "moved_in_the_future", "goods have moved, or move now"))
        if len(spans) > MAX_SPANS:
            words = f"at most {MAX_SPANS} runs of neighbours in one event; name their cases, or make several events"
            faults.append(Fault(f"{one.pointer}/epcList", "too_many_ranges", words))
        if faults or (kind == RECEIPT and taker is not None and taker.role == BRAND):
            return faults, None  # what the brand takes in again is at no party's
        return [], Paper(one, kind, whole.movement_id, parts_of(whole, spans), None)

    def _first(self, places: Sequence[Named]) -> Party | None:
        return next((party for place in places if (party := self._things.party(place.value))), None)


def _missing(pointer: str, said: Said, kind: str, giver: Party | None, taker: Party | None) -> list[Fault]:
    """Parties that must be known. A return without a taker goes to whom the giver stands under."""
    faults: list[Fault] = []
    stated = [place for place in said.givers if place.field.startswith("/sourceList")]
    if giver is None and kind != RECEIPT and (stated or kind == RETURN):
        faults.append(_unknown(pointer, said.givers, "/sourceList"))
    if taker is None and (said.takers or kind != RETURN):
        faults.append(_unknown(pointer, said.takers, "/destinationList"))
    return faults


def _unknown(pointer: str, places: Sequence[Named], field: str) -> Fault:
    if not places:
        return Fault(pointer + field, "party_missing", "say by a GLN which party this is")
    words = "no party has this GLN" if places[0].value else "is no GLN, so no party is known by it"
    return Fault(pointer + places[0].field, "gln_unknown", words)


def _movement(kind: str, movement_id: str, at_ms: int, giver: Party | None, taker: Party | None) -> Movement:
    from_party = giver.party_id if giver and kind != RECEIPT else ""
    to = taker.party_id if taker else giver.parent_id if giver else ""
    if kind == RETURN and taker is not None and taker.role == BRAND:
        to = ""
    reason = "returned (EPCIS)" if kind == RETURN else ""
    return Movement(kind, movement_id, 0, 0, 0, to, at_ms, from_party=from_party, source="epcis", reason=reason)


def _refused(paper: Paper, refused: ConflictError) -> Fault:
    return Fault(f"{paper.one.pointer}/epcList", refused.code, refused.message)


def _note(paper: Paper, finding: Finding) -> Fault:
    expected = f"; by earlier paper they were at {finding.expected}" if finding.expected else ""
    words = f"{finding.movement_id} was recorded, and does not fit{expected}"
    return Fault(f"{paper.one.pointer}/epcList", finding.code, words, grave=False)
