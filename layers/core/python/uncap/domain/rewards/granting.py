"""From a first claim to the rewards it founds: who gets what, and what must be waited for. Pure.

Called by `services/grant_rewards.py` for the relay and the reconcile job, which read the facts; `face_value` is what
`services/reserve_budget.py` provides for when a release is activated.
"""

import msgspec

from uncap.domain import ledger
from uncap.domain.catalog import Campaign, CodeBatch, Effect, Prize, Release
from uncap.domain.errors import PoisonError
from uncap.domain.rewards import ids
from uncap.domain.rewards.ports import Channel
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.states import AWAITING_ASSOCIATION, AWAITING_SHIPMENT, wait_ms
from uncap.domain.scans import CodeRef, Mark

COME_BACK_FOR_MS = 7 * 86_400_000
EPOCH_COMPROMISED = "epoch_compromised"
NO_PAYEE = "no_payee"
_OWN_UNITS = {"points": "PTS", "goods_voucher": "VCH"}
_TAX_PERCENT = {"none": 0, "incidental": 20}


class Ground(msgspec.Struct, frozen=True):
    """The facts a grant stands on. `prize_id` is the prize laid on this code, "" for none."""

    batch: CodeBatch
    release: Release
    campaign: Campaign
    prize_id: str
    channel: Channel
    epoch_state: str = "minting"


def rewards_of(ref: CodeRef, claim: Mark, ground: Ground) -> tuple[Reward, ...]:
    """One reward per effect of the campaign version that decided the claim, state NONE where nothing was won.

    PoisonError (`prize_unknown`, `prize_without_value`, `tax_class_unknown`) if the campaign contradicts itself.
    """
    return tuple(_reward(ref, claim, effect, ground) for effect in ground.campaign.effects)


def face_value(release: Release, campaign: Campaign) -> dict[str, int]:
    """The most a release can cost, per currency: its laid prizes, and each fixed effect once per eligible code."""
    sums: dict[str, int] = {}
    for effect in campaign.effects:
        counts = (
            [(laid.prize_id, laid.count) for laid in release.prize_table]
            if effect.kind == "laid"
            else [(effect.prize_id, release.eligible_count)]
        )
        for prize_id, count in counts:
            prize = _prize(campaign, prize_id)
            unit = currency_of_prize(prize, campaign)
            sums[unit] = sums.get(unit, 0) + prize.amount_minor * count
    return sums


def currency_of_prize(prize: Prize, campaign: Campaign) -> str:
    """Points and vouchers are kept in units of their own, so that no account mixes them with money."""
    return _OWN_UNITS.get(prize.kind, campaign.currency)


def withheld_minor(prize: Prize) -> int:
    """Tax the payer withholds from a cash prize, rounded half up to a fen: 20 % of incidental income in China."""
    percent = _TAX_PERCENT.get(prize.tax_class)
    if percent is None:
        raise PoisonError("tax_class_unknown", f"prize {prize.prize_id} has tax class {prize.tax_class!r}")
    return (prize.amount_minor * percent + 50) // 100 if prize.kind == "cash" else 0


def _reward(ref: CodeRef, claim: Mark, effect: Effect, ground: Ground) -> Reward:
    campaign = ground.campaign
    base = Reward(
        reward_id=ids.reward_id(ref, campaign.campaign_id, effect.no, effect.beneficiary),
        ref=ref.key(),
        campaign=f"{campaign.campaign_id}@{campaign.version}",
        release_id=ground.release.release_id,
        effect_no=effect.no,
        beneficiary=effect.beneficiary,
        state=State.NONE,
        claimed_at_ms=claim.at_ms,
        claimable_until_ms=_deadline(claim, ground),
        party=_party(claim, effect, ground),
    )
    prize_id = ground.prize_id if effect.kind == "laid" else effect.prize_id
    return _owed(base, claim, _prize(campaign, prize_id), ground) if prize_id else base


def _owed(base: Reward, claim: Mark, prize: Prize, ground: Ground) -> Reward:
    if prize.amount_minor < 1:
        raise PoisonError("prize_without_value", f"prize {prize.prize_id} is worth nothing")
    currency = currency_of_prize(prize, ground.campaign)
    reaches = base.beneficiary == "consumer" or base.party == claim.outlet != ""
    payee = claim.payee if prize.kind == "cash" and reaches else ""
    reason = _hold_reason(base.party, prize.kind, payee, ground)
    waits = reason in (AWAITING_SHIPMENT, AWAITING_ASSOCIATION)
    due = claim.at_ms + wait_ms(base.reward_id, 3) if reason == AWAITING_SHIPMENT else base.claimable_until_ms
    return msgspec.structs.replace(
        base,
        state=State.HELD if reason else State.PENDING,
        reason=reason,
        kind=prize.kind,
        prize_id=prize.prize_id,
        amount_minor=prize.amount_minor,
        withheld_minor=withheld_minor(prize),
        currency=currency,
        payee=payee,
        person=claim.person if payee and base.party != claim.person else "",
        due_at_ms=due if waits else 0,
        granted=ledger.granted(base.release_id, base.beneficiary, currency, prize.amount_minor),
    )


def _hold_reason(party: str, kind: str, payee: str, ground: Ground) -> str:
    if ground.epoch_state == "compromised":
        return EPOCH_COMPROMISED
    if not party:
        return AWAITING_ASSOCIATION
    if not ground.channel.shipped:
        return AWAITING_SHIPMENT
    return NO_PAYEE if kind == "cash" and not payee else ""


def _party(claim: Mark, effect: Effect, ground: Ground) -> str:
    if effect.beneficiary == "consumer":
        return claim.person
    if effect.beneficiary == "outlet" and claim.outlet:
        return claim.outlet
    return ground.channel.party(effect.beneficiary)


def _deadline(claim: Mark, ground: Ground) -> int:
    return max(
        min(ground.campaign.claim_until_ms, ground.release.claim_until_ms),
        claim.at_ms + COME_BACK_FOR_MS,
    )


def _prize(campaign: Campaign, prize_id: str) -> Prize:
    try:
        return campaign.prize(prize_id)
    except KeyError:
        raise PoisonError(
            "prize_unknown", f"{campaign.campaign_id}@{campaign.version} has no prize {prize_id!r}"
        ) from None
