"""Blank codes become a product's: by index range, before they are released or activated. Called by `routes/console`.

The link keeps the technical GTIN it was printed with; the assignment says what it stands for (docs/adr/0012).
"""

from typing import Annotated

import msgspec

from uncap.domain.association.ports import UnitSpan
from uncap.domain.catalog import Assignment, CodeBatch
from uncap.domain.codes.links import check_gtin
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.ranges import MAX_RANGES, check_range, overlapping
from uncap.services.create_batch import Date, Lot, batch_write, lot_write
from uncap.services.create_product import Gtin
from uncap.services.desk import Actor, Desk, Index, Reason, Stop, draft


class NewAssignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What codes start..stop are from now on. Assigning again before activation replaces what was said before."""

    start: Index
    stop: Stop
    gtin: Gtin
    reason: Reason
    market: Annotated[str, msgspec.Meta(max_length=40, description="Where they are to be sold")] = ""
    campaign_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,40}$(?!\n)", max_length=40)] = ""
    lot: Lot = ""
    produced_on: Date = ""
    best_before: Date = ""


def assign_codes(desk: Desk, actor: Actor, batch_no: int, given: NewAssignment) -> CodeBatch:
    """Raises NotFoundError (`batch_unknown`, `product_unknown`, `campaign_unknown`), InputError (`range_invalid`,
    `product_invalid`, `too_many_ranges`), ConflictError (`batch_not_blank`, `codes_activated`, `changed_meanwhile`)."""
    view = desk.batch(batch_no)
    batch = view.batch
    if not batch.blank:
        raise ConflictError("batch_not_blank", "these codes were made for their product", where="batch_no")
    check_range(given.start, given.stop, batch.size)
    product = desk.product(check_gtin(given.gtin))
    if product.blank or product.level != batch.level:
        raise InputError("product_invalid", f"blank codes become a {batch.level} that is sold", where="gtin")
    if given.campaign_id:
        desk.campaign_versions(given.campaign_id)
    for release in view.releases:
        if release.start < given.stop and given.start < release.stop:
            raise ConflictError("codes_activated", f"{release.release_id} has released some of them", where="start")
    if overlapping(batch.active, given.start, given.stop):
        raise ConflictError("codes_activated", "some of them have been activated", where="start")
    new = Assignment(
        given.start,
        given.stop,
        product.gtin,
        given.market,
        given.campaign_id,
        given.lot,
        given.produced_on,
        given.best_before,
    )
    changed = msgspec.structs.replace(batch, assigned=_with(batch.assigned, new), version=batch.version + 1)
    writes = [batch_write(changed), *([lot_write(given.lot, batch_no)] if given.lot else [])]
    after = f"{given.start}..{given.stop} are {product.gtin}" + (f" for {given.market}" if given.market else "")
    about = [UnitSpan(batch_no, given.start, given.stop)]
    act = draft(actor, "batches.assign", f"batch {batch_no}", reason=given.reason, after=after, about=about)
    desk.writes.commit(writes, act)
    return changed


def _with(assigned: tuple[Assignment, ...], new: Assignment) -> tuple[Assignment, ...]:
    """`new` in the place of whatever it overlaps, neighbours that say the same joined."""
    kept = [new]
    for one in assigned:
        for start, stop in ((one.start, min(one.stop, new.start)), (max(one.start, new.stop), one.stop)):
            if start < stop:
                kept.append(msgspec.structs.replace(one, start=start, stop=stop))
    out: list[Assignment] = []
    for one in sorted(kept, key=lambda piece: piece.start):
        if (
            out
            and msgspec.structs.replace(out[-1], start=one.start, stop=one.stop) == one
            and out[-1].stop == one.start
        ):
            out[-1] = msgspec.structs.replace(out[-1], stop=one.stop)
        else:
            out.append(one)
    if len(out) > MAX_RANGES:
        raise InputError("too_many_ranges", f"at most {MAX_RANGES} separate ranges are kept per batch")
    return tuple(out)
