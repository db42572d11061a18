"""Diversion cases, what they rest on, and what is allowed beforehand. Mounted by `table.py`."""

from uncap.domain.alerts import AlertRoute
from uncap.domain.diversion.allowances import ApprovedTransfer, ExpectedTravel
from uncap.domain.diversion.cases import DiversionCase
from uncap.domain.diversion.penalties import Coefficient
from uncap.routes.console.endpoint import Area
from uncap.services.allow_transfer import (
    NewTransfer,
    NewTravel,
    Revocation,
    approve_transfer,
    expect_travel,
    list_transfers,
    list_travel,
    revoke_transfer,
)
from uncap.services.desk import Actor, Desk, Id
from uncap.services.list_entries import Listing, PageQuery
from uncap.services.review_case import (
    CaseId,
    CaseMove,
    CaseQuery,
    CoefficientQuery,
    NewExhibit,
    NewObjection,
    add_exhibit,
    list_cases,
    move_diversion_case,
    object_to_case,
    read_coefficient,
)
from uncap.services.route_alerts import NewRoute, SetRoute, list_routes, set_route
from uncap.services.show_evidence import EvidencePack, evidence_pack

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


@DIVERSION.get("/diversion/cases/{case_id}/evidence")
def get_evidence(desk: Desk, case_id: CaseId) -> EvidencePack:
    """All that the case rests on, with a hash; no person and no coordinate is in it."""
    return evidence_pack(desk, case_id)


@DIVERSION.post("/diversion/cases/{case_id}/objection")
def post_objection(desk: Desk, actor: Actor, case_id: CaseId, body: NewObjection) -> DiversionCase:
    """Record what the distributor says against the case."""
    return object_to_case(desk, actor, case_id, body)


@DIVERSION.post("/diversion/cases/{case_id}/exhibits")
def post_exhibit(desk: Desk, actor: Actor, case_id: CaseId, body: NewExhibit) -> DiversionCase:
    """Add where an inspector's photo or a paper is kept, with its hash."""
    return add_exhibit(desk, actor, case_id, body)


@DIVERSION.post("/diversion/transfers", status=201)
def post_transfer(desk: Desk, actor: Actor, body: NewTransfer) -> ApprovedTransfer:
    """Approve beforehand that goods of a party are sold elsewhere for a time."""
    return approve_transfer(desk, actor, body)


@DIVERSION.get("/diversion/transfers")
def get_transfers(desk: Desk, query: PageQuery) -> Listing[ApprovedTransfer]:
    """Approved transfers, ended ones included."""
    return list_transfers(desk, query)


@DIVERSION.post("/diversion/transfers/{approval_id}/revoke")
def post_revocation(desk: Desk, actor: Actor, approval_id: Id, body: Revocation) -> ApprovedTransfer:
    """End an approval now."""
    return revoke_transfer(desk, actor, approval_id, body)


@DIVERSION.post("/diversion/travel", status=201)
def post_travel(desk: Desk, actor: Actor, body: NewTravel) -> ExpectedTravel:
    """Say how much travel is expected in a place for a time: a festival, a fair."""
    return expect_travel(desk, actor, body)


@DIVERSION.get("/diversion/travel")
def get_travel(desk: Desk, query: PageQuery) -> Listing[ExpectedTravel]:
    """Expected travel."""
    return list_travel(desk, query)


@DIVERSION.get("/diversion/coefficients/{party_id}")
def get_coefficient(desk: Desk, party_id: Id, query: CoefficientQuery) -> Coefficient:
    """A party's coefficient of a year, and the cases that lowered it."""
    return read_coefficient(desk, party_id, query.year)


@DIVERSION.put("/diversion/alert-routes/{route_id}", action="approve")
def put_alert_route(desk: Desk, actor: Actor, route_id: Id, body: NewRoute) -> SetRoute:
    """Say where alerts for a party or region go; answers with the key they are signed with."""
    return set_route(desk, actor, route_id, body)


@DIVERSION.get("/diversion/alert-routes")
def get_alert_routes(desk: Desk, query: PageQuery) -> Listing[AlertRoute]:
    """Where alerts go."""
    return list_routes(desk, query)
