"""Ordering codes to be taken out: who, why, for whom, until when; approving, closing and reading such orders.

Called by `routes/console/codes.py`; the pages themselves are in `export_codes.py`. Rules: `domain/exports.py`.
"""

from typing import Annotated, Literal

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain import exports
from uncap.domain.association.ports import UnitSpan
from uncap.domain.catalog import CanaryRun, CodeBatch, Role
from uncap.domain.codes import crockford
from uncap.domain.codes.canaries import MAX_PER_ORDER, MAX_RUNS
from uncap.domain.codes.scheme import INDEX_LIMIT
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.exports import Download, ExportOrder
from uncap.domain.ranges import check_range
from uncap.services.create_batch import batch_write
from uncap.services.create_product import RoleName
from uncap.services.desk import Actor, BatchNo, Desk, Index, Reason, TimeMs, draft, found
from uncap.services.list_entries import Listing, PageQuery, list_entries

PK = "exports"
LOG = "log#"
_LATEST = 50
_ID_CHARACTERS = 8
_PATTERN = r"^x[1-9]\d{0,7}-[0-9A-HJKMNP-TV-Z]{8}$(?!\n)"

ExportId = Annotated[str, msgspec.Meta(pattern=_PATTERN, max_length=20, description="As answered to POST /exports")]


class NewExport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes of one role for one supplier. `stop` 0: to the end of the batch. `recipient`: the supplier's age key.

    `canaries`: so many codes that must not be printed are hidden in the file (`POST …/skips` says which lines).
    """

    batch_no: BatchNo
    role: RoleName
    made_for: Annotated[str, msgspec.Meta(min_length=2, max_length=80, description="The supplier or line")]
    reason: Reason
    expires_at_ms: TimeMs
    recipient: Annotated[str, msgspec.Meta(max_length=200)] = ""
    format: Literal["txt", "csv"] = "txt"
    start: Index = 0
    stop: Annotated[int, msgspec.Meta(ge=0, le=INDEX_LIMIT)] = 0
    canaries: Annotated[int, msgspec.Meta(ge=0, le=MAX_PER_ORDER)] = 0


class Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why nothing more may be downloaded."""

    reason: Reason


class ExportView(msgspec.Struct, frozen=True):
    """An order, what was fetched under it (latest first), and how often one of its canaries was scanned."""

    order: ExportOrder
    status: exports.Status
    lines: int
    canary_scans: int
    downloads: list[Download]


def order_export(desk: Desk, actor: Actor, given: NewExport) -> ExportView:
    """Raises NotFoundError (`batch_unknown`), InputError (`range_invalid`, `role_not_in_batch`, `expiry_invalid`,
    `recipient_needed`, `recipient_malformed`, `canaries_not_in_csv`), ConflictError (`batch_not_commissioned`,
    `canaries_used_up`, `changed_meanwhile`)."""
    batch = desk.batch(given.batch_no).batch
    order = _order_of(desk, actor, batch, given)
    check_range(order.start, order.stop, batch.size)
    check_exportable(batch, order.role)
    exports.check_order(order)
    if exports.needs_second_person(order):
        order = msgspec.structs.replace(order, state="asked")
    writes = [_write(order)]
    if order.canaries:
        writes.append(batch_write(_with_canaries(batch, order)))
    summary = f"{order.lines} lines of {order.role} {order.start}..{order.stop} for {order.made_for}, {order.state}"
    about = [UnitSpan(order.batch_no, order.start, order.stop)]
    act = draft(actor, "exports.order", order.export_id, reason=order.reason, after=summary, about=about)
    desk.writes.commit(writes, act)
    return _view(desk, order, [])


def approve_export(desk: Desk, actor: Actor, export_id: str) -> ExportView:
    """Raises NotFoundError (`export_unknown`), ConflictError (`export_not_asked`, `export_expired`, `export_closed`,
    `changed_meanwhile`), ForbiddenError (`second_person_needed`)."""
    order = exports.approved(load_export(desk, export_id), actor.login, desk.clock_ms())
    summary = f"ordered by {order.ordered_by}"
    desk.writes.commit(
        [_write(order)], draft(actor, "exports.approve", export_id, reason=order.reason, before="asked", after=summary)
    )
    return read_export(desk, export_id)


def close_export(desk: Desk, actor: Actor, export_id: str, given: Closing) -> ExportView:
    """Nothing more is given out under this order. Raises NotFoundError (`export_unknown`), ConflictError
    (`changed_meanwhile`)."""
    before = load_export(desk, export_id)
    order = exports.closed(before, actor.login)
    if order is not before:
        entry = draft(actor, "exports.close", export_id, reason=given.reason, before=before.state, after="closed")
        desk.writes.commit([_write(order)], entry)
    return read_export(desk, export_id)


def read_export(desk: Desk, export_id: str) -> ExportView:
    """The order with its latest downloads. Raises NotFoundError (`export_unknown`)."""
    order = load_export(desk, export_id)
    latest = desk.parties.page(log_key(export_id), LOG, _LATEST, newest_first=True)
    return _view(desk, order, latest.values(Download))


def list_exports(desk: Desk, query: PageQuery) -> Listing[ExportOrder]:
    """Every order, by batch."""
    return list_entries(desk.parties, PK, "x", ExportOrder, query)


def list_downloads(desk: Desk, export_id: str, query: PageQuery) -> Listing[Download]:
    """Who fetched what under this order, latest first. Raises NotFoundError (`export_unknown`)."""
    load_export(desk, export_id)
    return list_entries(desk.parties, log_key(export_id), LOG, Download, query, newest_first=True)


def load_export(desk: Desk, export_id: str) -> ExportOrder:
    """Raises NotFoundError (`export_unknown`)."""
    order = desk.parties.value(PK, export_id, ExportOrder)
    return found(order, "export_unknown", f"there is no export {export_id}", "export_id")


def log_key(export_id: str) -> str:
    """The partition of an order's log."""
    return f"export#{export_id}"


def check_exportable(batch: CodeBatch, role: str) -> None:
    """Raises ConflictError (`batch_not_commissioned`), InputError (`role_not_in_batch`)."""
    if batch.state != "commissioned":
        raise ConflictError("batch_not_commissioned", "commission the batch first", where="batch_no")
    if Role[role.upper()] not in batch.roles:
        raise InputError("role_not_in_batch", "the batch has no such codes", where="role")


def _order_of(desk: Desk, actor: Actor, batch: CodeBatch, given: NewExport) -> ExportOrder:
    drawn = crockford.digest(desk.random_bytes(_ID_CHARACTERS), _ID_CHARACTERS)
    return ExportOrder(
        export_id=f"x{given.batch_no}-{drawn}",
        batch_no=given.batch_no,
        gtin=batch.gtin,
        role=given.role,
        form=given.format,
        start=given.start,
        stop=given.stop or batch.size,
        made_for=given.made_for,
        reason=given.reason,
        ordered_by=actor.login,
        ordered_at_ms=desk.clock_ms(),
        expires_at_ms=given.expires_at_ms,
        recipient=given.recipient,
        canaries=given.canaries,
    )


def _with_canaries(batch: CodeBatch, order: ExportOrder) -> CodeBatch:
    """The batch with this order's canaries drawn from the indices behind its own."""
    if len(batch.canaries) >= MAX_RUNS or batch.drawn + order.canaries > INDEX_LIMIT:
        raise ConflictError("canaries_used_up", "this batch has no room for more canaries", where="canaries")
    run = CanaryRun(order.export_id, order.start, order.stop, order.canaries)
    return msgspec.structs.replace(batch, canaries=(*batch.canaries, run), version=batch.version + 1)


def _write(order: ExportOrder) -> DocWrite:
    return DocWrite("parties", PK, order.export_id, doc_of(order), order.version)


def _view(desk: Desk, order: ExportOrder, downloads: list[Download]) -> ExportView:
    status = exports.status_of(order, desk.clock_ms())
    scans = desk.insights.canary_scans(order.export_id) if order.canaries else 0
    return ExportView(order, status, order.lines, scans, downloads)
