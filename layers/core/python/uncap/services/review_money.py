"""Differences between our books and the rail's, as people work them off. Called by `routes/console/books.py`.

Explaining moves nothing and takes one person; resolving names the correction that two people made. A case is never
closed by itself, nor by paying.
"""

from typing import Annotated, Literal

import msgspec

from uncap.domain.books.cases import EXPLAINED, RESOLVED, CaseLog, Step, stepped
from uncap.domain.errors import InputError, NotFoundError
from uncap.domain.rewards.reward import Case
from uncap.services.desk import Actor, Desk, Reason
from uncap.services.list_entries import Listing, PageQuery, cursor_of, read_cursor

CaseId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_:@.#-]{1,160}$(?!\n)", max_length=160)]
_DAY_MS = 86_400_000


class MoneyCaseQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Only cases in this state; a page may then hold fewer than asked although more follow."""

    state: Literal["", "open", "explained", "resolved"] = ""


class CaseStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`entry_id`: the correction that settled it, with `resolved` only."""

    state: Literal["open", "explained", "resolved"]
    reason: Reason
    entry_id: Annotated[str, msgspec.Meta(max_length=120)] = ""


class MoneyCaseView(msgspec.Struct, frozen=True):
    """`age_days`: how long it has been open; of a closed case, how long it took."""

    case_id: str
    kind: str
    state: str
    at_ms: int
    age_days: int
    reward_id: str
    bill_no: str
    detail: str
    steps: tuple[Step, ...]


def list_money_cases(desk: Desk, query: MoneyCaseQuery) -> Listing[MoneyCaseView]:
    """The latest first. Raises InputError (`cursor_malformed`)."""
    found, after = desk.money_cases.page(query.count, read_cursor(query.cursor, ""))
    views = [_view(case, log, desk.clock_ms()) for case, log in found if query.state in ("", log.state)]
    return Listing(views, cursor_of(after))


def read_money_case(desk: Desk, case_id: str) -> MoneyCaseView:
    """Raises NotFoundError (`case_unknown`)."""
    return _view(*_case(desk, case_id), desk.clock_ms())


def step_money_case(desk: Desk, actor: Actor, case_id: str, given: CaseStep) -> MoneyCaseView:
    """Raises NotFoundError (`case_unknown`, `entry_unknown`), InputError (`entry_missing`), ConflictError
    (`case_state`, `case_moved`)."""
    case, log = _case(desk, case_id)
    if (given.state == RESOLVED) != bool(given.entry_id):
        raise InputError("entry_missing", "a case is resolved by a correction, and by nothing else", where="entry_id")
    if given.entry_id and not (given.entry_id.startswith("correction-") and desk.ledger.has_entry(given.entry_id)):
        raise NotFoundError("entry_unknown", "there is no such correction", where="entry_id")
    step = Step(desk.clock_ms(), actor.login, given.state, given.reason, given.entry_id)
    kept = stepped(log, step)
    desk.audit(actor, f"books.case-{given.state}", case_id, reason=given.reason, after=given.entry_id)
    desk.money_cases.keep(kept)
    return _view(case, kept, desk.clock_ms())


def _case(desk: Desk, case_id: str) -> tuple[Case, CaseLog]:
    found = desk.money_cases.case(case_id)
    if found is None:
        raise NotFoundError("case_unknown", "there is no such case", where="case_id")
    return found


def _view(case: Case, log: CaseLog, now_ms: int) -> MoneyCaseView:
    until = log.steps[-1].at_ms if log.state in (EXPLAINED, RESOLVED) else now_ms
    return MoneyCaseView(
        case_id=case.case_id,
        kind=case.kind,
        state=log.state,
        at_ms=case.at_ms,
        age_days=max(0, until - case.at_ms) // _DAY_MS,
        reward_id=case.reward_id,
        bill_no=case.bill_no,
        detail=case.detail,
        steps=log.steps,
    )
