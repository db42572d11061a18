"""Code batches: create, commission, hold. Mounted by `table.py`."""

from uncap.adapters.catalog import BatchView
from uncap.domain.approvals import Proposal
from uncap.domain.catalog import CodeBatch, Release
from uncap.routes.console.endpoint import Area
from uncap.services.create_batch import BatchEntry, Hold, NewBatch, commission_batch, create_batch, hold_batch
from uncap.services.decommission_codes import Decommission, Rejects, decommission_codes, reject_codes
from uncap.services.desk import Actor, BatchNo, Desk
from uncap.services.list_entries import Listing, PageQuery, list_entries
from uncap.services.replace_code import Approval, NewReplacement, approve_replacement, request_replacement

BATCHES = Area("batches")


@BATCHES.post("/batches", status=201)
def post_batch(desk: Desk, actor: Actor, body: NewBatch) -> CodeBatch:
    """Create a batch of codes; nothing is stored per code."""
    return create_batch(desk, actor, body)


@BATCHES.get("/batches")
def list_batches(desk: Desk, query: PageQuery) -> Listing[BatchEntry]:
    """Batches by number."""
    return list_entries(desk.catalog_docs, "index", "batch#", BatchEntry, query)


@BATCHES.get("/batches/{batch_no}")
def read_batch(desk: Desk, batch_no: BatchNo) -> BatchView:
    """One batch with its releases."""
    return desk.batch(batch_no)


@BATCHES.post("/batches/{batch_no}/commission")
def post_commission(desk: Desk, actor: Actor, batch_no: BatchNo) -> CodeBatch:
    """Make the batch's codes valid; they are redeemable once released."""
    return commission_batch(desk, actor, batch_no)


# Not `write`: the factory, which has that, must not let go what the brand has stopped.
@BATCHES.post("/batches/{batch_no}/hold", action="approve")
def post_hold(desk: Desk, actor: Actor, batch_no: BatchNo, body: Hold) -> CodeBatch:
    """Freeze, recall or release the whole batch."""
    return hold_batch(desk, actor, batch_no, body)


@BATCHES.post("/batches/{batch_no}/decommission")
def post_decommission(desk: Desk, actor: Actor, batch_no: BatchNo, body: Decommission) -> CodeBatch:
    """Take a range of codes, one unit or one code out of use."""
    return decommission_codes(desk, actor, batch_no, body)


@BATCHES.post("/batches/{batch_no}/reject")
def post_rejects(desk: Desk, actor: Actor, batch_no: BatchNo, body: Rejects) -> CodeBatch:
    """Record codes that never left the line, before they are released."""
    return reject_codes(desk, actor, batch_no, body)


@BATCHES.post("/batches/{batch_no}/replacements", status=202)
def post_replacement(desk: Desk, actor: Actor, batch_no: BatchNo, body: NewReplacement) -> Proposal:
    """Ask that a spare take over a spoilt unit's prize and place."""
    return request_replacement(desk, actor, batch_no, body)


@BATCHES.post("/batches/{batch_no}/replacements/approve", action="approve")
def post_replacement_approval(desk: Desk, actor: Actor, batch_no: BatchNo, body: Approval) -> Release:
    """Approve a replacement that someone else has asked for."""
    return approve_replacement(desk, actor, batch_no, body)
