"""An outlet redeems a consumer's pay-N right: checked, then one transaction, then nothing more (ADR 0021).

Called by `routes/channel_routes.py`. A retry of the same request gets the same receipt; anybody else learns that it was
redeemed. A crash leaves either everything or nothing.
"""

from collections.abc import Callable
from datetime import tzinfo
from typing import Protocol

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.adapters.replenishments import Move
from uncap.domain.campaigns.places import region_of
from uncap.domain.campaigns.reference import PayN, Place
from uncap.domain.catalog import Party, Prize
from uncap.domain.days import day_of, next_day_ms
from uncap.domain.errors import ConflictError, ForbiddenError, LimitError, NotFoundError, TransientError
from uncap.domain.memberships import OUTLET_ROLES, Membership
from uncap.domain.replenishment import RAISE, Claim, Step, above, raised, step_id
from uncap.domain.rewards import states
from uncap.domain.rewards.reward import Redemption, Reward
from uncap.domain.rewards.rights import (
    PIECES,
    check_outlet,
    check_person,
    check_redeemable,
    lookup_key,
    receipt_of,
)
from uncap.domain.sessions import Session
from uncap.services.claim_limits import Limits

WRONG_PER_DAY = 20
_RACES = 8
_DAY_S = 86_400


class RightStore(Protocol):
    """See adapters/replenishments.py."""

    def reward_of(self, key: str) -> str: ...

    def claim(self, claimant: str, upstream: str) -> Claim | None: ...

    def redeem(self, old: Reward, new: Reward, move: Move) -> None: ...


class RewardReader(Protocol):
    """One reward, strongly consistent."""

    def get(self, reward_id: str) -> Reward | None: ...


class Stops(Protocol):
    """Why nothing may be given out now (services/stop_money.py)."""

    def reason(self, reward: Reward) -> str: ...


class RedeemDesk(msgspec.Struct, frozen=True):
    """What redeeming needs from outside."""

    rewards: RewardReader
    store: RightStore
    catalog: Catalog
    brakes: Stops
    limits: Limits
    party_of: Callable[[str], Party | None]
    membership_of: Callable[[str], Membership | None]
    zone: tzinfo


class Wanted(msgspec.Struct, frozen=True):
    """`key` is the request's own, the same for every retry; `campaign_id` where the outlet works on one campaign."""

    code: str
    key: str
    campaign_id: str = ""


class Receipt(msgspec.Struct, frozen=True):
    """What the outlet may hand over, and what it is credited. `collect_minor` is what the consumer adds."""

    reward_id: str
    gtin: str
    prize: dict[str, str]
    collect_minor: int
    pieces: int
    fee_minor: int
    currency: str
    redeemed_at_ms: int
    upstream: str


def redeem_right(desk: RedeemDesk, session: Session, wanted: Wanted, now_ms: int) -> Receipt:
    """The receipt. `session` is a member's, freshly read.

    Raises InputError (`redemption_code_malformed`), NotFoundError (`redemption_code_unknown`), ConflictError
    (`redemption_used`, `_expired`, `_held`, `_not_ready`, `_stopped`, `_other_campaign`), ForbiddenError
    (`intent_not_allowed`, `redemption_own_right`, `redemption_outlet_excluded`, `redemption_out_of_region`), LimitError
    (`redemption_tries`, `redemption_person_limit`), TransientError (send the same again).
    """
    if session.party_role not in OUTLET_ROLES:
        raise ForbiddenError("intent_not_allowed", "Only outlets redeem.")
    reward = _found(desk, session, lookup_key(wanted.code), now_ms)
    for _ in range(_RACES):
        if receipt_of(reward, session.party, wanted.key) is not None:
            return _receipt(reward, _prize(desk, reward))
        try:
            return _redeem(desk, session, wanted, reward, now_ms)
        except ConflictError as cause:
            if cause.code not in ("reward_moved", "claim_moved"):
                raise
        reward = desk.rewards.get(reward.reward_id) or reward
    raise TransientError("redemption_contended", "Too much at once; send the same again.")


def _redeem(desk: RedeemDesk, session: Session, wanted: Wanted, reward: Reward, now_ms: int) -> Receipt:
    check_redeemable(reward, now_ms)
    if wanted.campaign_id and wanted.campaign_id != reward.campaign_id:
        raise ConflictError("redemption_other_campaign", "This code belongs to another campaign.")
    prize = _prize(desk, reward)
    terms = _terms(prize)
    outlet = session.party
    works_for = desk.membership_of(reward.party)
    check_person(reward, session.person, works_for.party_id if works_for and works_for.stands else "", outlet)
    check_outlet(_latest(desk, reward, terms), reward.place, _place_of(desk, outlet))
    if desk.brakes.reason(reward):
        raise ConflictError("redemption_stopped", "Nothing is given out on this code at the moment.")
    _take_a_place(desk, reward, terms, outlet, now_ms)
    upstream = above(desk.party_of, outlet)
    done = states.redeem(reward, Redemption(outlet, session.person, now_ms, wanted.key, upstream))
    desk.store.redeem(reward, done, _move(desk, done, terms, now_ms))
    return _receipt(done, prize)


def _move(desk: RedeemDesk, done: Reward, terms: PayN, now_ms: int) -> Move:
    """The outlet's claim on whoever is above it, one piece more."""
    made = done.redeemed
    if made is None:
        raise ValueError("a redemption needs its receipt")
    old = desk.store.claim(made.outlet, made.upstream)
    claim = raised(old or Claim(made.outlet, made.upstream, now_ms), terms.gtin, done.amount_minor, done.fee_minor)
    step = Step(
        step_id=step_id(RAISE, made.outlet, made.upstream, terms.gtin, done.reward_id),
        claimant=made.outlet,
        upstream=made.upstream,
        gtin=terms.gtin,
        kind=RAISE,
        pieces=done.amount_minor,
        at_ms=made.at_ms,
        by=made.person,
        reference=done.reward_id,
        amount_minor=done.fee_minor,
        currency=done.fee_currency,
    )
    return Move(old, claim, step)


def _found(desk: RedeemDesk, session: Session, key: str, now_ms: int) -> Reward:
    """The right of this code. Twenty wrong ones a day, so that nobody finds one by trying."""
    counter = f"{session.person}#redeem#{day_of(now_ms, desk.zone)}"
    slot = key[:16]
    if not desk.limits.take(counter, slot, WRONG_PER_DAY, now_ms // 1000 + 2 * _DAY_S):
        raise LimitError("redemption_tries", "Too many wrong codes for today.", retry_after_s=_wait_s(desk, now_ms))
    reward_id = desk.store.reward_of(key)
    reward = desk.rewards.get(reward_id) if reward_id else None
    if reward is None:
        raise NotFoundError("redemption_code_unknown", "There is no such code.", where="code")
    desk.limits.give_back(counter, slot)
    return reward


def _take_a_place(desk: RedeemDesk, reward: Reward, terms: PayN, outlet: str, now_ms: int) -> None:
    """One outlet redeems so many of one person's rights a day. The place is the right's: a retry takes no second one,
    and it is never given back, as whoever lost the race cannot know that it was not for the same redemption."""
    counter = f"{reward.party}#{reward.campaign_id}#{outlet}#{day_of(now_ms, desk.zone)}"
    if not desk.limits.take(counter, reward.reward_id, terms.per_day, now_ms // 1000 + 2 * _DAY_S):
        wait_s = _wait_s(desk, now_ms)
        raise LimitError("redemption_person_limit", "This person has had enough here today.", retry_after_s=wait_s)


def _wait_s(desk: RedeemDesk, now_ms: int) -> int:
    return max(1, (next_day_ms(now_ms, desk.zone) - now_ms + 999) // 1000)


def _prize(desk: RedeemDesk, reward: Reward) -> Prize:
    return desk.catalog.campaign_version(reward.campaign_id, reward.campaign_version).prize(reward.prize_id)


def _latest(desk: RedeemDesk, reward: Reward, terms: PayN) -> PayN:
    """The campaign's newest terms, where they are the wider: an exclusion that was lifted holds nobody back."""
    versions = desk.catalog.campaign_versions(reward.campaign_id)
    newest = (
        next((one.pay_n for one in versions[-1].prizes if one.prize_id == reward.prize_id), None) if versions else None
    )
    return newest or terms


def _terms(prize: Prize) -> PayN:
    if prize.pay_n is None:
        raise ConflictError("redemption_not_ready", "This code is not one for redeeming.")
    return prize.pay_n


def _place_of(desk: RedeemDesk, outlet: str) -> Place:
    """The outlet's own place: the distributors above it, and the region of their territory."""
    chain = {"sub_distributor": "", "distributor": ""}
    party = desk.party_of(outlet)
    for _ in range(16):
        if party is None:
            break
        if chain.get(party.role) == "":
            chain[party.role] = party.party_id
        party = desk.party_of(party.parent_id) if party.parent_id else None
    region = region_of(desk.catalog.territories(), chain["sub_distributor"], chain["distributor"])
    return Place(region, chain["distributor"], outlet)


def _receipt(reward: Reward, prize: Prize) -> Receipt:
    terms, made = prize.pay_n, reward.redeemed
    if terms is None or made is None:
        raise ConflictError("redemption_not_ready", "This code was not redeemed.")
    return Receipt(
        reward_id=reward.reward_id,
        gtin=terms.gtin,
        prize=prize.name,
        collect_minor=terms.add_minor,
        pieces=reward.amount_minor,
        fee_minor=reward.fee_minor,
        currency=reward.fee_currency or PIECES,
        redeemed_at_ms=made.at_ms,
        upstream=made.upstream,
    )
