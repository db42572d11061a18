"""Diversion cases: opened once per shipment and place by the projector, decided by people in the console. Pure.

States: open → investigating → confirmed | dismissed. Nothing here touches a consumer's prize. The distributor may
object at any time; what the brand decides afterwards answers the objection. A confirmed case is reversed (dismissed)
only upon an objection that was raised since, and by someone other than who confirmed it.
"""

import hashlib
from typing import Any

import msgspec

from uncap.domain.codes import crockford
from uncap.domain.diversion.evidence import CASE_BITS, Evidence
from uncap.domain.diversion.judgement import DiversionRule, Judgement
from uncap.domain.errors import ConflictError, ForbiddenError, InputError

TRANSITIONS: dict[str, tuple[str, ...]] = {
    "open": ("investigating",),
    "investigating": ("confirmed", "dismissed"),
    "confirmed": ("dismissed",),
    "dismissed": (),
}
_NOTE_CHARACTERS = 2_000
MAX_NOTES = 200
MAX_EXHIBITS = 50
RAISED, UPHELD, REJECTED = "raised", "upheld", "rejected"


class EvidenceSummary(msgspec.Struct, frozen=True, omit_defaults=True):
    """What people are shown of the evidence: counts, cells and days, nobody's key. `capped` counts mean "at least"."""

    people: int
    cases: tuple[int, ...]
    scans: int
    cells: dict[str, int]
    days: dict[str, int]
    first_at_ms: int
    last_at_ms: int
    capped: tuple[str, ...] = ()


class CaseNote(msgspec.Struct, frozen=True):
    """Who moved the case to which state, when, and why."""

    at_ms: int
    operator: str
    state: str
    text: str


class Objection(msgspec.Struct, frozen=True):
    """What the distributor says against it, as an operator recorded it. `state`: raised | upheld | rejected."""

    at_ms: int
    party_id: str
    operator: str
    text: str
    state: str = RAISED


class Exhibit(msgspec.Struct, frozen=True):
    """A thing outside uncap that speaks for or against: an inspector's photo, a delivery note. Never the thing itself.

    `sha256` (hex) fixes what it was; `reference` says where it is kept.
    """

    at_ms: int
    operator: str
    kind: str  # photo | document | visit
    reference: str
    sha256: str = ""
    text: str = ""


class DiversionCase(msgspec.Struct, frozen=True, omit_defaults=True):
    """The path (batch → shipment → distributor → territory) against the place, the evidence, and what was decided.

    `judgement` and `rule`: what the evidence came to when the case was opened, and under which thresholds.
    """

    case_id: str
    shipment_id: str
    place: str  # "party:{id}" or "h3:{cell}"
    gtin: str
    batch_no: int
    party_id: str
    region: str
    opened_at_ms: int
    evidence: EvidenceSummary
    state: str = "open"
    notes: tuple[CaseNote, ...] = ()
    version: int = 1
    judgement: Judgement | None = None
    rule: DiversionRule | None = None
    unit_batches: tuple[int, ...] = ()
    objection: Objection | None = None
    exhibits: tuple[Exhibit, ...] = ()


def case_id_of(shipment_id: str, place: str) -> str:
    """16 Crockford characters over shipment and place: the same two cannot open a second case."""
    return crockford.digest(hashlib.sha256(f"diversion|{shipment_id}|{place}".encode()).digest(), 16)


def summarise(evidence: Evidence) -> EvidenceSummary:
    """The evidence without the people's tags."""
    return EvidenceSummary(
        people=len(evidence.people),
        cases=tuple(case & ((1 << CASE_BITS) - 1) for case in evidence.cases),
        scans=evidence.scans,
        cells=evidence.cells,
        days=evidence.days,
        first_at_ms=evidence.first_at_ms,
        last_at_ms=evidence.last_at_ms,
        capped=evidence.capped,
    )


def open_case(
    evidence: Evidence, now_ms: int, judgement: Judgement | None = None, rule: DiversionRule | None = None
) -> DiversionCase:
    """A new case on this evidence, with the judgement that opened it and the thresholds then in force."""
    return DiversionCase(
        case_id=case_id_of(evidence.shipment_id, evidence.place),
        shipment_id=evidence.shipment_id,
        place=evidence.place,
        gtin=evidence.gtin,
        batch_no=evidence.batch_no,
        party_id=evidence.party_id,
        region=evidence.region,
        opened_at_ms=now_ms,
        evidence=summarise(evidence),
        judgement=judgement,
        rule=rule,
        unit_batches=evidence.unit_batches,
    )


def move_case(case: DiversionCase, state: str, operator: str, text: str, now_ms: int) -> DiversionCase:
    """The case in its next state, with a note and the next version.

    Raises InputError (`case_state_unknown`, `case_note_missing`, `case_note_too_long`), ConflictError
    (`case_transition_refused`, `objection_missing`) and ForbiddenError (`second_person_needed`).
    """
    if state not in TRANSITIONS:
        raise InputError("case_state_unknown", f"no such state: {state[:40]!r}", where="state")
    note = CaseNote(now_ms, operator, state, _text(text))
    if state not in TRANSITIONS[case.state]:
        raise ConflictError("case_transition_refused", f"A case that is {case.state} cannot become {state}.")
    if case.state == "confirmed":
        _check_reversal(case, operator)
    answers = {"confirmed": REJECTED, "dismissed": UPHELD}
    objection = case.objection
    if objection is not None and objection.state == RAISED and state in answers:
        objection = msgspec.structs.replace(objection, state=answers[state])
    return _changed(case, note, state=state, objection=objection)


def _check_reversal(case: DiversionCase, operator: str) -> None:
    if case.objection is None or case.objection.state != RAISED:
        raise ConflictError("objection_missing", "A confirmed case is reversed only upon an objection.", where="state")
    if any(note.state == "confirmed" and note.operator == operator for note in case.notes):
        raise ForbiddenError("second_person_needed", "Someone other than who confirmed it must reverse it.")


def object_to(case: DiversionCase, party_id: str, operator: str, text: str, now_ms: int) -> DiversionCase:
    """The case with the distributor's objection; a later one replaces an earlier one, whose text stays in the notes.

    Raises InputError (`case_note_missing`, `case_note_too_long`, `not_the_accused`).
    """
    if party_id != case.party_id:
        raise InputError("not_the_accused", f"the goods were {case.party_id}'s", where="party_id")
    objection = Objection(now_ms, party_id, operator, _text(text))
    return _changed(case, CaseNote(now_ms, operator, "objection", objection.text), objection=objection)


def exhibit(case: DiversionCase, one: Exhibit) -> DiversionCase:
    """The case with one more exhibit. Raises ConflictError (`case_full`)."""
    if len(case.exhibits) >= MAX_EXHIBITS:
        raise ConflictError("case_full", f"a case has at most {MAX_EXHIBITS} exhibits")
    note = CaseNote(one.at_ms, one.operator, "exhibit", f"{one.kind}: {one.reference}")
    return _changed(case, note, exhibits=(*case.exhibits, one))


def _changed(case: DiversionCase, note: CaseNote, **changes: Any) -> DiversionCase:
    if len(case.notes) >= MAX_NOTES:
        raise ConflictError("case_full", f"a case has at most {MAX_NOTES} notes")
    return msgspec.structs.replace(case, notes=(*case.notes, note), version=case.version + 1, **changes)


def _text(text: str) -> str:
    if not text.strip():
        raise InputError("case_note_missing", "Say why in a few words.", where="note")
    if len(text) > _NOTE_CHARACTERS:
        raise InputError("case_note_too_long", f"At most {_NOTE_CHARACTERS} characters.", where="note")
    return text.strip()
