"""Campaigns: versions, rules, drafts, pauses, pushes, explanations. Mounted by `table.py`."""

from typing import Any

from uncap.domain.approvals import Proposal
from uncap.domain.campaigns.explaining import Explanation
from uncap.domain.campaigns.rules import RulePart
from uncap.domain.catalog import Campaign
from uncap.routes.console.endpoint import Area
from uncap.services.campaign_forms import Digest, NewCampaign, campaign_schema
from uncap.services.create_campaign import CampaignEntry, Pause, create_campaign, pause_campaign
from uncap.services.desk import Actor, Desk, Id
from uncap.services.explain_claim import (
    CodeKey,
    ExplainQuery,
    Imagined,
    PastExplanation,
    explain_claim,
    explain_imagined,
)
from uncap.services.keep_drafts import (
    DraftView,
    NewDraft,
    Submission,
    approve_draft,
    publish_draft,
    read_draft,
    save_draft,
    submit_draft,
)
from uncap.services.keep_rules import StoredPart, read_part, store_part
from uncap.services.list_entries import Listing, PageQuery, list_entries
from uncap.services.push_activity import Activity, NewPush, Pushed, list_activities, push_activity
from uncap.services.rule_forms import NewRulePart

CAMPAIGNS = Area("campaigns")


@CAMPAIGNS.post("/campaigns", status=201)
def post_campaign(desk: Desk, actor: Actor, body: NewCampaign) -> Campaign:
    """Write a new campaign, or the next version of one."""
    return create_campaign(desk, actor, body)


@CAMPAIGNS.get("/campaigns")
def list_campaigns(desk: Desk, query: PageQuery) -> Listing[CampaignEntry]:
    """Campaigns by id, each with its latest version's number."""
    return list_entries(desk.catalog_docs, "index", "campaign#", CampaignEntry, query)


@CAMPAIGNS.get("/campaigns/schema")
def read_schema() -> dict[str, Any]:
    """The JSON schema of a campaign version."""
    return campaign_schema()


@CAMPAIGNS.get("/campaigns/{campaign_id}/versions")
def read_versions(desk: Desk, campaign_id: Id) -> tuple[Campaign, ...]:
    """Every version, oldest first; rules by reference."""
    return desk.campaign_versions(campaign_id)


@CAMPAIGNS.post("/campaigns/{campaign_id}/pause")
def post_pause(desk: Desk, actor: Actor, campaign_id: Id, body: Pause) -> Campaign:
    """Pause a campaign everywhere or in places, or let it go on, as a new version."""
    return pause_campaign(desk, actor, campaign_id, body)


@CAMPAIGNS.post("/rule-parts", status=201)
def post_rule_part(desk: Desk, actor: Actor, body: NewRulePart) -> StoredPart:
    """Store part of a large rule set ahead of the version that names it."""
    return store_part(desk, actor, body)


@CAMPAIGNS.get("/rule-parts/{digest}")
def read_rule_part(desk: Desk, digest: Digest) -> RulePart:
    """A stored part of a rule set, as `uncap campaign simulate --campaign` reads it."""
    return read_part(desk, digest)


@CAMPAIGNS.put("/campaigns/{campaign_id}/draft")
def put_draft(desk: Desk, actor: Actor, campaign_id: Id, body: NewDraft) -> DraftView:
    """Save a draft; it may still contradict itself."""
    return save_draft(desk, actor, campaign_id, body)


@CAMPAIGNS.get("/campaigns/{campaign_id}/draft")
def get_draft(desk: Desk, campaign_id: Id) -> DraftView:
    """The draft and what keeps it from being published."""
    return read_draft(desk, campaign_id)


@CAMPAIGNS.post("/campaigns/{campaign_id}/draft/publish")
def post_publication(desk: Desk, actor: Actor, campaign_id: Id) -> Campaign:
    """Make the draft the next version."""
    return publish_draft(desk, actor, campaign_id)


@CAMPAIGNS.post("/campaigns/{campaign_id}/draft/submit", status=202)
def post_submission(desk: Desk, actor: Actor, campaign_id: Id, body: Submission) -> Proposal:
    """Ask a second person to put the draft in force: needed where it reserves money."""
    return submit_draft(desk, actor, campaign_id, body)


@CAMPAIGNS.post("/campaigns/{campaign_id}/draft/approve", action="approve")
def post_draft_approval(desk: Desk, actor: Actor, campaign_id: Id) -> Campaign:
    """Make the draft that someone else submitted the next version, and reserve its budget."""
    return approve_draft(desk, actor, campaign_id)


@CAMPAIGNS.post("/campaigns/{campaign_id}/outlets")
def post_push(desk: Desk, actor: Actor, campaign_id: Id, body: NewPush) -> Pushed:
    """Push the activity to named outlets."""
    return push_activity(desk, actor, campaign_id, body)


@CAMPAIGNS.get("/parties/{party_id}/activities")
def get_activities(desk: Desk, party_id: Id, query: PageQuery) -> Listing[Activity]:
    """What was pushed to an outlet and still runs."""
    return list_activities(desk, party_id, query)


@CAMPAIGNS.post("/campaigns/{campaign_id}/explain")
def post_explanation(desk: Desk, campaign_id: Id, body: Imagined) -> Explanation:
    """Which rules an imagined claim would meet, which would win, and why. Writes nothing."""
    return explain_imagined(desk, campaign_id, body)


@CAMPAIGNS.get("/claims/{code_key}/explanation")
def get_explanation(desk: Desk, code_key: CodeKey, query: ExplainQuery) -> PastExplanation:
    """Why the claim of a code (batch.index.role) came to what it did."""
    return explain_claim(desk, code_key, query)
