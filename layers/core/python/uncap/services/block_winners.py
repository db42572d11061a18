"""Who may win nothing by luck: one operator asks with a reason, another looks at it and decides (ADR 0019).

Called by `routes/console/rewards.py`. Lifting a block takes two people as well: it is about the same money.
"""

from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain.approvals import Proposal
from uncap.domain.blocking import Block
from uncap.domain.errors import ConflictError
from uncap.services.desk import Actor, Desk, Reason, draft, found
from uncap.services.keep_proposals import approved_proposal, proposal_write, propose

BLOCK, UNBLOCK = "block-winner", "unblock-winner"
Key = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$(?!\n)", max_length=64)]


class BlockRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why this person or party shall win nothing by luck, or (`blocked` false) may win again."""

    blocked: bool
    reason: Reason


def request_block(desk: Desk, actor: Actor, key: str, given: BlockRequest) -> Proposal:
    """Raises ConflictError (`block_unchanged`, `proposal_open`)."""
    stored = _stored(desk, key)
    if (stored is not None and stored.blocked) == given.blocked:
        raise ConflictError("block_unchanged", "that is how it is already", where="blocked")
    return propose(desk, actor, BLOCK if given.blocked else UNBLOCK, key, given.reason)


def approve_block(desk: Desk, actor: Actor, key: str) -> Block:
    """The block in force, or lifted; holds for the next draw, nobody keeps it in memory.

    Raises ConflictError (`proposal_missing`, `proposal_expired`), ForbiddenError (`second_person_needed`).
    """
    stored = _stored(desk, key)
    blocked = stored is None or not stored.blocked
    proposal = approved_proposal(desk, actor, BLOCK if blocked else UNBLOCK, key)
    version = stored.version + 1 if stored else 1
    block = Block(key, blocked, proposal.reason, actor.login, desk.clock_ms(), version)
    desk.writes.commit(
        [DocWrite("parties", f"block#{key}", "meta", doc_of(block), version), proposal_write(proposal)],
        draft(
            actor, f"{proposal.kind}.approve", key, reason=proposal.reason, after=f"asked by {proposal.requested_by}"
        ),
    )
    return block


def read_block(desk: Desk, key: str) -> Block:
    """Raises NotFoundError (`block_unknown`)."""
    return found(_stored(desk, key), "block_unknown", "nobody has decided about this one", "key")


def _stored(desk: Desk, key: str) -> Block | None:
    return desk.parties.value(f"block#{key}", "meta", Block)
