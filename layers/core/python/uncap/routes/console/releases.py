"""Releases: commit, activate, reveal, and the published draw. Mounted by `table.py`."""

from uncap.domain.approvals import Proposal
from uncap.domain.prizes.published import PublishedDraw
from uncap.routes.console.endpoint import Area
from uncap.services.activate_release import ActivationRequest, Beacon, activate_release, request_activation
from uncap.services.commit_release import NewRelease, ReleaseAnswer, ReleaseId, commit_release
from uncap.services.desk import Actor, BatchNo, Desk
from uncap.services.reveal_draw import DrawPage, PageOfDraw, read_draw, read_draw_page, reveal_draw

RELEASES = Area("releases")


@RELEASES.post("/batches/{batch_no}/releases", status=201)
def post_release(desk: Desk, actor: Actor, batch_no: BatchNo, body: NewRelease) -> ReleaseAnswer:
    """Commit to a release: eligible codes, prize table, seed and beacon round are fixed."""
    return commit_release(desk, actor, batch_no, body)


@RELEASES.post("/releases/{release_id}/activate", action="approve")
def post_activation(desk: Desk, actor: Actor, release_id: ReleaseId, body: Beacon) -> ReleaseAnswer:
    """Record the beacon's value: prizes are laid, the budget is reserved, the codes become redeemable."""
    return activate_release(desk, actor, release_id, body)


@RELEASES.post("/releases/{release_id}/activation", status=202)
def post_activation_request(desk: Desk, actor: Actor, release_id: ReleaseId, body: ActivationRequest) -> Proposal:
    """Ask again for the activation, a week or more after the commitment."""
    return request_activation(desk, actor, release_id, body)


@RELEASES.post("/releases/{release_id}/reveal")
def post_reveal(desk: Desk, actor: Actor, release_id: ReleaseId) -> ReleaseAnswer:
    """Close the release after its deadline and reveal the seed."""
    return reveal_draw(desk, actor, release_id)


@RELEASES.get("/releases/{release_id}/draw")
def get_draw(desk: Desk, release_id: ReleaseId) -> PublishedDraw:
    """The published draw, for `uncap draw verify`."""
    return read_draw(desk, release_id)


@RELEASES.get("/releases/{release_id}/draw/pages")
def get_draw_page(desk: Desk, release_id: ReleaseId, query: PageOfDraw) -> DrawPage:
    """Winners and code hashes of a large draw, page by page."""
    return read_draw_page(desk, release_id, query)
