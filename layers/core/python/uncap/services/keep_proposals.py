"""Reading and writing proposals that wait for a second person. Used by every act that needs two (ADR 0020)."""

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain.approvals import Proposal, approve, renew
from uncap.services.desk import Actor, Desk, draft
from uncap.services.list_entries import Listing, PageQuery, list_entries

_PK = "proposals"


def propose(desk: Desk, actor: Actor, kind: str, target: str, reason: str, detail: str = "") -> Proposal:
    """Ask for an act. Raises ConflictError (`proposal_open`)."""
    proposal = proposal_of(desk, actor, kind, target, reason, detail)
    entry = draft(actor, f"{kind}.request", target, reason=reason, after=detail)
    desk.writes.commit([proposal_write(proposal)], entry)
    return proposal


def proposal_of(desk: Desk, actor: Actor, kind: str, target: str, reason: str, detail: str = "") -> Proposal:
    """The proposal to be written together with something else. Raises ConflictError (`proposal_open`)."""
    asked = Proposal(kind, target, actor.login, desk.clock_ms(), reason, detail=detail)
    return renew(stored_proposal(desk, asked.key), asked)


def approved_proposal(desk: Desk, actor: Actor, kind: str, target: str, detail: str = "") -> Proposal:
    """The proposal as approved by this operator, to be written with the act. Raises what `approve` raises."""
    return approve(stored_proposal(desk, f"{kind}#{target}"), actor.login, desk.clock_ms(), detail)


def stored_proposal(desk: Desk, key: str) -> Proposal | None:
    """The latest proposal under this key."""
    return desk.parties.value(_PK, key, Proposal)


def proposal_write(proposal: Proposal) -> DocWrite:
    """The conditional put of a proposal in its `version`."""
    return DocWrite("parties", _PK, proposal.key, doc_of(proposal), proposal.version)


def list_proposals(desk: Desk, query: PageQuery) -> Listing[Proposal]:
    """Who asked for what."""
    return list_entries(desk.parties, _PK, "", Proposal, query)
