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
from dev.seed.main import DISTRIBUTORS, read_batch
from dev.seed.operators import console
from dev.stack import http
from dev.stack.outputs import StackOutputs
from tests.kits import epcis_xml
from tests.kits.market import Market
from uncap.domain.catalog import Role
from uncap.domain.codes.links import check_digit
from uncap.domain.epcis.capture import iso
from uncap.domain.epcis.document import document_of
from uncap.domain.epcis.validate import validate

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
Json = dict[str, Any]
DISTRIBUTOR = next(iter(DISTRIBUTORS))


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


def uploaded(desk: Console, whole: Json) -> Json:
    """The upload's report at its end."""
    data = json.dumps(whole).encode()
    sha256 = hashlib.sha256(data).hexdigest()
    given = {"kind": "epcis", "name": "day.json", "size": len(data), "sha256": sha256}
    announced = desk.call("POST", "/uploads", given)
    with http.client() as client:
        client.put(announced["put"]["url"], content=data, headers=announced["put"]["headers"]).raise_for_status()
    upload_id = announced["upload"]["upload_id"]
    desk.call("POST", f"/uploads/{upload_id}/start")
    for _ in range(120):
        report: Json = desk.call("GET", f"/uploads/{upload_id}")
        if report["state"] in ("done", "failed"):
            break
        time.sleep(0.25)
    return report


def test_an_uploaded_document(desk: Console) -> None:
    run = uuid.uuid4().hex[:10]
    report = uploaded(desk, document(*(event(run, number) for number in range(450))))
    assert (report["state"], report["result"]) == ("done", {"stored": 450, "repeated": 0})
    assert len(found(desk, f"/epcis/events?EQ_bizTransaction_po=urn:x:{run}&perPage=100")) == 100


def test_events_move_and_pack_goods(market: Market, desk: Console) -> None:
    """By capture and by upload: bottles packed in a case, one shipped on to a shop that is known by its GLN."""
    run = uuid.uuid4().int % 10**9
    shop, gln = f"shop-{run}", f"690{run:09d}"
    gln += str(check_digit(gln))
    about = {"party_id": shop, "role": "outlet", "name": {"en": "Shop"}, "parent_id": DISTRIBUTOR, "gln": gln}
    desk.call("POST", "/parties", about)
    mine = [market.next("") for _ in range(2)]  # of the first distributor's half
    bottles, now = [market.link(index) for index in mine], iso(int(time.time() * 1000))
    place = [{"type": "owning_party", "destination": f"https://id.gs1.org/417/{gln}"}]
    sent = event(str(run), 1, eventTime=now, epcList=bottles[:1], destinationList=place)
    nobody = [{"type": "owning_party", "destination": "https://id.gs1.org/417/9520123000998"}]
    wrong = event(str(run), 2, eventTime=now, epcList=bottles[:1], destinationList=nobody)
    job = captured(desk, document(wrong))
    assert [one["detail"].split(": ")[1] for one in job["errors"]] == ["gln_unknown"]
    assert captured(desk, document(sent))["success"]
    packing = {"type": "AggregationEvent", "action": "ADD", "bizStep": "packing", "childEPCs": bottles}
    packed = {**event(str(run), 3), **packing, "parentID": case_link(market, 0)}
    contrary = {**packed, "parentID": case_link(market, 1), "eventTime": now}
    for one in (packed, contrary):
        one.pop("epcList")
    assert captured(desk, document(packed))["success"]
    job = captured(desk, document(contrary))
    assert {one["detail"].split(": ")[1] for one in job["errors"]} == {"contradiction"}
    assert uploaded(desk, document(sent, packed))["result"] == {"stored": 0, "repeated": 2}
    place_now = desk.call("GET", "/trace", code=f"{market.batch_no}.{mine[0]}")["place"]
    assert (place_now["status"], place_now["party"]["party_id"]) == ("shipped", shop)


def captured(desk: Console, whole: Json) -> Json:
    answer = desk.client.post(f"{desk.base}/epcis/capture", json=whole)
    assert answer.status_code == 202, answer.text
    job: Json = desk.client.get(str(httpx.URL(desk.base).join(answer.headers["Location"]))).json()
    return job


def case_link(market: Market, index: int) -> str:
    return market.keys.link(read_batch(market.desk, market.view.batch.case_batch_no), index, Role.CASE_OUTER)


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
