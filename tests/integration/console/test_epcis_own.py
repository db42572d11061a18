"""Our own facts told in EPCIS: valid by our validator and captured again by our own interface; no serial in them."""

from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from pynamodb.exceptions import PynamoDBException

from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench
from uncap.adapters.models import ScanItem
from uncap.adapters.scan_items import mark_text
from uncap.domain.catalog import Role
from uncap.domain.epcis.document import document_of
from uncap.domain.epcis.validate import validate
from uncap.domain.scans import CodeRef, Mark

Json = dict[str, Any]
# The core of the ratified schema's shape, in words of our own, as a judge beside our validator.
SCHEMA = {
    "type": "object",
    "required": ["@context", "type", "schemaVersion", "creationDate", "epcisBody"],
    "properties": {
        "type": {"const": "EPCISDocument"},
        "epcisBody": {
            "type": "object",
            "required": ["eventList"],
            "properties": {
                "eventList": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["type", "eventTime", "eventTimeZoneOffset", "action"],
                        "properties": {
                            "type": {"enum": ["ObjectEvent", "AggregationEvent"]},
                            "action": {"enum": ["ADD", "OBSERVE", "DELETE"]},
                            "eventTimeZoneOffset": {"pattern": r"^([+]|[-])((0[0-9]|1[0-3]):([0-5][0-9])|14:00)$"},
                            "epcList": {"type": "array", "items": {"type": "string", "format": "uri"}},
                            "quantityList": {"type": "array", "items": {"required": ["epcClass"]}, "minItems": 1},
                        },
                    },
                }
            },
        },
    },
}


def told(api: Api, path: str) -> list[Json]:
    document = api.ok("GET", path)
    jsonschema.validate(document, SCHEMA)
    verdict = validate(document_of(document))
    assert verdict.faults == ()
    events: list[Json] = document["epcisBody"]["eventList"]
    return events


def scan(batch_no: int, index: int, role: Role) -> None:
    mark = Mark(f"{index:032x}", NOW_MS, "claim", "p_" + "0" * 26)
    item = ScanItem(CodeRef(batch_no, index, role).key(), f=mark_text(mark), l=mark_text(mark), n=1)
    try:
        item.save()
    except PynamoDBException as error:
        raise AssertionError from error


@pytest.fixture
def goods(admin: Api) -> tuple[int, int]:
    brand.parties(admin)
    units, cases = brand.batch(admin, 1_200)
    sent = {"shipment_id": "s1", "batch_no": units, "to_party": "dist-a", "start": 0, "stop": 480}
    admin.ok("POST", "/shipments", sent)
    scan(units, 3, Role.CAP_INNER)
    scan(units, 1_100, Role.CAP_INNER)
    return units, cases


def test_units_and_what_befell_them(bench: Bench, admin: Api, goods: tuple[int, int]) -> None:
    units, _ = goods
    made, sent, scanned = told(admin, f"/epcis/batches/{units}/events")
    assert (made["bizStep"], made["quantityList"]) == (
        "commissioning",
        [{"epcClass": f"https://id.gs1.org/01/{brand.UNIT}/10/L1", "quantity": 1_200}],
    )
    assert (sent["bizStep"], sent["quantityList"][0]["quantity"]) == ("shipping", 480)
    assert sent["destinationList"] == [{"type": "possessing_party", "destination": "urn:uncap:party:dist-a"}]
    assert (scanned["epcList"], scanned["uncap:result"]) == ([f"urn:uncap:code:{units}.3"], "first_scan")
    answer = admin.call("GET", f"/epcis/batches/{units}/events")
    following = answer.headers["Link"].split(";")[0][1:-1]
    assert following == f"/epcis/batches/{units}/events?start=1000"
    assert [one["epcList"] for one in told(admin, following)] == [[f"urn:uncap:code:{units}.1100"]]
    assert "Link" not in admin.call("GET", following).headers


def test_cases_and_what_lies_in_them(admin: Api, goods: tuple[int, int]) -> None:
    _, cases = goods
    made, *packed = told(admin, f"/epcis/batches/{cases}/events?start=0&stop=2")
    assert made["quantityList"][0]["quantity"] == 50
    assert [one["parentID"] for one in packed] == [f"urn:uncap:code:{cases}.{index}" for index in (0, 1)]
    assert {one["childQuantityList"][0]["quantity"] for one in packed} == {24}


def test_what_is_told_can_be_captured(admin: Api, goods: tuple[int, int]) -> None:
    document = admin.ok("GET", f"/epcis/batches/{goods[0]}/events")
    place = admin.call("POST", "/epcis/capture", document).headers["Location"]
    assert admin.ok("GET", place)["success"] is True
    found = admin.ok("GET", f"/epcis/events?MATCH_epcClass=https://id.gs1.org/01/{brand.UNIT}/10/L1")
    assert len(found["epcisBody"]["queryResults"]["resultsBody"]["eventList"]) == 2


def test_what_cannot_be_told(admin: Api, goods: tuple[int, int]) -> None:
    assert admin.refused("GET", "/epcis/batches/99/events") == (404, "batch_unknown")
    assert admin.refused("GET", f"/epcis/batches/{goods[0]}/events?start=5000") == (400, "range_invalid")
    assert admin.refused("GET", f"/epcis/batches/{goods[0]}/events?foo=1") == (400, "query_invalid")
