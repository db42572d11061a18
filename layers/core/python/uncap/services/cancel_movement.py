"""A movement that never happened is cancelled by an entry beside it, with a reason; what it cancels is never changed.

Called by `routes/console/shipments.py`. Rewards that were paid on it stay paid: who gets what was settled at the claim.
"""

import msgspec

from uncap.adapters.audited_writes import DocWrite, doc_of
from uncap.adapters.flow_rows import DOCUMENTS, VOID, key_of
from uncap.domain.association.ports import UnitSpan
from uncap.domain.catalog import Shipment
from uncap.domain.errors import ConflictError, NotFoundError
from uncap.domain.movements import SHIPMENT, Movement, Void, movement_of
from uncap.services.desk import Actor, Reason, draft
from uncap.services.goods_desk import GoodsDesk
from uncap.services.name_goods import MAX_SPANS


class Cancellation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it does not count."""

    reason: Reason


def cancel_movement(desk: GoodsDesk, actor: Actor, kind: str, movement_id: str, given: Cancellation) -> list[Movement]:
    """The cancelled parts: all of a paper, or the one part that is named.

    Raises NotFoundError (`…_unknown`), ConflictError (`movement_cancelled`, `changed_meanwhile`).
    """
    parts = stored_parts(desk, kind, movement_id)
    void_at = desk.clock_ms()
    batches = sorted({one.batch_no for one in parts})
    guards = {one: desk.flow.value(f"batch#{one}", "guard", int) or 0 for one in batches}
    writes = [DocWrite("flow", f"batch#{one}", "guard", doc_of(guards[one] + 1), guards[one] + 1) for one in batches]
    for one in parts:
        pk, sk = key_of(one)
        void = doc_of(Void(one.movement_id, given.reason, void_at, actor.login))
        if desk.flow.get(pk, sk + VOID) is not None:
            raise ConflictError("movement_cancelled", f"{one.movement_id} was cancelled before", where=one.movement_id)
        writes.append(DocWrite("flow", pk, sk + VOID, void, 1, "movement_cancelled"))
        writes.append(DocWrite("flow", f"{DOCUMENTS[kind]}#{one.movement_id}", "void", void, 1, "movement_cancelled"))
    about = tuple(UnitSpan(one.batch_no, one.start, one.stop) for one in parts)
    act = draft(actor, f"{kind}s.cancel", movement_id, reason=given.reason, before=parts[0].party, about=about)
    desk.writes.commit(writes, act)
    return [msgspec.structs.replace(one, voided=given.reason) for one in parts]


def stored_parts(desk: GoodsDesk, kind: str, movement_id: str) -> list[Movement]:
    """A paper's parts as stored, or the one part that is named. Raises NotFoundError (`…_unknown`)."""
    word = DOCUMENTS[kind]
    whole = _part(desk, kind, movement_id)
    if whole is not None:
        return [whole]
    parts: list[Movement] = []
    while len(parts) < MAX_SPANS and (part := _part(desk, kind, f"{movement_id}-{len(parts) + 1}")) is not None:
        parts.append(part)
    if not parts:
        raise NotFoundError(f"{word}_unknown", f"there is no {word} {movement_id}", where=f"{word}_id")
    return parts


def _part(desk: GoodsDesk, kind: str, movement_id: str) -> Movement | None:
    pk = f"{DOCUMENTS[kind]}#{movement_id}"
    if kind == SHIPMENT:
        shipment = desk.flow.value(pk, "meta", Shipment)
        return movement_of(shipment) if shipment else None
    return desk.flow.value(pk, "meta", Movement)
