"""Files from lines and warehouses: announce one, have it worked on, read its report. For `routes/console/uploads.py`.

The bytes go from the client straight into the bucket; what happens with them is the intake job's (`run_upload.py`).
"""

from typing import Annotated, Literal

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.adapters.uploads import Entry
from uncap.domain.codes.links import check_gtin
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.intake.faults import RowFault, echo, faults_csv
from uncap.domain.intake.uploads import AREAS, KEPT_FAULTS, Upload, announced_again, started, upload_id
from uncap.domain.operators import authorise
from uncap.services.desk import Actor, Desk, draft, found
from uncap.services.list_entries import Cursor, Listing, PageQuery, list_entries

MAX_BYTES = 5 << 30
"""What one PUT to S3 takes."""
SHOWN_FAULTS = 100

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", max_length=64, description="Hex, lower case")]
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class NewUpload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file to come. `format` matters for associations; `gtin` says whose codes bare serials in it are.

    `rollback`: one wrong row and nothing of the file is taken. `proceed`: wrong rows are left out and reported.
    """

    kind: Literal["association", "epcis", "shipments", "receipts", "returns"]
    name: FileName
    size: Annotated[int, msgspec.Meta(ge=0, lt=1 << 50)]
    sha256: Sha256
    mode: Literal["rollback", "proceed"] = "rollback"
    format: Literal["auto", "csv", "parquet", "epcis"] = "auto"
    gtin: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{8}|[0-9]{12,14})?$(?!\n)", max_length=14)] = ""


class PutRequest(msgspec.Struct, frozen=True):
    """How to send the bytes: one PUT with exactly these headers, within the hour."""

    url: str
    headers: dict[str, str]


class UploadView(msgspec.Struct, frozen=True):
    """A file's report so far. `counts` are by reason and exact; `faults` the first of them, in order of lines."""

    upload_id: str
    kind: str
    format: str
    name: str
    size: int
    sha256: str
    mode: str
    by: str
    state: str
    run: int
    permille: int
    rows_done: int
    counts: dict[str, int]
    result: dict[str, int]
    reason: RowFault | None
    faults: list[RowFault]
    created_at_ms: int
    started_at_ms: int
    touched_at_ms: int
    finished_at_ms: int


class Announced(msgspec.Struct, frozen=True):
    """`put` is null where the bytes are there already, or nothing is left to do."""

    upload: UploadView
    put: PutRequest | None


class UploadsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`count` uploads from `cursor` on, the latest first."""

    count: Annotated[int, msgspec.Meta(ge=1, le=50)] = 20
    cursor: Cursor = ""


def announce_upload(desk: Desk, actor: Actor, given: NewUpload) -> Announced:
    """Raises InputError (`file_empty`, `file_too_large`, GTIN's), ForbiddenError, ConflictError (`upload_running`,
    `changed_meanwhile`)."""
    authorise(actor.role, AREAS[given.kind], "write")
    if not given.size:
        raise InputError("file_empty", "the file has no bytes in it", where="size")
    if given.size > MAX_BYTES:
        words = f"a file has at most {MAX_BYTES >> 30} GiB: split it, or send Parquet or gzip"
        raise InputError("file_too_large", words, where="size")
    asked = _upload_of(desk, actor, given)
    stored = desk.uploads.read(asked.upload_id)
    upload = asked if stored is None else announced_again(stored, asked)
    if upload is not stored:
        _store(desk, actor, upload)
    if upload.state != "waiting" or desk.upload_store().holds(upload):
        return Announced(_view(desk, upload), None)
    return Announced(_view(desk, upload), PutRequest(*desk.upload_store().put_request(upload)))


def start_upload(desk: Desk, actor: Actor, wanted: str) -> UploadView:
    """Has the file worked on; starting it again sends a lost turn anew and otherwise changes nothing.

    Raises NotFoundError (`upload_unknown`, `upload_missing`), InputError (`upload_differs`), ForbiddenError.
    """
    stored = _found(desk, wanted)
    authorise(actor.role, AREAS[stored.kind], "write")
    if stored.is_over:
        return _view(desk, stored)
    if stored.state == "waiting":
        desk.upload_store().check(stored)
    upload = started(stored, desk.clock_ms())
    if upload is not stored:
        try:
            desk.writes.commit([_write(upload)], draft(actor, "uploads.start", wanted, after=_summary(upload)))
        except ConflictError:
            upload = _found(desk, wanted)  # someone else has started it
    desk.intake_queue().send(upload)
    return _view(desk, upload)


def read_upload(desk: Desk, wanted: str) -> UploadView:
    """Raises NotFoundError (`upload_unknown`)."""
    return _view(desk, _found(desk, wanted))


def read_faults(desk: Desk, wanted: str) -> str:
    """The kept faults as CSV, safe to open in a spreadsheet. Raises NotFoundError (`upload_unknown`)."""
    upload = _found(desk, wanted)
    faults = desk.uploads.faults(upload, KEPT_FAULTS)
    return faults_csv([*([upload.reason] if upload.reason else []), *faults])


def list_uploads(desk: Desk, query: UploadsQuery) -> Listing[UploadView]:
    """The latest first, without their faults."""
    page = list_entries(desk.flow, "uploads", "", Entry, PageQuery(query.count, query.cursor), newest_first=True)
    found_ones = (desk.uploads.read(entry.upload_id) for entry in page.items)
    return Listing([_shown(upload, []) for upload in found_ones if upload], page.next)


def _upload_of(desk: Desk, actor: Actor, given: NewUpload) -> Upload:
    return Upload(
        upload_id=upload_id(given.kind, given.sha256),
        kind=given.kind,
        sha256=given.sha256,
        size=given.size,
        name=echo(given.name.replace("\\", "/").rpartition("/")[2], 100),
        mode=given.mode,
        by=actor.login,
        role=actor.role,
        created_at_ms=desk.clock_ms(),
        form=given.format,
        gtin=check_gtin(given.gtin) if given.gtin else "",
    )


def _store(desk: Desk, actor: Actor, upload: Upload) -> None:
    writes = [_write(upload)]
    if upload.version == 1:
        sk = f"{upload.created_at_ms:013d}#{upload.upload_id}"
        writes.append(DocWrite("flow", "uploads", sk, doc_of(Entry(upload.upload_id)), 0))
    desk.writes.commit(writes, draft(actor, "uploads.announce", upload.upload_id, after=_summary(upload)))


def _write(upload: Upload) -> DocWrite:
    return DocWrite("flow", f"upload#{upload.upload_id}", "meta", doc_of(upload), upload.version)


def _summary(upload: Upload) -> str:
    return f"{upload.kind} {upload.name}, {upload.size} bytes, {upload.mode}, run {upload.run}, sha256 {upload.sha256}"


def _found(desk: Desk, wanted: str) -> Upload:
    return found(desk.uploads.read(wanted), "upload_unknown", "there is no such upload", "upload_id")


def _view(desk: Desk, upload: Upload) -> UploadView:
    return _shown(upload, desk.uploads.faults(upload, SHOWN_FAULTS))


def _shown(upload: Upload, faults: list[RowFault]) -> UploadView:
    return UploadView(
        upload_id=upload.upload_id,
        kind=upload.kind,
        format=upload.form,
        name=upload.name,
        size=upload.size,
        sha256=upload.sha256,
        mode=upload.mode,
        by=upload.by,
        state=upload.state,
        run=upload.run,
        permille=upload.permille,
        rows_done=upload.rows_done,
        counts=upload.counts,
        result=upload.result,
        reason=upload.reason,
        faults=faults,
        created_at_ms=upload.created_at_ms,
        started_at_ms=upload.started_at_ms,
        touched_at_ms=upload.touched_at_ms,
        finished_at_ms=upload.finished_at_ms,
    )
