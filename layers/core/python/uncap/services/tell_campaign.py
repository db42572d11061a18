"""What anyone may know about a campaign: rules, period, prizes with their odds, and every draw's commitment.

Called by `routes/campaign_page.py`. Consumers' prizes only: what the trade earns is between the brand and the trade.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import tzinfo

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.domain.campaigns.draws import DRAWN, Draw
from uncap.domain.campaigns.reference import RuleSetRef
from uncap.domain.campaigns.rules import RulePart
from uncap.domain.catalog import Campaign, Effect, Release
from uncap.domain.days import day_of
from uncap.domain.errors import NotFoundError
from uncap.domain.prizes.closing import ClosingDraw
from uncap.domain.prizes.commitment import commitment
from webui.campaign_page import CampaignView, Closing, PrizeLine, Seal

RELEASES, CLOSING, PUBLISHED = "releases#", "closing", "published#"
MAX_SEALS = 50
"""Releases shown, the newest; each is one cached read."""
_NAMES = 3


@dataclass(frozen=True, slots=True)
class CampaignDesk:
    """What telling of a campaign needs from outside; all of it is the Catalog, as old as its cache allows."""

    catalog: Catalog
    rules_of: Callable[[RuleSetRef], RulePart]
    zone: tzinfo
    clock_ms: Callable[[], int]


def tell_campaign(desk: CampaignDesk, campaign_id: str) -> CampaignView:
    """Raises NotFoundError (`campaign_unknown`), also before anything of it is public, and TransientError."""
    now_ms = desk.clock_ms()
    campaign = desk.catalog.campaign(campaign_id, now_ms)
    releases = _releases(desk, campaign_id) if campaign else []
    # Before its codes go out, or it starts, a campaign is the brand's secret.
    if campaign is None or (now_ms < campaign.starts_at_ms and not releases):
        raise NotFoundError("campaign_unknown", "There is no such campaign.", where="campaign_id")
    products = (desk.catalog.product(gtin) for gtin in campaign.gtins)
    return CampaignView(
        campaign_id=campaign_id,
        version=campaign.version,
        path=f"/campaigns/{campaign_id}",
        state=_state(campaign, now_ms),
        name=campaign.name,
        rules=campaign.rules,
        starts_on=day_of(campaign.starts_at_ms, desk.zone),
        ends_on=day_of(campaign.ends_at_ms - 1, desk.zone),
        claim_until=day_of(campaign.claim_until_ms - 1, desk.zone),
        products=tuple(one.name for one in products if one),
        per_day=campaign.limit.per_day,
        per_campaign=campaign.limit.per_campaign,
        currency=campaign.currency,
        prizes=tuple(_prizes(desk, campaign)),
        closing=_closing(desk, campaign),
        seals=tuple(_seal(one) for one in releases),
    )


def published_draw(desk: CampaignDesk, campaign_id: str) -> str:
    """The published document of its closing draw as JSON text, for `uncap draw verify`.

    A list of more than 20,000 entries is not in it; the brand hands that file out. Raises NotFoundError
    (`closing_not_published`).
    """
    pieces = [msgspec.json.decode(doc, type=str) for _, doc in desk.catalog.listed(f"{PUBLISHED}{campaign_id}")]
    if not pieces:
        raise NotFoundError("closing_not_published", "There is no published draw.", where="campaign_id")
    return "".join(pieces)


def _state(campaign: Campaign, now_ms: int) -> str:
    if now_ms < campaign.starts_at_ms:
        return "upcoming"
    if now_ms >= campaign.claim_until_ms:
        return "over"
    return "paused" if campaign.paused else "open" if now_ms < campaign.ends_at_ms else "claims"


def _prizes(desk: CampaignDesk, campaign: Campaign) -> Iterator[PrizeLine]:
    """Every way in which a consumer can win: on the code, for each claim, in a draw, by a rule, at the close."""
    mine = [effect for effect in campaign.effects if effect.beneficiary == "consumer"]
    for share in campaign.pool if any(effect.kind == "laid" for effect in mine) else ():
        yield _line(campaign, share.prize_id, "laid", share.win, share.per)
    for effect in mine:
        yield from _given(campaign, effect.kind, effect.prize_id)
    for (kind, name), rules in _named_by_rules(desk, campaign).items():
        yield from _given(campaign, kind, name, rules)
    for prize in campaign.closing.prizes if campaign.closing else ():
        yield _line(campaign, prize.prize_id, "closing", prize.count, 0, prize.count)


def _given(campaign: Campaign, kind: str, name: str, rules: tuple[str, ...] | None = None) -> Iterator[PrizeLine]:
    if kind == "fixed":
        yield _line(campaign, name, "every", 1, 1, rules=rules)
    for draw in campaign.draws if kind == DRAWN else ():
        if draw.draw_id == name:
            yield from _drawn(campaign, draw, rules)


def _drawn(campaign: Campaign, draw: Draw, rules: tuple[str, ...] | None = None) -> Iterator[PrizeLine]:
    for share in draw.shares:
        yield _line(campaign, share.prize_id, DRAWN, share.win, share.per, share.total, rules)


def _line(
    campaign: Campaign,
    prize_id: str,
    how: str,
    win: int,
    per: int,
    total: int = 0,
    rules: tuple[str, ...] | None = None,
) -> PrizeLine:
    prize = campaign.prize(prize_id)
    return PrizeLine(prize.name, prize.kind, prize.amount_minor, how, win, per, total, rules is not None, rules or ())


def _named_by_rules(desk: CampaignDesk, campaign: Campaign) -> dict[tuple[str, str], tuple[str, ...]]:
    """Draws and prizes that only some claims can win: (kind, id) → names of the first few rules that give them."""
    if not campaign.rule_set:
        return {}
    own = {(effect.kind, effect.prize_id) for effect in campaign.effects if effect.beneficiary == "consumer"}
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for name, effect in _for_consumers(desk.rules_of(campaign.rule_set)):
        key = (effect.kind, effect.prize_id)
        names = found.get(key, ())
        if key not in own:
            found[key] = (*names, name) if name and name not in names and len(names) < _NAMES else names
    return found


def _for_consumers(rules: RulePart) -> tuple[tuple[str, Effect], ...]:
    """(the rule's name, what it gives a consumer)."""
    pairs = ((rule.name, effect) for rule in rules.rules for effect in rule.effects)
    return tuple((name, effect) for name, effect in pairs if effect.beneficiary == "consumer")


def _releases(desk: CampaignDesk, campaign_id: str) -> list[Release]:
    """The newest of the campaign's releases, newest first; those of before this list was kept are not in it."""
    rows = [(int(doc), release_id) for release_id, doc in desk.catalog.listed(f"{RELEASES}{campaign_id}")]
    rows.sort(key=lambda row: (row[0], int(row[1].rpartition("-")[2])), reverse=True)
    views = {batch_no: desk.catalog.batch(batch_no) for batch_no, _ in rows[:MAX_SEALS]}
    known = {one.release_id: one for view in views.values() if view for one in view.releases}
    return [known[release_id] for _, release_id in rows[:MAX_SEALS] if release_id in known]


def _seal(release: Release) -> Seal:
    return Seal(
        release_id=release.release_id,
        codes=release.eligible_count,
        commitment=commitment(release),
        beacon=f"{release.beacon_source} {release.beacon_round}",
        beacon_value=release.beacon_value,
        seed=release.seed,
    )


def _closing(desk: CampaignDesk, campaign: Campaign) -> Closing | None:
    terms = campaign.closing
    if terms is None:
        return None
    docs = dict(desk.catalog.listed(CLOSING))
    doc = docs.get(campaign.campaign_id)
    shown = Closing(terms.per_person, terms.runners_up, terms.take_days)
    if doc is None:
        return shown
    draw = msgspec.json.decode(doc, type=ClosingDraw)
    fixed = draw.fixed
    return msgspec.structs.replace(
        shown,
        state=draw.state,
        seed_hash=draw.seed_hash,
        beacon=f"{draw.beacon_source} {fixed.beacon_round}" if fixed else draw.beacon_source,
        entries=fixed.entry_count if fixed else 0,
        entries_root=fixed.entries_root if fixed else "",
        commitment=draw.commitment,
        beacon_value=draw.beacon_value,
        seed=draw.seed,
        result=draw.result,
    )
