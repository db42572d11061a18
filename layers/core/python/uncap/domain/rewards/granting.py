"""From a first claim to the rewards it founds: who gets what, and what must be waited for. Pure.

Called by `services/grant_rewards.py` for the relay and the reconcile job, which read the facts. What a release can cost
at most is in `face_values.py`; which rule fills which slot in `domain/campaigns/deciding.py`.
"""

import msgspec

from uncap.domain import ledger
from uncap.domain.campaigns.draws import CLOSING, DRAWN
from uncap.domain.campaigns.facts import Facts, Pick
from uncap.domain.campaigns.pay_n import PAY_N
from uncap.domain.campaigns.reference import PayN, Place
from uncap.domain.catalog import Campaign, CodeBatch, Prize, Release
from uncap.domain.errors import PoisonError
from uncap.domain.rewards import ids
from uncap.domain.rewards.accruing import ACCRUAL, accrues
from uncap.domain.rewards.ports import Channel
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.rights import PIECES, granted_right
from uncap.domain.rewards.states import AWAITING_ASSOCIATION, AWAITING_SHIPMENT, EPOCH_COMPROMISED, wait_ms
from uncap.domain.scans import CodeRef, Mark

COME_BACK_FOR_MS = 7 * 86_400_000
NO_PAYEE = "no_payee"
EXCLUDED = "excluded"
_OWN_UNITS = {"points": "PTS", "goods_voucher": PIECES, PAY_N: PIECES}
_OWN_BUDGETS = {DRAWN: ledger.drawn_budget, CLOSING: ledger.closing_budget}
_TAX_PERCENT = {"none": 0, "incidental": 20}


class Ground(msgspec.Struct, frozen=True):
    """The facts a grant stands on. `prize_id` is the prize laid on this code, "" for none.

    `picks` are what the claim's decision put into each slot, and `facts` those it was taken with; without picks it is
    the campaign's unconditional effects. `place` is kept in the rewards of campaigns that differ by place.
    """

    batch: CodeBatch
    release: Release
    campaign: Campaign
    prize_id: str
    channel: Channel
    epoch_state: str = "minting"
    picks: tuple[Pick, ...] | None = None
    facts: Facts | None = None
    place: Place | None = None


def rewards_of(ref: CodeRef, claim: Mark, ground: Ground) -> tuple[Reward, ...]:
    """One reward per pick of the claim's decision, state NONE where nothing was won; drawn picks are `drawn.py`'s.

    PoisonError (`prize_unknown`, `prize_without_value`, `tax_class_unknown`) if the campaign contradicts itself.
    """
    return tuple(
        reward_of(ref, claim, pick, ground, ground.prize_id if pick.kind == "laid" else pick.prize_id)
        for pick in picks_of(ground)
        if pick.kind != DRAWN
    )


def picks_of(ground: Ground) -> tuple[Pick, ...]:
    """What the claim's decision put into the slots."""
    return unconditional(ground.campaign) if ground.picks is None else ground.picks


def unconditional(campaign: Campaign) -> tuple[Pick, ...]:
    """What every claim is given by a campaign version without rules."""
    return tuple(Pick(one.no, one.beneficiary, 0, one.kind, one.prize_id) for one in campaign.effects)


def currency_of_prize(prize: Prize, campaign: Campaign) -> str:
    """Points and vouchers are kept in units of their own, so that no account mixes them with money."""
    return _OWN_UNITS.get(prize.kind, campaign.currency)


def values_of(prize: Prize, campaign: Campaign) -> dict[str, int]:
    """What a prize costs, per currency: a pay-N right is a piece of goods and the outlet's fee."""
    values = {currency_of_prize(prize, campaign): prize.amount_minor}
    if prize.pay_n is not None and prize.pay_n.fee_minor:
        values[campaign.currency] = values.get(campaign.currency, 0) + prize.pay_n.fee_minor
    return values


def withheld_minor(prize: Prize) -> int:
    """Tax the payer withholds from a cash prize, rounded half up to a fen: 20 % of incidental income in China."""
    percent = _TAX_PERCENT.get(prize.tax_class)
    if percent is None:
        raise PoisonError("tax_class_unknown", f"prize {prize.prize_id} has tax class {prize.tax_class!r}")
    return (prize.amount_minor * percent + 50) // 100 if prize.kind == "cash" else 0


def reward_of(ref: CodeRef, claim: Mark, pick: Pick, ground: Ground, prize_id: str) -> Reward:
    """The reward of one slot with this prize, "" for none."""
    campaign = ground.campaign
    base = Reward(
        reward_id=ids.reward_id(ref, campaign.campaign_id, pick.no, pick.beneficiary),
        ref=ref.key(),
        campaign=f"{campaign.campaign_id}@{campaign.version}",
        release_id=ground.release.release_id,
        effect_no=pick.no,
        beneficiary=pick.beneficiary,
        state=State.NONE,
        claimed_at_ms=claim.at_ms,
        claimable_until_ms=deadline_ms(claim, ground),
        party=_party(claim, pick.beneficiary, ground),
        place=ground.place,
    )
    if prize_id:
        own = _OWN_BUDGETS.get(pick.kind)
        budget = own(campaign.campaign_id) if own else base.release_id
        return _owed(base, claim, prize_of(campaign, prize_id), ground, budget)
    excluded = ground.facts is not None and ground.facts.excluded and pick.beneficiary == "consumer"
    return msgspec.structs.replace(base, reason=EXCLUDED) if excluded else base


def _owed(base: Reward, claim: Mark, prize: Prize, ground: Ground, budget: str) -> Reward:
    if prize.amount_minor < 1:
        raise PoisonError("prize_without_value", f"prize {prize.prize_id} is worth nothing")
    currency = currency_of_prize(prize, ground.campaign)
    reaches = base.party in (claim.person, claim.outlet) and base.party != ""
    payee = claim.payee if prize.kind == "cash" and reaches else ""
    withheld = withheld_minor(prize)
    kind = prize.kind
    if kind == "cash" and accrues(base.beneficiary, prize.amount_minor - withheld, payee):
        kind, payee = ACCRUAL, ""
    reason = _hold_reason(base.party, kind, payee, ground)
    waits = reason in (AWAITING_SHIPMENT, AWAITING_ASSOCIATION)
    due = claim.at_ms + wait_ms(base.reward_id, 3) if reason == AWAITING_SHIPMENT else base.claimable_until_ms
    owed = msgspec.structs.replace(
        base,
        state=State.HELD if reason else State.PENDING,
        reason=reason,
        kind=kind,
        prize_id=prize.prize_id,
        amount_minor=prize.amount_minor,
        withheld_minor=withheld,
        currency=currency,
        payee=payee,
        person=claim.person if payee and base.party != claim.person else "",
        due_at_ms=due if waits else 0,
        granted=ledger.granted(budget, base.beneficiary, currency, prize.amount_minor),
    )
    return _with_terms(owed, prize.pay_n, ground.campaign)


def _with_terms(owed: Reward, terms: PayN | None, campaign: Campaign) -> Reward:
    """A pay-N right carries the outlet's fee, and lasts until the redemption deadline where that is later."""
    if terms is None:
        return owed
    right = msgspec.structs.replace(
        owed,
        claimable_until_ms=max(owed.claimable_until_ms, terms.redeem_until_ms),
        fee_minor=terms.fee_minor,
        fee_currency=campaign.currency if terms.fee_minor else "",
    )
    return msgspec.structs.replace(right, granted=granted_right(right))


def _hold_reason(party: str, kind: str, payee: str, ground: Ground) -> str:
    if ground.epoch_state == "compromised":
        return EPOCH_COMPROMISED
    if not party:
        return AWAITING_ASSOCIATION
    if not ground.channel.shipped:
        return AWAITING_SHIPMENT
    return NO_PAYEE if kind == "cash" and not payee else ""


def _party(claim: Mark, beneficiary: str, ground: Ground) -> str:
    """Who scanned for themselves comes first, then whoever the decision froze, then the channel as it is now."""
    if beneficiary == "consumer" or (beneficiary == "outlet_staff" and claim.outlet):
        return claim.person
    if beneficiary == "outlet" and claim.outlet:
        return claim.outlet
    return (ground.facts.party(beneficiary) if ground.facts else "") or ground.channel.party(beneficiary)


def deadline_ms(claim: Mark, ground: Ground) -> int:
    """Until when the claim's rewards may still be taken or find their party: the campaign's end, at least a week."""
    return max(
        min(ground.campaign.claim_until_ms, ground.release.claim_until_ms),
        claim.at_ms + COME_BACK_FOR_MS,
    )


def prize_of(campaign: Campaign, prize_id: str) -> Prize:
    """The campaign's prize. PoisonError (`prize_unknown`)."""
    try:
        return campaign.prize(prize_id)
    except KeyError:
        raise PoisonError(
            "prize_unknown", f"{campaign.campaign_id}@{campaign.version} has no prize {prize_id!r}"
        ) from None
