"""The key-compromise drill on a deployed stack: how long codes made with a stolen key still pay after the mark.

A thief's serial cannot be told from a true one, so the drill claims true ones that nobody had. Used by
tests/e2e/test_key_drill.py and the chaos run. What was marked is trusted again by two people at the end.
"""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import msgspec

from dev.seed.operators import caller_of
from tests.kits.market import CATALOG_AGE_S, Market, eventually
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.models import LedgerItem, open_tables
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.states import EPOCH_COMPROMISED
from uncap.services.stop_money import MAX_AGE_MS

Say = Callable[[str], None]
BOUND_MS = MAX_AGE_MS + 2_000
"""The brakes' answer ages, and calls were under way when the mark was stored."""
AFTER_THE_BOUND = 4
"""Forged claims once the bound has passed: none of these may be paid."""


class Drill(msgspec.Struct, frozen=True):
    """Milliseconds after the console had answered "compromised": `last_paid` of the last reward that was credited,
    `last_claim` of the last claim that still was, 0 if none. `held` and `paid` count the rewards of forged claims."""

    last_paid_ms: int
    last_claim_ms: int
    held: int
    paid: int
    other: dict[str, int]


def drill(market: Market, claims: int = 10, every_s: float = 0.3, *, say: Say = print) -> Drill:
    """The mark comes in the middle of the claims, once codes are seen to be paid. AssertionError if they never are."""
    thief, epoch = market.phone(), market.view.batch.epoch
    first = market.claim(thief, market.next("points")).rewards
    market.reward_when(thief, first[0], "PAID")
    promised = list(first)
    marked_ms = 0
    try:
        for number in range(claims):
            if number == claims // 2:
                market.desk.call("POST", f"/epochs/{epoch}/state", {"state": "compromised", "reason": "drill"})
                marked_ms = int(time.time() * 1000)
            promised += market.claim(thief, market.next("points")).rewards
            time.sleep(every_s)
        time.sleep(max(0.0, (marked_ms + BOUND_MS) / 1000 - time.time()))
        for _ in range(AFTER_THE_BOUND):
            promised += market.claim(thief, market.next("points")).rewards
        rewards = eventually(lambda: _decided(market, promised), "every forged claim has its rewards", 60)
    finally:
        trust_again(market, epoch)
    found = result_of(rewards, marked_ms)
    say(f"key drill: last credit {found.last_paid_ms} ms, last claim that paid {found.last_claim_ms} ms after the mark")
    return found


def result_of(rewards: list[Reward], marked_ms: int) -> Drill:
    """What the rewards say about the mark at `marked_ms`."""
    paid = [one for one in rewards if one.state is State.PAID]
    held = [one for one in rewards if one.reason == EPOCH_COMPROMISED and one.state is State.HELD]
    other: dict[str, int] = {}
    for one in rewards:
        if one not in paid and one not in held and one.state is not State.NONE:
            other[one.state.value] = other.get(one.state.value, 0) + 1
    return Drill(
        last_paid_ms=max([0, *(one.paid_at_ms - marked_ms for one in paid)]),
        last_claim_ms=max([0, *(one.claimed_at_ms - marked_ms for one in paid)]),
        held=len(held),
        paid=len(paid),
        other=other,
    )


def trust_again(market: Market, epoch: int) -> None:
    """Two people say that the key was never out of our hands; then it mints again. Nothing, if it was not marked."""
    desk: Any = market.desk
    if desk.call("GET", f"/epochs/{epoch}")["state"] != "compromised":
        return
    desk.call("POST", f"/epochs/{epoch}/trust", {"reason": "it was a drill"})
    with closing((second := desk.colleague()).client):
        second.call("POST", f"/epochs/{epoch}/trust/approve")
    desk.call("POST", f"/epochs/{epoch}/state", {"state": "minting", "reason": "the drill is over"})
    time.sleep(CATALOG_AGE_S)


def _decided(market: Market, reward_ids: list[str]) -> list[Reward] | None:
    """All of them, once the relay and the worker have nothing to do with any."""
    with caller_of(market.outputs):
        open_tables({LedgerItem: market.outputs.ledger_table})
        found = DynamoLedger().get_many(reward_ids)
    moving = (State.PENDING, State.SUBMITTING)
    if len(found) < len(set(reward_ids)) or any(one.state in moving for one in found.values()):
        return None
    return list(found.values())
