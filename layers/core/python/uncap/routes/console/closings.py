"""Draws at a campaign's close: plan, commit entries, reveal, publish, and what was drawn. Mounted by `table.py`."""

from uncap.domain.approvals import Proposal
from uncap.domain.prizes.closing import ClosingDraw
from uncap.domain.prizes.published_closing import PublishedClosing
from uncap.routes.console.endpoint import Area
from uncap.services.activate_release import Beacon
from uncap.services.desk import Actor, Desk, Id
from uncap.services.plan_closing import (
    ClosingPlan,
    EntriesCommit,
    RevealRequest,
    commit_entries,
    plan_closing,
    request_reveal,
)
from uncap.services.reveal_closing import (
    ClosingView,
    EntriesPage,
    PageOfEntries,
    PrizeHolder,
    publish_result,
    read_closing,
    read_entries,
    read_holders,
    read_published,
    reveal_closing,
)

CLOSINGS = Area("campaigns")


@CLOSINGS.post("/campaigns/{campaign_id}/closing", status=201)
def post_closing_plan(desk: Desk, actor: Actor, campaign_id: Id, body: ClosingPlan) -> ClosingDraw:
    """Plan the draw at the close: the seed's hash and the beacon are public from now on."""
    return plan_closing(desk, actor, campaign_id, body)


@CLOSINGS.get("/campaigns/{campaign_id}/closing")
def get_closing(desk: Desk, campaign_id: Id) -> ClosingView:
    """How far the draw is."""
    return read_closing(desk, campaign_id)


@CLOSINGS.post("/campaigns/{campaign_id}/closing/commit")
def post_entries_commit(desk: Desk, actor: Actor, campaign_id: Id, body: EntriesCommit) -> ClosingDraw:
    """Commit to the entries and a round of the beacon that lies ahead."""
    return commit_entries(desk, actor, campaign_id, body)


@CLOSINGS.post("/campaigns/{campaign_id}/closing/request", status=202)
def post_reveal_request(desk: Desk, actor: Actor, campaign_id: Id, body: RevealRequest) -> Proposal:
    """Ask again for the draw, a week or more after the commitment."""
    return request_reveal(desk, actor, campaign_id, body)


@CLOSINGS.post("/campaigns/{campaign_id}/closing/reveal", action="approve")
def post_closing_reveal(desk: Desk, actor: Actor, campaign_id: Id, body: Beacon) -> ClosingDraw:
    """Record the beacon's value and reveal the seed: the winners are settled."""
    return reveal_closing(desk, actor, campaign_id, body)


@CLOSINGS.post("/campaigns/{campaign_id}/closing/publish")
def post_closing_publish(desk: Desk, actor: Actor, campaign_id: Id) -> ClosingDraw:
    """Publish the result once the winners have their rewards, and again when a runner-up was called."""
    return publish_result(desk, actor, campaign_id)


@CLOSINGS.get("/campaigns/{campaign_id}/closing/draw")
def get_closing_draw(desk: Desk, campaign_id: Id) -> PublishedClosing:
    """The published draw, for `uncap draw verify`."""
    return read_published(desk, campaign_id)


@CLOSINGS.get("/campaigns/{campaign_id}/closing/entries")
def get_closing_entries(desk: Desk, campaign_id: Id, query: PageOfEntries) -> EntriesPage:
    """Entries of a long list, page by page."""
    return read_entries(desk, campaign_id, query)


@CLOSINGS.get("/campaigns/{campaign_id}/closing/winners")
def get_closing_winners(desk: Desk, campaign_id: Id) -> tuple[PrizeHolder, ...]:
    """Who has each prize now, by code and reward: for those who look after the winners."""
    return read_holders(desk, campaign_id)
