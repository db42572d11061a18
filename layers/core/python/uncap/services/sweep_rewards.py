"""Whatever waits is looked at when its time comes: rails are asked, facts checked, deadlines kept. For sweeper_job.

Callbacks are never guaranteed and messages get lost; the `due` index makes sure that no reward waits for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from uncap.domain.errors import UncapError
from uncap.domain.rails import NotFound
from uncap.domain.rewards import ids, parcels, states
from uncap.domain.rewards.ports import RewardQueue, ShipmentReader
from uncap.domain.rewards.reward import AWAITING_ADDRESS, AWAITING_DELIVERY, AWAITING_NAME, Reward, State
from uncap.services.decide_hold import CALLS_ARRIVE_WITHIN_MS
from uncap.services.settle_payout import Payouts, poll

_DIVERSION = (states.DIVERSION_CASE, states.DIVERSION_CONFIRMED)


@dataclass
class Swept:
    """What a sweep did; `refused` names rewards it could not move and why (they stay due)."""

    rewards: list[Reward] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def count(self, state: State) -> int:
        """How many of the rewards looked at are in this state now."""
        return sum(one.state is state for one in self.rewards)


def sweep(
    payouts: Payouts,
    shipments: ShipmentReader,
    queue: RewardQueue,
    limit: int,
    time_is_up: Callable[[], bool] = lambda: False,
) -> Swept:
    """Look at up to `limit` due rewards; what is owed goes back to the queue. One failure does not stop the rest."""
    swept = Swept()
    for reward_id in payouts.ledger.due(payouts.clock_ms(), limit):
        if time_is_up():
            break
        try:
            reward = _sweep_one(reward_id, payouts, shipments)
        except UncapError as cause:
            swept.refused.append((reward_id, cause.code))
            continue
        if reward is None:
            continue
        swept.rewards.append(reward)
        if reward.state in (State.PENDING, State.SUBMITTING) and reward.due_at_ms <= payouts.clock_ms():
            swept.sent.append(reward_id)
    if swept.sent:
        queue.send(swept.sent)
    return swept


def _sweep_one(reward_id: str, payouts: Payouts, shipments: ShipmentReader) -> Reward | None:
    """The reward after its look; None if the index was behind and nothing is due."""
    now_ms = payouts.clock_ms()
    reward = payouts.ledger.get(reward_id)
    if reward is None or not 0 < reward.due_at_ms <= now_ms:
        return None
    if reward.state in (State.ACCEPTED, State.WAIT_USER):
        return poll(reward, payouts)
    if reward.state in (State.CLAIMABLE, State.FAILED):
        return _move(reward, states.expire(reward, now_ms), payouts)
    if reward.state is State.PAID and reward.parcel is not None:
        return _move(reward, parcels.erased(reward), payouts)
    return _sweep_held(reward, payouts, shipments) if reward.state is State.HELD else reward


def _sweep_held(reward: Reward, payouts: Payouts, shipments: ShipmentReader) -> Reward:
    now_ms = payouts.clock_ms()
    if reward.reason == AWAITING_DELIVERY:
        return _move(reward, parcels.delivered(reward, now_ms), payouts)
    if reward.reason in (states.AWAITING_ASSOCIATION, AWAITING_NAME, AWAITING_ADDRESS):
        return _move(reward, states.expire(reward, now_ms), payouts)
    if reward.reason in _DIVERSION and payouts.brakes.reason(reward) == states.DIVERSION_CONFIRMED:
        return _forfeit(reward, payouts)
    if reward.reason in states.WAITS_FOR_FACT and _fact_is_there(reward, payouts, shipments):
        return _move(reward, states.resume(reward, now_ms), payouts)
    if reward.attempt is not None and reward.attempt.is_open:
        return poll(reward, payouts, cancel=reward.reason == states.LATE_SUCCESS)
    return _move(reward, states.wait_longer(reward, now_ms), payouts)


def _forfeit(reward: Reward, payouts: Payouts) -> Reward:
    """People have confirmed the diversion: the channel's share is breakage, once no bill can be paid any more."""
    attempt, now_ms = reward.attempt, payouts.clock_ms()
    if attempt is None or not attempt.is_open:
        return _move(reward, states.refuse(reward, states.DIVERSION_CONFIRMED), payouts)
    answer = payouts.rail_of(reward).query(ids.bill_no(reward.reward_id, attempt.no))
    if not isinstance(answer, NotFound):
        return poll(reward, payouts, cancel=True)
    if now_ms - attempt.at_ms < CALLS_ARRIVE_WITHIN_MS:
        return _move(reward, states.wait_longer(reward, now_ms), payouts)
    refused = states.refuse(states.withdraw(reward), states.DIVERSION_CONFIRMED)
    return _move(reward, states.as_one_write(reward, refused), payouts)


def _fact_is_there(reward: Reward, payouts: Payouts, shipments: ShipmentReader) -> bool:
    if reward.reason == states.AWAITING_SHIPMENT:
        return bool(shipments.shipped_to(reward.code.batch_no, reward.code.index))
    # If the hold has become a graver one, the worker will say so when it is asked to pay.
    return payouts.brakes.reason(reward) not in states.WAITS_FOR_FACT


def _move(old: Reward, new: Reward, payouts: Payouts) -> Reward:
    payouts.ledger.replace(old, new)
    return new
