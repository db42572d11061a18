"""Shipments. Mounted by `table.py`."""

from typing import Annotated

import msgspec

from uncap.domain.catalog import Shipment
from uncap.routes.console.endpoint import Area
from uncap.services.desk import Actor, Desk
from uncap.services.list_entries import Listing
from uncap.services.record_shipment import (
    NewShipment,
    ShipmentQuery,
    list_shipments,
    read_shipment,
    record_shipment,
)

SHIPMENTS = Area("shipments")
PartId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,44}$(?!\n)", max_length=44)]


@SHIPMENTS.post("/shipments", status=201)
def post_shipment(desk: Desk, actor: Actor, body: NewShipment) -> list[Shipment]:
    """Record goods sent to a party: by unit range, by case range, or by case codes."""
    return record_shipment(desk, actor, body)


@SHIPMENTS.get("/shipments")
def get_shipments(desk: Desk, query: ShipmentQuery) -> Listing[Shipment]:
    """A batch's shipments."""
    return list_shipments(desk, query)


@SHIPMENTS.get("/shipments/{shipment_id}")
def get_shipment(desk: Desk, shipment_id: PartId) -> Shipment:
    """One shipment, or one part of it."""
    return read_shipment(desk, shipment_id)
