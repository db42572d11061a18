"""One message about a reward, one careful step: check, write the attempt, call the rail, write its answer.

Called by payout_worker. Whatever is repeated, crashes or races, an attempt keeps its bill number: the attempt is
written before the rail is called, and only the rail's own final failure allows another (docs/rewards.md).
"""

from uncap.domain.errors import ConflictError, InputError, PoisonError, TransientError
from uncap.domain.rail_schedule import Errand, Go, Later
from uncap.domain.rails import NotAccepted, NotFound, Rail, RailOutcome, Unknown
from uncap.domain.rewards import ids, states
from uncap.domain.rewards.reward import AWAITING_NAME, Reward, State
from uncap.domain.rewards.states import Step
from uncap.services.make_attempt import OWN_LEDGER, begin, book, instruction, without_rail
from uncap.services.schedule_payouts import PostponedError
from uncap.services.settle_payout import RACES, Payouts, poll, settle

NO_RAIL = "no_rail"
LONGEST_DELAY_MS = 900_000
"""A message can be delayed by as much (SQS)."""


def pay(reward_id: str, payouts: Payouts) -> Reward:
    """Move the reward one step towards paid; the reward as it then is. Safe to call any number of times.

    PoisonError (`reward_unknown`): the message names nothing. TransientError: deliver the message again.
    PostponedError: the rail may not be called yet, send the message anew with a delay.
    """
    for _ in range(RACES):
        reward = payouts.ledger.get(reward_id)
        if reward is None:
            raise PoisonError("reward_unknown", "the message names a reward that does not exist", where="reward_id")
        try:
            return _step(reward, payouts)
        except ConflictError as cause:
            if cause.code != "reward_moved":
                raise
    raise TransientError("reward_contended", f"reward {reward_id} keeps moving")


def _step(reward: Reward, payouts: Payouts) -> Reward:
    step = states.next_step(reward, payouts.clock_ms())
    if step in (Step.NOTHING, Step.WAIT):
        return reward
    if step is Step.LOOK:
        return poll(reward, payouts)
    if step in (Step.ISSUE, Step.ASK):
        return _issue(reward, payouts)
    account = reward.attempt.account if reward.attempt else ""
    if reward.kind not in payouts.rails or (step is not Step.BEGIN and account and account not in payouts.accounts):
        return _hold(reward, NO_RAIL, payouts)
    reason = payouts.brakes.reason(reward)
    if step is Step.BEGIN:
        return _begin(reward, payouts) if not reason else _hold(reward, reason, payouts)
    return _send(reward, payouts, ask_only=step is Step.QUERY, reason=reason)


def _issue(reward: Reward, payouts: Payouts) -> Reward:
    """What no rail pays, and was held until now."""
    if reason := payouts.brakes.reason(reward):
        return _hold(reward, reason, payouts)
    issued = without_rail(reward, payouts.clock_ms())
    payouts.ledger.replace(reward, issued)
    return issued


def _begin(reward: Reward, payouts: Payouts) -> Reward:
    rail = payouts.rails[reward.kind]
    if rail.capabilities.name == OWN_LEDGER:
        booked = book(reward, rail, payouts.catalog, payouts.clock_ms())
        payouts.ledger.replace(reward, booked)
        return booked
    named_from = rail.capabilities.name_from_minor
    if named_from is not None and reward.net_minor >= named_from and not reward.name:
        return _hold(reward, AWAITING_NAME, payouts)
    chosen = payouts.scheduler.choose(_errand(reward)) if payouts.scheduler else Go("")
    if isinstance(chosen, Later):
        return _postpone(reward, chosen, payouts)
    # Choosing may have waited for room, and money may have been stopped meanwhile.
    if payouts.scheduler and (reason := payouts.brakes.reason(reward)):
        return _hold(reward, reason, payouts)
    rail = payouts.accounts.get(chosen.account, rail)
    begun = begin(reward, rail, payouts.catalog, payouts.clock_ms(), payouts.notify_url, chosen.account)
    payouts.ledger.replace(reward, begun)
    return _send(begun, payouts, slot_us=chosen.slot_us)


def _postpone(reward: Reward, later: Later, payouts: Payouts) -> Reward:
    """Until a message can be delayed for, it goes back; what waits for another day is left to the sweeper."""
    if reward.state is not State.PENDING or later.at_ms - payouts.clock_ms() <= LONGEST_DELAY_MS:
        raise PostponedError(reward.reward_id, later)
    waiting = states.postpone(reward, later.at_ms, later.reason)
    payouts.ledger.replace(reward, waiting)
    return waiting


def _errand(reward: Reward) -> Errand:
    return Errand(
        reward_id=reward.reward_id,
        kind=reward.kind,
        campaign=reward.campaign_id,
        beneficiary=reward.beneficiary,
        payee=reward.payee_person,
        amount_minor=reward.net_minor,
        since_ms=reward.claimed_at_ms,
    )


def _send(reward: Reward, payouts: Payouts, *, ask_only: bool = False, reason: str = "", slot_us: int = 0) -> Reward:
    """Send the written attempt, or only ask where sending is no longer allowed; then adopt what the rail says."""
    attempt = reward.attempt
    if attempt is None:
        raise ConflictError("transition_illegal", f"reward {reward.reward_id} has no attempt to send")
    rail, bill = payouts.rail_of(reward), ids.bill_no(reward.reward_id, attempt.no)
    if not (ask_only or reason) and payouts.scheduler and attempt.account:
        reason = payouts.scheduler.turn(
            attempt.account, _errand(reward), lambda: payouts.brakes.reason(reward), slot_us
        )
    outcome = rail.query(bill) if ask_only or reason else _submit(reward, rail, payouts)
    if reason and isinstance(outcome, NotFound):
        return _hold(reward, reason, payouts)
    if isinstance(outcome, Unknown) and not outcome.hold and not (ask_only or reason):
        asked = rail.query(bill)
        # NotFound after a time-out proves little: the first call may still arrive. The same bill goes out again later.
        outcome = outcome if isinstance(asked, NotFound) else asked
        return settle(reward, attempt.no, outcome, payouts)
    settled = settle(reward, attempt.no, outcome, payouts, submitted=not (ask_only or reason))
    if payouts.scheduler and attempt.account:
        payouts.scheduler.heard(attempt.account, outcome)
    return settled


def _submit(reward: Reward, rail: Rail, payouts: Payouts) -> RailOutcome:
    """The rail's answer; what it can never carry, or a payee that does not open, is for a human."""
    try:
        name = payouts.open_name(reward) if reward.name else ""
        return rail.submit(instruction(reward, payouts.open_payee(reward), name))
    except (InputError, PoisonError) as cause:
        return NotAccepted(reason=cause.code, hold=True)


def _hold(reward: Reward, reason: str, payouts: Payouts) -> Reward:
    held = states.hold(reward, reason, payouts.clock_ms())
    payouts.ledger.replace(reward, held)
    return held
