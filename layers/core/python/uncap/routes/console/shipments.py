"""Movements of goods: shipments, receipts, returns, and what cancels them. Mounted by `table.py`."""

from typing import Annotated

import msgspec

from uncap.domain.catalog import Shipment
from uncap.domain.movements import RECEIPT, RETURN, SHIPMENT, Movement
from uncap.routes.console.endpoint import Area
from uncap.services.cancel_movement import Cancellation, cancel_movement
from uncap.services.desk import Actor, Desk
from uncap.services.list_entries import Listing
from uncap.services.match_receipts import Arrival, match_receipts
from uncap.services.record_receipt import NewReceipt, NewReturn, read_movement, record_receipt, record_return
from uncap.services.record_shipment import (
    ListedShipment,
    NewShipment,
    ShipmentQuery,
    list_shipments,
    read_shipment,
    record_shipment,
)
from uncap.services.store_movements import Recorded

SHIPMENTS = Area("shipments")
PartId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,44}$(?!\n)", max_length=44)]


@SHIPMENTS.post("/shipments", status=201)
def post_shipment(desk: Desk, actor: Actor, body: NewShipment) -> list[Shipment]:
    """Record goods sent to a party: ranges, cases, or codes of pallets, cases, boxes and units."""
    return record_shipment(desk, actor, body)


@SHIPMENTS.get("/shipments")
def get_shipments(desk: Desk, query: ShipmentQuery) -> Listing[ListedShipment]:
    """A batch's shipments, cancelled ones too."""
    return list_shipments(desk, query)


@SHIPMENTS.get("/shipments/{shipment_id}")
def get_shipment(desk: Desk, shipment_id: PartId) -> Shipment:
    """One shipment, or one part of it."""
    return read_shipment(desk, shipment_id)


@SHIPMENTS.get("/shipments/{shipment_id}/arrival")
def get_arrival(desk: Desk, shipment_id: PartId) -> Arrival:
    """How much of a shipment has been received, and what has not."""
    return match_receipts(desk, shipment_id)


@SHIPMENTS.post("/shipments/{shipment_id}/cancel")
def post_shipment_cancel(desk: Desk, actor: Actor, shipment_id: PartId, body: Cancellation) -> list[Movement]:
    """Cancel a shipment that was recorded by mistake; its entry stays, with the reason beside it."""
    return cancel_movement(desk, actor, SHIPMENT, shipment_id, body)


@SHIPMENTS.post("/receipts", status=201)
def post_receipt(desk: Desk, actor: Actor, body: NewReceipt) -> Recorded:
    """Record goods that a party has received; what does not fit is answered as findings."""
    return record_receipt(desk, actor, body)


@SHIPMENTS.get("/receipts/{receipt_id}")
def get_receipt(desk: Desk, receipt_id: PartId) -> Movement:
    """One receipt, or one part of it."""
    return read_movement(desk, RECEIPT, receipt_id)


@SHIPMENTS.post("/receipts/{receipt_id}/cancel")
def post_receipt_cancel(desk: Desk, actor: Actor, receipt_id: PartId, body: Cancellation) -> list[Movement]:
    """Cancel a receipt."""
    return cancel_movement(desk, actor, RECEIPT, receipt_id, body)


@SHIPMENTS.post("/returns", status=201)
def post_return(desk: Desk, actor: Actor, body: NewReturn) -> Recorded:
    """Record goods that go back from a party; what does not fit is answered as findings."""
    return record_return(desk, actor, body)


@SHIPMENTS.get("/returns/{return_id}")
def get_return(desk: Desk, return_id: PartId) -> Movement:
    """One return, or one part of it."""
    return read_movement(desk, RETURN, return_id)


@SHIPMENTS.post("/returns/{return_id}/cancel")
def post_return_cancel(desk: Desk, actor: Actor, return_id: PartId, body: Cancellation) -> list[Movement]:
    """Cancel a return."""
    return cancel_movement(desk, actor, RETURN, return_id, body)
