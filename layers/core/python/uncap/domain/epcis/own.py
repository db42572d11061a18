"""What uncap itself knows, as EPCIS events: codes made, packed, moved, scanned. Pure; `services/export_events.py` asks.

Single things are named `urn:uncap:code:{batch}.{index}`: a Digital Link would hold a serial, and whoever reads a
document could claim with it. Pallets are named by their SSCC, what moves in ranges by class (GTIN, lot) and quantity.
"""

from collections.abc import Sequence
from typing import Final

from uncap.domain.catalog import CodeBatch, Role
from uncap.domain.codes.sscc import sscc_of
from uncap.domain.epcis.capture import iso
from uncap.domain.epcis.identifiers import CANONICAL
from uncap.domain.epcis.xml import CONTEXT
from uncap.domain.movements import RECEIPT, RETURN, SHIPMENT, Movement
from uncap.domain.scans import ScanImage

_LISTED: Final = 1_000
NAMESPACE: Final = "urn:uncap:epcis:"
Event = dict[str, object]
_MOVES: Final = {
    SHIPMENT: ("shipping", "in_transit"),
    RECEIPT: ("receiving", "in_progress"),
    RETURN: ("shipping", "returned"),
}


def document(events: Sequence[Event], now_ms: int) -> Event:
    """An EPCISDocument of these events."""
    return {
        "@context": [CONTEXT, {"uncap": NAMESPACE}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": iso(now_ms),
        "epcisBody": {"eventList": list(events)},
    }


def commissioning(batch: CodeBatch) -> Event:
    """The codes of a batch came to be, but for those that the line rejected."""
    made = batch.size - sum(gap.stop - gap.start for gap in batch.rejected)
    about = {"cbvmda:lotNumber": batch.lot, "cbvmda:itemExpirationDate": batch.best_before}
    event = _object("ADD", batch.created_at_ms, "commissioning", "active")
    if batch.sscc_first:
        named = [name_of(batch, index) for index in range(batch.size)] if batch.size <= _LISTED else []
        return event | {"epcList": named, "uncap:firstSscc": batch.sscc_first, "uncap:pallets": batch.size}
    ilmd = {name: value for name, value in about.items() if value}
    return event | {"quantityList": [_quantity(batch, made)]} | ({"ilmd": ilmd} if ilmd else {})


def packing(parent: CodeBatch, index: int, children: Sequence[tuple[CodeBatch, int]], at_ms: int) -> Event:
    """What lies in a case or on a pallet: (batch, how many) each."""
    return {
        "type": "AggregationEvent",
        **_when(at_ms),
        "action": "ADD",
        "bizStep": "packing",
        "parentID": name_of(parent, index),
        "childQuantityList": [_quantity(batch, count) for batch, count in children],
    }


def moved(batch: CodeBatch, movement: Movement) -> Event:
    """A shipment, a receipt or a return, as it was declared; a cancelled one is declared an error."""
    step, disposition = _MOVES[movement.kind]
    event = _object("OBSERVE", movement.at_ms, step, disposition)
    event |= {"eventID": f"urn:uncap:movement:{movement.kind}:{movement.movement_id}"}
    if batch.sscc_first:
        event["epcList"] = [name_of(batch, index) for index in range(movement.start, movement.stop)]
    else:
        event["quantityList"] = [_quantity(batch, movement.stop - movement.start)]
    event["bizTransactionList"] = [{"type": "desadv", "bizTransaction": f"urn:uncap:paper:{movement.paper}"}]
    if movement.from_party:
        event["sourceList"] = [{"type": "possessing_party", "source": _party(movement.from_party)}]
    event["destinationList"] = [{"type": "possessing_party", "destination": _party(movement.party or "brand")}]
    if movement.voided:
        event["errorDeclaration"] = {
            "declarationTime": iso(movement.recorded_at_ms or movement.at_ms),
            "reason": "did_not_occur",
        }
    return event


def scanned(batch: CodeBatch, image: ScanImage) -> list[Event]:
    """The first scan that claimed a code and the latest one; never who, never where."""
    marks = [("first_scan", image.first)] if image.first and image.first.form == "claim" else []
    if image.first is None or image.last.at_ms != image.first.at_ms:
        marks.append(("scan", image.last))
    events = []
    for result, mark in marks:
        if mark is not None and mark.form != "tombstone":
            event = _object("OBSERVE", mark.at_ms, f"{NAMESPACE}BizStep-consumer_scan", "retail_sold")
            side = {"uncap:result": result, "uncap:role": Role(image.ref.role).name.lower()}
            events.append(event | {"epcList": [name_of(batch, image.ref.index)], **side})
    return events


def name_of(batch: CodeBatch, index: int) -> str:
    """A thing's id in these events."""
    if batch.sscc_first:
        return f"{CANONICAL}00/{sscc_of(batch.sscc_first, index)}"
    return f"urn:uncap:code:{batch.batch_no}.{index}"


def _object(action: str, at_ms: int, step: str, disposition: str) -> Event:
    return {"type": "ObjectEvent", **_when(at_ms), "action": action, "bizStep": step, "disposition": disposition}


def _when(at_ms: int) -> Event:
    return {"eventTime": iso(at_ms), "eventTimeZoneOffset": "+00:00"}


def _quantity(batch: CodeBatch, count: int) -> Event:
    if batch.sscc_first:
        return {"epcClass": "urn:uncap:class:pallet", "quantity": count}
    lot = f"/10/{batch.lot}" if batch.lot.isalnum() and batch.lot.isascii() else ""
    return {"epcClass": f"{CANONICAL}01/{batch.gtin}{lot}", "quantity": count}


def _party(party_id: str) -> str:
    return f"urn:uncap:party:{party_id}"
