"""Orders to take codes out, and the downloads under them. Mounted by `table.py`."""

from uncap.domain.exports import Download, ExportOrder
from uncap.routes.console.endpoint import Area, Text
from uncap.services.desk import Actor, Desk
from uncap.services.export_codes import PageOfCodes, SkipList, export_codes, read_skips
from uncap.services.list_entries import Listing, PageQuery
from uncap.services.order_export import (
    Closing,
    ExportId,
    ExportView,
    NewExport,
    approve_export,
    close_export,
    list_downloads,
    list_exports,
    order_export,
    read_export,
)

CODES = Area("codes")
_MEDIA = {"txt": "text/plain; charset=us-ascii", "csv": "text/csv; charset=utf-8; header=absent"}


@CODES.post("/exports", status=201)
def post_export(desk: Desk, actor: Actor, body: NewExport) -> ExportView:
    """Order codes to be taken out: who, why, for whom, until when."""
    return order_export(desk, actor, body)


@CODES.get("/exports")
def get_exports(desk: Desk, query: PageQuery) -> Listing[ExportOrder]:
    """Orders by batch."""
    return list_exports(desk, query)


@CODES.get("/exports/{export_id}")
def get_export(desk: Desk, export_id: ExportId) -> ExportView:
    """One order, its latest downloads, and whether one of its canaries was scanned."""
    return read_export(desk, export_id)


@CODES.get("/exports/{export_id}/downloads")
def get_downloads(desk: Desk, export_id: ExportId, query: PageQuery) -> Listing[Download]:
    """Everything that was fetched under an order, latest first."""
    return list_downloads(desk, export_id, query)


@CODES.post("/exports/{export_id}/approve", action="approve")
def post_approval(desk: Desk, actor: Actor, export_id: ExportId) -> ExportView:
    """Approve a large order that someone else has made."""
    return approve_export(desk, actor, export_id)


@CODES.post("/exports/{export_id}/close")
def post_closing(desk: Desk, actor: Actor, export_id: ExportId, body: Closing) -> ExportView:
    """End an order at once."""
    return close_export(desk, actor, export_id, body)


@CODES.get("/exports/{export_id}/codes", action="export", media_types=("text/plain", "text/csv"))
def download_codes(desk: Desk, actor: Actor, export_id: ExportId, query: PageOfCodes) -> Text:
    """One page of an open order's codes; logged."""
    page = export_codes(desk, actor, export_id, query)
    headers = {"Repr-Digest": page.digest, "X-Uncap-Sha256": page.sha256, "X-Uncap-Lines": str(page.lines)}
    if page.next:
        # Relative to this very resource, so that it is right under any stage prefix.
        headers["Link"] = f'<codes?{page.next}>; rel="next"'
    return Text(page.text, _MEDIA[page.form], headers)


# Not a GET: whoever has had the list does not get the codes any more.
@CODES.post("/exports/{export_id}/skips", action="approve")
def post_skips(desk: Desk, actor: Actor, export_id: ExportId) -> SkipList:
    """The lines that must not be printed, for the press; never for whoever fetched the codes. Logged."""
    return read_skips(desk, actor, export_id)
