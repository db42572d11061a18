"""Six events of every type and a shop that captures them. For the tests of `services/query_events.py`."""

import itertools
import json
from typing import Any

from tests.kits.event_table import MemoryTable
from uncap.adapters.event_store import EventStore
from uncap.services.capture_events import Capturing, capture_document
from uncap.services.query_events import query_events

Json = dict[str, Any]


CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"ex": "https://ns.example.com/epcis/"}]


BASE = {"eventTimeZoneOffset": "+08:00", "type": "ObjectEvent", "action": "OBSERVE"}


ITEM = "urn:epc:id:sgtin:9520123.045678."


LINK = "https://brand.example/01/09520123456788/21/"


CASE = "urn:epc:id:sscc:9520123.0000000042"


LOT = "urn:epc:class:lgtin:9520123.045678.L26"


EVENTS: dict[str, Json] = {
    "made": {
        "eventTime": "2026-11-01T08:00:00+08:00",
        "action": "ADD",
        "bizStep": "commissioning",
        "disposition": "active",
        "epcList": [f"{ITEM}1", f"{ITEM}2"],
        "quantityList": [{"epcClass": LOT, "quantity": 24, "uom": "KGM"}],
        "ilmd": {"ex:line": "3", "ex:deep": {"ex:inner": 7}},
        "bizLocation": {"id": "urn:epc:id:sgln:9520123.00001.0"},
        "certificationInfo": "https://a.example/",
    },
    "packed": {
        "type": "AggregationEvent",
        "eventTime": "2026-11-01T09:00:00+08:00",
        "action": "ADD",
        "bizStep": "packing",
        "parentID": CASE,
        "childEPCs": [f"{LINK}1"],
        "readPoint": {"id": "urn:epc:id:sgln:9520123.00001.7"},
        "eventID": "urn:uuid:packed",
    },
    "sent": {
        "eventTime": "2026-11-02T09:00:00+08:00",
        "bizStep": "shipping",
        "disposition": "in_transit",
        "epcList": [CASE],
        "readPoint": {"id": "https://id.gs1.org/414/9520123000011/254/7"},
        "bizTransactionList": [{"type": "po", "bizTransaction": "urn:epc:id:gdti:9520123.00001.77"}],
        "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:9520123.00001"}],
        "destinationList": [{"type": "owning_party", "destination": "urn:epc:id:pgln:9520123.00002"}],
        "persistentDisposition": {"set": ["completeness_verified"]},
        "ex:temperature": 4.5,
        "ex:shift": {"ex:name": "early"},
    },
    "mixed": {
        "type": "TransformationEvent",
        "eventTime": "2026-11-03T09:00:00+08:00",
        "inputEPCList": [f"{ITEM}9"],
        "outputEPCList": ["urn:epc:id:sgtin:9520123.099999.1"],
        "outputQuantityList": [{"epcClass": "urn:epc:idpat:sgtin:9520123.099999.*", "quantity": 2}],
        "transformationID": "urn:epc:id:gdti:9520123.00001.9",
        "action": None,
    },
    "felt": {
        "eventTime": "2026-11-04T09:00:00+08:00",
        "bizStep": "https://example.com/step",
        "epcList": [f"{ITEM}2"],
        "bizLocation": {"id": "geo:31.2,121.5"},
        "sensorElementList": [
            {
                "sensorMetadata": {"deviceID": "urn:epc:id:giai:9520123.17"},
                "sensorReport": [{"type": "Temperature", "value": 26.5, "uom": "CEL", "booleanValue": True}],
            }
        ],
    },
    "mistaken": {
        "eventTime": "2026-11-05T09:00:00+08:00",
        "epcList": [f"{ITEM}3"],
        "eventID": "urn:uuid:mistaken",
        "errorDeclaration": {
            "declarationTime": "2026-11-06T00:00:00Z",
            "reason": "did_not_occur",
            "correctiveEventIDs": ["urn:uuid:right"],
        },
    },
}


class Shop:
    def __init__(self) -> None:
        self.table = MemoryTable()
        self.now_ms = itertools.count(1_795_300_000_000, 1_000)
        self.store = EventStore(self.table, "events")
        self.tools = Capturing(self.store, lambda: next(self.now_ms), lambda count: bytes(count))

    def capture(self, *events: Json) -> None:
        for one in events:
            made = {name: held for name, held in {**BASE, **one}.items() if held is not None}
            head = {"@context": CONTEXT, "type": "EPCISDocument", "schemaVersion": "2.0"}
            whole = {**head, "creationDate": "2026-11-22T10:00:00Z", "epcisBody": {"eventList": [made]}}
            job = capture_document(self.tools, json.dumps(whole).encode(), "rollback", "erp")
            assert job.errors == (), job.errors

    def names(self, **parameters: str | list[str]) -> list[str]:
        asked = {name.replace("__", ":"): [one] if isinstance(one, str) else one for name, one in parameters.items()}
        found = query_events(self.store, asked).events
        times = {made["eventTime"]: name for name, made in EVENTS.items()}
        return [times[one["eventTime"]] for one in found]
