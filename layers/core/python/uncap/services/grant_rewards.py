"""Claims become rewards, rewards reach the queue: the relay's use case, shared by the reconcile job and redrive.

Everything here may be repeated: rewards are created by conditional put, and what is still PENDING is sent (again), so
a crash between the put and the send heals with the next delivery of the same claim.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from uncap.adapters.catalog import BatchView, Catalog
from uncap.domain.campaigns.deciding import NOTHING
from uncap.domain.campaigns.draws import DRAWN
from uncap.domain.campaigns.facts import Pick
from uncap.domain.campaigns.pay_n import PAY_N
from uncap.domain.campaigns.reference import Slot, slots_of
from uncap.domain.catalog import Campaign, Release
from uncap.domain.codes.canaries import run_of
from uncap.domain.errors import ConflictError, InputError, NotFoundError, PoisonError
from uncap.domain.rails import Rail
from uncap.domain.rewards import ids
from uncap.domain.rewards.drawn import Candidates
from uncap.domain.rewards.granting import Ground, deadline_ms, picks_of, rewards_of
from uncap.domain.rewards.ports import Channel, ChannelReader, LedgerStore, RewardQueue
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.states import waits_for_person
from uncap.domain.scans import CodeRef, Mark, ScanChange, ScanImage
from uncap.services.decide_claims import Claimed, Targeting, decide_claim, place_now
from uncap.services.draw_prizes import Drawing, drawn_slots, fill
from uncap.services.judge_risk import RiskGate, judged, reviewed
from uncap.services.make_attempt import WITHOUT_RAIL, booked_at_birth, without_rail
from uncap.services.stop_money import Brakes


@dataclass(frozen=True)
class Granter:
    """What granting needs. `laid_prize` gives the prize id on a unit index of a release, "" for none.

    `own`: the rails, by prize kind, whose counterpart is our own ledger; these rewards are paid with their first put.
    `pool` runs the puts side by side; without one they run in order. `targeting` decides the claims of campaigns that
    have rules, `drawing` fills the drawn slots of those that draw.
    """

    catalog: Catalog
    channel: ChannelReader
    ledger: LedgerStore
    queue: RewardQueue
    laid_prize: Callable[[Release, int], str]
    brakes: Brakes
    clock_ms: Callable[[], int]
    own: Mapping[str, Rail] = field(default_factory=dict)
    pool: Executor | None = None
    targeting: Targeting | None = None
    gate: RiskGate | None = None
    drawing: Drawing | None = None


@dataclass
class Granted:
    """What a batch of claims came to. `rewards` are as stored, whoever created them; `poison` maps code keys to why."""

    rewards: list[Reward] = field(default_factory=list)
    sent: int = 0
    poison: list[tuple[str, PoisonError]] = field(default_factory=list)

    @property
    def owed(self) -> int:
        """Rewards that are worth something."""
        return sum(one.state is not State.NONE for one in self.rewards)

    @property
    def paid(self) -> int:
        """Rewards that our own ledger has paid; a repeated batch counts them again."""
        return sum(one.state is State.PAID for one in self.rewards)

    @property
    def held(self) -> int:
        """Rewards that wait for a person."""
        return sum(waits_for_person(one) for one in self.rewards)


def grant_changes(changes: Iterable[ScanChange], granter: Granter) -> Granted:
    """Grant every first claim among the stream's scans, and pay again who came back for an expired payout."""
    firsts, returns = [], []
    for change in changes:
        if change.is_first_claim:
            firsts.append(change.new)
        elif _owner_returned(change):
            returns.append(change.new)
    granted = grant_claims(firsts, granter)
    again = claimable_again(returns, granter)
    if again:
        granter.queue.send(again)
        granted.sent += len(again)
    return granted


def grant_claims(claims: Iterable[ScanImage], granter: Granter) -> Granted:
    """Create the rewards of these claims and send what is PENDING. TransientError: repeat the whole, it is safe."""
    granted = Granted()
    planned: list[Reward] = []
    drawn: list[Candidates] = []
    images = list(claims)
    for image, found in zip(images, _plans(images, granter), strict=True):
        if isinstance(found, PoisonError):
            granted.poison.append((image.pk, found))
        else:
            planned += [_paid_at_once(one, granter) for one in found.rewards]
            drawn += found.drawn
    run = granter.pool.map if granter.pool else map
    granted.rewards = list(run(granter.ledger.create, planned))
    granted.rewards += run(lambda slot: _filled(slot, granter), drawn)
    pending = [one.reward_id for one in granted.rewards if one.state is State.PENDING and not one.due_at_ms]
    if pending:
        granter.queue.send(pending)
    granted.sent = len(pending)
    return granted


class Plan(NamedTuple):
    """What a claim founds: `rewards` to put as they are, `drawn` slots to fill from their budgets."""

    rewards: tuple[Reward, ...] = ()
    drawn: tuple[Candidates, ...] = ()


def plan(image: ScanImage, granter: Granter) -> Plan:
    """What this claim founds, from the facts as they are now. Nothing is written but the claim's decision, where
    the campaign has rules.

    PoisonError where the claim names a batch, release or campaign that does not exist, or prizes that do not verify.
    """
    claim, ref = image.first, image.ref
    if claim is None or claim.form != "claim":
        return Plan()
    view = _batch(ref, granter.catalog)
    release = _release(view, ref, claim, granter.catalog)
    try:
        campaign = _campaign(claim, release, granter.catalog)
        if run_of(view.batch, ref.index) is not None:
            return Plan(_worthless(ref, claim, view, release, campaign))
        laid = any(effect.kind == "laid" for effect in campaign.effects)
        prize_id = granter.laid_prize(release, ref.index) if laid else ""
        channel = granter.channel.channel_of(ref.batch_no, release.drawn_as(ref.index))
        epoch_state = granter.catalog.epoch_state(view.batch.epoch)
        ground = Ground(view.batch, release, campaign, prize_id, channel, epoch_state)
        ground = _targeted(ref, claim, ground, granter)
        return Plan(reviewed(granter.gate, ref, claim, ground), _drawn(ref, claim, ground, granter))
    except (ConflictError, InputError) as cause:
        raise PoisonError(cause.code, cause.message, where=cause.where) from cause


def _drawn(ref: CodeRef, claim: Mark, ground: Ground, granter: Granter) -> tuple[Candidates, ...]:
    if granter.drawing is not None:
        return drawn_slots(ref, claim, ground, granter.drawing)
    if any(pick.kind == DRAWN for pick in picks_of(ground)):
        raise PoisonError("drawing_missing", "this function has no key for drawn prizes", where="campaign")
    return ()


def _filled(slot: Candidates, granter: Granter) -> Reward:
    if granter.drawing is None:
        raise PoisonError("drawing_missing", "this function has no key for drawn prizes", where="campaign")
    return fill(
        slot, granter.drawing, granter.ledger, lambda reward: _paid_at_once(judged(granter.gate, reward), granter)
    )


def _plans(images: Sequence[ScanImage], granter: Granter) -> list[Plan | PoisonError]:
    """What each claim founds, or why it cannot. Decisions that count nothing are kept side by side."""
    found: dict[int, Plan | PoisonError] = {}
    alone = [at for at, image in enumerate(images) if _decides_alone(image, granter)] if granter.pool else []
    if granter.pool and len(alone) > 1:
        found |= zip(alone, granter.pool.map(lambda at: _tried(images[at], granter), alone), strict=True)
    return [found[at] if at in found else _tried(image, granter) for at, image in enumerate(images)]


def _tried(image: ScanImage, granter: Granter) -> Plan | PoisonError:
    try:
        return plan(image, granter)
    except PoisonError as cause:
        return cause


def _decides_alone(image: ScanImage, granter: Granter) -> bool:
    """Whether its decision is one write that no other claim's decision depends on."""
    try:
        version = image.first.campaign_version if image.first and image.first.campaign else None
        rule_set = granter.catalog.campaign_version(*version).rule_set if version else None
    except (NotFoundError, PoisonError):
        return False  # planning it will say so
    return rule_set is not None and bool(rule_set) and not any(need.endswith("_count") for need in rule_set.needs)


def _targeted(ref: CodeRef, claim: Mark, ground: Ground, granter: Granter) -> Ground:
    """With what the rules decided and, where the campaign stands still in places, the goods' place."""
    campaign = ground.campaign
    latest = granter.catalog.campaign_versions(campaign.campaign_id)[-1:]
    scope = latest[0].paused_for if latest else campaign.paused_for
    placed = _place_matters(campaign)
    if granter.targeting is None or not (campaign.rule_set or scope or placed):
        return ground
    final = granter.clock_ms() >= deadline_ms(claim, ground)
    claimed = Claimed(ref, claim, ground.batch, ground.release, campaign, ground.channel, final)
    if not campaign.rule_set:
        return msgspec.structs.replace(ground, place=place_now(claimed, granter.targeting))
    decision = decide_claim(claimed, granter.targeting)
    place = place_now(claimed, granter.targeting) if scope or placed else decision.facts.place
    return msgspec.structs.replace(ground, picks=decision.picks, facts=decision.facts, place=place)


def _place_matters(campaign: Campaign) -> bool:
    """Pay-N rights are for outlets of the goods' region; a drawn prize may have so many for each region."""
    regional = any(share.per_region for draw in campaign.draws for share in draw.shares)
    return regional or any(prize.pay_n is not None for prize in campaign.prizes)


def _worthless(ref: CodeRef, claim: Mark, view: BatchView, release: Release, campaign: Campaign) -> tuple[Reward, ...]:
    """A canary's rewards are in state NONE like those of any code that won nothing (ADR 0018)."""
    slots = {Slot(one.no, one.beneficiary) for one in campaign.effects}
    slots |= {Slot(no, "consumer") for no in slots_of(campaign.effects, campaign.rule_set, "consumer")}
    picks = tuple(Pick(slot.no, slot.beneficiary, NOTHING) for slot in sorted(slots))
    return rewards_of(ref, claim, Ground(view.batch, release, campaign, "", Channel(), picks=picks))


def _paid_at_once(reward: Reward, granter: Granter) -> Reward:
    """What our own ledger pays needs no queue and no second write, unless money may not move or it has to wait.

    Nor do a pay-N right, put as one that may be redeemed, and a prize that is sent, put as one that waits for where.
    """
    rail, alone = granter.own.get(reward.kind), reward.kind in WITHOUT_RAIL
    if not (rail or alone) or reward.state is not State.PENDING or granter.brakes.reason(reward):
        return reward
    if rail is None:
        return msgspec.structs.replace(without_rail(reward, granter.clock_ms()), rev=reward.rev)
    try:
        return booked_at_birth(reward, rail, granter.catalog, granter.clock_ms())
    except (ConflictError, InputError):
        return reward  # the worker will fail with it alone, where here the whole stream would stand still


def claimable_again(images: Sequence[ScanImage], granter: Granter) -> list[str]:
    """Rewards of returning owners whose payout expired, or who said their name: they are here, so it is tried now."""
    wanted: list[str] = []
    for image in images:
        if image.first:
            wanted += _consumer_rewards(image.ref, image.first, granter.catalog)
    found = [granter.ledger.get(one) for one in wanted]
    named = {one.reward_id for one in found if one and one.name and one.state is State.PENDING}
    again = [one.reward_id for one in found if one and one.state is State.CLAIMABLE and one.kind != PAY_N]
    return [*again, *named]  # a pay-N right is an outlet's to redeem


def _owner_returned(change: ScanChange) -> bool:
    first, last = change.new.first, change.new.last
    return first is not None and first.form == "claim" and last.form == "claim" and last.person == first.person != ""


def _consumer_rewards(ref: CodeRef, claim: Mark, catalog: Catalog) -> list[str]:
    try:
        campaign_id, version = claim.campaign_version
        campaign = catalog.campaign_version(campaign_id, version)
    except (NotFoundError, PoisonError):
        return []  # the first claim was parked for the same reason; nothing is waiting
    mine = slots_of(campaign.effects, campaign.rule_set, "consumer")
    return [ids.reward_id(ref, campaign_id, no, "consumer") for no in mine]


def _batch(ref: CodeRef, catalog: Catalog) -> BatchView:
    view = catalog.batch(ref.batch_no) or catalog.batch(ref.batch_no, fresh=True)
    if view is None:
        raise PoisonError("batch_unknown", f"a claim in batch {ref.batch_no}, which does not exist", where="pk")
    return view


def _release(view: BatchView, ref: CodeRef, claim: Mark, catalog: Catalog) -> Release:
    """The release that the claim names, activated: a cache older than the activation is read through once."""
    for fresh in (False, True):
        one = catalog.batch(ref.batch_no, fresh=True) if fresh else view
        release = _holding(one, ref, claim) if one else None
        if release and release.state != "committed" and claim.release_id in ("", release.release_id):
            return release
    raise PoisonError("release_unknown", f"no activated release {claim.release_id!r} holds the code", where="release")


def _holding(view: BatchView, ref: CodeRef, claim: Mark) -> Release | None:
    """By index; a canary's index lies in no release, its claim names the one it pretends to belong to."""
    if ref.index < view.batch.size:
        return view.release_of(ref.index)
    return next((one for one in view.releases if one.release_id == claim.release_id), None)


def _campaign(claim: Mark, release: Release, catalog: Catalog) -> Campaign:
    if claim.campaign:
        return catalog.campaign_version(*claim.campaign_version)
    return catalog.campaign_version(release.campaign_id, release.campaign_version)
