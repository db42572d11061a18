"""Goods sent to a party: a range of units, cases by number, or case codes as scanned.

Called by `routes/console/shipments.py`. Stored twice, by batch range (relay, projector) and by id; a guard item per
batch puts racing entries in order.
"""

from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain.catalog import CodeBatch, IndexRange, Role, Shipment
from uncap.domain.codes.links import fold_serial, parse_code_link
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.domain.ranges import check_range, runs, scaled
from uncap.services.desk import Actor, BatchNo, Desk, Id, Index, Stop, TimeMs, draft
from uncap.services.find_code import find_code
from uncap.services.list_entries import Listing, PageQuery, list_entries

MAX_PARTS = 45  # two items each within one transaction
MAX_CASE_CODES = 1_000
_MAX_DEPTH = 8
_CLOCK_AHEAD_MS = 86_400_000


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Half open."""

    start: Index
    stop: Stop


class NewShipment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of `start`..`stop` (unit indices), `cases` (case indices), `case_codes` (links or serials of cases).

    `batch_no` is the batch of the units. Without `shipped_at_ms` the goods leave now.
    """

    shipment_id: Id
    to_party: Id
    batch_no: BatchNo
    shipped_at_ms: TimeMs | None = None
    start: Index | None = None
    stop: Stop | None = None
    cases: Span | None = None
    case_codes: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=17, max_length=320)], ...],
        msgspec.Meta(max_length=MAX_CASE_CODES),
    ] = ()


class ShipmentQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Shipments of a batch, by their first unit."""

    batch_no: BatchNo


def record_shipment(desk: Desk, actor: Actor, given: NewShipment) -> list[Shipment]:
    """The shipment as stored: several parts, `{id}-1`, `{id}-2`…, where the cases are not neighbours.

    Raises NotFoundError (`batch_unknown`, `party_unknown`), CodeForgedError, InputError (`shipment_ambiguous`,
    `range_invalid`, `too_many_ranges`, `shipped_in_the_future`), ConflictError (`shipment_exists`, `shipment_overlaps`,
    `case_of_another_batch`, `batch_has_no_cases`, `changed_meanwhile`).
    """
    now_ms = desk.clock_ms()
    shipped_at_ms = given.shipped_at_ms or now_ms
    if shipped_at_ms > now_ms + _CLOCK_AHEAD_MS:
        raise InputError("shipped_in_the_future", "goods are recorded when they have left", where="shipped_at_ms")
    batch = desk.batch(given.batch_no).batch
    if batch.unit_batch_no:
        raise InputError("shipment_ambiguous", "name the batch of the units, not of their cases", where="batch_no")
    desk.party(given.to_party)
    ranges = _ranges(desk, batch, given)
    parts = [
        Shipment(
            _part_id(given.shipment_id, at, len(ranges)),
            batch.batch_no,
            one.start,
            one.stop,
            given.to_party,
            shipped_at_ms,
        )
        for at, one in enumerate(ranges, 1)
    ]
    _store(desk, actor, batch, parts)
    return parts


def read_shipment(desk: Desk, shipment_id: str) -> Shipment:
    """Raises NotFoundError (`shipment_unknown`)."""
    shipment = desk.flow.value(f"shipment#{shipment_id}", "meta", Shipment)
    if shipment is None:
        raise NotFoundError("shipment_unknown", f"there is no shipment {shipment_id}", where="shipment_id")
    return shipment


def list_shipments(desk: Desk, query: ShipmentQuery) -> Listing[Shipment]:
    """One page of a batch's shipments."""
    return list_entries(desk.flow, f"batch#{query.batch_no}", "ship#", Shipment, query)


def _ranges(desk: Desk, batch: CodeBatch, given: NewShipment) -> list[IndexRange]:
    by_units = given.start is not None and given.stop is not None
    halves = given.start is not None or given.stop is not None
    if sum((halves, given.cases is not None, bool(given.case_codes))) != 1 or halves != by_units:
        raise InputError("shipment_ambiguous", "give start and stop, or cases, or case codes", where="start")
    if given.start is not None and given.stop is not None:
        check_range(given.start, given.stop, batch.size)
        return [IndexRange(given.start, given.stop)]
    if not batch.case_batch_no:
        raise ConflictError("batch_has_no_cases", "these units were not packed in coded cases", where="batch_no")
    cases = desk.batch(batch.case_batch_no).batch
    if given.cases is not None:
        check_range(given.cases.start, given.cases.stop, cases.size)
        packed = [IndexRange(given.cases.start, given.cases.stop)]
    else:
        packed = runs([_case_index(desk, cases, code) for code in given.case_codes])
    ranges = scaled(packed, batch.units_per_case, batch.size)
    if not 1 <= len(ranges) <= MAX_PARTS:
        raise InputError(
            "too_many_ranges", f"at most {MAX_PARTS} runs of neighbouring cases at once", where="case_codes"
        )
    return ranges


def _case_index(desk: Desk, cases: CodeBatch, code: str) -> int:
    gtin, serial = cases.gtin, fold_serial(code)
    if "/" in code:
        link = parse_code_link(code)
        gtin, serial = link.gtin, link.serial
    found = find_code(desk.keyring(), desk.catalog, gtin, serial, desk.clock_ms())
    if found.ref.batch_no != cases.batch_no or found.ref.role not in (Role.CASE_OUTER, Role.CASE_INNER):
        raise ConflictError("case_of_another_batch", "a code is not of this batch's cases", where="case_codes")
    return found.ref.index


def _store(desk: Desk, actor: Actor, batch: CodeBatch, parts: list[Shipment]) -> None:
    pk = f"batch#{batch.batch_no}"
    # The guard is read before the shipments: whoever writes after this read makes our own write fail.
    guard = desk.flow.value(pk, "guard", int) or 0
    recorded = [msgspec.json.decode(doc, type=Shipment) for sk, doc in desk.flow.query(pk) if sk.startswith("ship#")]
    for part in parts:
        for other in recorded:
            _check_overlap(desk, part, other)
    writes = [DocWrite("flow", pk, "guard", doc_of(guard + 1), guard + 1)]
    for part in parts:
        doc = doc_of(part)
        writes.append(DocWrite("flow", pk, f"ship#{part.start:09d}#{part.shipment_id}", doc, 1, "shipment_exists"))
        writes.append(DocWrite("flow", f"shipment#{part.shipment_id}", "meta", doc, 1, "shipment_exists"))
    units = sum(part.stop - part.start for part in parts)
    summary = f"{units} units of batch {batch.batch_no} to {parts[0].to_party}"
    desk.writes.commit(writes, draft(actor, "shipments.record", parts[0].shipment_id, after=summary))


def _check_overlap(desk: Desk, new: Shipment, old: Shipment) -> None:
    """The same units may only move on, later, to someone below who has them: everything else is a slip of the pen."""
    if old.start >= new.stop or new.start >= old.stop:
        return
    if new.shipped_at_ms > old.shipped_at_ms and _stands_below(desk, new.to_party, old.to_party):
        return
    raise ConflictError(
        "shipment_overlaps", f"{old.shipment_id} took units {old.start}..{old.stop} to {old.to_party}", where="start"
    )


def _stands_below(desk: Desk, party_id: str, above: str) -> bool:
    for _ in range(_MAX_DEPTH):
        party_id = desk.party(party_id).parent_id
        if party_id == above:
            return True
        if not party_id:
            return False
    return False


def _part_id(shipment_id: str, at: int, parts: int) -> str:
    return shipment_id if parts == 1 else f"{shipment_id}-{at}"
