"""Documents are judged by the ratified schema's rules: each way to break one gives one fault, at the right place."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from uncap.domain.epcis.document import read
from uncap.domain.epcis.faults import Fault
from uncap.domain.epcis.validate import Verdict, validate

Json = dict[str, object]
Make = Callable[..., Json]
KINDS = ["ObjectEvent", "AggregationEvent", "AssociationEvent", "TransactionEvent", "TransformationEvent"]
EXAMPLES = sorted((Path(__file__).parents[4] / "examples" / "epcis").glob("*.json"))
BODY = "/epcisBody/eventList/0"


def judge(value: object) -> Verdict:
    return validate(read(json.dumps(value).encode()))


def faults(value: object) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in judge(value).faults]


def notes(value: object) -> list[tuple[str, str]]:
    return [(note.pointer, note.code) for note in judge(value).notes]


@pytest.mark.parametrize("kind", KINDS)
def test_event_with_every_field_is_valid(kind: str, event: Make, document: Make) -> None:
    verdict = judge(document(event(kind, eventID="urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8")))
    assert (verdict.faults, verdict.notes, verdict.event_count) == ((), (), 1)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_own_examples_are_valid(path: Path) -> None:
    verdict = validate(read(path.read_bytes()))
    assert (verdict.faults, verdict.notes) == ((), ())


def test_all_examples_are_there() -> None:
    assert [path.stem for path in EXAMPLES] == [
        *("case-opened", "commissioning", "consumer-scan", "packing", "receiving", "shipping")
    ]


@pytest.mark.parametrize("name", ["eventTime", "eventTimeZoneOffset", "action", "type"])
def test_required_field(name: str, event: Make, document: Make) -> None:
    assert faults(document(event(**{name: ...}))) == [(BODY, "field_missing")]


@pytest.mark.parametrize("name", ["@context", "schemaVersion", "creationDate", "epcisBody"])
def test_required_in_the_head(name: str, event: Make, document: Make) -> None:
    assert ("", "field_missing") in faults(document(event(), **{name: ...}))


CHANGES: list[tuple[Json, str, str]] = [
    ({"eventTime": "22-07-2026"}, "/eventTime", "time_malformed"),
    ({"eventTime": "2026-07-22T06:45:00"}, "/eventTime", "time_malformed"),
    ({"eventTime": "2026-02-30T06:45:00Z"}, "/eventTime", "time_malformed"),
    ({"eventTime": 1790000000}, "/eventTime", "type_wrong"),
    ({"recordTime": "yesterday"}, "/recordTime", "time_malformed"),
    ({"eventTimeZoneOffset": "+8:00"}, "/eventTimeZoneOffset", "offset_malformed"),
    ({"eventTimeZoneOffset": "+14:30"}, "/eventTimeZoneOffset", "offset_malformed"),
    ({"eventTimeZoneOffset": "Z"}, "/eventTimeZoneOffset", "offset_malformed"),
    ({"action": "CREATE"}, "/action", "value_unknown"),
    ({"bizStep": "transforming"}, "/bizStep", "term_unknown"),
    ({"bizStep": "urn:epcglobal:cbv:bizstep:shipping"}, "/bizStep", "term_not_bare"),
    ({"disposition": "in_transport"}, "/disposition", "term_unknown"),
    ({"eventID": "4711"}, "/eventID", "uri_malformed"),
    ({"eventID": "https://a b.example"}, "/eventID", "uri_malformed"),
    ({"certificationInfo": 42}, "/certificationInfo", "type_wrong"),
    ({"certificationInfo": ["nowhere"]}, "/certificationInfo/0", "uri_malformed"),
    ({"colour": "red"}, "/colour", "field_unknown"),
    ({"a/b~c": 1}, "/a~1b~0c", "field_unknown"),
    ({"epcList": "urn:epc:id:sgtin:9520123.045678.1"}, "/epcList", "type_wrong"),
    ({"epcList": ["urn:x:1", "urn:x:1"]}, "/epcList/1", "value_repeated"),
    ({"epcList": [None]}, "/epcList/0", "type_wrong"),
    ({"quantityList": [{"quantity": 3}]}, "/quantityList/0", "field_missing"),
    ({"quantityList": [{"epcClass": "urn:x:1", "quantity": "3"}]}, "/quantityList/0/quantity", "type_wrong"),
    ({"quantityList": [{"epcClass": "urn:x:1", "quantity": True}]}, "/quantityList/0/quantity", "type_wrong"),
    ({"quantityList": [{"epcClass": "urn:x:1", "uom": "kgm"}]}, "/quantityList/0/uom", "unit_malformed"),
    ({"quantityList": [{"epcClass": "urn:x:1", "ex:a": 1}]}, "/quantityList/0/ex:a", "field_unknown"),
    ({"persistentDisposition": {}}, "/persistentDisposition", "field_missing"),
    ({"persistentDisposition": {"set": []}}, "/persistentDisposition/set", "list_empty"),
    ({"readPoint": "urn:x:1"}, "/readPoint", "type_wrong"),
    ({"readPoint": {"ex:door": "3"}}, "/readPoint", "field_missing"),
    ({"bizTransactionList": [{"type": "po"}]}, "/bizTransactionList/0", "field_missing"),
    (
        {"bizTransactionList": [{"type": "order", "bizTransaction": "urn:x:1"}]},
        "/bizTransactionList/0/type",
        "term_unknown",
    ),
    ({"sourceList": [{"source": "urn:x:1"}]}, "/sourceList/0", "field_missing"),
    ({"sourceList": [{"type": "place", "source": "urn:x:1"}]}, "/sourceList/0/type", "term_unknown"),
    ({"sensorElementList": [{}]}, "/sensorElementList/0", "field_missing"),
    ({"sensorElementList": [{"sensorReport": []}]}, "/sensorElementList/0/sensorReport", "list_empty"),
    (
        {"sensorElementList": [{"sensorReport": [{"type": "https://gs1.org/voc/Temperature"}]}]},
        "/sensorElementList/0/sensorReport/0/type",
        "term_not_bare",
    ),
    (
        {"sensorElementList": [{"sensorReport": [{"type": "Temperature", "hexBinaryValue": "0x1f"}]}]},
        "/sensorElementList/0/sensorReport/0/hexBinaryValue",
        "hex_malformed",
    ),
    (
        {"sensorElementList": [{"sensorReport": [{"type": "Temperature", "booleanValue": "true"}]}]},
        "/sensorElementList/0/sensorReport/0/booleanValue",
        "type_wrong",
    ),
    ({"ilmd": {"materialType": "cotton"}}, "/ilmd/materialType", "field_unknown"),
    ({"action": "OBSERVE"}, "/ilmd", "ilmd_not_allowed"),
    ({"errorDeclaration": {"reason": "incorrect_data"}}, "/errorDeclaration", "field_missing"),
    (
        {"errorDeclaration": {"declarationTime": "2026-11-02T08:15:00Z", "reason": "oops"}},
        "/errorDeclaration/reason",
        "term_unknown",
    ),
    ({"type": "ObjectEventInvalid"}, "/type", "event_type_unknown"),
    ({"type": 7}, "/type", "type_wrong"),
]


@pytest.mark.parametrize(("change", "at", "code"), CHANGES, ids=[f"{at}-{code}" for _, at, code in CHANGES])
def test_one_change_gives_one_fault(change: Json, at: str, code: str, event: Make, document: Make) -> None:
    assert faults(document(event(**change))) == [(BODY + at, code)]


SUBJECTS: list[tuple[str, Json, str | None]] = [
    ("ObjectEvent", {"epcList": ..., "quantityList": ..., "sensorElementList": ...}, "subject_missing"),
    ("ObjectEvent", {"epcList": ..., "quantityList": [], "readPoint": ...}, "subject_missing"),
    ("ObjectEvent", {"epcList": ..., "quantityList": ...}, None),
    ("ObjectEvent", {"epcList": []}, None),
    ("AggregationEvent", {"childEPCs": ..., "childQuantityList": ...}, "subject_missing"),
    ("AggregationEvent", {"childEPCs": [], "childQuantityList": ..., "action": "DELETE"}, None),
    ("AggregationEvent", {"parentID": ...}, "parent_missing"),
    ("AggregationEvent", {"parentID": ..., "action": "OBSERVE"}, None),
    ("AssociationEvent", {"parentID": ...}, "field_missing"),
    ("AssociationEvent", {"childEPCs": ..., "action": "ADD"}, "subject_missing"),
    ("TransactionEvent", {"epcList": ..., "quantityList": []}, "subject_missing"),
    ("TransactionEvent", {"epcList": ..., "quantityList": [], "action": "DELETE"}, None),
    ("TransactionEvent", {"bizTransactionList": ...}, "field_missing"),
    (
        "TransformationEvent",
        {"outputEPCList": ..., "outputQuantityList": ..., "transformationID": ...},
        "subject_missing",
    ),
    ("TransformationEvent", {"outputEPCList": ..., "outputQuantityList": ...}, None),
    (
        "TransformationEvent",
        {"inputEPCList": ..., "inputQuantityList": ..., "transformationID": ...},
        "subject_missing",
    ),
]


@pytest.mark.parametrize(("kind", "change", "code"), SUBJECTS)
def test_what_an_event_is_about(kind: str, change: Json, code: str | None, event: Make, document: Make) -> None:
    assert faults(document(event(kind, **change))) == ([] if code is None else [(BODY, code)])


def test_extensions_own_event_types_and_foreign_terms_are_valid(event: Make, document: Make) -> None:
    own = {"type": "ex:TastingEvent", "eventTime": "2026-11-02T08:15:00Z", "eventTimeZoneOffset": "+00:00", "guests": 3}
    foreign = event(bizStep="ex:tasting", disposition="https://ns.example.com/epcis/drunk", certificationInfo="urn:x:1")
    assert faults(document(own, foreign)) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("id", "_:document1", "uri_malformed"),
        ("schemaVersion", 2.0, "type_wrong"),
        ("schemaVersion", "two", "version_malformed"),
        ("creationDate", "2026-11-22", "time_malformed"),
        ("type", "urn:x:1", "value_unknown"),
        ("format", "application/ld+json", "field_unknown"),
        ("epcisBody", [], "type_wrong"),
    ],
)
def test_head(name: str, value: object, code: str, event: Make, document: Make) -> None:
    assert faults(document(event(), **{name: value})) == [(f"/{name}", code)]


def test_context_repeated(event: Make, document: Make) -> None:
    twice = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"] * 2
    assert ("/@context/1", "value_repeated") in faults(document(event(), **{"@context": twice}))


def test_every_event_is_checked_and_named(event: Make, document: Make) -> None:
    found = faults(document(event(), event(bizStep="x"), event(), event(disposition="y"), 7))
    assert found == [
        ("/epcisBody/eventList/1/bizStep", "term_unknown"),
        ("/epcisBody/eventList/3/disposition", "term_unknown"),
        ("/epcisBody/eventList/4", "type_wrong"),
    ]


def test_query_document(event: Make, document: Make) -> None:
    results = {"queryResults": {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": [event()]}}}
    asked = document(type="EPCISQueryDocument", epcisBody=results)
    assert faults(asked) == []
    del results["queryResults"]["queryName"]
    assert faults(asked) == [("/epcisBody/queryResults", "field_missing")]
    results["queryResults"]["resultsBody"] = {"eventList": [event(action="SHIPPED")]}
    assert ("/epcisBody/queryResults/resultsBody/eventList/0/action", "value_unknown") in faults(asked)


def test_bare_event_needs_a_context_and_a_list_does_not(event: Make) -> None:
    assert faults(event()) == [("", "field_missing")]
    assert faults(event(**{"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"})) == []
    assert judge([event(), event()]).event_count == 2
    assert faults([event(), event(action="X")]) == [("/1/action", "value_unknown")]


def test_master_data(document: Make) -> None:
    places = [{"type": "urn:epcglobal:epcis:vtype:ReadPoint", "vocabularyElementList": [{"id": "urn:x:1"}]}]
    header = {"epcisMasterData": {"vocabularyList": places}}
    assert faults(document(epcisHeader=header)) == []
    places[0]["vocabularyElementList"] = [{"attributes": [{"id": "cbvmda:sst", "attribute": None}]}]
    at = "/epcisHeader/epcisMasterData/vocabularyList/0/vocabularyElementList/0"
    assert faults(document(epcisHeader=header)) == [
        (at, "field_missing"),
        (f"{at}/attributes/0/attribute", "type_wrong"),
    ]


def test_suspicious_things_are_noted_and_allowed(event: Make, document: Make) -> None:
    odd = event(
        epcList=["urn:epc:id:sgtin:95201.045678.1", "https://id.gs1.org/01/09520123456789"],
        eventID="urn:x:1",
        **{"nobody:declared": 1},
    )
    made = document(odd, odd, schemaVersion="1.2")
    assert judge(made).valid
    assert [code for _, code in notes(made)] == [
        *("version_unexpected", "prefix_undeclared", "prefix_undeclared"),
        *("epc_malformed", "check_digit_wrong", "epc_malformed", "check_digit_wrong", "event_id_repeated"),
    ]
    assert notes(document(odd, **{"@context": "https://example.com/own.jsonld"}))[0] == ("/@context", "context_foreign")


def test_words_stay_on_one_line(event: Make, document: Make) -> None:
    [fault] = judge(document(event(bizStep="a\nb\x1b[31m" + "c" * 500))).faults
    assert isinstance(fault, Fault)
    assert fault.words.isprintable()
    assert len(fault.words) < 200
