"""Files from factory lines and warehouses. Mounted by `table.py`."""

from typing import Annotated

import msgspec

from uncap.routes.console.endpoint import Area, Text
from uncap.services.desk import Actor, Desk
from uncap.services.list_entries import Listing
from uncap.services.manage_uploads import (
    Announced,
    NewUpload,
    UploadsQuery,
    UploadView,
    announce_upload,
    list_uploads,
    read_faults,
    read_upload,
    start_upload,
)

UPLOADS = Area("uploads")
UploadId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{26}$(?!\n)", max_length=26)]


@UPLOADS.post("/uploads", status=201)
def post_upload(desk: Desk, actor: Actor, body: NewUpload) -> Announced:
    """Announce a file; the answer says where to PUT it. The same bytes again are the same upload."""
    return announce_upload(desk, actor, body)


@UPLOADS.get("/uploads")
def get_uploads(desk: Desk, query: UploadsQuery) -> Listing[UploadView]:
    """Uploads, the latest first."""
    return list_uploads(desk, query)


@UPLOADS.post("/uploads/{upload_id}/start", status=202)
def post_upload_start(desk: Desk, actor: Actor, upload_id: UploadId) -> UploadView:
    """Have an uploaded file worked on."""
    return start_upload(desk, actor, upload_id)


@UPLOADS.get("/uploads/{upload_id}")
def get_upload(desk: Desk, upload_id: UploadId) -> UploadView:
    """How far a file is, what it came to, and its first errors."""
    return read_upload(desk, upload_id)


@UPLOADS.get("/uploads/{upload_id}/errors", media_types=("text/csv",))
def get_upload_errors(desk: Desk, upload_id: UploadId) -> Text:
    """The first thousand errors by line and reason, as CSV."""
    name = f'attachment; filename="errors-{upload_id}.csv"'
    return Text(read_faults(desk, upload_id), "text/csv; charset=utf-8", {"Content-Disposition": name})
