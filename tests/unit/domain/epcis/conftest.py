"""A complete, valid event of each type, which tests change in one place."""

import copy
from collections.abc import Callable

import pytest

Json = dict[str, object]

CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"ex": "https://ns.example.com/epcis/"}]

_WHEN: Json = {"eventTime": "2026-11-02T08:15:00.000+08:00", "eventTimeZoneOffset": "+08:00"}
_SENSOR: Json = {
    "sensorMetadata": {"time": "2026-11-02T08:00:00Z", "deviceID": "urn:epc:id:giai:9520123.17", "ex:probe": "left"},
    "sensorReport": [
        {"type": "Temperature", "value": 4.50, "uom": "CEL", "component": "x", "exception": "ALARM_CONDITION"},
        {"type": "RelativeHumidity", "minValue": 40, "maxValue": 61.25, "uom": "A93"},
    ],
}
_CONTEXTUAL: Json = {
    "bizStep": "commissioning",
    "disposition": "active",
    "persistentDisposition": {"set": ["completeness_verified"], "unset": ["completeness_inferred"]},
    "readPoint": {"id": "urn:epc:id:sgln:9520123.00001.7", "ex:door": "3"},
    "bizLocation": {"id": "https://id.gs1.org/414/9520123000011"},
    "bizTransactionList": [
        {"type": "po", "bizTransaction": "http://transaction.example.com/po/12345678"},
        {"type": "inv", "bizTransaction": "urn:epcglobal:cbv:bt:9520123000011:77"},
    ],
    "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:9520123.00001"}],
    "destinationList": [{"type": "location", "destination": "urn:epc:id:sgln:9520123.00030.0"}],
    "sensorElementList": [_SENSOR],
    "ex:shift": {"ex:name": "early", "ex:lines": [1, 2]},
}
_UNITS = ["urn:epc:id:sgtin:9520123.045678.1E5Z", "urn:epc:id:sgtin:9520123.045678.12SW"]
_QUANTITIES = [{"epcClass": "urn:epc:class:lgtin:9520123.045678.L26", "quantity": 24.0, "uom": "KGM"}]
_CASE = "https://id.gs1.org/00/095201230000000424"

_EVENTS: dict[str, Json] = {
    "ObjectEvent": {"epcList": _UNITS, "quantityList": _QUANTITIES, "action": "ADD", "ilmd": {"ex:line": "3"}},
    "AggregationEvent": {"parentID": _CASE, "childEPCs": _UNITS, "childQuantityList": _QUANTITIES, "action": "ADD"},
    "AssociationEvent": {"parentID": _CASE, "childEPCs": _UNITS, "action": "DELETE"},
    "TransactionEvent": {"parentID": _CASE, "epcList": _UNITS, "quantityList": _QUANTITIES, "action": "OBSERVE"},
    "TransformationEvent": {
        "inputEPCList": _UNITS,
        "inputQuantityList": _QUANTITIES,
        "outputEPCList": [_CASE],
        "outputQuantityList": _QUANTITIES,
        "transformationID": "urn:epc:id:gdti:9520123.00001.9",
        "ilmd": {"ex:line": "3"},
    },
}


def make_event(kind: str = "ObjectEvent", **changes: object) -> Json:
    """An event of `kind` with every field the standard gives it; a change to `...` takes the field away."""
    made = copy.deepcopy({"type": kind, **_WHEN, **_EVENTS[kind], **_CONTEXTUAL}) | changes
    return {name: held for name, held in made.items() if held is not ...}


def make_document(*events: Json, **changes: object) -> Json:
    """A document around `events`; a change to `...` takes the field away."""
    made: Json = {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-22T10:00:00Z",
        "epcisBody": {"eventList": list(events)},
        **changes,
    }
    return {name: held for name, held in made.items() if held is not ...}


@pytest.fixture(scope="session")
def event() -> Callable[..., Json]:
    return make_event


@pytest.fixture(scope="session")
def document() -> Callable[..., Json]:
    return make_document
