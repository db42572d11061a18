"""Forms that publishers' example files take beyond the plain document: what is theirs to choose, and what is not."""

import json
from typing import Any

import pytest

from uncap.domain.epcis.document import read
from uncap.domain.epcis.prehash import hashes
from uncap.domain.epcis.validate import Verdict, validate
from uncap.domain.errors import InputError

WHEN = "<eventTime>2026-11-20T08:00:00Z</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>"
WHAT = "<epcList><epc>urn:epc:id:sgtin:9520123.045678.1</epc></epcList>"
QUERY = {"@context": "https://ref.gs1.org/standards/epcis/2.0.0/query-schema.json", "eventType": ["ObjectEvent"]}
NAMED = {"name": "mine", "query": {"EQ_action": ["ADD"]}}


def sent(event: str, extra: str = "") -> bytes:
    return (
        '<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:2" xmlns:x="https://ns.example.com/" schemaVersion="2.0" '
        f'creationDate="2026-11-22T10:00:00Z"{extra}><EPCISBody><EventList>{event}</EventList></EPCISBody>'
        "</e:EPCISDocument>"
    ).encode()


def results(event: str) -> bytes:
    return (
        '<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:2" createdAt="2026-11-22T10:00:00Z"><EPCISBody>'
        f"<QueryResults><resultsBody><EventList>{event}</EventList></resultsBody></QueryResults></EPCISBody>"
        "</q:EPCISQueryDocument>"
    ).encode()


def poll(name: str, value: str) -> bytes:
    return (
        '<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:2"><EPCISBody><q:Poll>'
        f"{name}<params><param><name>GE_eventTime</name>{value}</param><param><name>eventType</name><value>"
        "<string>ObjectEvent</string><string>AggregationEvent</string></value></param></params></q:Poll></EPCISBody>"
        "</q:EPCISQueryDocument>"
    ).encode()


def judge(data: bytes) -> Verdict:
    return validate(read(data), by_schema=True)


def codes(data: bytes) -> tuple[list[str], list[str]]:
    verdict = judge(data)
    return [one.code for one in verdict.faults], [one.code for one in verdict.notes]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (f"<ObjectEvent><action>ADD</action>{WHEN}{WHAT}</ObjectEvent>", "`eventTime` comes before `action`"),
        (f"<ObjectEvent>{WHEN}<action>ADD</action>{WHAT}</ObjectEvent>", "`epcList` comes before `action`"),
        (
            (
                f"<TransactionEvent>{WHEN}{WHAT}<bizTransactionList><bizTransaction>urn:x:1</bizTransaction>"
                "</bizTransactionList><action>ADD</action></TransactionEvent>"
            ),
            "`bizTransactionList` comes before `epcList`",
        ),
        (
            (
                f"<ObjectEvent>{WHEN}{WHAT}<action>ADD</action><extension><ilmd/><extension><readPoint><id>urn:x:1</id>"
                "</readPoint><bizStep>urn:epcglobal:cbv:bizstep:packing</bizStep></extension></extension></ObjectEvent>"
            ),
            "`bizStep` comes before `readPoint`",
        ),
        (
            f"<ObjectEvent>{WHEN}<x:a>1</x:a>{WHAT}<action>ADD</action></ObjectEvent>",
            "`epcList` comes before extensions",
        ),
        (
            (
                f"<AggregationEvent>{WHEN}<parentID>urn:x:1</parentID><extension/><childEPCs><epc>urn:x:2</epc></childEPCs>"
                "<action>ADD</action></AggregationEvent>"
            ),
            "`childEPCs` comes before `extension`",
        ),
    ],
)
def test_the_order_of_elements_is_a_fault_where_a_file_is_proved_and_a_note_where_it_is_used(
    event: str, words: str
) -> None:
    [fault] = judge(sent(event)).faults
    assert (fault.pointer, fault.code) == ("/epcisBody/eventList/0", "xml_order")
    assert fault.words.startswith(words)
    used = validate(read(sent(event)))
    assert used.valid
    assert [note.code for note in used.notes] == ["xml_order"]


@pytest.mark.parametrize(
    "event",
    [
        (
            f"<ObjectEvent>{WHEN}<eventID>urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8</eventID>{WHAT}<action>ADD</action>"
            "<persistentDisposition><set>urn:epcglobal:cbv:disp:active</set></persistentDisposition><ilmd/></ObjectEvent>"
        ),
        (
            f"<ObjectEvent>{WHEN}<baseExtension><eventID>urn:x:1</eventID></baseExtension>{WHAT}<action>ADD</action>"
            "<extension><ilmd/></extension><x:more><epcList/><eventTime/></x:more></ObjectEvent>"
        ),
        (
            f"<TransactionEvent>{WHEN}<bizTransactionList><bizTransaction>urn:x:1</bizTransaction></bizTransactionList>"
            f"{WHAT}<action>ADD</action></TransactionEvent>"
        ),
    ],
)
def test_orders_of_either_version_are_right(event: str) -> None:
    assert codes(sent(event)) == ([], [])


def test_results_received_are_read_in_any_order_and_without_the_querys_name() -> None:
    event = f"<ObjectEvent><action>ADD</action>{WHEN}{WHAT}</ObjectEvent>"
    assert codes(results(event)) == ([], ["query_name_missing", "xml_order"])
    nameless = {"@context": "urn:x:1", "type": "EPCISQueryDocument"}
    nameless |= {"epcisBody": {"queryResults": {"resultsBody": {"eventList": []}}}}  # type: ignore[dict-item]
    assert codes(json.dumps(nameless).encode())[0] == ["field_missing"]


def test_a_document_type_without_entities_is_harmless() -> None:
    event = f"<ObjectEvent>{WHEN}{WHAT}<action>ADD</action></ObjectEvent>"
    assert codes(b"<!DOCTYPE project>" + sent(event)) == ([], [])
    with pytest.raises(InputError, match="entities"):
        read(b'<!DOCTYPE p [<!ENTITY a "b">]>' + sent(event))


def test_a_bare_event_may_say_what_a_document_says_of_itself() -> None:
    bare = (
        '<e:ObjectEvent xmlns:e="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0" creationDate="2026-11-22T10:00:00Z">'
        + (WHEN + WHAT + "<action>ADD</action>").replace("</", "</e:").replace("<", "<e:").replace("<e:/", "</")
        + "</e:ObjectEvent>"
    ).encode()
    event = f"<ObjectEvent>{WHEN}{WHAT}<action>ADD</action></ObjectEvent>"
    assert codes(bare) == ([], ["xml_name_qualified"])
    assert hashes(read(bare)) == hashes(read(sent(event)))


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("https://a.example/1", "https://a.example/1"),
        ("<x:D><x:certificationURI>https://a.example/1</x:certificationURI></x:D>", "https://a.example/1"),
        (
            (
                "<x:D><x:certificationURI>https://a.example/1</x:certificationURI><x:by>B</x:by></x:D>"
                "<x:D><x:certificationURI>https://a.example/2</x:certificationURI></x:D>"
            ),
            ["https://a.example/1", "https://a.example/2"],
        ),
        ("<x:D><x:by>B</x:by></x:D>", []),
    ],
)
def test_certificates_are_their_addresses(written: str, read_as: object) -> None:
    certified = f"<certificationInfo>{written}</certificationInfo>"
    made = read(sent(f"<ObjectEvent>{WHEN}{certified}{WHAT}<action>ADD</action></ObjectEvent>"))
    [event] = made.events
    assert isinstance(event.value, dict)
    assert event.value["certificationInfo"] == read_as
    assert validate(made, by_schema=True).valid


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        (QUERY, []),
        (NAMED, []),
        ({**QUERY, "GE_quantity": 1, "EXISTS_errorDeclaration": True, "eventTypes": ["ObjectEvent"]}, []),
        ({**QUERY, "GE_eventTime": "yesterday"}, [("/GE_eventTime", "query_parameter_invalid")]),
        ({**QUERY, "GE_eventDate": "2026-01-01T00:00:00Z"}, [("/GE_eventDate", "query_parameter_invalid")]),
        ({**QUERY, "EQ_action": None}, [("/EQ_action", "type_wrong")]),
        ({**QUERY, "EQ_action": []}, [("/EQ_action", "type_wrong")]),
        ({**QUERY, "EQ_action": [{}]}, [("/EQ_action", "type_wrong")]),
        ({"query": {}}, [("", "field_missing")]),
        ({**NAMED, "query": {"EQ_nothing": "1"}}, [("/query/EQ_nothing", "query_parameter_invalid")]),
    ],
)
def test_a_query_is_judged_by_its_parameters(data: dict[str, Any], faults: list[tuple[str, str]]) -> None:
    made = read(json.dumps(data).encode())
    assert (made.kind, made.events) == ("query", ())
    assert [(one.pointer, one.code) for one in validate(made).faults] == faults


def test_a_poll_in_xml_is_the_same_question() -> None:
    name, value = "<queryName>SimpleEventQuery</queryName>", "<value>2026-01-01T00:00:00+08:00</value>"
    assert codes(poll(name, value)) == ([], [])
    assert codes(poll("", value)) == (["field_missing"], [])
    assert codes(poll(name, "")) == (["type_wrong"], [])
    assert codes(poll(name, "<value>soon</value>")) == (["query_parameter_invalid"], [])
    assert codes(poll(name.replace("Event", "MasterData"), value)) == ([], [])
    with pytest.raises(InputError, match="without results"):
        read(poll(name, value).replace(b"q:Poll", b"q:GetQueryNames"))


@pytest.mark.parametrize("number", ["1e999", "-1E400", "9" * 401])
def test_numbers_beyond_reason_are_refused_in_plain_words(number: str) -> None:
    with pytest.raises(InputError) as refusal:
        read(f'{{"type": "EPCISDocument", "x": {number}}}'.encode())
    assert refusal.value.code == "epcis_not_json"
    assert "sys." not in refusal.value.message


@pytest.mark.parametrize("prefix", ["https", "URN", "ni"])
def test_a_prefix_named_like_a_scheme_makes_no_addresses_of_names(prefix: str) -> None:
    def own(short: str) -> bytes:
        step = "<bizStep>https://ref.gs1.org/cbv/BizStep-departing</bizStep>"
        what = f"{WHAT}<action>OBSERVE</action>{step}<{short}:lot>ni:///sha-256;1</{short}:lot><{short}:b>URN:x</{short}:b>"
        event = f'<ObjectEvent xmlns:{short}="https://own.example.com/epcis">{WHEN}{what}</ObjectEvent>'
        return sent(event)

    assert codes(own(prefix)) == codes(own("own"))
    assert not judge(own(prefix)).faults
    assert hashes(read(own(prefix))) == hashes(read(own("own")))
