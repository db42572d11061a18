"""Goods sent to a party: ranges, cases by number, or codes of any level as scanned, kept at the level they were named.

Called by `routes/console/shipments.py` and by the file of movements (`services/move_rows.py`). Stored twice, by batch
range (relay, projector) and by id.
"""

import msgspec

from uncap.adapters.flow_rows import VOID, movements_in
from uncap.domain.catalog import Shipment
from uncap.domain.errors import NotFoundError
from uncap.domain.movements import SHIPMENT, Movement, shipment_of
from uncap.services.desk import Actor, BatchNo, Desk, Id, TimeMs
from uncap.services.list_entries import Listing, PageQuery, cursor_of, read_cursor
from uncap.services.name_goods import Goods, named_spans
from uncap.services.store_movements import movement_time, parts_of, store_movements


class NewShipment(Goods, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Goods (see there) for `to_party`. Without `shipped_at_ms` they leave now.

    What earlier paper has elsewhere is refused (`shipment_overlaps`), unless `despite` says that it truly moved so.
    """

    shipment_id: Id
    to_party: Id
    shipped_at_ms: TimeMs | None = None
    from_party: Id | None = None
    despite: bool = False


class ShipmentQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Shipments of a batch, by their first unit."""

    batch_no: BatchNo


class ListedShipment(Shipment, frozen=True, omit_defaults=True):
    """A shipment in a list; `cancelled` says why it does not count."""

    cancelled: str = ""


def record_shipment(desk: Desk, actor: Actor, given: NewShipment) -> list[Shipment]:
    """The shipment as stored: several parts, `{id}-1`, `{id}-2`…, where the goods are not neighbours of one batch.

    Raises as `named_spans` does, NotFoundError (`party_unknown`), ConflictError (`shipment_exists`,
    `shipment_overlaps`), InputError (`moved_in_the_future`).
    """
    at_ms = movement_time(desk, given.shipped_at_ms, "shipped_at_ms")
    for where, party_id in (("to_party", given.to_party), ("from_party", given.from_party)):
        if party_id is not None:
            desk.party(party_id, where)
    paper = Movement(
        SHIPMENT,
        given.shipment_id,
        0,
        0,
        0,
        given.to_party,
        at_ms,
        from_party=given.from_party or "",
    )
    parts = parts_of(paper, named_spans(desk, given))
    store_movements(desk, actor, parts, refuse=not given.despite)
    return [shipment_of(one) for one in parts]


def read_shipment(desk: Desk, shipment_id: str) -> Shipment:
    """Raises NotFoundError (`shipment_unknown`)."""
    shipment = desk.flow.value(f"shipment#{shipment_id}", "meta", Shipment)
    if shipment is None:
        raise NotFoundError("shipment_unknown", f"there is no shipment {shipment_id}", where="shipment_id")
    return shipment


def list_shipments(desk: Desk, query: ShipmentQuery) -> Listing[ListedShipment]:
    """One page of a batch's shipments in order of their first thing, cancelled ones with the reason."""
    pk, after = f"batch#{query.batch_no}", read_cursor(query.cursor, "ship#")
    page = desk.flow.page(pk, "ship#", query.count, after)
    rows = list(page.rows)
    if rows and not rows[-1][0].endswith(VOID):  # what cancels the last one may begin the next page
        key = rows[-1][0] + VOID
        rows += [(key, doc)] if (doc := desk.flow.get(pk, key)) else []
    items = [_listed(one) for one in movements_in(rows)]
    return Listing(items, cursor_of(page.after))


def _listed(movement: Movement) -> ListedShipment:
    shipment = msgspec.structs.asdict(shipment_of(movement))
    return ListedShipment(**shipment, cancelled=movement.voided)
