"""XML is the same document: the same JSON, and the same hash as its JSON twin and as the released generator's."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from epcis_event_hash_generator import hash_generator, xml_to_py  # type: ignore[import-untyped]

from tests.kits import epcis_xml
from uncap.domain.epcis.document import read
from uncap.domain.epcis.prehash import hashes
from uncap.domain.epcis.validate import validate
from uncap.domain.errors import InputError

Json = dict[str, Any]
Make = Callable[..., Json]
KINDS = ["ObjectEvent", "AggregationEvent", "AssociationEvent", "TransactionEvent", "TransformationEvent"]
HEAD = (
    '<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" xmlns:ext="http://ext.example/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" schemaVersion="2.0" creationDate="2026-11-22T10:00:00Z">'
)
ERROR = {
    "declarationTime": "2026-11-03T00:00:00Z",
    "reason": "incorrect_data",
    "correctiveEventIDs": ["urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8"],
}


def oracle(xml: bytes) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        events = xml_to_py.event_list_from_epcis_document_str(xml.decode())
        return [str(one) for one in hash_generator.epcis_hashes_from_events(events)]


def around(event: str) -> bytes:
    return f"{HEAD}<EPCISBody><EventList>{event}</EventList></EPCISBody></epcis:EPCISDocument>".encode()


def one_event(inner: str, kind: str = "ObjectEvent") -> Json:
    value = read(around(f"<{kind}>{inner}</{kind}>")).events[0].value
    assert isinstance(value, dict)
    return value


def refusal(data: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        read(data)
    return caught.value


@pytest.mark.parametrize("version", ["2.0", "1.2"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_json_and_hash_of_a_twin(kind: str, version: str, event: Make, document: Make) -> None:
    twin = event(kind, eventID="urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8", errorDeclaration=ERROR)
    xml = epcis_xml.document(twin, version=version)
    made = read(xml)
    texts = json.loads(json.dumps(twin["ex:shift"]), parse_int=str)
    assert made.events[0].value == twin | {"ex:shift": texts} | ({"ilmd": {"ex:line": "3"}} if "ilmd" in twin else {})
    assert validate(made).faults == ()
    assert hashes(made) == hashes(read(json.dumps(document(twin)).encode())) == oracle(xml)


def test_a_boolean_is_its_json_twins(event: Make, document: Make) -> None:
    report = [{"type": "Temperature", "booleanValue": True, "value": 4.5}]
    twin = event(sensorElementList=[{"sensorReport": report, "ex:more": {"ex:deep": "x"}}])
    made = read(epcis_xml.document(twin))
    assert hashes(made) == hashes(read(json.dumps(document(twin)).encode()))


def test_extension_elements() -> None:
    made = one_event(
        "<ext:text> a </ext:text><ext:many>1</ext:many><ext:many xsi:type='x'>2</ext:many><ext:empty/>"
        "<ext:weight unit='KGM' ext:by='me'>3.5</ext:weight><ext:deep>layout<ext:in>x</ext:in>more</ext:deep>"
    )
    assert made == {
        "type": "ObjectEvent",
        "ext:text": "a",
        "ext:many": ["1", "2"],
        "ext:empty": "",
        "ext:weight": {"#text": "3.5", "unit": "KGM", "ext:by": "me"},
        "ext:deep": {"#text": "layout", "ext:in": "x"},
    }


def test_attributes_of_extensions_are_hashed_as_the_generator_does() -> None:
    xml = around(
        "<ObjectEvent><eventTime>2026-11-02T08:15:00Z</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>"
        "<epcList/><action>ADD</action><ilmd><ext:weight unit='KGM'>3.5</ext:weight></ilmd></ObjectEvent>"
    )
    assert hashes(read(xml)) == oracle(xml)


def test_one_prefix_means_one_namespace() -> None:
    made = read(
        around(
            "<ObjectEvent><a:x xmlns:a='http://one.example/'/><a:x xmlns:a='http://two.example/'/>"
            "<x xmlns='http://three.example/'/><_y:x xmlns:_y='http://four.example/'/></ObjectEvent>"
        )
    )
    assert isinstance(made.value, dict)
    assert made.value["@context"][1:] == [
        {"ext": "http://ext.example/"},
        {"a": "http://one.example/"},
        {"a1": "http://two.example/"},
        {"ns1": "http://three.example/"},
        {"ns-y": "http://four.example/"},
    ]
    names = made.events[0].value
    assert isinstance(names, dict)
    assert set(names) == {"type", "a:x", "a1:x", "ns1:x", "ns-y:x"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("urn:epcglobal:cbv:bizstep:shipping", "shipping"),
        ("https://ref.gs1.org/cbv/BizStep-shipping", "shipping"),
        ("cbv:BizStep-shipping", "shipping"),
        (" shipping ", "shipping"),
        ("urn:epcglobal:cbv:bizstep:shiping", "urn:epcglobal:cbv:bizstep:shiping"),
        ("https://example.com/step", "https://example.com/step"),
    ],
)
def test_standard_terms_become_bare_words(text: str, word: str) -> None:
    assert one_event(f"<bizStep>{text}</bizStep>")["bizStep"] == word


@pytest.mark.parametrize(
    ("text", "number"), [("200", 200), ("0200.50", 200.5), ("+1e3", 1000.0), ("many", "many"), ("1e999", "1e999")]
)
def test_quantities_are_numbers(text: str, number: object) -> None:
    held = one_event(f"<quantityList><quantityElement><quantity>{text}</quantity></quantityElement></quantityList>")
    assert held["quantityList"] == [{"quantity": number}]


def test_what_came_twice_is_a_fault_and_certificates_may() -> None:
    made = one_event(
        "<action>ADD</action><action>ADD</action><certificationInfo>https://a.example/</certificationInfo>"
    )
    assert made["action"] == ["ADD", "ADD"]
    assert made["certificationInfo"] == "https://a.example/"


def test_a_withdrawn_quantity_event_becomes_what_replaced_it() -> None:
    made = one_event(
        "<eventTime>2026-11-02T08:15:00Z</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>"
        "<epcClass>urn:epc:class:lgtin:9520123.045678.L26</epcClass><quantity>24</quantity>",
        "QuantityEvent",
    )
    assert made["type"] == "ObjectEvent"
    assert made["quantityList"] == [{"epcClass": "urn:epc:class:lgtin:9520123.045678.L26", "quantity": 24}]


def test_header_and_master_data() -> None:
    sbdh = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
    made = read(
        f"{HEAD}<EPCISHeader><s:StandardBusinessDocumentHeader xmlns:s='{sbdh}'><s:Sender>"
        "<s:Identifier>A</s:Identifier></s:Sender><s:DocumentIdentification><s:InstanceIdentifier>9</s:InstanceIdentifier></s:DocumentIdentification>"
        "</s:StandardBusinessDocumentHeader><extension><EPCISMasterData><VocabularyList><Vocabulary type='urn:t'>"
        "<VocabularyElementList><VocabularyElement id='urn:x'><attribute id='urn:a'>one</attribute>"
        "<attribute id='urn:b'><ext:c>two</ext:c></attribute><children><id>urn:y</id></children></VocabularyElement>"
        "</VocabularyElementList>"
        "</Vocabulary></VocabularyList></EPCISMasterData></extension></EPCISHeader><EPCISBody><EventList/></EPCISBody>"
        "</epcis:EPCISDocument>".encode()
    )
    assert isinstance(made.value, dict)
    assert (made.value["sender"], made.value["instanceIdentifier"]) == ("A", "9")
    [vocabulary] = made.value["epcisHeader"]["epcisMasterData"]["vocabularyList"]
    assert vocabulary["vocabularyElementList"][0]["attributes"][0] == {"id": "urn:a", "attribute": "one"}
    assert vocabulary["vocabularyElementList"][0]["children"] == ["urn:y"]
    assert validate(made).faults == ()


def test_chinese_lines_write_gbk() -> None:
    text = "<?xml version='1.0' encoding='gb2312'?><ObjectEvent xmlns:e='http://e.cn/'><e:line>三号线</e:line></ObjectEvent>"
    made = read(text.encode("gbk")).events[0].value
    assert made == read(text.replace("gb2312", "utf-8").encode()).events[0].value


def test_query_documents_and_bare_events() -> None:
    made = read(
        b"<q:EPCISQueryDocument xmlns:q='urn:epcglobal:epcis-query:xsd:1' schemaVersion='1'"
        b" creationDate='2026-11-22T10:00:00Z'><EPCISBody><q:QueryResults><queryName>SimpleEventQuery</queryName>"
        b"<resultsBody><EventList><ObjectEvent/></EventList></resultsBody></q:QueryResults></EPCISBody></q:EPCISQueryDocument>"
    )
    assert made.kind == "EPCISQueryDocument"
    assert len(made.events) == 1
    assert [fault.code for fault in validate(made).faults] == ["field_missing"] * 3 + ["subject_missing"]
    assert read(b"<ObjectEvent><action>ADD</action></ObjectEvent>").kind == "event"


def test_what_only_the_xml_shows_is_noted() -> None:
    made = read(
        b"<EPCISDocument xmlns='urn:epcglobal:epcis:xsd:1' schemaVersion='1.2'><EPCISBody><EventList><ObjectEvent>"
        b"<action>ADD</action></ObjectEvent></EventList></EPCISBody></EPCISDocument>"
    )
    assert made.events[0].value == {"type": "ObjectEvent", "action": "ADD"}
    assert [note.code for note in made.notes] == ["xml_name_qualified", "version_old"]


BOMB = "".join(f"<!ENTITY l{n} '&l{n - 1};&l{n - 1};&l{n - 1};'>" for n in range(1, 30))


@pytest.mark.parametrize(
    ("data", "code", "where"),
    [
        (f"<!DOCTYPE x [<!ENTITY l0 'ha'>{BOMB}]><x>&l29;</x>".encode(), "epcis_xml_unsafe", "line 1"),
        (b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>", "epcis_xml_unsafe", "line 1"),
        (b"<!DOCTYPE x [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/'> %p;]><x/>", "epcis_xml_unsafe", "line 1"),
        (b"<a>" * 100, "epcis_too_deep", "line 1"),
        (b"<a>\n<b></a>", "epcis_not_xml", "line 2"),
        (b"<a>\n<b>", "epcis_truncated", "line 2"),
        (b"<x:a/>", "epcis_not_xml", "line 1"),
        (b"<a>&undeclared;</a>", "epcis_not_xml", "line 1"),
        ("<a>\n啤酒</a>".encode("gbk"), "epcis_not_xml", "line 2"),
        (b"<?xml version='1.0' encoding='GBK'?>\n<a>\xff</a>", "epcis_encoding", "line 2"),
        (b"<?xml version='1.0' encoding='big5'?><a/>", "epcis_encoding", ""),
        (b"<?xml version='1.0' encoding='klingon'?><a/>", "epcis_encoding", ""),
        (b"<html/>", "epcis_not_document", "line 1"),
        (b"<q:EPCISQueryDocument xmlns:q='urn:epcglobal:epcis-query:xsd:2'/>", "epcis_not_document", "line 1"),
        ("<?xml version='1.0' encoding='utf-16'?><a/>".encode("utf-16"), "epcis_not_document", "line 1"),
    ],
)
def test_refusals(data: bytes, code: str, where: str) -> None:
    refused = refusal(data)
    assert (refused.code, refused.where.startswith(where)) == (code, True), refused


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[4] / "examples/epcis").glob("*.xml")), ids=lambda p: p.stem
)
def test_examples_are_valid_and_hashed_as_the_generator_does(path: Path) -> None:
    made = read(path.read_bytes())
    assert validate(made).faults == ()
    assert hashes(made) == oracle(path.read_bytes())
