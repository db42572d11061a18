"""Recalls: by lot, index range or shipment, with all that the goods are packed in; and lifting one.

Called by `routes/console/recalls.py`. From the moment it is stored no new money begins within the brakes' second, and
no scan claims within the catalog's age (docs/codes.md); what the rail has been told already settles.
"""

from typing import Annotated

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.domain.association.ports import UnitSpan
from uncap.domain.catalog import CodeBatch, IndexRange, Shipment
from uncap.domain.errors import InputError, NotFoundError
from uncap.domain.ranges import check_range
from uncap.domain.recalls import Recall, lift_ranges, recall_ranges
from uncap.services.change_batches import change_batches
from uncap.services.create_batch import whole
from uncap.services.desk import Actor, Desk, Id, Index, Reason, Stop, catalog_write, draft, found
from uncap.services.walk_packs import with_contents, with_packs

Notice = Annotated[
    dict[
        Annotated[str, msgspec.Meta(pattern="^[a-z]{2}(-[A-Z]{2})?$(?!\n)", max_length=5)],
        Annotated[str, msgspec.Meta(min_length=1, max_length=300)],
    ],
    msgspec.Meta(max_length=10, description="What the page says to whoever scans it, in place of our own sentence"),
]
ShipmentName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,44}$(?!\n)", max_length=44)]


class NewRecall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of `lot`, `batch_no` (with `start`..`stop`, or the whole batch), `shipment_id`."""

    recall_id: Id
    reason: Reason
    notice: Notice = {}
    lot: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{0,20}$(?!\n)", max_length=20)] = ""
    batch_no: Annotated[int, msgspec.Meta(ge=0, lt=1 << 24)] = 0
    start: Index | None = None
    stop: Stop | None = None
    shipment_id: ShipmentName = ""


class Lift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the goods may be used after all."""

    reason: Reason


class RecallEntry(msgspec.Struct, frozen=True):
    """A recall in a list."""

    recall_id: str
    scope: str
    state: str
    created_at_ms: int


def recall_codes(desk: Desk, actor: Actor, given: NewRecall) -> Recall:
    """The recall as stored.

    Raises NotFoundError (`batch_unknown`, `lot_unknown`, `shipment_unknown`), InputError (`recall_ambiguous`,
    `range_invalid`, `range_too_wide`, `too_many_ranges`, `too_many_batches`), ConflictError (`recall_exists`).
    """
    scope, spans = _scope(desk, given)
    recall = Recall(
        recall_id=given.recall_id,
        scope=scope,
        reason=given.reason,
        spans=tuple(_with_all(desk, spans)),
        notice=given.notice,
        created_at_ms=desk.clock_ms(),
        created_by=actor.login,
    )

    def under(batch: CodeBatch, ranges: list[IndexRange]) -> CodeBatch:
        return recall_ranges(batch, ranges, recall)

    after = f"{scope}: {_units(recall)} things in {len({span.batch_no for span in recall.spans})} batches"
    act = draft(actor, "recalls.order", recall.recall_id, reason=given.reason, after=after)
    change_batches(desk, recall.spans, under, act, _writes(recall))
    return recall


def lift_recall(desk: Desk, actor: Actor, recall_id: str, given: Lift) -> Recall:
    """Codes that no other recall covers can be claimed again; held rewards follow with the reconcile job.

    Lifting twice changes nothing. Raises NotFoundError (`recall_unknown`), ConflictError (`recall_moved`).
    """
    recall = read_recall(desk, recall_id)
    if recall.state == "lifted":
        return recall
    lifted = msgspec.structs.replace(
        recall,
        state="lifted",
        lifted_at_ms=desk.clock_ms(),
        lifted_by=actor.login,
        lifted_reason=given.reason,
        version=recall.version + 1,
    )

    def free(batch: CodeBatch, _: list[IndexRange]) -> CodeBatch:
        return lift_ranges(batch, recall_id)

    act = draft(actor, "recalls.lift", recall_id, reason=given.reason, before="active", after="lifted")
    change_batches(desk, recall.spans, free, act, _writes(lifted))
    return lifted


def read_recall(desk: Desk, recall_id: str) -> Recall:
    """Raises NotFoundError (`recall_unknown`)."""
    recall = desk.catalog_docs.value(f"recall#{recall_id}", "meta", Recall)
    return found(recall, "recall_unknown", f"there is no recall {recall_id}", "recall_id")


def _writes(recall: Recall) -> list[DocWrite]:
    entry = RecallEntry(recall.recall_id, recall.scope, recall.state, recall.created_at_ms)
    conflict = "recall_exists" if recall.version == 1 else "recall_moved"
    return [
        catalog_write(f"recall#{recall.recall_id}", "meta", doc_of(recall), recall.version, conflict),
        catalog_write("index", f"recall#{recall.recall_id}", doc_of(entry), 0),
    ]


def _scope(desk: Desk, given: NewRecall) -> tuple[str, list[UnitSpan]]:
    ranged = given.start is not None or given.stop is not None
    if sum((bool(given.lot), bool(given.batch_no), bool(given.shipment_id))) != 1 or (ranged and not given.batch_no):
        raise InputError("recall_ambiguous", "give a lot, or a batch with its range, or a shipment", where="lot")
    if given.lot:
        return f"lot {given.lot}", _spans_of_lot(desk, given.lot)
    if given.shipment_id:
        return f"shipment {given.shipment_id}", _spans_of_shipment(desk, given.shipment_id)
    batch = desk.batch(given.batch_no).batch
    if not ranged:
        return f"batch {batch.batch_no}", [whole(batch)]
    if given.start is None or given.stop is None:
        raise InputError("range_invalid", "a range has start and stop", where="stop")
    check_range(given.start, given.stop, batch.size)
    span = UnitSpan(batch.batch_no, given.start, given.stop)
    return f"batch {batch.batch_no}, {given.start}..{given.stop}", [span]


def _spans_of_lot(desk: Desk, lot: str) -> list[UnitSpan]:
    spans: list[UnitSpan] = []
    for sk, _ in desk.catalog_docs.query(f"lot#{lot}"):
        batch = desk.batch(int(sk)).batch
        if batch.lot == lot and not batch.assigned:
            spans.append(whole(batch))
        spans += [
            UnitSpan(batch.batch_no, one.start, one.stop) for one in batch.assigned if (one.lot or batch.lot) == lot
        ]
    if not spans:
        raise NotFoundError("lot_unknown", f"no codes belong to lot {lot}", where="lot")
    return spans


def _spans_of_shipment(desk: Desk, shipment_id: str) -> list[UnitSpan]:
    """All parts of it: a shipment of cases that are no neighbours is stored as `{id}-1`, `{id}-2`…"""
    whole_one = desk.flow.value(f"shipment#{shipment_id}", "meta", Shipment)
    parts = [whole_one] if whole_one else []
    while not whole_one and (part := desk.flow.value(f"shipment#{shipment_id}-{len(parts) + 1}", "meta", Shipment)):
        parts.append(part)
    spans = [UnitSpan(part.batch_no, part.start, part.stop) for part in parts]
    if not spans:
        raise NotFoundError("shipment_unknown", f"there is no shipment {shipment_id}", where="shipment_id")
    return spans


def _with_all(desk: Desk, spans: list[UnitSpan]) -> list[UnitSpan]:
    """What is in the goods, and what those are in: whoever scans any of it must be told."""
    packing = desk.packing()
    return with_packs(packing, desk.catalog, with_contents(packing, desk.catalog, spans))


def _units(recall: Recall) -> int:
    return sum(span.stop - span.start for span in recall.spans)
