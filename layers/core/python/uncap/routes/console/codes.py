"""Downloads of code files. Mounted by `table.py`."""

from uncap.routes.console.endpoint import Area, Text
from uncap.services.desk import Actor, BatchNo, Desk
from uncap.services.export_codes import ExportQuery, export_codes

CODES = Area("codes")
_MEDIA = {"txt": "text/plain; charset=us-ascii", "csv": "text/csv; charset=utf-8; header=absent"}


@CODES.get("/batches/{batch_no}/codes", action="export", media_types=("text/plain", "text/csv"))
def download_codes(desk: Desk, actor: Actor, batch_no: BatchNo, query: ExportQuery) -> Text:
    """One page of a batch's codes for print; audited with the reason given."""
    page = export_codes(desk, actor, batch_no, query)
    headers = {"Repr-Digest": page.digest, "X-Uncap-Sha256": page.sha256}
    if page.next:
        # Relative to this very resource, so that it is right under any stage prefix.
        headers["Link"] = f'<codes?{page.next}>; rel="next"'
    return Text(page.text, _MEDIA[query.format], headers)
