"""Rewards as operators see them: without payee, masked person. Called by `routes/console/rewards.py`."""

from typing import Annotated, Literal

import msgspec

from uncap.domain.errors import NotFoundError
from uncap.domain.rewards.reward import Reward, State
from uncap.services.desk import Desk
from uncap.services.explain_claim import rewards_of_claim
from uncap.services.list_entries import Listing, PageQuery, cursor_of, read_cursor

RewardId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$(?!\n)", max_length=26)]
_SHOWN = 6


class RewardQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Open rewards that stand still, by state, campaign or both; or all of one `code`, open or not.

    Listed are HELD, FAILED, CLAIMABLE, and of those on their way whatever waits for a moment. What is over is found by
    its code, in its owner's wallet or statement, and in the month's books.
    """

    state: Literal["HELD", "FAILED", "CLAIMABLE", "PENDING", "SUBMITTING", "ACCEPTED", "WAIT_USER"] | None = None
    code: Annotated[str, msgspec.Meta(pattern=r"^(\d{1,8}\.\d{1,9}\.[0-5])?$(?!\n)", max_length=21)] = ""
    campaign_id: Annotated[str, msgspec.Meta(max_length=40)] = ""


class RewardView(msgspec.Struct, frozen=True):
    """`who` is a party's id, or the first characters of a person's keyed hash; `code` is batch.index.role."""

    reward_id: str
    state: State
    reason: str
    code: str
    campaign: str
    release_id: str
    beneficiary: str
    who: str
    kind: str
    prize_id: str
    amount_minor: int
    withheld_minor: int
    currency: str
    attempts: int
    claimed_at_ms: int
    paid_at_ms: int


def list_rewards(desk: Desk, query: RewardQuery) -> Listing[RewardView]:
    """One page. Raises InputError (`cursor_malformed`), and for a code what `rewards_of_claim` raises."""
    if query.code:
        found = [one for one in rewards_of_claim(desk, query.code) if _wanted(one, query)]
        return Listing([view_of(one) for one in found], "")
    page = desk.reward_lists.page(
        state=query.state or "",
        campaign_id=query.campaign_id,
        limit=query.count,
        after=read_cursor(query.cursor, ""),
    )
    return Listing([view_of(reward) for reward in page.rewards], cursor_of(page.after))


def _wanted(reward: Reward, query: RewardQuery) -> bool:
    return query.state in (None, reward.state.value) and query.campaign_id in ("", reward.campaign_id)


def read_reward(desk: Desk, reward_id: str) -> RewardView:
    """Raises NotFoundError (`reward_unknown`)."""
    reward = desk.ledger.get(reward_id)
    if reward is None:
        raise NotFoundError("reward_unknown", "the ledger has no such reward", where="reward_id")
    return view_of(reward)


def view_of(reward: Reward) -> RewardView:
    """What people are shown of a reward."""
    return RewardView(
        reward_id=reward.reward_id,
        state=reward.state,
        reason=reward.reason,
        code=reward.ref,
        campaign=reward.campaign,
        release_id=reward.release_id,
        beneficiary=reward.beneficiary,
        who=reward.party[:_SHOWN] + "…" if reward.party.startswith("p_") else reward.party,
        kind=reward.kind,
        prize_id=reward.prize_id,
        amount_minor=reward.amount_minor,
        withheld_minor=reward.withheld_minor,
        currency=reward.currency,
        attempts=reward.attempt.no if reward.attempt else 0,
        claimed_at_ms=reward.claimed_at_ms,
        paid_at_ms=reward.paid_at_ms,
    )
