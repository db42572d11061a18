"""What is no document is refused with a reason and a place."""

import pytest

from uncap.domain.epcis.document import MAX_BYTES, MAX_DEPTH, read
from uncap.domain.errors import InputError

BARE = '{"type": "ObjectEvent", "eventTime": "2026-11-02T08:15:00Z", "ex:note": %s}'


def refusal(data: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        read(data)
    return caught.value


@pytest.mark.parametrize(
    ("data", "code", "where"),
    [
        (b"", "epcis_truncated", "line 1"),
        (b'{"type":\n "EPCISDocument", "epcisBody', "epcis_truncated", "line 2"),
        (b'{"type": "EPCISDocument",\n', "epcis_truncated", "line 2"),
        (b'{"type":\n bad}', "epcis_not_json", "line 2, column 2"),
        (b'{"type": NaN}', "epcis_not_json", ""),
        (b'{"a": ' + b"9" * 5000 + b"}", "epcis_not_json", ""),
        ('{"type":\n "啤酒"}'.encode("gbk"), "epcis_encoding", "line 2"),
        ('{"type": "x"}'.encode("utf-16"), "epcis_encoding", "line 1"),
        (b'{"type": "x", "a": "\\ud800"}', "epcis_encoding", ""),
        (b'{"type": "x", "\\udfff": 1}', "epcis_encoding", ""),
        (b'<?xml version="1.0"?><epcis:EPCISDocument/>', "epcis_not_xml", "line 1"),
        (b'{"type": "x", "type": "y"}', "epcis_key_repeated", ""),
        (b"[" * 100_000, "epcis_too_deep", ""),
        (b" " * (MAX_BYTES + 1), "epcis_too_large", ""),
        (b"[]", "epcis_not_document", ""),
        (b"[1]", "epcis_not_document", ""),
        (b"null", "epcis_not_document", ""),
        (b'{"eventType": ["ObjectEvent"], "GE_eventTime": "2026"}', "epcis_not_document", ""),
    ],
)
def test_refusals(data: bytes, code: str, where: str) -> None:
    refused = refusal(data)
    assert refused.code == code
    assert refused.where.startswith(where)


def test_depth_has_a_limit_that_documents_keep() -> None:
    levels = MAX_DEPTH - 2
    assert read((BARE % ("[" * levels + "]" * levels)).encode()).kind == "event"
    levels = MAX_DEPTH + 1
    assert refusal((BARE % ("[" * levels + "1" + "]" * levels)).encode()).code == "epcis_too_deep"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"type": "EPCISDocument"}', "EPCISDocument"),
        ('{"type": "EPCISQueryDocument"}', "EPCISQueryDocument"),
        ('{"isA": "EPCISDocument", "epcisBody": {}}', "EPCISDocument"),
        ('{"epcisBody": {"queryResults": 1}}', "EPCISQueryDocument"),
        ('\ufeff{"eventTime": 1}', "event"),
        ('[{"a": 1}]', "events"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert read(text.encode()).kind == kind


def test_events_carry_their_place() -> None:
    made = read(b'{"type": "EPCISDocument", "epcisBody": {"eventList": [{}, 7]}}')
    assert [(event.pointer, event.value) for event in made.events] == [
        ("/epcisBody/eventList/0", {}),
        ("/epcisBody/eventList/1", 7),
    ]
