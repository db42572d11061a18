"""Paying a held reward after all: one operator asks, another approves. Called by `routes/console/rewards.py`."""

from typing import Annotated

import msgspec

from uncap.domain.approvals import Proposal, approve
from uncap.domain.errors import ConflictError, NotFoundError
from uncap.domain.rewards.reward import State
from uncap.services import decide_hold
from uncap.services.desk import Actor, Desk, Reason, draft
from uncap.services.keep_proposals import proposal_write, propose, stored_proposal
from uncap.services.list_rewards import RewardView, view_of

KIND = "release-reward"
RELEASABLE = (State.HELD, State.FAILED)


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the reward shall be paid."""

    reason: Reason


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it shall not. `code` is kept as the reward's reason, `reason` in the audit trail."""

    code: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z_]{2,39}$(?!\n)", max_length=40)]
    reason: Reason


def request_release(desk: Desk, actor: Actor, reward_id: str, given: Asked) -> Proposal:
    """Raises NotFoundError (`reward_unknown`), ConflictError (`reward_not_held`, `proposal_open`)."""
    reward = desk.ledger.get(reward_id)
    if reward is None:
        raise NotFoundError("reward_unknown", "the ledger has no such reward", where="reward_id")
    if reward.state not in RELEASABLE:
        raise ConflictError("reward_not_held", f"the reward is {reward.state}", where="reward_id")
    return propose(desk, actor, KIND, reward_id, given.reason)


def approve_release(desk: Desk, actor: Actor, reward_id: str) -> RewardView:
    """Raises ConflictError (`proposal_missing`, `proposal_expired`, `transition_illegal`, `reward_moved`),
    ForbiddenError (`second_person_needed`).

    The approval is recorded before the money moves: a payment without its audit entry must not happen, an approval
    whose payment was lost can be asked for again.
    """
    proposal = approve(stored_proposal(desk, f"{KIND}#{reward_id}"), actor.login, desk.clock_ms())
    desk.writes.commit(
        [proposal_write(proposal)],
        draft(actor, "rewards.release", reward_id, reason=proposal.reason, after=f"asked by {proposal.requested_by}"),
    )
    return view_of(decide_hold.approve(reward_id, desk.ledger, desk.reward_queue(), desk.clock_ms()))


def refuse_reward(desk: Desk, actor: Actor, reward_id: str, given: Refusal) -> RewardView:
    """A held or failed reward is not paid. Raises NotFoundError (`reward_unknown`), ConflictError
    (`transition_illegal`, `reward_moved`)."""
    desk.audit(actor, "rewards.refuse", reward_id, reason=given.reason, after=given.code)
    return view_of(decide_hold.refuse(reward_id, given.code, desk.ledger))
