"""Campaigns and their versions. Mounted by `table.py`."""

from uncap.domain.catalog import Campaign
from uncap.routes.console.endpoint import Area
from uncap.services.create_campaign import CampaignEntry, NewCampaign, Pause, create_campaign, pause_campaign
from uncap.services.desk import Actor, Desk, Id
from uncap.services.list_entries import Listing, PageQuery, list_entries

CAMPAIGNS = Area("campaigns")


@CAMPAIGNS.post("/campaigns", status=201)
def post_campaign(desk: Desk, actor: Actor, body: NewCampaign) -> Campaign:
    """Write a new campaign, or the next version of one."""
    return create_campaign(desk, actor, body)


@CAMPAIGNS.get("/campaigns")
def list_campaigns(desk: Desk, query: PageQuery) -> Listing[CampaignEntry]:
    """Campaigns by id, each with its latest version's number."""
    return list_entries(desk.catalog_docs, "index", "campaign#", CampaignEntry, query)


@CAMPAIGNS.get("/campaigns/{campaign_id}/versions")
def read_versions(desk: Desk, campaign_id: Id) -> tuple[Campaign, ...]:
    """Every version, oldest first."""
    return desk.campaign_versions(campaign_id)


@CAMPAIGNS.post("/campaigns/{campaign_id}/pause")
def post_pause(desk: Desk, actor: Actor, campaign_id: Id, body: Pause) -> Campaign:
    """Pause a campaign or let it go on, as a new version."""
    return pause_campaign(desk, actor, campaign_id, body)
