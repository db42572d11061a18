"""Rewards and what people decide about them. Mounted by `table.py`."""

from uncap.domain.approvals import Proposal
from uncap.domain.blocking import Block
from uncap.routes.console.endpoint import Area
from uncap.services.block_winners import BlockRequest, Key, approve_block, read_block, request_block
from uncap.services.desk import Actor, Desk
from uncap.services.keep_proposals import list_proposals
from uncap.services.list_entries import Listing, PageQuery
from uncap.services.list_rewards import RewardId, RewardQuery, RewardView, list_rewards, read_reward
from uncap.services.release_reward import Asked, Refusal, approve_release, refuse_reward, request_release

REWARDS = Area("rewards")


@REWARDS.get("/rewards")
def get_rewards(desk: Desk, query: RewardQuery) -> Listing[RewardView]:
    """Rewards by state and campaign."""
    return list_rewards(desk, query)


@REWARDS.get("/rewards/{reward_id}")
def get_reward(desk: Desk, reward_id: RewardId) -> RewardView:
    """One reward."""
    return read_reward(desk, reward_id)


@REWARDS.post("/rewards/{reward_id}/release", status=202)
def post_release_request(desk: Desk, actor: Actor, reward_id: RewardId, body: Asked) -> Proposal:
    """Ask that a held reward be paid after all."""
    return request_release(desk, actor, reward_id, body)


@REWARDS.post("/rewards/{reward_id}/release/approve", action="approve")
def post_release_approval(desk: Desk, actor: Actor, reward_id: RewardId) -> RewardView:
    """Approve a payment that someone else has asked for."""
    return approve_release(desk, actor, reward_id)


@REWARDS.post("/rewards/{reward_id}/refuse", action="approve")
def post_refusal(desk: Desk, actor: Actor, reward_id: RewardId, body: Refusal) -> RewardView:
    """Decide that a held or failed reward is not paid."""
    return refuse_reward(desk, actor, reward_id, body)


@REWARDS.get("/blocks/{key}")
def get_block(desk: Desk, key: Key) -> Block:
    """Whether a person or party may win by luck, and who decided so."""
    return read_block(desk, key)


@REWARDS.post("/blocks/{key}", status=202)
def post_block(desk: Desk, actor: Actor, key: Key, body: BlockRequest) -> Proposal:
    """Ask that a person or party win nothing by luck, or may win again."""
    return request_block(desk, actor, key, body)


@REWARDS.post("/blocks/{key}/approve", action="approve")
def post_block_approval(desk: Desk, actor: Actor, key: Key) -> Block:
    """Decide what someone else has asked about this person or party."""
    return approve_block(desk, actor, key)


@REWARDS.get("/proposals")
def get_proposals(desk: Desk, query: PageQuery) -> Listing[Proposal]:
    """What was asked for and needs, or has had, a second person."""
    return list_proposals(desk, query)
