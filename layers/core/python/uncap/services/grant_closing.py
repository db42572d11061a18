"""The winners of a closing draw get their rewards, and runners-up what those cannot or do not take (ADR 0028).

Called by `run_closings.py` in reconcile_job. Each prize has one place in the ledger (`hold#`), which a reward takes in
the transaction that creates it and gives back when it is released: whatever is repeated, a prize is owed once.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from uncap.domain.campaigns.draws import CLOSING
from uncap.domain.campaigns.facts import Pick
from uncap.domain.campaigns.reference import slots_of
from uncap.domain.catalog import Campaign
from uncap.domain.errors import PoisonError
from uncap.domain.prizes.closing import (
    NOBODY,
    ClosingDraw,
    Replaced,
    closing_key,
    drawn_entries,
    holder,
    next_runner,
    prizes_in_order,
)
from uncap.domain.prizes.entering import CHUNK, ROW_BYTES, ClosingStore, Outcome, ref_of, tag_of
from uncap.domain.rewards import ids
from uncap.domain.rewards.drawn import BLOCKED
from uncap.domain.rewards.granting import EXCLUDED, Ground, reward_of
from uncap.domain.rewards.holds import HoldPlace, Line, line_key
from uncap.domain.rewards.ports import ScanReader
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.states import unwatched, waits_for_person
from uncap.domain.scans import Mark
from uncap.services.draw_prizes import Drawing
from uncap.services.grant_rewards import Granter

DAY_MS = 86_400_000
_CHUNKS_KEPT = 256


@dataclass
class Prizes:
    """What granting a closing draw needs; `chunks` keeps the entries read, 25 MB at most."""

    draw: ClosingDraw
    campaign: Campaign
    granter: Granter
    drawing: Drawing
    scans: ScanReader
    store: ClosingStore
    chunks: OrderedDict[int, bytes] = field(default_factory=OrderedDict)

    def row(self, place: int) -> bytes:
        """The entry at this place of the list."""
        number, at = divmod(place, CHUNK)
        if number not in self.chunks:
            if len(self.chunks) >= _CHUNKS_KEPT:
                self.chunks.popitem(last=False)
            self.chunks[number] = self.store.rows(self.campaign.campaign_id, number)
        self.chunks.move_to_end(number)
        return self.chunks[number][at * ROW_BYTES : (at + 1) * ROW_BYTES]


def grant_closing(prizes: Prizes, time_is_up: Callable[[], bool]) -> list[Reward]:
    """Every prize's reward as it stands, for as far as time allowed. Safe to repeat; what is on its way is sent again.

    Raises ConflictError (`closing_moved`), PoisonError, TransientError.
    """
    store, campaign_id = prizes.store, prizes.campaign.campaign_id
    outcome = store.outcome(campaign_id) or _kept(prizes, Outcome(_drawn(prizes)))
    rewards: list[Reward] = []
    for slot in range(min(prizes.draw.settled_terms.terms.total, len(outcome.drawn))):
        if time_is_up():
            return rewards
        outcome, reward = _granted(prizes, outcome, slot)
        rewards += [reward] if reward is not None else []
    waiting = [one.reward_id for one in rewards if _waits(one)]
    if waiting:
        prizes.granter.queue.send(waiting)
    if not outcome.given:
        _kept(prizes, msgspec.structs.replace(outcome, given=True))
    return rewards


def _waits(reward: Reward) -> bool:
    """No index has it: the pass over Scans does not know of it, so this run sends it (again)."""
    moving = reward.state in (State.PENDING, State.SUBMITTING) and not reward.due_at_ms
    return moving or unwatched(reward)


def _drawn(prizes: Prizes) -> tuple[int, ...]:
    fixed, draw = prizes.draw.settled_terms, prizes.draw
    key = closing_key(bytes.fromhex(draw.seed), draw.commitment, draw.beacon_value)
    return drawn_entries(key, fixed.entry_count, lambda place: tag_of(prizes.row(place)), fixed.terms)


def _kept(prizes: Prizes, outcome: Outcome) -> Outcome:
    saved = msgspec.structs.replace(outcome, rev=outcome.rev + 1)
    prizes.store.save_outcome(prizes.campaign.campaign_id, saved)
    return saved


def _granted(prizes: Prizes, outcome: Outcome, slot: int) -> tuple[Outcome, Reward | None]:
    """The prize's reward, passed on from one to the next until somebody has it or nobody is left.

    Who is next is written down before anything is created for them, so a kill in between repeats the same.
    """
    terms = prizes.draw.settled_terms.terms
    while (place := holder(terms, outcome.drawn, outcome.replaced, slot)) != NOBODY:
        reward, reason = _owed(prizes, slot, place)
        if not reason:
            return outcome, reward
        runner = next_runner(terms, outcome.drawn, outcome.replaced)
        moved = (*outcome.replaced, Replaced(slot, runner, reason))
        outcome = _kept(prizes, msgspec.structs.replace(outcome, replaced=moved))
    return outcome, None


def _owed(prizes: Prizes, slot: int, place: int) -> tuple[Reward | None, str]:
    """The entry's reward, or why the prize must go on."""
    ref, fixed = ref_of(prizes.row(place)), prizes.draw.settled_terms
    reward_id = ids.reward_id(ref, fixed.campaign_id, fixed.terms.no, "consumer")
    stored = prizes.granter.ledger.get(reward_id)
    if stored is not None:
        return stored, stored.reason or "not_taken" if stored.state is State.RELEASED else ""
    image = prizes.scans.get(ref.key())
    if image is None or image.first is None:
        raise PoisonError("claim_missing", "an entry's claim is not there any more", where=ref.key())
    if reason := _unfit(prizes, image.first.person):
        return None, reason
    reward = _reward(prizes, slot, place, image.first)
    spot = hold_of(fixed.campaign_id, slot)
    return prizes.drawing.store.create_held(msgspec.structs.replace(reward, holds=(spot.key,)), [spot]), ""


def hold_of(campaign_id: str, slot: int) -> HoldPlace:
    """The one place that prize number `slot` has in the ledger."""
    return Line(line_key(campaign_id, "closing", str(slot)), 1, "", 1).place(0)


def _unfit(prizes: Prizes, person: str) -> str:
    """Who may win nothing by luck: blocked people, and the staff that the campaign excludes."""
    if prizes.drawing.blocked(person):
        return BLOCKED
    targeting, rule_set = prizes.granter.targeting, prizes.campaign.rule_set
    if targeting is None or not rule_set:
        return ""
    index = targeting.rule_sets.index_of(rule_set)
    tags = frozenset(index.excluded.tags)
    member = targeting.members.member(person) if tags else None
    excluded = person in index.people or (member is not None and not tags.isdisjoint(member.tags))
    return EXCLUDED if excluded else ""


def _reward(prizes: Prizes, slot: int, place: int, claim: Mark) -> Reward:
    """As any claim's reward is made, but dated by the draw, and open for as long as the terms say."""
    ref, fixed, draw, granter = ref_of(prizes.row(place)), prizes.draw.settled_terms, prizes.draw, prizes.granter
    view = granter.catalog.batch(ref.batch_no)
    release = view.release_of(ref.index) if view else None
    if view is None or release is None:
        raise PoisonError("release_unknown", "no release holds an entry's code", where=ref.key())
    until_ms = max(draw.drawn_at_ms, granter.clock_ms()) + fixed.terms.take_days * DAY_MS
    ground = Ground(
        view.batch,
        msgspec.structs.replace(release, claim_until_ms=until_ms),
        msgspec.structs.replace(prizes.campaign, claim_until_ms=until_ms),
        "",
        granter.channel.channel_of(ref.batch_no, release.drawn_as(ref.index)),
        granter.catalog.epoch_state(view.batch.epoch),
    )
    pick = Pick(fixed.terms.no, "consumer", 0, CLOSING, prizes_in_order(fixed.terms)[slot])
    dated = msgspec.structs.replace(claim, at_ms=draw.drawn_at_ms)
    return _under_review(prizes, reward_of(ref, dated, pick, ground, pick.prize_id))


def _under_review(prizes: Prizes, reward: Reward) -> Reward:
    """Where people still look at the claim's other rewards, they decide about this one too."""
    campaign = prizes.campaign
    slots = slots_of(campaign.effects, campaign.rule_set, "consumer")
    others = [ids.reward_id(reward.code, campaign.campaign_id, no, "consumer") for no in slots]
    held = [one for one in prizes.granter.ledger.get_many(others).values() if waits_for_person(one)]
    if not held or reward.state is not State.PENDING:
        return reward
    return msgspec.structs.replace(reward, state=State.HELD, reason=held[0].reason, due_at_ms=0)
