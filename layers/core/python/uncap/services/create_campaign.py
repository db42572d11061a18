"""Campaigns as immutable versions: the first, later ones, pauses. Called by `routes/console/campaigns.py`."""

from typing import Annotated, Literal

import msgspec

from uncap.adapters.audited_writes import doc_of
from uncap.domain.campaign_rules import check_campaign, check_change, earliest_effect_ms
from uncap.domain.catalog import Campaign, Effect, PersonLimit, PoolShare, Prize, Text
from uncap.domain.codes.links import check_gtin
from uncap.domain.errors import ConflictError, InputError
from uncap.services.create_product import Gtin
from uncap.services.desk import CLOCK_SKEW_MS, Actor, Desk, Id, Reason, TimeMs, Words, catalog_write, draft

Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
RELEASED = "released#"
"""Sort key prefix in the Catalog's index: campaigns that a release has committed to."""

Limit = Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class NewPrize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`amount_minor`: fen for cash and trade credit, whole points, pieces of goods."""

    prize_id: Id
    kind: Literal["cash", "points", "trade_credit", "goods_voucher"]
    amount_minor: Count
    name: Words
    tax_class: Literal["none", "incidental"] = "none"


class NewShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of every `per` codes, `win` carry the prize."""

    prize_id: Id
    win: Count
    per: Count


class NewEffect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a claim gives to whom."""

    no: Annotated[int, msgspec.Meta(ge=1, le=99)]
    beneficiary: Literal["consumer", "outlet", "distributor", "salesperson"]
    kind: Literal["laid", "fixed"]
    prize_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,40}$(?!\n)", max_length=40)] = ""


class NewLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Claims per person; 0: no limit."""

    per_day: Limit = 0
    per_campaign: Limit = 0


class NewCampaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version. `version` is its number: 1 for a new campaign, the latest + 1 for a change.

    Without `effective_at_ms` it takes effect as soon as every container is sure to know it.
    """

    campaign_id: Id
    name: Words
    rules: Words
    starts_at_ms: TimeMs
    ends_at_ms: TimeMs
    claim_until_ms: TimeMs
    gtins: Annotated[tuple[Gtin, ...], msgspec.Meta(min_length=1, max_length=200)]
    prizes: Annotated[tuple[NewPrize, ...], msgspec.Meta(min_length=1, max_length=100)]
    effects: Annotated[tuple[NewEffect, ...], msgspec.Meta(min_length=1, max_length=8)]
    pool: Annotated[tuple[NewShare, ...], msgspec.Meta(max_length=100)] = ()
    limit: NewLimit = NewLimit()
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)", max_length=3)] = "CNY"
    version: Annotated[int, msgspec.Meta(ge=1, le=999_999)] = 1
    effective_at_ms: TimeMs | None = None


class Pause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stop a campaign or let it go on: a new version that differs in nothing else. `version`: the latest one's."""

    paused: bool
    reason: Reason
    version: Annotated[int, msgspec.Meta(ge=1, le=999_999)]


class CampaignEntry(msgspec.Struct, frozen=True):
    """A campaign in a list."""

    campaign_id: str
    name: Text
    version: int


def create_campaign(desk: Desk, actor: Actor, given: NewCampaign) -> Campaign:
    """Raises InputError (`campaign_invalid`, `effective_too_early`), NotFoundError (`product_unknown`), ConflictError
    (`campaign_started`, `campaign_version_taken`)."""
    campaign = _campaign_of(desk, given)
    check_campaign(campaign)
    for gtin in campaign.gtins:
        desk.product(gtin)
    before = desk.catalog.campaign_versions(campaign.campaign_id, fresh=True)
    latest = before[-1] if before else None
    _check_number(latest, campaign.version)
    if latest is not None:
        campaign = msgspec.structs.replace(campaign, paused=latest.paused)
        released = desk.catalog_docs.get("index", f"{RELEASED}{campaign.campaign_id}") is not None
        check_change(latest, campaign, desk.clock_ms(), released=released)
    return _store(desk, actor, latest, campaign, "campaigns.create" if latest is None else "campaigns.change")


def pause_campaign(desk: Desk, actor: Actor, campaign_id: str, given: Pause) -> Campaign:
    """Raises NotFoundError (`campaign_unknown`), ConflictError (`campaign_version_taken`)."""
    latest = desk.campaign_versions(campaign_id)[-1]
    _check_number(latest, given.version + 1)
    if latest.paused == given.paused:
        return latest
    campaign = msgspec.structs.replace(
        latest,
        version=latest.version + 1,
        paused=given.paused,
        effective_at_ms=max(latest.effective_at_ms, _earliest(desk)),
    )
    return _store(desk, actor, latest, campaign, "campaigns.pause", given.reason)


def _campaign_of(desk: Desk, given: NewCampaign) -> Campaign:
    earliest = _earliest(desk)
    effective = given.effective_at_ms or earliest
    if effective < earliest:
        raise InputError("effective_too_early", f"not before {earliest}", where="effective_at_ms")
    return Campaign(
        campaign_id=given.campaign_id,
        version=given.version,
        effective_at_ms=effective,
        name=given.name,
        rules=given.rules,
        starts_at_ms=given.starts_at_ms,
        ends_at_ms=given.ends_at_ms,
        claim_until_ms=given.claim_until_ms,
        gtins=tuple(check_gtin(gtin) for gtin in given.gtins),
        prizes=tuple(Prize(p.prize_id, p.kind, p.amount_minor, p.name, p.tax_class) for p in given.prizes),
        pool=tuple(PoolShare(s.prize_id, s.win, s.per) for s in given.pool),
        effects=tuple(Effect(e.no, e.beneficiary, e.kind, e.prize_id) for e in given.effects),
        currency=given.currency,
        limit=PersonLimit(given.limit.per_day, given.limit.per_campaign),
    )


def _earliest(desk: Desk) -> int:
    return earliest_effect_ms(desk.clock_ms(), desk.cache_age_ms, CLOCK_SKEW_MS)


def _check_number(latest: Campaign | None, version: int) -> None:
    expected = latest.version + 1 if latest else 1
    if version != expected:
        raise ConflictError("campaign_version_taken", f"the next version is {expected}", where="version")


def _store(
    desk: Desk, actor: Actor, latest: Campaign | None, campaign: Campaign, action: str, reason: str = ""
) -> Campaign:
    if latest is not None and campaign.effective_at_ms < latest.effective_at_ms:
        raise InputError("effective_too_early", "versions take effect in order", where="effective_at_ms")
    pk = f"campaign#{campaign.campaign_id}"
    entry = CampaignEntry(campaign.campaign_id, campaign.name, campaign.version)
    summary = f"version {campaign.version}, {len(campaign.prizes)} prizes" + (", paused" if campaign.paused else "")
    desk.writes.commit(
        [
            # A version is written once and never again: its number is new or the campaign has moved on.
            catalog_write(pk, f"v#{campaign.version:06d}", doc_of(campaign), 1, "campaign_version_taken"),
            catalog_write("index", pk, doc_of(entry), 0),
        ],
        draft(
            actor,
            action,
            campaign.campaign_id,
            reason=reason,
            before=f"version {latest.version}" if latest else "",
            after=summary,
        ),
    )
    return campaign
