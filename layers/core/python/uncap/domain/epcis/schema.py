"""What EPCIS 2.0 asks of each part of a document, as data: fields, which are required, what else may stand there.

The rules are those of the ratified JSON schema (EPCIS 2.0, chapter 10), written anew (docs/adr/0009-epcis.md); what a
field-by-field table cannot say is in `events.py`. `validate.py` starts here.
"""

from collections.abc import Mapping
from typing import Final

from uncap.domain.epcis import checks, terms
from uncap.domain.epcis.checks import Check, Shape, many, term
from uncap.domain.epcis.faults import Findings, kind_of, step


def certification(value: object, pointer: str, found: Findings) -> None:
    """One address or a list of them."""
    (_uris if isinstance(value, list) else checks.uri)(value, pointer, found)


def context(value: object, pointer: str, found: Findings) -> None:
    """A JSON-LD context: an address, an object, or a list of these without repetition."""
    if not isinstance(value, list):
        _context_item(value, pointer, found)
        return
    for at, item in enumerate(value):
        _context_item(item, step(pointer, at), found)
        if item in value[:at]:
            found.fault(step(pointer, at), "value_repeated", "stands in this list already")


def _context_item(value: object, pointer: str, found: Findings) -> None:
    if isinstance(value, str):
        checks.uri(value, pointer, found)
    elif not isinstance(value, dict):
        found.fault(pointer, "type_wrong", f"must be a URI or an object, is {kind_of(value)}")


def _attribute(value: object, pointer: str, found: Findings) -> None:
    if value is None or isinstance(value, bool | list):
        found.fault(pointer, "type_wrong", f"must be text, a number or an object, is {kind_of(value)}")


def _disposition_change(value: object, pointer: str, found: Findings) -> None:
    _DISPOSITION_CHANGE(value, pointer, found)
    if isinstance(value, dict) and not value.keys() & {"set", "unset"}:
        found.fault(pointer, "field_missing", "`set` or `unset` is required")


_uris: Final = many(checks.uri)
_distinct_uris: Final = many(checks.uri, distinct=True)
_quantity: Final = Shape(
    {"epcClass": checks.uri, "quantity": checks.number, "uom": checks.unit}, ("epcClass",), "nothing"
)
_quantities: Final = many(_quantity)
_place: Final = Shape({"id": checks.uri}, ("id",), "anything")
_dispositions: Final = many(term(terms.DISPOSITIONS), at_least=1, distinct=True)
_DISPOSITION_CHANGE: Final = Shape({"set": _dispositions, "unset": _dispositions}, (), "nothing")
_biz_transaction: Final = Shape(
    {"type": term(terms.BIZ_TRANSACTIONS), "bizTransaction": checks.uri}, ("bizTransaction",), "nothing"
)
_source: Final = Shape({"type": term(terms.SOURCES), "source": checks.uri}, ("type", "source"), "nothing")
_destination: Final = Shape(
    {"type": term(terms.SOURCES), "destination": checks.uri}, ("type", "destination"), "nothing"
)
_DEVICE: Final[dict[str, Check]] = dict.fromkeys(
    ("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules"), checks.uri
)
_sensor_metadata: Final = Shape({**_DEVICE, **dict.fromkeys(("time", "startTime", "endTime"), checks.time)})
_sensor_report: Final = Shape(
    {
        **_DEVICE,
        **dict.fromkeys(("microorganism", "chemicalSubstance", "coordinateReferenceSystem", "uriValue"), checks.uri),
        **dict.fromkeys(("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"), checks.number),
        "type": term(terms.MEASUREMENTS),
        "exception": term(terms.ALERTS),
        "component": term(terms.COMPONENTS),
        "time": checks.time,
        "stringValue": checks.text,
        "booleanValue": checks.boolean,
        "hexBinaryValue": checks.hex_digits,
        "uom": checks.text,
    },
    ("type",),
)
_sensor_element: Final = Shape(
    {"sensorMetadata": _sensor_metadata, "sensorReport": many(_sensor_report, at_least=1)}, ("sensorReport",)
)
_ilmd: Final = Shape({})
_error_declaration: Final = Shape(
    {"declarationTime": checks.time, "reason": term(terms.ERROR_REASONS), "correctiveEventIDs": _uris},
    ("declarationTime",),
)

_COMMON: Final[dict[str, Check]] = {
    "@context": context,
    "type": checks.text,
    "eventTime": checks.time,
    "recordTime": checks.time,
    "eventTimeZoneOffset": checks.offset,
    "eventID": checks.uri,
    "certificationInfo": certification,
    "errorDeclaration": _error_declaration,
}
_WHERE_AND_WHY: Final[dict[str, Check]] = {
    "bizStep": term(terms.BIZ_STEPS),
    "disposition": term(terms.DISPOSITIONS),
    "persistentDisposition": _disposition_change,
    "readPoint": _place,
    "bizLocation": _place,
    "bizTransactionList": many(_biz_transaction),
    "sourceList": many(_source),
    "destinationList": many(_destination),
    "sensorElementList": many(_sensor_element),
}
_ACTION: Final[dict[str, Check]] = {"action": checks.constant("OBSERVE", "ADD", "DELETE")}
_PARENT: Final[dict[str, Check]] = {"parentID": checks.uri, "childEPCs": _uris, "childQuantityList": _quantities}
_TRANSFORMED: Final[dict[str, Check]] = {
    "transformationID": checks.uri,
    **dict.fromkeys(("inputEPCList", "outputEPCList"), _distinct_uris),
    **dict.fromkeys(("inputQuantityList", "outputQuantityList"), _quantities),
}
_WHEN: Final = ("eventTime", "eventTimeZoneOffset")


def _event(own: Mapping[str, Check], required: tuple[str, ...]) -> Shape:
    return Shape({**_COMMON, **_WHERE_AND_WHY, **own}, (*_WHEN, *required))


EVENTS: Final = {
    "ObjectEvent": _event(
        {**_ACTION, "epcList": _distinct_uris, "quantityList": _quantities, "ilmd": _ilmd}, ("action",)
    ),
    "AggregationEvent": _event({**_ACTION, **_PARENT}, ("action",)),
    "AssociationEvent": _event({**_ACTION, **_PARENT}, ("action", "parentID")),
    "TransactionEvent": _event(
        {
            **_ACTION,
            "parentID": checks.uri,
            "epcList": _uris,
            "quantityList": _quantities,
            "bizTransactionList": many(_biz_transaction, at_least=1),
        },
        ("action", "bizTransactionList"),
    ),
    "TransformationEvent": _event({**_TRANSFORMED, "ilmd": _ilmd}, ()),
}
EXTENDED_EVENT: Final = Shape({**_COMMON, "type": checks.uri}, _WHEN, "anything")

_vocabulary_element: Final = Shape(
    {
        "id": checks.uri,
        "attributes": many(Shape({"id": checks.uri, "attribute": _attribute}, ("id",), "anything")),
        "children": _uris,
    },
    ("id",),
    "anything",
)
_vocabularies: Final = many(
    Shape({"type": checks.uri, "vocabularyElementList": many(_vocabulary_element)}, ("type",), "anything")
)
_header: Final = Shape({"epcisMasterData": Shape({"vocabularyList": _vocabularies}, (), "anything")})
_HEAD: Final[dict[str, Check]] = {
    "@context": context,
    "id": checks.uri,
    "schemaVersion": checks.version,
    "creationDate": checks.time,
}


def _list(value: object, pointer: str, found: Findings) -> None:
    if not isinstance(value, list):
        found.fault(pointer, "type_wrong", f"must be a list, is {kind_of(value)}")


# The events themselves are checked one by one, by their type.
DOCUMENT: Final = Shape(
    {
        **_HEAD,
        "type": checks.constant("EPCISDocument"),
        **dict.fromkeys(("instanceIdentifier", "sender", "receiver"), checks.text),
        "epcisHeader": _header,
        "epcisBody": Shape({"eventList": _list}, ("eventList",), "anything"),
    },
    ("@context", "type", "schemaVersion", "creationDate", "epcisBody"),
)
_results: Final = Shape({"eventList": _list, "vocabularyList": _vocabularies}, ("eventList",))
_query_results: Final = Shape(
    {"queryName": checks.text, "subscriptionID": checks.text, "resultsBody": _results}, ("queryName", "resultsBody")
)
QUERY_DOCUMENT: Final = Shape(
    {
        **_HEAD,
        "type": checks.constant("EPCISQueryDocument"),
        "epcisBody": Shape({"queryResults": _query_results}, ("queryResults",)),
    },
    ("@context", "type", "epcisBody"),
)
