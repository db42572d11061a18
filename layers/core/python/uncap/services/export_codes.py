"""Code files page by page under an open order, and the list of lines not to print; both logged with who and when.

Called by `routes/console/codes.py`; `uncap batch export` puts the pages together. Nobody gets both: whoever holds the
file must not know its canaries (ADR 0018).
"""

import base64
import hashlib
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlencode

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain.association.ports import UnitSpan
from uncap.domain.catalog import CodeBatch, Role
from uncap.domain.codes import bulk
from uncap.domain.codes.canaries import placed
from uncap.domain.codes.links import code_prefix
from uncap.domain.codes.scheme import CodeKey
from uncap.domain.errors import ConflictError, ForbiddenError
from uncap.domain.exports import Download, ExportOrder, Kind, check_open
from uncap.domain.ranges import check_range
from uncap.services.desk import Actor, Desk, Index, draft
from uncap.services.order_export import LOG, check_exportable, load_export, log_key

MAX_PAGE_CODES = 20_000
"""Two megabytes of CSV: Lambda answers with at most six."""


class PageOfCodes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`count` places of the order's range from `start` on (0: from its beginning)."""

    start: Index = 0
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE_CODES)] = MAX_PAGE_CODES


class CodePage(msgspec.Struct, frozen=True):
    """CRLF lines without a header, how many, their SHA-256, and the query of the next page ("" at the end)."""

    text: str
    form: str
    lines: int
    sha256: str
    next: str

    @property
    def digest(self) -> str:
        """The value of a Repr-Digest header (RFC 9530)."""
        return f"sha-256=:{base64.b64encode(bytes.fromhex(self.sha256)).decode()}:"


class SkipList(msgspec.Struct, frozen=True):
    """The lines of the whole file, counted from 1, that must not be printed."""

    export_id: str
    lines: list[int]


def export_codes(desk: Desk, actor: Actor, export_id: str, query: PageOfCodes) -> CodePage:
    """Raises NotFoundError (`export_unknown`), ConflictError (`export_awaits_approval`, `export_expired`,
    `export_closed`, `link_base_unset`), InputError (`range_invalid`), ForbiddenError (`second_person_needed`)."""
    order, batch = _opened(desk, export_id)
    start = max(query.start, order.start)
    stop = min(start + query.count, order.stop)
    check_range(start, max(stop, start + 1), order.stop)
    key = desk.keyring().key(batch.epoch, batch.gtin, Role[order.role.upper()])
    blocks = _csv(desk, batch, key, start, stop) if order.form == "csv" else _txt(desk, batch, key, order, start, stop)
    data = b"".join(blocks)
    page = CodePage(
        text=data.decode("ascii"),
        form=order.form,
        lines=data.count(b"\r\n"),
        sha256=hashlib.sha256(data).hexdigest(),
        next="" if stop >= order.stop else urlencode({"start": stop, "count": query.count}),
    )
    _log(desk, actor, order, Download(desk.clock_ms(), actor.login, "codes", start, stop, page.lines, page.sha256))
    return page


def read_skips(desk: Desk, actor: Actor, export_id: str) -> SkipList:
    """Which lines the press leaves out. Raises as `export_codes` does."""
    order, batch = _opened(desk, export_id)
    key = desk.keyring().key(batch.epoch, batch.gtin, Role[order.role.upper()])
    # Each canary stands before its place, so that those before it push it down by one line each.
    places = placed(batch, order.export_id, key.cipher())
    lines = [at - order.start + before + 1 for before, (at, _) in enumerate(places)]
    sha256 = hashlib.sha256("\n".join(map(str, lines)).encode()).hexdigest()
    entry = Download(desk.clock_ms(), actor.login, "skips", order.start, order.stop, len(lines), sha256)
    _log(desk, actor, order, entry)
    return SkipList(export_id, lines)


def _opened(desk: Desk, export_id: str) -> tuple[ExportOrder, CodeBatch]:
    order = load_export(desk, export_id)
    check_open(order, desk.clock_ms())
    batch = desk.batch(order.batch_no).batch
    check_exportable(batch, order.role)
    if not desk.link_base:
        raise ConflictError("link_base_unset", "this deployment has no host for printed links (LinkBase)")
    return order, batch


def _log(desk: Desk, actor: Actor, order: ExportOrder, entry: Download) -> None:
    """Into the audit trail and the order's own log; who has fetched the one thing does not get the other."""
    pk, reader = log_key(order.export_id), f"reader#{actor.login}"
    before = desk.parties.value(pk, reader, str)
    if before not in (None, entry.what):
        raise ForbiddenError("second_person_needed", "Whoever fetches the codes must not know which are canaries.")
    unique = desk.random_bytes(4).hex()
    writes = [DocWrite("parties", pk, f"{LOG}{entry.at_ms:013d}#{unique}", doc_of(entry), 1)]
    if before is None:
        kind: Kind = entry.what
        writes.append(DocWrite("parties", pk, reader, doc_of(kind), 1))
    summary = f"{entry.lines} lines of {entry.start}..{entry.stop}, sha256 {entry.sha256}"
    # The list of canaries stays out of the codes' history, which the factory reads.
    about = [UnitSpan(order.batch_no, entry.start, entry.stop)] if entry.what == "codes" else []
    act = draft(actor, f"exports.{entry.what}", order.export_id, reason=order.reason, after=summary, about=about)
    desk.writes.commit(writes, act)


def _txt(desk: Desk, batch: CodeBatch, key: CodeKey, order: ExportOrder, start: int, stop: int) -> Iterator[bytes]:
    prefix = code_prefix(desk.link_base, batch.gtin)
    at = start
    canaries = [one for one in placed(batch, order.export_id, key.cipher()) if start <= one[0] < stop]
    for place, index in [*canaries, (stop, -1)]:
        if place > at:
            yield from bulk.lines(key, batch.batch_no, range(at, place), prefix)
            at = place
        if index >= 0:
            yield from bulk.lines(key, batch.batch_no, range(index, index + 1), prefix)


def _csv(desk: Desk, batch: CodeBatch, key: CodeKey, start: int, stop: int) -> Iterator[bytes]:
    serials = bulk.texts_of(bulk.serials(key, batch.batch_no, range(start, stop)))
    prefix = code_prefix(desk.link_base, batch.gtin)
    parents = _parents(desk, batch, start, stop)
    rows = zip(range(start, stop), serials, parents, strict=True)
    yield "".join(f"{seq},{serial},{prefix}{serial},{parent}\r\n" for seq, serial, parent in rows).encode("ascii")


def _parents(desk: Desk, batch: CodeBatch, start: int, stop: int) -> list[str]:
    """The outer code of each unit's case in roll order; "" where there is no batch of cases."""
    if not batch.case_batch_no:
        return [""] * (stop - start)
    cases = desk.batch(batch.case_batch_no).batch
    if Role.CASE_OUTER not in cases.roles:
        return [""] * (stop - start)
    pack = batch.units_per_case
    first, last = start // pack, (stop - 1) // pack + 1
    key = desk.keyring().key(cases.epoch, cases.gtin, Role.CASE_OUTER)
    serials = bulk.texts_of(bulk.serials(key, cases.batch_no, range(first, last)))
    return [serials[index // pack - first] for index in range(start, stop)]
