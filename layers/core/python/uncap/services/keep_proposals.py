"""Reading and writing proposals that wait for a second person. Used by `replace_code` and `release_reward`."""

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain.approvals import Proposal, renew
from uncap.services.desk import Actor, Desk, draft
from uncap.services.list_entries import Listing, PageQuery, list_entries

_PK = "proposals"


def propose(desk: Desk, actor: Actor, kind: str, target: str, reason: str) -> Proposal:
    """Ask for an act. Raises ConflictError (`proposal_open`)."""
    asked = Proposal(kind, target, actor.login, desk.clock_ms(), reason)
    proposal = renew(stored_proposal(desk, asked.key), asked)
    entry = draft(actor, f"{kind}.request", target, reason=reason)
    desk.writes.commit([proposal_write(proposal)], entry)
    return proposal


def stored_proposal(desk: Desk, key: str) -> Proposal | None:
    """The latest proposal under this key."""
    return desk.parties.value(_PK, key, Proposal)


def proposal_write(proposal: Proposal) -> DocWrite:
    """The conditional put of a proposal in its `version`."""
    return DocWrite("parties", _PK, proposal.key, doc_of(proposal), proposal.version)


def list_proposals(desk: Desk, query: PageQuery) -> Listing[Proposal]:
    """Who asked for what."""
    return list_entries(desk.parties, _PK, "", Proposal, query)
