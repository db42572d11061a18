"""Code batches: create, commission, hold. Mounted by `table.py`."""

from uncap.adapters.catalog import BatchView
from uncap.domain.catalog import CodeBatch
from uncap.routes.console.endpoint import Area
from uncap.services.create_batch import BatchEntry, Hold, NewBatch, commission_batch, create_batch, hold_batch
from uncap.services.desk import Actor, BatchNo, Desk
from uncap.services.list_entries import Listing, PageQuery, list_entries

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


@BATCHES.post("/batches/{batch_no}/hold")
def post_hold(desk: Desk, actor: Actor, batch_no: BatchNo, body: Hold) -> CodeBatch:
    """Freeze, recall or release the whole batch."""
    return hold_batch(desk, actor, batch_no, body)
