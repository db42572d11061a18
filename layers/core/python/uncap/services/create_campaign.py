"""Campaigns as immutable versions: the first, later ones, pauses. Called by `routes/console/campaigns.py`."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain.approvals import Proposal
from uncap.domain.campaign_rules import check_campaign, check_change, earliest_effect_ms
from uncap.domain.campaigns.reference import PauseScope
from uncap.domain.catalog import Campaign, Text
from uncap.domain.errors import ConflictError, InputError
from uncap.services.campaign_forms import NewCampaign, campaign_of, rules_in
from uncap.services.desk import CLOCK_SKEW_MS, Actor, Desk, Id, Reason, catalog_write, draft
from uncap.services.keep_proposals import proposal_write
from uncap.services.keep_rules import put_together, rules_of
from uncap.services.reserve_budget import reserve_closing, reserve_drawn
from uncap.services.rule_forms import MAX_VALUES, Region
from uncap.services.top_up_budgets import raises_budgets, top_up_budgets

RELEASED = "released#"
"""Sort key prefix in the Catalog's index: campaigns that a release has committed to."""


class NewScope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Places where a campaign stands still; none: nowhere."""

    regions: Annotated[tuple[Region, ...], msgspec.Meta(max_length=MAX_VALUES)] = ()
    distributors: Annotated[tuple[Id, ...], msgspec.Meta(max_length=MAX_VALUES)] = ()
    outlets: Annotated[tuple[Id, ...], msgspec.Meta(max_length=MAX_VALUES)] = ()


class Pause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stop a campaign or let it go on: a new version that differs in nothing else. `version`: the latest one's.

    `paused` stops it everywhere; `places` are where else it stands still, instead of those before. Rewards there are
    granted and held until the pause ends.
    """

    paused: bool
    reason: Reason
    version: Annotated[int, msgspec.Meta(ge=1, le=999_999)]
    places: NewScope = NewScope()


class CampaignEntry(msgspec.Struct, frozen=True):
    """A campaign in a list."""

    campaign_id: str
    name: Text
    version: int


def create_campaign(desk: Desk, actor: Actor, given: NewCampaign, approval: Proposal | None = None) -> Campaign:
    """A version that reserves money needs the `approval` of a second person, which is written with it (ADR 0020).

    Raises InputError (`campaign_invalid`, `effective_too_early`), NotFoundError (`product_unknown`), ConflictError
    (`campaign_started`, `campaign_version_taken`, `rules_missing`, `approval_needed`)."""
    reference, rules, writes = put_together(desk, rules_in(given), given.rule_parts)
    campaign = campaign_of(given, _effective(desk, given), reference)
    check_campaign(campaign, rules)
    for gtin in campaign.gtins:
        desk.product(gtin)
    before = desk.catalog.campaign_versions(campaign.campaign_id, fresh=True)
    latest = before[-1] if before else None
    _check_number(latest, campaign.version)
    released = desk.catalog_docs.get("index", f"{RELEASED}{campaign.campaign_id}") is not None
    if latest is not None:
        campaign = msgspec.structs.replace(campaign, paused=latest.paused, paused_for=latest.paused_for)
        old_rules = rules_of(desk, latest.rule_set)
        check_change(latest, campaign, desk.clock_ms(), released=released, old_rules=old_rules, new_rules=rules)
    if approval is None and raises_budgets(desk, latest, campaign, rules, released=released):
        raise ConflictError("approval_needed", "this reserves money: submit it as a draft for a second person")
    action = "campaigns.approve" if approval else "campaigns.change" if latest else "campaigns.create"
    extra = [*writes, *([proposal_write(approval)] if approval else [])]
    stored = _store(desk, actor, latest, campaign, action, approval.reason if approval else "", extra=extra)
    reserve_drawn(desk.ledger, (*before, stored), desk.clock_ms())
    reserve_closing(desk.ledger, (*before, stored), desk.clock_ms())
    if released:
        top_up_budgets(desk, campaign.campaign_id)
    return stored


def pause_campaign(desk: Desk, actor: Actor, campaign_id: str, given: Pause) -> Campaign:
    """Raises NotFoundError (`campaign_unknown`), ConflictError (`campaign_version_taken`)."""
    latest = desk.campaign_versions(campaign_id)[-1]
    _check_number(latest, given.version + 1)
    places = PauseScope(given.places.regions, given.places.distributors, given.places.outlets)
    if (latest.paused, latest.paused_for) == (given.paused, places):
        return latest
    campaign = msgspec.structs.replace(
        latest,
        version=latest.version + 1,
        paused=given.paused,
        paused_for=places,
        effective_at_ms=max(latest.effective_at_ms, _earliest(desk)),
    )
    return _store(desk, actor, latest, campaign, "campaigns.pause", given.reason)


def _effective(desk: Desk, given: NewCampaign) -> int:
    earliest = _earliest(desk)
    effective = given.effective_at_ms or earliest
    if effective < earliest:
        raise InputError("effective_too_early", f"not before {earliest}", where="effective_at_ms")
    return effective


def _earliest(desk: Desk) -> int:
    return earliest_effect_ms(desk.clock_ms(), desk.cache_age_ms, CLOCK_SKEW_MS)


def _check_number(latest: Campaign | None, version: int) -> None:
    expected = latest.version + 1 if latest else 1
    if version != expected:
        raise ConflictError("campaign_version_taken", f"the next version is {expected}", where="version")


def _store(
    desk: Desk,
    actor: Actor,
    latest: Campaign | None,
    campaign: Campaign,
    action: str,
    reason: str = "",
    *,
    extra: Sequence[DocWrite] = (),
) -> Campaign:
    if latest is not None and campaign.effective_at_ms < latest.effective_at_ms:
        raise InputError("effective_too_early", "versions take effect in order", where="effective_at_ms")
    pk = f"campaign#{campaign.campaign_id}"
    entry = CampaignEntry(campaign.campaign_id, campaign.name, campaign.version)
    desk.writes.commit(
        [
            *extra,
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
            after=_summary(campaign),
        ),
    )
    return campaign


def _summary(campaign: Campaign) -> str:
    words = [f"version {campaign.version}", f"{len(campaign.prizes)} prizes"]
    words += [f"{campaign.rule_set.count} rules"] if campaign.rule_set else []
    words += ["paused"] if campaign.paused else ["paused in places"] if campaign.paused_for else []
    return ", ".join(words)
