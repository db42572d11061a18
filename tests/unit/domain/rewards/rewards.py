"""Rewards for the tests of this folder."""

from typing import Any

import msgspec

from uncap.domain import ledger
from uncap.domain.rewards.reward import Attempt, Reward, State

NOW = 1_790_000_000_000
DEADLINE = NOW + 7 * 86_400_000
ID = "0123456789ABCDEFGHJKMNPQRS"


def reward(state: State = State.PENDING, **changes: Any) -> Reward:
    base = Reward(
        reward_id=ID,
        ref="7.3.1",
        campaign="spring@1",
        release_id="rel-1",
        effect_no=1,
        beneficiary="consumer",
        state=state,
        claimed_at_ms=NOW,
        claimable_until_ms=DEADLINE,
        party="p1",
        payee="v1.sealed",
        kind="cash",
        prize_id="cash",
        amount_minor=188,
        currency="CNY",
        granted=ledger.granted("rel-1", "consumer", "CNY", 188),
    )
    return msgspec.structs.replace(base, **changes)


def attempt(no: int = 1, **changes: Any) -> Attempt:
    base = Attempt(no=no, rail="wechat_transfer", at_ms=NOW, amount_minor=188, campaign_name="c", reward_note="r")
    return msgspec.structs.replace(base, **changes)


def submitting(**changes: Any) -> Reward:
    return reward(State.SUBMITTING, attempt=attempt(), **changes)
