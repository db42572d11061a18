"""Capture and query over HTTP as EPCIS 2.0 has them: headers, statuses, exceptions, valid documents."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.console.conftest import Answer, Api, Bench
from tests.kits import epcis_xml
from uncap.domain.epcis.document import document_of
from uncap.domain.epcis.validate import validate

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
Json = dict[str, Any]


def event(number: int = 1, **changes: Any) -> Json:
    return {
        "type": "ObjectEvent",
        "eventTime": f"2026-11-02T08:15:{number:02d}+08:00",
        "eventTimeZoneOffset": "+08:00",
        "epcList": [f"urn:epc:id:sgtin:9520123.045678.{number}"],
        "action": "OBSERVE",
        "bizStep": "shipping",
        "bizLocation": {"id": "urn:epc:id:sgln:9520123.00001.0"},
        **changes,
    }


def document(*events: Json) -> Json:
    head = {
        "@context": [CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-22T10:00:00Z",
    }
    return {**head, "epcisBody": {"eventList": list(events)}}


def told_events(answer: Answer) -> list[Json]:
    assert answer.status == 200, answer.body
    assert validate(document_of(answer.body)).faults == ()
    events: list[Json] = answer.body["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return events


def refused(answer: Answer) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status, str(answer.body["type"])


@pytest.fixture
def erp(bench: Bench) -> Api:
    return bench.sign_in("sap", "erp")


def test_a_document_on_its_way(erp: Api) -> None:
    answer = erp.call("POST", "/epcis/capture", document(event(1), event(2)))
    assert (answer.status, answer.body) == (202, "")
    assert answer.headers["GS1-EPCIS-Capture-Limit"] == "1000"
    assert answer.headers["GS1-EPCIS-Capture-File-Size-Limit"] == "262144"
    place = answer.headers["Location"]
    assert place.startswith("/epcis/capture/")
    job = erp.ok("GET", place)
    assert (job["running"], job["success"], job["captureErrorBehaviour"], job["errors"]) == (
        False,
        True,
        "rollback",
        [],
    )
    assert {"captureID", "createdAt", "finishedAt"} <= set(job)
    assert erp.ok("GET", "/epcis/capture") == [job]
    assert refused(erp.call("GET", "/epcis/capture/none")) == (404, "epcisException:NoSuchResourceException")


def test_lists_go_on_where_they_ended(erp: Api) -> None:
    for number in range(3):
        erp.call("POST", "/epcis/capture", document(event(number)))
    first = erp.call("GET", "/epcis/capture?perPage=2")
    place, relation = first.headers["Link"].split(";")
    assert relation.strip() == 'rel="next"'
    rest = erp.call("GET", place[1:-1])
    assert (len(first.body), len(rest.body), "Link" in rest.headers) == (2, 1, False)
    events = erp.call("GET", "/epcis/events?EQ_bizStep=shipping&perPage=2")
    more = erp.call("GET", events.headers["Link"].split(";")[0][1:-1])
    assert (len(told_events(events)), len(told_events(more))) == (2, 1)


def test_errors_of_a_capture(erp: Api) -> None:
    wrong = document(event(1), event(2, action="LOOK"))
    answer = erp.call("POST", "/epcis/capture", wrong, None, **{"GS1-Capture-Error-Behaviour": "proceed"})
    job = erp.ok("GET", answer.headers["Location"])
    assert (job["success"], job["errors"][0]["type"]) == (False, "epcisException:ValidationException")
    assert len(told_events(erp.call("GET", "/epcis/events"))) == 1
    for answer, expected in (
        (erp.call("POST", "/epcis/capture", raw=b"{"), (400, "epcisException:ValidationException")),
        (erp.call("POST", "/epcis/capture", {"a": 1}), (400, "epcisException:ValidationException")),
        (
            erp.call("POST", "/epcis/capture", wrong, None, **{"GS1-Capture-Error-Behaviour": "maybe"}),
            (400, "epcisException:ValidationException"),
        ),
        (
            erp.call("POST", "/epcis/capture", raw=b"x", **{"Content-Type": "text/csv"}),
            (415, "epcisException:UnsupportedMediaTypeException"),
        ),
        (
            erp.call("POST", "/epcis/capture", wrong, None, **{"GS1-EPCIS-Version": "1.2"}),
            (406, "epcisException:NotAcceptableException"),
        ),
        (erp.call("POST", "/epcis/capture", raw=b" " * 262_145), (413, "epcisException:CaptureLimitExceededException")),
        (
            erp.call("POST", "/epcis/capture", document(*[event(1)] * 1_001)),
            (413, "epcisException:CaptureLimitExceededException"),
        ),
    ):
        assert refused(answer) == expected


def test_xml_is_captured_as_the_json_it_says(erp: Api) -> None:
    xml = epcis_xml.document(event(1), version="1.2")
    answer = erp.call("POST", "/epcis/capture", raw=xml, **{"Content-Type": "application/xml; charset=utf-8"})
    assert answer.status == 202
    erp.call("POST", "/epcis/capture", document(event(1)))
    assert len(told_events(erp.call("GET", "/epcis/events"))) == 1


def test_one_event_and_its_address(erp: Api) -> None:
    bare = {"@context": CONTEXT, **event(1)}
    answer = erp.call("POST", "/epcis/events", bare)
    assert answer.status == 201
    assert erp.call("POST", "/epcis/events", bare).headers["Location"] == answer.headers["Location"]
    found = erp.ok("GET", answer.headers["Location"])
    assert validate(document_of(found)).faults == ()
    assert found["eventID"].startswith("ni:///sha-256;")
    assert erp.ok("GET", f"/epcis/events/{quote(found['eventID'], safe='')}") == found
    assert refused(erp.call("POST", "/epcis/events", {**bare, "action": "X"}))[0] == 400
    assert refused(erp.call("GET", "/epcis/events/none")) == (404, "epcisException:NoSuchResourceException")


def test_events_by_parameters_and_by_path(erp: Api) -> None:
    erp.call("POST", "/epcis/capture", document(event(1), event(2, bizStep="receiving")))
    epc = quote("urn:epc:id:sgtin:9520123.045678.1", safe="")
    for path, count in (
        ("/epcis/events?EQ_bizStep=shipping,receiving", 2),
        (f"/epcis/events?MATCH_epc={epc}|{epc}2&EQ_bizStep=shipping", 1),
        (f"/epcis/epcs/{epc}/events", 1),
        ("/epcis/bizSteps/receiving/events", 1),
        ("/epcis/eventTypes/ObjectEvent/events?EQ_bizStep=shipping", 1),
        ("/epcis/bizLocations/urn%3Aepc%3Aid%3Asgln%3A9520123.00001.0/events", 2),
        ("/epcis/dispositions/active/events", 0),
    ):
        assert len(told_events(erp.call("GET", path))) == count, path
    for path, expected in (
        ("/epcis/events?foo=1", (400, "epcisException:QueryParameterException")),
        ("/epcis/events?maxEventCount=1", (413, "epcisException:QueryTooLargeException")),
        ("/epcis/bizSteps/receiving/events?EQ_bizStep=shipping", (400, "epcisException:QueryParameterException")),
        ("/epcis/epcs", (413, "epcisException:QueryTooLargeException")),
        ("/epcis/bizSteps?foo=1", (400, "epcisException:QueryParameterException")),
        ("/epcis/bizSteps?nextPageToken=~", (400, "epcisException:ValidationException")),
    ):
        assert refused(erp.call("GET", path)) == expected, path


def test_what_is_in_use(erp: Api) -> None:
    erp.call("POST", "/epcis/capture", document(event(1)))
    assert erp.ok("GET", "/epcis/bizSteps")["member"] == ["shipping"]
    assert erp.ok("GET", "/epcis/bizLocations")["member"] == ["urn:epc:id:sgln:9520123.00001.0"]
    assert len(erp.ok("GET", "/epcis/eventTypes")["member"]) == 5
    assert erp.ok("GET", "/epcis/bizSteps/shipping") == {
        "@context": CONTEXT,
        "type": "Collection",
        "member": ["events"],
    }


def test_named_queries(erp: Api) -> None:
    erp.call("POST", "/epcis/capture", document(event(1), event(2, bizStep="receiving")))
    given = {"name": "sent", "query": {"eventType": ["ObjectEvent"], "EQ_bizStep": ["shipping"]}}
    answer = erp.call("POST", "/epcis/queries", given)
    assert (answer.status, answer.headers["Location"], answer.body) == (201, "/epcis/queries/sent", given)
    assert erp.ok("GET", "/epcis/queries") == [given]
    assert erp.ok("GET", "/epcis/queries/sent") == given
    found = erp.call("GET", "/epcis/queries/sent/events?perPage=5")
    assert len(told_events(found)) == 1
    assert found.body["epcisBody"]["queryResults"]["queryName"] == "sent"
    assert refused(erp.call("POST", "/epcis/queries", {"name": "w", "query": {"EQ_bizStep": {}}}))[0] == 400
    assert refused(erp.call("POST", "/epcis/queries", given)) == (409, "epcisException:DuplicateNameException")
    wrong = {"name": "w", "query": {"foo": "1"}}
    assert refused(erp.call("POST", "/epcis/queries", wrong)) == (400, "epcisException:QueryParameterException")
    unsupported = (400, "epcisException:SubscribeNotPermittedException")
    assert refused(erp.call("POST", "/epcis/queries/sent/subscriptions", {"dest": "https://x"})) == unsupported
    assert erp.ok("GET", "/epcis/queries/sent/subscriptions") == []
    assert refused(erp.call("GET", "/epcis/queries/none/subscriptions")) == (404, "epcisException:NoSuchNameException")
    assert erp.call("DELETE", "/epcis/queries/sent").status == 204
    assert refused(erp.call("GET", "/epcis/queries/sent")) == (404, "epcisException:NoSuchNameException")


def test_discovery_and_rights(erp: Api, bench: Bench) -> None:
    answer = erp.call("OPTIONS", "/epcis/capture")
    assert answer.status == 204
    assert answer.headers["Allow"] == "OPTIONS, GET, POST"
    assert answer.headers["GS1-EPCIS-Version"] == answer.headers["GS1-CBV-Version"] == "2.0.0"
    assert answer.headers["GS1-Capture-Error-Behaviour"] == "rollback"
    assert "GS1-EPCIS-Capture-Limit" not in erp.call("OPTIONS", "/epcis/events").headers
    for path, allow in (
        ("/epcis", "OPTIONS"),
        *((f"/epcis/{name}", "OPTIONS, GET") for name in ("eventTypes", "epcs", "bizSteps", "capture/x", "events/x")),
        ("/epcis/queries/x", "OPTIONS, GET, DELETE"),
        ("/epcis/queries/x/events", "OPTIONS, GET"),
    ):
        answer = erp.call("OPTIONS", path, Accept="application/xml")
        assert (answer.status, answer.headers["Allow"]) == (204, allow)
        assert answer.headers["GS1-EPC-Format"] == "Never_Translates"
    assert refused(erp.call("GET", "/epcis/events", Accept="application/xml"))[0] == 406
    assert (
        erp.call("GET", "/epcis/events", Accept="application/ld+json").headers["Content-Type"] == "application/ld+json"
    )
    for headers, status in (
        ({"GS1-EPCIS-Max": "2"}, 200),
        ({"GS1-EPCIS-Min": "1.2", "GS1-CBV-Version": "2.0"}, 200),
        ({"GS1-EPC-Format": "No_Preference", "GS1-CBV-XML-Format": "Always_URN"}, 200),
        ({"GS1-EPC-Format": "Always_EPC_URN"}, 406),
        ({"GS1-EPCIS-Min": "2.1"}, 406),
        ({"GS1-EPCIS-Max": "1.2"}, 406),
        ({"GS1-CBV-Version": "1.2"}, 406),
        ({"GS1-EPCIS-Version": "two"}, 406),
    ):
        for path in ("/epcis/events", "/epcis/eventTypes", "/epcis/bizSteps/shipping", "/epcis/queries"):
            assert erp.call("GET", path, None, None, **headers).status == status, (path, headers)
    captured = erp.call("POST", "/epcis/capture", document(event(77)), Accept="application/xml")
    assert captured.status == 202, "an answer without content is in no form"
    security = "epcisException:SecurityException"
    assert refused(Api(bench.app).call("GET", "/epcis/events")) == (401, security)
    auditor = bench.sign_in("ada", "auditor")
    assert auditor.call("GET", "/epcis/events").status == 200
    assert refused(auditor.call("POST", "/epcis/capture", document(event(1)))) == (403, security)
    assert refused(bench.sign_in("ivo", "inspector").call("GET", "/epcis/events")) == (403, security)
