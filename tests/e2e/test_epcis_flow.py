"""EPCIS and the resolver through the real gateways, with the real rights: captured, asked for, uploaded, resolved."""

import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from cli.clients import Console
from dev.seed.operators import console
from dev.stack import http
from dev.stack.outputs import StackOutputs
from tests.kits import epcis_xml
from tests.kits.market import Market
from uncap.domain.epcis.document import document_of
from uncap.domain.epcis.validate import validate

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
Json = dict[str, Any]


def event(run: str, number: int, **changes: Any) -> Json:
    return {
        "type": "ObjectEvent",
        "eventTime": f"2026-11-02T08:15:{number % 60:02d}+08:00",
        "eventTimeZoneOffset": "+08:00",
        "epcList": [f"urn:epc:id:sgtin:9520123.045678.{run}{number}"],
        "action": "OBSERVE",
        "bizStep": "shipping",
        "bizTransactionList": [{"type": "po", "bizTransaction": f"urn:x:{run}"}],
        **changes,
    }


def document(*events: Json) -> Json:
    head = {"@context": [CONTEXT], "type": "EPCISDocument", "schemaVersion": "2.0"}
    return {**head, "creationDate": "2026-11-22T10:00:00Z", "epcisBody": {"eventList": list(events)}}


@pytest.fixture(scope="module")
def desk(stack: StackOutputs) -> Iterator[Console]:
    made = console(stack)
    yield made
    made.client.close()


def found(desk: Console, path: str) -> list[Json]:
    answer = desk.client.get(f"{desk.base}{path}")
    assert answer.status_code == 200, answer.text
    assert validate(document_of(answer.json())).faults == ()
    events: list[Json] = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return events


def test_captured_and_asked_for(desk: Console) -> None:
    run = uuid.uuid4().hex[:10]
    answer = desk.client.post(f"{desk.base}/epcis/capture", json=document(event(run, 1), event(run, 2)))
    assert (answer.status_code, answer.headers["GS1-EPCIS-Capture-Limit"]) == (202, "1000")
    job = desk.client.get(str(httpx.URL(desk.base).join(answer.headers["Location"]))).json()
    assert (job["running"], job["success"]) == (False, True)
    xml = epcis_xml.document(event(run, 1))
    again = desk.client.post(f"{desk.base}/epcis/capture", content=xml, headers={"Content-Type": "application/xml"})
    assert again.status_code == 202
    epc = quote(f"urn:epc:id:sgtin:9520123.045678.{run}1", safe="")
    assert len(found(desk, f"/epcis/events?EQ_bizTransaction_po=urn:x:{run}")) == 2
    assert len(found(desk, f"/epcis/events?MATCH_epc={epc}&EQ_bizStep=shipping,receiving")) == 1
    [one] = found(desk, f"/epcis/epcs/{epc}/events")
    # Gateways differ in what they undo: escaped twice, an address arrives whole in each.
    told = desk.client.get(f"{desk.base}/epcis/events/{quote(quote(one['eventID'], safe=''), safe='')}")
    assert (told.status_code, told.json()["epcList"]) == (200, one["epcList"])
    first = desk.client.get(f"{desk.base}/epcis/events?EQ_bizTransaction_po=urn:x:{run}&perPage=1")
    following = str(httpx.URL(desk.base).join(first.links["next"]["url"]))
    rest = desk.client.get(following).json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert len(rest) == 1
    assert "shipping" in desk.call("GET", "/epcis/bizSteps")["member"]
    refused = desk.client.get(f"{desk.base}/epcis/events?foo=1")
    assert (refused.status_code, refused.json()["type"]) == (400, "epcisException:QueryParameterException")


def test_named_queries_and_discovery(desk: Console) -> None:
    name = f"q-{uuid.uuid4().hex[:8]}"
    made = desk.client.post(f"{desk.base}/epcis/queries", json={"name": name, "query": {"EQ_action": ["ADD"]}})
    assert made.status_code == 201
    assert found(desk, f"/epcis/queries/{name}/events?perPage=1") is not None
    assert desk.client.delete(f"{desk.base}/epcis/queries/{name}").status_code == 204
    assert desk.client.get(f"{desk.base}/epcis/queries/{name}").status_code == 404


def test_an_uploaded_document(desk: Console) -> None:
    run = uuid.uuid4().hex[:10]
    data = json.dumps(document(*(event(run, number) for number in range(450)))).encode()
    sha256 = hashlib.sha256(data).hexdigest()
    given = {"kind": "epcis", "name": "day.json", "size": len(data), "sha256": sha256}
    announced = desk.call("POST", "/uploads", given)
    with http.client() as client:
        client.put(announced["put"]["url"], content=data, headers=announced["put"]["headers"]).raise_for_status()
    upload_id = announced["upload"]["upload_id"]
    desk.call("POST", f"/uploads/{upload_id}/start")
    for _ in range(120):
        report = desk.call("GET", f"/uploads/{upload_id}")
        if report["state"] in ("done", "failed"):
            break
        time.sleep(0.25)
    assert (report["state"], report["result"]) == ("done", {"stored": 450, "repeated": 0})
    assert len(found(desk, f"/epcis/events?EQ_bizTransaction_po=urn:x:{run}&perPage=100")) == 100


def test_our_own_facts(market: Market) -> None:
    told = market.desk.call("GET", f"/epcis/batches/{market.batch_no}/events")
    assert validate(document_of(told)).faults == ()
    assert {one["bizStep"] for one in told["epcisBody"]["eventList"]} >= {"commissioning", "shipping"}


def test_the_resolver_behind_its_gateway(market: Market) -> None:
    link = market.link(market.next(""))
    plain = {"Accept": "*/*"}
    with http.client() as client:
        client.headers.pop("accept-language", None)
        for url in (link, f"{link}/", link.partition("/21/")[0]):
            for method in ("GET", "HEAD"):
                answer = client.request(method, f"{url}?foo=bar", headers=plain)
                assert answer.status_code == 307, (method, url, answer.text)
                assert answer.headers["Location"].endswith("?foo=bar")
                assert "linkset" in answer.headers["Link"]
                assert "GET" in answer.headers["Access-Control-Allow-Methods"]
            page = client.get(answer.headers["Location"], headers={"Accept": "text/html"})
            assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        levels = client.get(link, headers={"Accept": "application/linkset+json"}).json()["linkset"]
        assert len(levels) == 2
        assert client.get(f"{link}/foo", headers=plain).status_code == 400
        assert client.get(f"{link}?linkType=gs1:nosuchlt", headers=plain).status_code == 404
        assert client.get(f"{market.outputs.scan_base}/00/{'0' * 17}1", headers=plain).status_code == 400
