"""Diversion cases: reading them and moving them on. Called by `routes/console/diversion.py`."""

from typing import Annotated, Literal

import msgspec

from uncap.domain.diversion.cases import DiversionCase, move_case
from uncap.domain.errors import ConflictError
from uncap.services.desk import Actor, Desk
from uncap.services.list_entries import Listing, PageQuery, cursor_of, read_cursor

CaseId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-HJKMNP-TV-Z]{16}$(?!\n)", max_length=16)]
CaseState = Literal["open", "investigating", "confirmed", "dismissed"]


class CaseQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Cases in one state, or all."""

    state: CaseState | None = None


class CaseMove(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The next state and why; `version` is the case's as it was read."""

    state: CaseState
    note: Annotated[str, msgspec.Meta(min_length=3, max_length=2_000)]
    version: Annotated[int, msgspec.Meta(ge=1, lt=1 << 31)]


def list_cases(desk: Desk, query: CaseQuery) -> Listing[DiversionCase]:
    """One page, by id. Raises InputError (`cursor_malformed`)."""
    page = desk.insights.cases(state=query.state or "", limit=query.count, after=read_cursor(query.cursor, ""))
    return Listing(list(page.cases), cursor_of(page.after))


def move_diversion_case(desk: Desk, actor: Actor, case_id: str, given: CaseMove) -> DiversionCase:
    """Raises NotFoundError (`case_unknown`), ConflictError (`case_moved`, `case_transition_refused`)."""
    case = desk.insights.case(case_id)
    if case.version != given.version:
        raise ConflictError("case_moved", "someone else has just changed this case", where="version")
    moved = move_case(case, given.state, actor.login, given.note, desk.clock_ms())
    # Cases live in Insights, not in the audited tables: recorded first, so that no decision is without its entry.
    desk.audit(actor, "diversion.move", case_id, reason=given.note[:300], before=case.state, after=moved.state)
    desk.insights.update_case(moved)
    return moved
