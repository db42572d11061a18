"""Diversion cases. Mounted by `table.py`."""

from uncap.domain.diversion.cases import DiversionCase
from uncap.routes.console.endpoint import Area
from uncap.services.desk import Actor, Desk
from uncap.services.list_entries import Listing
from uncap.services.review_case import CaseId, CaseMove, CaseQuery, list_cases, move_diversion_case

DIVERSION = Area("diversion")


@DIVERSION.get("/diversion/cases")
def get_cases(desk: Desk, query: CaseQuery) -> Listing[DiversionCase]:
    """Cases of goods that turned up outside their territory."""
    return list_cases(desk, query)


@DIVERSION.get("/diversion/cases/{case_id}")
def get_case(desk: Desk, case_id: CaseId) -> DiversionCase:
    """One case with its evidence and notes."""
    return desk.insights.case(case_id)


@DIVERSION.post("/diversion/cases/{case_id}")
def post_case(desk: Desk, actor: Actor, case_id: CaseId, body: CaseMove) -> DiversionCase:
    """Move a case to its next state, with a note."""
    return move_diversion_case(desk, actor, case_id, body)
