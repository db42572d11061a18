"""One message about a reward, one careful step: check, write the attempt, call the rail, write its answer.

Called by payout_worker. Whatever is repeated, crashes or races, an attempt keeps its bill number: the attempt is
written before the rail is called, and only the rail's own final failure allows another (docs/rewards.md).
"""

from uncap.adapters.catalog import Catalog
from uncap.domain.catalog import Campaign
from uncap.domain.errors import ConflictError, InputError, NotFoundError, PoisonError, TransientError
from uncap.domain.rails import NotAccepted, NotFound, PayInstruction, Rail, RailOutcome, Scene, Unknown
from uncap.domain.rewards import ids, states
from uncap.domain.rewards.granting import EPOCH_COMPROMISED
from uncap.domain.rewards.outcomes import apply_outcome
from uncap.domain.rewards.reward import Attempt, Reward, State
from uncap.domain.rewards.states import Step
from uncap.services.settle_payout import RACES, Payouts, settle

OWN_LEDGER = "own_ledger"
NO_RAIL = "no_rail"
_LANGUAGE = "zh-CN"
_TEXT_CHARACTERS = 32


def pay(reward_id: str, payouts: Payouts) -> Reward:
    """Move the reward one step towards paid; the reward as it then is. Safe to call any number of times.

    PoisonError (`reward_unknown`): the message names nothing. TransientError: deliver the message again.
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


def stop_reason(reward: Reward, catalog: Catalog) -> str:
    """Why no money may move now, "" if it may; read through, strongly consistent, every time.

    `recalled`, `frozen`, `campaign_paused`, `epoch_compromised`. The campaign's newest version decides about a pause,
    effective or not: stopping money is never announced in advance.
    """
    ref = reward.code
    view = catalog.batch(ref.batch_no, fresh=True)
    if view is None:
        return "batch_unknown"
    if view.batch.hold:
        return view.batch.hold
    versions = catalog.campaign_versions(reward.campaign_id, fresh=True)
    if versions and versions[-1].paused:
        return "campaign_paused"
    compromised = catalog.epoch_state(view.batch.epoch, fresh=True) == "compromised"
    return EPOCH_COMPROMISED if compromised else ""


def _step(reward: Reward, payouts: Payouts) -> Reward:
    step = states.next_step(reward, payouts.clock_ms())
    if step in (Step.NOTHING, Step.WAIT):
        return reward
    if reward.kind not in payouts.rails:
        return _hold(reward, NO_RAIL, payouts)
    reason = stop_reason(reward, payouts.catalog)
    if step is Step.BEGIN:
        return _begin(reward, payouts) if not reason else _hold(reward, reason, payouts)
    return _send(reward, payouts, ask_only=step is Step.QUERY, reason=reason)


def _begin(reward: Reward, payouts: Payouts) -> Reward:
    rail = payouts.rail_of(reward)
    attempt = _attempt(reward, rail, payouts)
    begun = states.begin_attempt(reward, attempt)
    if rail.capabilities.name == OWN_LEDGER:
        return _book(reward, begun, rail, payouts)
    payouts.ledger.replace(reward, begun)
    return _send(begun, payouts)


def _book(reward: Reward, begun: Reward, rail: Rail, payouts: Payouts) -> Reward:
    """Our own ledger is the rail: attempt and settlement are one write, so there is nothing to lose in between."""
    outcome = rail.submit(_instruction(begun, begun.party))
    booked = apply_outcome(begun, 1 if begun.attempt is None else begun.attempt.no, outcome, payouts.clock_ms()).reward
    payouts.ledger.replace(reward, states.as_one_write(reward, booked))
    return states.as_one_write(reward, booked)


def _send(reward: Reward, payouts: Payouts, *, ask_only: bool = False, reason: str = "") -> Reward:
    """Send the written attempt, or only ask where sending is no longer allowed; then adopt what the rail says."""
    attempt = reward.attempt
    if attempt is None:
        raise ConflictError("transition_illegal", f"reward {reward.reward_id} has no attempt to send")
    rail, bill = payouts.rail_of(reward), ids.bill_no(reward.reward_id, attempt.no)
    outcome = rail.query(bill) if ask_only or reason else _submit(reward, rail, payouts)
    if reason and isinstance(outcome, NotFound):
        return _hold(reward, reason, payouts)
    if isinstance(outcome, Unknown) and not outcome.hold and not (ask_only or reason):
        asked = rail.query(bill)
        # NotFound after a time-out proves little: the first call may still arrive. The same bill goes out again later.
        outcome = outcome if isinstance(asked, NotFound) else asked
        return settle(reward, attempt.no, outcome, payouts)
    return settle(reward, attempt.no, outcome, payouts, submitted=not (ask_only or reason))


def _submit(reward: Reward, rail: Rail, payouts: Payouts) -> RailOutcome:
    """The rail's answer; what it can never carry, or a payee that does not open, is for a human."""
    try:
        payee = payouts.open_payee(reward)
        return rail.submit(_instruction(reward, payee))
    except (InputError, PoisonError) as cause:
        return NotAccepted(reason=cause.code, hold=True)


def _hold(reward: Reward, reason: str, payouts: Payouts) -> Reward:
    held = states.hold(reward, reason, payouts.clock_ms())
    payouts.ledger.replace(reward, held)
    return held


def _attempt(reward: Reward, rail: Rail, payouts: Payouts) -> Attempt:
    now_ms, limits = payouts.clock_ms(), rail.capabilities
    number = reward.attempt.no + 1 if reward.attempt else 1
    campaign = payouts.catalog.campaign_version(reward.campaign_id, reward.campaign_version)
    lifetime = limits.key_lifetime_ms
    return Attempt(
        no=number,
        rail=limits.name,
        at_ms=now_ms,
        amount_minor=reward.net_minor,
        campaign_name=_text(campaign.name),
        reward_note=_note(campaign, reward),
        scene=Scene.MARKETING if reward.beneficiary == "consumer" else Scene.COMMISSION,
        notify_url=payouts.notify_url if limits.has_callbacks else "",
        key_expires_at_ms=now_ms + lifetime if lifetime else 0,
    )


def _note(campaign: Campaign, reward: Reward) -> str:
    try:
        return _text(campaign.prize(reward.prize_id).name)
    except KeyError:
        raise NotFoundError("prize_unknown", "the campaign version lost a prize", where="prize_id") from None


def _text(text: dict[str, str]) -> str:
    return (text.get(_LANGUAGE) or next(iter(text.values()), ""))[:_TEXT_CHARACTERS]


def _instruction(reward: Reward, payee: str) -> PayInstruction:
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
    )
