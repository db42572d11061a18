"""An attempt with all that a rail is told, from the campaign version that decided the claim; nothing is written here.

Used by `pay_reward.py`, and for what our own ledger pays by `grant_rewards.py`.
"""

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.domain.campaigns.pay_n import PAY_N
from uncap.domain.campaigns.physical import PHYSICAL
from uncap.domain.catalog import Campaign
from uncap.domain.errors import ConflictError, NotFoundError
from uncap.domain.rails import PayInstruction, Rail, Scene
from uncap.domain.rewards import ids, states
from uncap.domain.rewards.outcomes import apply_outcome
from uncap.domain.rewards.parcels import ask
from uncap.domain.rewards.reward import Attempt, Reward, State

OWN_LEDGER = "own_ledger"
WITHOUT_RAIL = (PAY_N, PHYSICAL)
_LANGUAGE = "zh-CN"
_TEXT_CHARACTERS = 32


def begin(reward: Reward, rail: Rail, catalog: Catalog, now_ms: int, notify_url: str, account: str = "") -> Reward:
    """SUBMITTING with its next attempt, to be written before the rail is called. ConflictError, NotFoundError.

    `account` is frozen in the attempt: all that is ever asked about this bill is asked there.
    """
    attempt = _attempt(reward, rail, catalog, now_ms, notify_url)
    return states.begin_attempt(reward, msgspec.structs.replace(attempt, account=account))


def book(reward: Reward, rail: Rail, catalog: Catalog, now_ms: int) -> Reward:
    """PAID by our own ledger: attempt and settlement are one write, so there is nothing to lose in between."""
    begun = begin(reward, rail, catalog, now_ms, "")
    outcome = rail.submit(instruction(begun, begun.party))
    number = begun.attempt.no if begun.attempt else 1
    return states.as_one_write(reward, apply_outcome(begun, number, outcome, now_ms).reward)


def booked_at_birth(reward: Reward, rail: Rail, catalog: Catalog, now_ms: int) -> Reward:
    """The same for a reward that is not stored yet: its first put carries the grant and the settlement."""
    return msgspec.structs.replace(book(reward, rail, catalog, now_ms), rev=reward.rev)


def without_rail(reward: Reward, now_ms: int) -> Reward:
    """The first move of what no rail pays: a right may be redeemed, a prize that is sent waits for its address."""
    return states.issue(reward) if reward.kind == PAY_N else ask(reward, now_ms)


def instruction(reward: Reward, payee: str, user_name: str = "") -> PayInstruction:
    """What the rail is told about the written attempt. ConflictError (`transition_illegal`) if there is none."""
    attempt = reward.attempt
    if attempt is None or reward.state is not State.SUBMITTING:
        raise ConflictError("transition_illegal", f"reward {reward.reward_id} has no attempt to send")
    return PayInstruction(
        bill_no=ids.bill_no(reward.reward_id, attempt.no),
        payee=payee,
        amount_minor=attempt.amount_minor,
        campaign_name=attempt.campaign_name,
        reward_note=attempt.reward_note,
        currency=reward.currency,
        scene=attempt.scene,
        notify_url=attempt.notify_url,
        user_name=user_name,
    )


def _attempt(reward: Reward, rail: Rail, catalog: Catalog, now_ms: int, notify_url: str) -> Attempt:
    limits = rail.capabilities
    number = reward.attempt.no + 1 if reward.attempt else 1
    campaign = catalog.campaign_version(reward.campaign_id, reward.campaign_version)
    lifetime = limits.key_lifetime_ms
    return Attempt(
        no=number,
        rail=limits.name,
        at_ms=now_ms,
        amount_minor=reward.net_minor,
        campaign_name=_text(campaign.name),
        reward_note=_note(campaign, reward),
        scene=Scene.MARKETING if reward.beneficiary == "consumer" else Scene.COMMISSION,
        notify_url=notify_url if limits.has_callbacks else "",
        key_expires_at_ms=now_ms + lifetime if lifetime else 0,
    )


def _note(campaign: Campaign, reward: Reward) -> str:
    try:
        return _text(campaign.prize(reward.prize_id).name)
    except KeyError:
        raise NotFoundError("prize_unknown", "the campaign version lost a prize", where="prize_id") from None


def _text(text: dict[str, str]) -> str:
    return (text.get(_LANGUAGE) or next(iter(text.values()), ""))[:_TEXT_CHARACTERS]
