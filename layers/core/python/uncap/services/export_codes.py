"""Code files for printers, page by page; every page is audited with who and why.

Called by `routes/console/codes.py`; `uncap batch export` puts the pages together.
"""

import base64
import hashlib
from typing import Annotated, Literal
from urllib.parse import urlencode

import msgspec

from uncap.adapters.catalog import BatchView
from uncap.domain.catalog import CodeBatch, Role
from uncap.domain.codes import bulk
from uncap.domain.codes.links import code_prefix
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.ranges import check_range
from uncap.services.create_product import RoleName
from uncap.services.desk import Actor, Desk, Index, Reason

MAX_PAGE_CODES = 20_000
"""Two megabytes of CSV: Lambda answers with at most six."""


class ExportQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`count` codes of one role from `start` on. `txt`: one link per line; `csv`: seq, code, url, parent, no header."""

    role: RoleName
    reason: Reason
    start: Index = 0
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE_CODES)] = MAX_PAGE_CODES
    format: Literal["txt", "csv"] = "txt"


class CodePage(msgspec.Struct, frozen=True):
    """CRLF lines, their SHA-256, and the query of the next page ("" at the end)."""

    text: str
    sha256: str
    next: str

    @property
    def digest(self) -> str:
        """The value of a Repr-Digest header (RFC 9530)."""
        return f"sha-256=:{base64.b64encode(bytes.fromhex(self.sha256)).decode()}:"


def export_codes(desk: Desk, actor: Actor, batch_no: int, query: ExportQuery) -> CodePage:
    """Raises NotFoundError (`batch_unknown`), InputError (`range_invalid`, `role_not_in_batch`), ConflictError
    (`batch_not_commissioned`, `link_base_unset`)."""
    view = desk.batch(batch_no)
    batch, role = view.batch, Role[query.role.upper()]
    if batch.state != "commissioned":
        raise ConflictError("batch_not_commissioned", "commission the batch first", where="batch_no")
    if role not in batch.roles:
        raise InputError("role_not_in_batch", "the batch has no such codes", where="role")
    if not desk.link_base:
        raise ConflictError("link_base_unset", "this deployment has no host for printed links (LinkBase)")
    stop = min(query.start + query.count, batch.size)
    check_range(query.start, max(stop, query.start + 1), batch.size)
    text = _csv(desk, view, role, query.start, stop) if query.format == "csv" else _txt(desk, batch, role, query, stop)
    page = CodePage(text, hashlib.sha256(text.encode()).hexdigest(), _next(query, stop, batch.size))
    desk.audit(
        actor,
        "codes.export",
        f"batch {batch_no} {query.role}",
        reason=query.reason,
        after=f"{query.start}..{stop} as {query.format}, sha256 {page.sha256}",
    )
    return page


def _txt(desk: Desk, batch: CodeBatch, role: Role, query: ExportQuery, stop: int) -> str:
    key = desk.keyring().key(batch.epoch, batch.gtin, role)
    prefix = code_prefix(desk.link_base, batch.gtin)
    return b"".join(bulk.lines(key, batch.batch_no, range(query.start, stop), prefix)).decode("ascii")


def _csv(desk: Desk, view: BatchView, role: Role, start: int, stop: int) -> str:
    batch = view.batch
    serials = _serials(desk, batch, role, start, stop)
    prefix = code_prefix(desk.link_base, batch.gtin)
    parents = _parents(desk, batch, start, stop)
    rows = zip(range(start, stop), serials, parents, strict=True)
    return "".join(f"{seq},{serial},{prefix}{serial},{parent}\r\n" for seq, serial, parent in rows)


def _parents(desk: Desk, batch: CodeBatch, start: int, stop: int) -> list[str]:
    """The outer code of each unit's case in roll order; "" where there is no batch of cases."""
    if not batch.case_batch_no:
        return [""] * (stop - start)
    cases = desk.batch(batch.case_batch_no).batch
    if Role.CASE_OUTER not in cases.roles:
        return [""] * (stop - start)
    pack = batch.units_per_case
    first, last = start // pack, (stop - 1) // pack + 1
    serials = _serials(desk, cases, Role.CASE_OUTER, first, last)
    return [serials[index // pack - first] for index in range(start, stop)]


def _serials(desk: Desk, batch: CodeBatch, role: Role, start: int, stop: int) -> list[str]:
    key = desk.keyring().key(batch.epoch, batch.gtin, role)
    return bulk.texts_of(bulk.serials(key, batch.batch_no, range(start, stop)))


def _next(query: ExportQuery, stop: int, size: int) -> str:
    if stop >= size:
        return ""
    fields = msgspec.to_builtins(msgspec.structs.replace(query, start=stop))
    return urlencode(fields)
