"""Campaigns in the making: one draft each, shown with what is still wrong with it. Called by the campaign routes.

A draft decides nothing; publishing writes the next version through `create_campaign`, with all its checks.
"""

import hashlib
from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import doc_of
from uncap.domain.approvals import Proposal
from uncap.domain.campaign_rules import check_campaign
from uncap.domain.catalog import Campaign
from uncap.domain.errors import ConflictError, InputError, NotFoundError, UncapError
from uncap.services.campaign_forms import NewCampaign, campaign_of, rules_in
from uncap.services.create_campaign import create_campaign
from uncap.services.desk import Actor, Desk, Reason, catalog_write, draft
from uncap.services.keep_proposals import approved_proposal, propose
from uncap.services.keep_rules import put_together

PUBLICATION = "publish-campaign"


class NewDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole campaign as it is to become. `version` is the draft's own: 1 for the first, then one more each time."""

    campaign: NewCampaign
    version: Annotated[int, msgspec.Meta(ge=1, le=999_999)] = 1


class Submission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the draft shall come into force."""

    reason: Reason


class CampaignDraft(msgspec.Struct, frozen=True):
    """A stored draft."""

    campaign: NewCampaign
    saved_by: str
    saved_at_ms: int
    version: int


class Fault(msgspec.Struct, frozen=True):
    """The first thing that would be refused."""

    code: str
    message: str
    where: str


class DraftView(msgspec.Struct, frozen=True):
    """A draft and what keeps it from being published, null if nothing does."""

    draft: CampaignDraft
    fault: Fault | None


def save_draft(desk: Desk, actor: Actor, campaign_id: str, given: NewDraft) -> DraftView:
    """Raises InputError (`draft_mismatch`), ConflictError (`changed_meanwhile`)."""
    if given.campaign.campaign_id != campaign_id:
        raise InputError("draft_mismatch", "the draft is of another campaign", where="campaign.campaign_id")
    kept = CampaignDraft(given.campaign, actor.login, desk.clock_ms(), given.version)
    desk.writes.commit(
        [catalog_write(f"draft#{campaign_id}", "meta", doc_of(kept), given.version)],
        draft(actor, "campaigns.draft", campaign_id, after=f"draft {given.version}"),
    )
    return DraftView(kept, _fault(desk, given.campaign))


def read_draft(desk: Desk, campaign_id: str) -> DraftView:
    """Raises NotFoundError (`draft_unknown`)."""
    kept = desk.catalog_docs.value(f"draft#{campaign_id}", "meta", CampaignDraft)
    if kept is None:
        raise NotFoundError("draft_unknown", f"{campaign_id} has no draft", where="campaign_id")
    return DraftView(kept, _fault(desk, kept.campaign))


def submit_draft(desk: Desk, actor: Actor, campaign_id: str, given: Submission) -> Proposal:
    """Ask a second person to put the draft in force, as it is now. Changing it voids the request.

    Raises NotFoundError (`draft_unknown`), ConflictError (`draft_faulty`, `proposal_open`).
    """
    view = read_draft(desk, campaign_id)
    if view.fault is not None:
        raise ConflictError("draft_faulty", f"{view.fault.code}: {view.fault.message}", where=view.fault.where)
    return propose(desk, actor, PUBLICATION, campaign_id, given.reason, _detail(view.draft))


def approve_draft(desk: Desk, actor: Actor, campaign_id: str) -> Campaign:
    """The draft that someone else has submitted becomes the next version, and its budget is reserved.

    Raises what `create_campaign` raises, NotFoundError (`draft_unknown`), ConflictError (`proposal_missing`,
    `proposal_expired`, `proposal_outdated`), ForbiddenError (`second_person_needed`).
    """
    kept = read_draft(desk, campaign_id).draft
    proposal = approved_proposal(desk, actor, PUBLICATION, campaign_id, _detail(kept))
    return create_campaign(desk, actor, _as_next(desk, kept), proposal)


def publish_draft(desk: Desk, actor: Actor, campaign_id: str) -> Campaign:
    """The draft as the next version; it takes effect as planned in it, or as soon as every container knows it.

    For drafts that reserve no money. Raises what `create_campaign` raises, and NotFoundError (`draft_unknown`).
    """
    return create_campaign(desk, actor, _as_next(desk, read_draft(desk, campaign_id).draft))


def _as_next(desk: Desk, kept: CampaignDraft) -> NewCampaign:
    versions = desk.catalog.campaign_versions(kept.campaign.campaign_id, fresh=True)
    return msgspec.structs.replace(kept.campaign, version=versions[-1].version + 1 if versions else 1)


def _detail(kept: CampaignDraft) -> str:
    """Names one state of the draft."""
    return f"draft {kept.version}, {hashlib.sha256(msgspec.json.encode(kept.campaign)).hexdigest()[:16]}"


def _fault(desk: Desk, given: NewCampaign) -> Fault | None:
    try:
        reference, rules, _ = put_together(desk, rules_in(given), given.rule_parts)
        campaign = campaign_of(given, given.effective_at_ms or 0, reference)
        check_campaign(campaign, rules)
        for gtin in campaign.gtins:
            desk.product(gtin)
    except UncapError as error:
        return Fault(error.code, error.message, error.where)
    return None
