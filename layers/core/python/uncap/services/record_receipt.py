"""Goods that arrived at a party, or that go back from it. For `routes/console/shipments.py` and `move_rows.py`.

Nothing that people say happened is refused: what does not fit comes back as findings, beside what was stored.
"""

from typing import Annotated

import msgspec

from uncap.adapters.flow_rows import DOCUMENTS
from uncap.domain.association.ports import UnitSpan
from uncap.domain.errors import InputError, NotFoundError
from uncap.domain.movements import RECEIPT, RETURN, SHIPMENT, Movement
from uncap.services.cancel_movement import stored_parts
from uncap.services.desk import Actor, Desk, Id, Reason, TimeMs
from uncap.services.name_goods import Goods, named_spans
from uncap.services.store_movements import Recorded, movement_time, parts_of, store_movements

GoodsId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,40}$(?!\n)", max_length=40)]


class NewReceipt(Goods, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Goods (see there), or all of `shipment_id`, that `party` has received. Without `received_at_ms`: now."""

    receipt_id: Id
    party: Id
    shipment_id: GoodsId = ""
    received_at_ms: TimeMs | None = None


class NewReturn(Goods, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Goods (see there) that `from_party` gives back: to `to_party`, else to whom it stands under."""

    return_id: Id
    from_party: Id
    to_party: GoodsId = ""
    reason: Reason
    returned_at_ms: TimeMs | None = None


def record_receipt(desk: Desk, actor: Actor, given: NewReceipt) -> Recorded:
    """Raises as `named_spans` does, NotFoundError (`party_unknown`, `shipment_unknown`), ConflictError
    (`receipt_exists`), InputError (`moved_in_the_future`, `goods_ambiguous`)."""
    at_ms = movement_time(desk, given.received_at_ms, "received_at_ms")
    desk.party(given.party, "party")
    if given.shipment_id:
        if given != msgspec.structs.replace(given, **_NO_GOODS):
            raise InputError("goods_ambiguous", "a whole shipment needs no other goods", where="shipment_id")
        sent = stored_parts(desk, SHIPMENT, given.shipment_id)
        spans = [UnitSpan(one.batch_no, one.start, one.stop) for one in sent]
    else:
        spans = named_spans(desk, given)
    parts = parts_of(Movement(RECEIPT, given.receipt_id, 0, 0, 0, given.party, at_ms, source="console"), spans)
    return Recorded(parts, store_movements(desk, actor, parts, refuse=False))


def record_return(desk: Desk, actor: Actor, given: NewReturn) -> Recorded:
    """Raises as `named_spans` does, NotFoundError (`party_unknown`), ConflictError (`return_exists`), InputError."""
    at_ms = movement_time(desk, given.returned_at_ms, "returned_at_ms")
    giver = desk.party(given.from_party, "from_party")
    to = desk.party(given.to_party, "to_party").party_id if given.to_party else giver.parent_id
    paper = Movement(
        RETURN,
        given.return_id,
        0,
        0,
        0,
        to,
        at_ms,
        from_party=giver.party_id,
        source="console",
        reason=given.reason,
    )
    parts = parts_of(paper, named_spans(desk, given))
    return Recorded(parts, store_movements(desk, actor, parts, refuse=False, reason=given.reason))


def read_movement(desk: Desk, kind: str, movement_id: str) -> Movement:
    """A receipt or a return, or one part of it. Raises NotFoundError (`receipt_unknown`, `return_unknown`)."""
    word = DOCUMENTS[kind]
    found = desk.flow.value(f"{word}#{movement_id}", "meta", Movement)
    if found is None:
        raise NotFoundError(f"{word}_unknown", f"there is no {word} {movement_id}", where=f"{word}_id")
    return found


_NO_GOODS: dict[str, object] = {
    "batch_no": 0,
    "start": None,
    "stop": None,
    "cases": None,
    "case_codes": (),
    "codes": (),
    "spans": (),
}
