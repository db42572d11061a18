"""Diversion cases: reading them, moving them on, objections, exhibits. Called by `routes/console/diversion.py`.

A move and what it does to money are one story: the holds that `services/stop_money.py` obeys and a confirmed case's cut
of the yearly coefficient are committed with the audit entry, then the case itself. Repeated after a crash it goes on.
A confirmed case that is reversed upon an objection has its cut lifted; the next month's end gives back what it took.
"""

from typing import Annotated, Literal

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.adapters.coefficients import coefficient_key, coefficient_of
from uncap.adapters.papers import parts_of_paper
from uncap.domain.alerts import CASE_MOVED, of_case
from uncap.domain.diversion.cases import DiversionCase, Exhibit, exhibit, move_case, object_to
from uncap.domain.diversion.holds import DiversionHold
from uncap.domain.diversion.penalties import Coefficient, Cut, lifted, lowered, year_of
from uncap.domain.errors import ConflictError
from uncap.services.desk import Actor, Desk, Id, catalog_write, draft
from uncap.services.list_entries import Listing, PageQuery, cursor_of, read_cursor

CaseId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-HJKMNP-TV-Z]{16}$(?!\n)", max_length=16)]
CaseState = Literal["open", "investigating", "confirmed", "dismissed"]
Version = Annotated[int, msgspec.Meta(ge=1, lt=1 << 31)]
Note = Annotated[str, msgspec.Meta(min_length=3, max_length=2_000)]
DEFAULT_CUT_PPM = 50_000
"""What one confirmed case takes off the yearly coefficient unless the decision says otherwise: five in a hundred."""


class CaseQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Cases in one state, or all."""

    state: CaseState | None = None


class CaseMove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The next state and why; `version` is the case's as it was read. `cut_ppm`: off the coefficient if confirmed."""

    state: CaseState
    note: Note
    version: Version
    cut_ppm: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = DEFAULT_CUT_PPM


class NewObjection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the distributor says against the case."""

    party_id: Id
    text: Note
    version: Version


class NewExhibit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a photo or paper is kept, and its SHA-256."""

    kind: Literal["photo", "document", "visit"]
    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    version: Version
    sha256: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$(?!\n)", max_length=64)] = ""
    text: Annotated[str, msgspec.Meta(max_length=500)] = ""


class CoefficientQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which year's."""

    year: Annotated[int, msgspec.Meta(ge=2020, le=2100)]


def list_cases(desk: Desk, query: CaseQuery) -> Listing[DiversionCase]:
    """One page, by id. Raises InputError (`cursor_malformed`)."""
    page = desk.insights.cases(state=query.state or "", limit=query.count, after=read_cursor(query.cursor, ""))
    return Listing(list(page.cases), cursor_of(page.after))


def move_diversion_case(desk: Desk, actor: Actor, case_id: str, given: CaseMove) -> DiversionCase:
    """Raises NotFoundError (`case_unknown`), ConflictError (`case_moved`, `case_full`) and as `move_case`."""
    case = _read(desk, case_id, given.version)
    moved = move_case(case, given.state, actor.login, given.note, desk.clock_ms())
    writes = _hold_writes(desk, case, moved)
    if writes is not None:
        if moved.state == "confirmed" or case.state == "confirmed":
            writes += _cut_writes(desk, actor, moved, given)
        entry = draft(actor, "diversion.move", case_id, reason=given.note[:300], before=case.state, after=moved.state)
        desk.writes.commit(writes, entry)
    desk.alerts.outbox.put(of_case(moved, CASE_MOVED, desk.clock_ms()))
    desk.insights.update_case(moved)
    return moved


def object_to_case(desk: Desk, actor: Actor, case_id: str, given: NewObjection) -> DiversionCase:
    """Raises NotFoundError (`case_unknown`), InputError (`not_the_accused`), ConflictError (`case_moved`)."""
    case = _read(desk, case_id, given.version)
    changed = object_to(case, given.party_id, actor.login, given.text, desk.clock_ms())
    desk.audit(actor, "diversion.object", case_id, reason=given.text[:300], before=case.state)
    desk.insights.update_case(changed)
    return changed


def add_exhibit(desk: Desk, actor: Actor, case_id: str, given: NewExhibit) -> DiversionCase:
    """Raises NotFoundError (`case_unknown`), ConflictError (`case_moved`, `case_full`)."""
    case = _read(desk, case_id, given.version)
    one = Exhibit(desk.clock_ms(), actor.login, given.kind, given.reference, given.sha256, given.text)
    changed = exhibit(case, one)
    desk.audit(actor, "diversion.exhibit", case_id, after=f"{given.kind} {given.sha256[:16]}".strip())
    desk.insights.update_case(changed)
    return changed


def read_coefficient(desk: Desk, party_id: str, year: int) -> Coefficient:
    """The party's coefficient of a year; full where nothing happened. Raises NotFoundError (`party_unknown`)."""
    desk.party(party_id)
    return coefficient_of(desk.parties, party_id, year)


def _read(desk: Desk, case_id: str, version: int) -> DiversionCase:
    case = desk.insights.case(case_id)
    if case.version != version:
        raise ConflictError("case_moved", "someone else has just changed this case", where="version")
    return case


def _hold_writes(desk: Desk, case: DiversionCase, moved: DiversionCase) -> list[DocWrite] | None:
    """The holds in their next state, of all parts of the paper, one per batch of units; None if this move was recorded.

    A crash may have fallen between holds and case. Then only the same move goes on; another is refused.
    """
    parts = parts_of_paper(desk.flow, case.shipment_id)
    if not parts:
        return []
    first, *more = [(one.batch_no, one.start, one.stop) for one in parts]
    writes = []
    batches = set(case.unit_batches or (case.batch_no,)) | {one.batch_no for one in parts if more}
    for batch_no in sorted(batches):
        pk, sk = f"batch#{batch_no}", f"diversion#{case.case_id}"
        stored = desk.catalog_docs.value(pk, sk, DiversionHold)
        if stored is not None and stored.state == moved.state:
            return None
        if (stored.state if stored else "open") != case.state and stored is not None:
            raise ConflictError("case_moved", f"a move to {stored.state} was begun; repeat that one", where="state")
        version = stored.version + 1 if stored else 1
        hold = DiversionHold(case.case_id, case.shipment_id, *first, moved.state, version, tuple(more))
        writes.append(catalog_write(pk, sk, doc_of(hold), version, "case_moved"))
    return writes


def _cut_writes(desk: Desk, actor: Actor, case: DiversionCase, given: CaseMove) -> list[DocWrite]:
    """The coefficient of the year of the last sighting, cut by a confirmation or restored by its reversal."""
    last_seen = max((day for day in case.evidence.days if day[:1].isdecimal()), default="")
    before = coefficient_of(desk.parties, case.party_id, year_of(last_seen))
    if case.state == "confirmed":
        cut = Cut(desk.clock_ms(), actor.login, case.case_id, given.cut_ppm, given.note)
        after = lowered(before, cut) if given.cut_ppm else before
    else:
        after = lifted(before, case.case_id, actor.login, desk.clock_ms())
    if after is before:
        return []
    key = coefficient_key(case.party_id, after.year)
    return [DocWrite("parties", *key, doc_of(after), after.version, "changed_meanwhile")]
