"""What a campaign must satisfy before it is stored, and how a started one may still change. Pure.

Called by `services/create_campaign.py`. Grounds: China's Provisions on Regulating Sales Promotion (2020): kinds, counts
and odds published, no unjustified change once begun, a draw's prize worth at most ¥50,000.
"""

from collections.abc import Iterable
from fractions import Fraction

from uncap.domain.campaigns.checks import MAX_CHANCE_PRIZE_MINOR, check_rules, unfair_change
from uncap.domain.campaigns.draw_rules import (
    closing_fault,
    closing_not_worse,
    draw_fault,
    draws_not_worse,
    looser,
)
from uncap.domain.campaigns.draws import DRAWN
from uncap.domain.campaigns.pay_n import PAY_N, pay_n_fault, terms_not_worse
from uncap.domain.campaigns.physical import PHYSICAL, VALUED, physical_fault
from uncap.domain.campaigns.rules import RulePart
from uncap.domain.catalog import Campaign, Effect, PersonLimit, Prize
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.rewards.accruing import RAIL_MINIMUM_MINOR, only_accrues
from uncap.domain.rewards.granting import withheld_minor

MAX_DRAW_PRIZE_MINOR = MAX_CHANCE_PRIZE_MINOR
NO_RULES = RulePart()
MIN_CASH_MINOR = RAIL_MINIMUM_MINOR
MAX_LENGTH_MS = 3 * 366 * 86_400_000


def check_campaign(campaign: Campaign, rules: RulePart = NO_RULES) -> None:
    """Raises InputError (`campaign_invalid`) naming the first field that contradicts another.

    `rules` are those that the campaign's `rule_set` refers to, all parts together.
    """
    _check_times(campaign)
    _check_prizes(campaign, rules)
    _check_pool(campaign)
    _check_effects(campaign, rules)
    _check_draws(campaign, rules)
    _check_closing(campaign, rules)
    if not campaign.gtins:
        raise _invalid("a campaign is for at least one product", "gtins")
    if set(campaign.name) != set(campaign.rules):
        raise _invalid("name and rules are given in the same languages", "rules")
    check_rules(campaign, rules)


def check_change(
    old: Campaign,
    new: Campaign,
    now_ms: int,
    *,
    released: bool,
    old_rules: RulePart = NO_RULES,
    new_rules: RulePart = NO_RULES,
) -> None:
    """A later version of a campaign that has started may only add in the participants' favour.

    It has started by its dates, or once a release committed to its prizes (`released`). Raises ConflictError
    (`campaign_started`) naming the field. Before that everything but the currency may change.
    """
    if new.currency != old.currency:
        raise ConflictError("campaign_started", "the currency cannot change", where="currency")
    if not released and max(now_ms, new.effective_at_ms) < old.starts_at_ms:
        return
    for where, fair in _favours(old, new):
        if not fair:
            raise ConflictError("campaign_started", f"{where} may only change in the participants' favour", where=where)
    if where := unfair_change(old_rules, new_rules, old, new):
        raise ConflictError("campaign_started", f"{where} may only add in the participants' favour", where=where)


def earliest_effect_ms(now_ms: int, cache_age_ms: int, skew_ms: int) -> int:
    """From when a version written now may decide: no container can then still hold the list without it."""
    return now_ms + cache_age_ms + skew_ms


def _favours(old: Campaign, new: Campaign) -> Iterable[tuple[str, bool]]:
    prizes = {prize.prize_id: prize for prize in new.prizes}
    odds = {share.prize_id: Fraction(share.win, share.per) for share in new.pool}
    effects = {(e.no, e.beneficiary, e.kind, e.prize_id) for e in new.effects}
    yield "starts_at_ms", new.starts_at_ms <= old.starts_at_ms
    yield "ends_at_ms", new.ends_at_ms >= old.ends_at_ms
    yield "claim_until_ms", new.claim_until_ms >= old.claim_until_ms
    yield "gtins", set(new.gtins) >= set(old.gtins)
    yield "rules", set(new.rules) >= set(old.rules)
    yield "prizes", all(_not_worse(prize, prizes.get(prize.prize_id)) for prize in old.prizes)
    yield "pool", all(odds.get(s.prize_id, Fraction(0)) >= Fraction(s.win, s.per) for s in old.pool)
    yield "effects", all((e.no, e.beneficiary, e.kind, e.prize_id) in effects for e in old.effects)
    yield "draws", draws_not_worse(old.draws, new.draws)
    yield "closing", closing_not_worse(old.closing, new.closing)
    yield "limit", _not_tighter(old.limit, new.limit)


def _not_worse(old: Prize, new: Prize | None) -> bool:
    if new is None or new.kind != old.kind or new.tax_class != old.tax_class:
        return False
    if not terms_not_worse(old.pay_n, new.pay_n):
        return False
    return new.amount_minor >= old.amount_minor and set(new.name) >= set(old.name)


def _not_tighter(old: PersonLimit, new: PersonLimit) -> bool:
    return looser(old.per_day, new.per_day) and looser(old.per_campaign, new.per_campaign)


def _check_times(campaign: Campaign) -> None:
    if not campaign.starts_at_ms < campaign.ends_at_ms:
        raise _invalid("a campaign ends after it starts", "ends_at_ms")
    if campaign.claim_until_ms < campaign.ends_at_ms:
        raise _invalid("prizes can be claimed at least until the campaign ends", "claim_until_ms")
    if campaign.claim_until_ms - campaign.starts_at_ms > MAX_LENGTH_MS:
        raise _invalid("a campaign lasts at most three years", "claim_until_ms")


def _is_rebate(prize: Prize, campaign: Campaign, rules: RulePart) -> bool:
    """Given to the channel alone, where what is too small to send is kept on an account (ADR 0024)."""
    effects = [*campaign.effects, *(effect for rule in rules.rules for effect in rule.effects)]
    by_luck = {share.prize_id for share in campaign.pool}.union(*(draw.prize_ids for draw in campaign.draws))
    by_luck |= campaign.closing.prize_ids if campaign.closing else frozenset()
    return prize.prize_id not in by_luck and only_accrues(prize.prize_id, effects)


def _check_prizes(campaign: Campaign, rules: RulePart) -> None:
    ids = [prize.prize_id for prize in campaign.prizes]
    if len(set(ids)) != len(ids):
        raise _invalid("a prize id is used once", "prizes")
    for prize in campaign.prizes:
        if prize.amount_minor < 1:
            raise _invalid(f"{prize.prize_id} is worth nothing", "prizes")
        small = prize.kind == "cash" and prize.amount_minor - withheld_minor(prize) < MIN_CASH_MINOR
        if small and not _is_rebate(prize, campaign, rules):
            raise _invalid(f"{prize.prize_id}: less than {MIN_CASH_MINOR} fen cannot be transferred", "prizes")
        if wrong := pay_n_fault(prize, campaign) or physical_fault(prize):
            raise _invalid(f"{prize.prize_id}: {wrong}", "prizes")
    winners = {prize.prize_id for prize in campaign.prizes if prize.kind == PAY_N}
    if any(one.prize_id in winners and one.beneficiary != "consumer" for one in campaign.effects):
        raise _invalid("a pay-N prize is won by consumers", "effects")
    sent = {prize.prize_id for prize in campaign.prizes if prize.kind == PHYSICAL}
    every = [*campaign.effects, *(effect for rule in rules.rules for effect in rule.effects)]
    if any(one.beneficiary != "consumer" and _may_give(one, sent, campaign) for one in every):
        raise _invalid("a prize that is sent is won by consumers", "effects")


def _may_give(effect: Effect, prize_ids: set[str], campaign: Campaign) -> bool:
    """Whether a claim may get one of these prizes by this effect."""
    if effect.kind == "laid":
        return any(share.prize_id in prize_ids for share in campaign.pool)
    if effect.kind != DRAWN:
        return effect.prize_id in prize_ids
    return any(draw.draw_id == effect.prize_id and draw.prize_ids & prize_ids for draw in campaign.draws)


def _check_pool(campaign: Campaign) -> None:
    known = {prize.prize_id: prize for prize in campaign.prizes}
    shares = [share.prize_id for share in campaign.pool]
    if len(set(shares)) != len(shares) or not set(shares) <= set(known):
        raise _invalid("the pool names each of the campaign's prizes at most once", "pool")
    for share in campaign.pool:
        if not 1 <= share.win <= share.per:
            raise _invalid("of every `per` codes between 1 and `per` win", "pool")
        prize = known[share.prize_id]
        if prize.kind in VALUED and prize.amount_minor > MAX_DRAW_PRIZE_MINOR:
            raise _invalid(f"{prize.prize_id}: a draw's prize is worth at most ¥50,000", "prizes")
    if sum((Fraction(share.win, share.per) for share in campaign.pool), Fraction(0)) > 1:
        raise _invalid("more than every code would win", "pool")


def _check_effects(campaign: Campaign, rules: RulePart) -> None:
    numbers = [effect.no for effect in campaign.effects]
    if not (numbers or rules.rules) or len(set(numbers)) != len(numbers):
        raise _invalid("there is at least one effect or rule, and each effect has its own number", "effects")
    known = {prize.prize_id for prize in campaign.prizes}
    for effect in campaign.effects:
        if effect.kind == "laid" and effect.prize_id:
            raise _invalid("a laid effect draws from the pool and names no prize", "effects")
        if effect.kind == "fixed" and effect.prize_id not in known:
            raise _invalid("a fixed effect names one of the campaign's prizes", "effects")
    laid = [effect for effect in campaign.effects if effect.kind == "laid"]
    # One pool is laid per release: a second laid effect would pay the same published prize twice.
    if len(laid) > 1 or bool(laid) != bool(campaign.pool):
        raise _invalid("a pool goes with exactly one laid effect", "effects")


def _check_draws(campaign: Campaign, rules: RulePart) -> None:
    kinds = {prize.prize_id: prize for prize in campaign.prizes}
    draws = {draw.draw_id: draw for draw in campaign.draws}
    if len(draws) != len(campaign.draws):
        raise _invalid("a draw's id is used once", "draws")
    for draw in campaign.draws:
        if wrong := draw_fault(draw, {name: prize.kind for name, prize in kinds.items()}):
            raise _invalid(f"{draw.draw_id}: {wrong}", "draws")
        for prize in (kinds[name] for name in draw.prize_ids):
            if prize.kind in VALUED and prize.amount_minor > MAX_DRAW_PRIZE_MINOR:
                raise _invalid(f"{prize.prize_id}: a draw's prize is worth at most ¥50,000", "prizes")
    every = [*campaign.effects, *(effect for rule in rules.rules for effect in rule.effects)]
    drawn = [effect for effect in every if effect.kind == DRAWN]
    for effect in drawn:
        if effect.prize_id not in draws:
            raise _invalid("a drawn effect names one of the campaign's draws", "effects")
        if draws[effect.prize_id].per_person and effect.beneficiary != "consumer":
            raise _invalid("a limit per person is for a draw among consumers", "draws")
    if {effect.prize_id for effect in drawn} != set(draws):
        raise _invalid("each draw is some effect's", "draws")


def _check_closing(campaign: Campaign, rules: RulePart) -> None:
    terms = campaign.closing
    if terms is None:
        return
    kinds = {prize.prize_id: prize for prize in campaign.prizes}
    effects = [*campaign.effects, *(effect for rule in rules.rules for effect in rule.effects)]
    slots = {(effect.no, effect.beneficiary) for effect in effects}
    if wrong := closing_fault(terms, {name: prize.kind for name, prize in kinds.items()}, slots):
        raise _invalid(wrong, "closing")
    for prize in (kinds[name] for name in terms.prize_ids):
        if prize.kind in VALUED and prize.amount_minor > MAX_DRAW_PRIZE_MINOR:
            raise _invalid(f"{prize.prize_id}: a draw's prize is worth at most ¥50,000", "prizes")


def _invalid(message: str, where: str) -> InputError:
    return InputError("campaign_invalid", message, where=where)
