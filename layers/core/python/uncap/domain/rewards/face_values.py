"""The most a release can cost under a campaign version: per slot the dearest that may fill it. Pure.

Called by `services/reserve_budget.py` when a release is activated and when a later version adds something.
"""

from collections.abc import Iterable, Iterator

from uncap.domain.campaigns.draws import DRAWN
from uncap.domain.campaigns.reference import Slot
from uncap.domain.campaigns.rules import Rule
from uncap.domain.catalog import Campaign, CodeBatch, Prize, Release
from uncap.domain.rewards.granting import prize_of, values_of

Sums = dict[str, int]
"""Currency → amount."""


def face_value(
    release: Release, campaign: Campaign, rules: Iterable[Rule] = (), batch: CodeBatch | None = None
) -> Sums:
    """Per currency: the laid prizes, and for each other slot its dearest prize once per eligible code.

    Rules that can never meet this release's codes (another product, batch, release or role; known with its `batch`)
    cost nothing. A slot whose prizes are of several currencies is provided for in each of them.
    """
    sums: Sums = {}
    for laid in release.prize_table if any(one.kind == "laid" for one in campaign.effects) else ():
        prize = prize_of(campaign, laid.prize_id)
        for unit, amount in values_of(prize, campaign).items():
            sums[unit] = sums.get(unit, 0) + amount * laid.count
    dearest: dict[tuple[Slot, str], int] = {}
    for slot, prize in _others(release, campaign, rules, batch):
        for unit, amount in values_of(prize, campaign).items():
            dearest[slot, unit] = max(amount, dearest.get((slot, unit), 0))
    for (_, unit), amount in dearest.items():
        sums[unit] = sums.get(unit, 0) + amount * release.eligible_count
    return sums


def drawn_value(campaign: Campaign) -> Sums:
    """Per currency: every prize that the campaign's draws can give away."""
    sums: Sums = {}
    for draw in campaign.draws:
        for share in draw.shares:
            for unit, amount in values_of(prize_of(campaign, share.prize_id), campaign).items():
                sums[unit] = sums.get(unit, 0) + amount * share.total
    return sums


def closing_value(campaign: Campaign) -> Sums:
    """Per currency: every prize of the draw at the campaign's close."""
    sums: Sums = {}
    for one in campaign.closing.prizes if campaign.closing else ():
        for unit, amount in values_of(prize_of(campaign, one.prize_id), campaign).items():
            sums[unit] = sums.get(unit, 0) + amount * one.count
    return sums


def risen(before: Sums, after: Sums) -> Sums:
    """What `after` needs beyond `before`, per currency; nothing where it needs less."""
    return {unit: more for unit, amount in after.items() if (more := amount - before.get(unit, 0)) > 0}


def _others(
    release: Release, campaign: Campaign, rules: Iterable[Rule], batch: CodeBatch | None
) -> Iterator[tuple[Slot, Prize]]:
    for effect in campaign.effects:
        if effect.kind not in ("laid", DRAWN):  # a draw has its own budget, whatever is released
            yield Slot(effect.no, effect.beneficiary), prize_of(campaign, effect.prize_id)
    for rule in rules:
        if _may_meet(rule, release, batch):
            for effect in rule.effects:
                if effect.kind != DRAWN:
                    yield Slot(effect.no, effect.beneficiary), prize_of(campaign, effect.prize_id)


def _may_meet(rule: Rule, release: Release, batch: CodeBatch | None) -> bool:
    when = rule.when
    if when.releases and release.release_id not in when.releases:
        return False
    if when.batches and release.batch_no not in when.batches:
        return False
    if batch is None:
        return True
    right_product = not when.gtins or batch.gtin in when.gtins
    return right_product and (not when.roles or bool(set(when.roles) & set(batch.roles)))
