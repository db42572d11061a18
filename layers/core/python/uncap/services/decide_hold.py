"""A person decides about a held or failed reward: pay it, refuse it, or close it. Called by the console.

The caller has checked who may do this and keeps the audit record; the state machine refuses what would be unsafe.
"""

from uncap.domain.errors import ConflictError, NotFoundError
from uncap.domain.rails import NotFound
from uncap.domain.rewards import ids, states
from uncap.domain.rewards.ports import LedgerStore, RewardQueue
from uncap.domain.rewards.reward import Reward, State
from uncap.services.settle_payout import Payouts, poll

CALLS_ARRIVE_WITHIN_MS = 3_600_000


def approve(reward_id: str, ledger: LedgerStore, queue: RewardQueue, now_ms: int) -> Reward:
    """Owed again (or the same bill again, if one is open) and on its way to the worker.

    ConflictError: `transition_illegal` (not held, settled, no beneficiary), `reward_moved` (read it again).
    """
    reward = _load(reward_id, ledger)
    resumed = states.resume(reward, now_ms)
    ledger.replace(reward, resumed)
    queue.send([reward_id])
    return resumed


def refuse(reward_id: str, reason: str, ledger: LedgerStore) -> Reward:
    """RELEASED with this reason. ConflictError while the rail may still pay it: withdraw first."""
    reward = _load(reward_id, ledger)
    refused = states.refuse(reward, reason)
    ledger.replace(reward, refused)
    return refused


def acknowledge(reward_id: str, ledger: LedgerStore) -> Reward:
    """A late success, seen by a person, is PAID. ConflictError while the newer attempt is open."""
    reward = _load(reward_id, ledger)
    seen = states.acknowledge(reward)
    ledger.replace(reward, seen)
    return seen


def withdraw(reward_id: str, payouts: Payouts) -> Reward:
    """Cancel a held reward's open bill at the rail and adopt its answer; the rail's final state wins.

    A bill the rail does not know is closed too, once any call that was on its way must have arrived.
    """
    reward = _load(reward_id, payouts.ledger)
    attempt = reward.attempt
    if reward.state is not State.HELD or attempt is None or not attempt.is_open:
        raise ConflictError("transition_illegal", f"reward {reward_id} has no open bill to withdraw")
    bill = ids.bill_no(reward_id, attempt.no)
    rail = payouts.rail_of(reward)
    old_enough = payouts.clock_ms() - attempt.at_ms >= CALLS_ARRIVE_WITHIN_MS
    if not (old_enough and isinstance(rail.query(bill), NotFound)):
        return poll(reward, payouts, cancel=True)
    withdrawn = states.withdraw(reward)
    payouts.ledger.replace(reward, withdrawn)
    return withdrawn


def _load(reward_id: str, ledger: LedgerStore) -> Reward:
    reward = ledger.get(reward_id)
    if reward is None:
        raise NotFoundError("reward_unknown", "the ledger has no such reward", where="reward_id")
    return reward
