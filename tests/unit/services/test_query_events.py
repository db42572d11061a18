"""Every parameter of the standard's event query against the same question asked of all events in turn."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kits.event_shop import CASE, EVENTS, ITEM, LINK, LOT, Json, Shop
from uncap.domain.epcis.query import parse
from uncap.domain.errors import InputError
from uncap.services import query_events as service
from uncap.services.keep_queries import NewQuery, create_query, delete_query, joined, list_queries, read_query
from uncap.services.query_events import query_events


@pytest.fixture(scope="module")
def shop() -> Shop:
    made = Shop()
    made.capture(*EVENTS.values())
    return made


CASES: list[tuple[Json, str]] = [
    ({"eventType": "AggregationEvent"}, "packed"),
    ({"eventType": ["AggregationEvent", "TransformationEvent"]}, "mixed packed"),
    ({"EQ_action": "ADD"}, "packed made"),
    ({"EQ_bizStep": "shipping"}, "sent"),
    ({"EQ_bizStep": "urn:epcglobal:cbv:bizstep:shipping"}, "sent"),
    ({"EQ_bizStep": ["cbv:BizStep-shipping", "https://ref.gs1.org/cbv/BizStep-packing"]}, "sent packed"),
    ({"EQ_bizStep": "https://example.com/step"}, "felt"),
    ({"EQ_disposition": "urn:epcglobal:cbv:disp:active"}, "made"),
    ({"EQ_persistentDisposition_set": "completeness_verified"}, "sent"),
    ({"EQ_persistentDisposition_unset": "completeness_verified"}, ""),
    ({"EQ_readPoint": "urn:epc:id:sgln:9520123.00001.7"}, "sent packed"),
    ({"EQ_readPoint": "urn:epc:id:sgln:9520123.00001.0"}, ""),
    ({"WD_readPoint": "urn:epc:id:sgln:9520123.00001.0"}, "sent packed"),
    ({"EQ_bizLocation": "geo:31.2,121.5"}, "felt"),
    ({"WD_bizLocation": "https://id.gs1.org/414/9520123000011"}, "made"),
    ({"MATCH_epc": f"{LINK}1"}, "packed made"),
    ({"MATCH_epc": f"{ITEM}1"}, "packed made"),
    ({"MATCH_epc": [f"{ITEM}9", CASE]}, "sent"),
    ({"MATCH_epc": "urn:epc:idpat:sgtin:9520123.045678.*"}, "mistaken felt packed made"),
    ({"MATCH_epc": "urn:epc:idpat:sgtin:9520123.*.*"}, "mistaken felt packed made"),
    ({"MATCH_epc": "urn:epc:idpat:sgtin:9520124.*.*"}, ""),
    ({"MATCH_epc": "https://id.gs1.org/01/09520123456788/21/*"}, "mistaken felt packed made"),
    ({"MATCH_parentID": CASE}, "packed"),
    ({"MATCH_inputEPC": f"{ITEM}9"}, "mixed"),
    ({"MATCH_outputEPC": f"{ITEM}9"}, ""),
    ({"MATCH_anyEPC": "https://id.gs1.org/00/095201230000000424"}, "sent packed"),
    ({"MATCH_anyEPC": "urn:epc:idpat:sgtin:9520123.099999.*"}, "mixed"),
    ({"MATCH_epcClass": LOT}, "made"),
    ({"MATCH_epcClass": "urn:epc:class:lgtin:9520123.045678.*"}, "made"),
    ({"MATCH_epcClass": "urn:epc:idpat:sgtin:9520123.045678.*"}, "made"),
    ({"MATCH_anyEPCClass": "urn:epc:idpat:sgtin:9520123.099999.*"}, "mixed"),
    ({"MATCH_outputEPCClass": "https://id.gs1.org/01/09520123999995"}, "mixed"),
    ({"MATCH_inputEPCClass": LOT}, ""),
    ({"EQ_quantity": "24.0"}, "made"),
    ({"GT_quantity": "2"}, "made"),
    ({"LE_quantity": "2"}, "mixed"),
    ({"EQ_bizTransaction_po": "urn:epc:id:gdti:9520123.00001.77"}, "sent"),
    ({"EQ_bizTransaction_urn:epcglobal:cbv:btt:po": "urn:epc:id:gdti:9520123.00001.77"}, "sent"),
    ({"EQ_bizTransaction_inv": "urn:epc:id:gdti:9520123.00001.77"}, ""),
    ({"EQ_source_owning_party": "https://id.gs1.org/417/9520123000011"}, "sent"),
    ({"EQ_destination_owning_party": "urn:epc:id:pgln:9520123.00002"}, "sent"),
    ({"EQ_destination_location": "urn:epc:id:pgln:9520123.00002"}, ""),
    ({"EQ_transformationID": "urn:epc:id:gdti:9520123.00001.9"}, "mixed"),
    ({"EQ_eventID": ["urn:uuid:packed", "urn:uuid:mistaken"]}, "mistaken packed"),
    ({"EXISTS_errorDeclaration": "true"}, "mistaken"),
    ({"EQ_errorReason": "urn:epcglobal:cbv:er:did_not_occur"}, "mistaken"),
    ({"EQ_correctiveEventID": "urn:uuid:right"}, "mistaken"),
    ({"GE_errorDeclarationTime": "2026-11-06T00:00:00Z"}, "mistaken"),
    ({"LT_errorDeclarationTime": "2026-11-06T00:00:00Z"}, ""),
    ({"GE_eventTime": "2026-11-03T01:00:00Z", "LT_eventTime": "2026-11-04T09:00:00 08:00"}, "mixed"),
    ({"LT_eventTime": "2026-11-01T01:00:00Z"}, "made"),
    ({"GE_recordTime": "2030-01-01T00:00:00Z"}, ""),
    ({"EQ_ex:temperature": "4.50"}, "sent"),
    ({"GE_https://ns.example.com/epcis/#temperature": "4"}, "sent"),
    ({"LT_ex:temperature": "4"}, ""),
    ({"EXISTS_ex:shift": "true"}, "sent"),
    ({"EQ_INNER_ex:name": "early"}, "sent"),
    ({"EQ_ex:name": "early"}, ""),
    ({"EQ_ILMD_ex:line": "3"}, "made"),
    ({"GT_INNER_ILMD_ex:inner": "6"}, "made"),
    ({"EXISTS_ILMD_ex:none": "true"}, ""),
    ({"EQ_type": "gs1:Temperature"}, "felt"),
    ({"EQ_deviceID": "https://id.gs1.org/8004/952012317"}, "felt"),
    ({"GE_value_CEL": "26"}, "felt"),
    ({"GE_value_FAH": "26"}, ""),
    ({"EQ_booleanValue": "true"}, "felt"),
    ({"EQ_bizStep": "shipping", "EQ_action": "ADD"}, ""),
    ({"MATCH_epc": CASE, "EQ_bizStep": "shipping", "GE_eventTime": "2026-11-01T00:00:00Z"}, "sent"),
    ({"orderDirection": "ASC", "eventCountLimit": "2"}, "made packed"),
    ({"orderBy": "recordTime", "MATCH_epc": f"{ITEM}2"}, "felt made"),
    ({"orderBy": "recordTime", "orderDirection": "ASC", "eventCountLimit": "3"}, "made packed sent"),
    ({"maxEventCount": "6"}, "mistaken felt mixed sent packed made"),
]


@pytest.mark.parametrize(("parameters", "names"), CASES, ids=lambda one: json.dumps(one)[:90])
def test_parameters(shop: Shop, parameters: Json, names: str) -> None:
    assert shop.names(**parameters) == names.split()


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"EQ_bizstep": "shipping"}, "EQ_bizstep"),
        ({"foo": "1"}, "foo"),
        ({"eventType": "ObjectEvents"}, "eventType"),
        ({"EQ_action": "LOOK"}, "EQ_action"),
        ({"GE_eventTime": "yesterday"}, "GE_eventTime"),
        ({"GE_eventTime": ["2026-11-03T01:00:00Z", "2026-11-03T01:00:00Z"]}, "GE_eventTime"),
        ({"GT_quantity": "many"}, "GT_quantity"),
        ({"EQ_bizStep": ""}, "EQ_bizStep"),
        ({"EQ_bizStep": []}, "EQ_bizStep"),
        ({"orderBy": "epc"}, "orderBy"),
        ({"orderDirection": "UP"}, "orderDirection"),
        ({"perPage": "0"}, "perPage"),
        ({"eventCountLimit": "-1"}, "eventCountLimit"),
        ({"eventCountLimit": "1", "maxEventCount": "1"}, "maxEventCount"),
        ({"nextPageToken": "!"}, "nextPageToken"),
        ({"nextPageToken": "e30"}, "nextPageToken"),
        ({"EQATTR_epcClass_x": "1"}, "EQATTR_epcClass_x"),
        ({"EQ_source_": "x"}, "EQ_source_"),
        ({"MATCH_epc": ["x"] * 201}, ""),
    ],
)
def test_what_is_not_understood_is_refused(shop: Shop, parameters: Json, where: str) -> None:
    with pytest.raises(InputError) as caught:
        shop.names(**parameters)
    assert (caught.value.code, caught.value.where) == ("query_parameter_invalid", where)


def test_sums_and_sizes_are_refused_rather_than_guessed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for parameters, code in (({"maxEventCount": "5"}, "query_too_large"),):
        with pytest.raises(InputError) as caught:
            shop.names(**parameters)
        assert caught.value.code == code
    monkeypatch.setattr(service, "MAX_CANDIDATES", 2)
    with pytest.raises(InputError) as caught:
        shop.names(orderBy="recordTime", MATCH_epc="urn:epc:idpat:sgtin:9520123.045678.*")
    assert caught.value.code == "query_too_complex"


@pytest.mark.parametrize("extra", [{}, {"orderDirection": ["ASC"]}, {"orderBy": ["recordTime"]}])
def test_pages_follow_each_other(shop: Shop, extra: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_CANDIDATES", 4)
    whole: list[str] = []
    token: list[str] = []
    for _ in range(20):
        asked = {"EQ_action": ["ADD", "OBSERVE"], "perPage": ["2"], **extra} | (
            {"nextPageToken": token} if token else {}
        )
        page = query_events(shop.store, asked)
        assert len(page.events) <= 2
        whole += [one["eventID"] for one in page.events]
        token = [page.token]
        if not page.token:
            break
    assert len(whole) == len(set(whole)) == 5
    with pytest.raises(InputError):
        query_events(shop.store, {"EQ_action": ["ADD"], "nextPageToken": [_token("another")]})


def _token(query: str) -> str:
    return base64.urlsafe_b64encode(json.dumps({"q": query}).encode()).decode().rstrip("=")


def test_a_limit_holds_over_pages(shop: Shop) -> None:
    first = query_events(shop.store, {"eventCountLimit": ["3"], "perPage": ["2"]})
    rest = query_events(shop.store, {"eventCountLimit": ["3"], "perPage": ["2"], "nextPageToken": [first.token]})
    assert (len(first.events), len(rest.events), rest.token) == (2, 1, "")


def test_an_item_is_found_without_looking_at_other_events() -> None:
    world = Shop()
    world.capture(*({"eventTime": "2026-11-01T08:00:00Z", "epcList": [f"{ITEM}{n}"]} for n in range(100)))
    world.table.requests.clear()
    found = query_events(world.store, {"MATCH_anyEPC": [f"{ITEM}42"]})
    assert len(found.events) == 1
    assert world.table.requests == ["Query", "BatchGetItem"]


SERIALS = st.lists(st.integers(1, 6), min_size=1, max_size=3, unique=True)


STEPS = st.sampled_from(["shipping", "receiving", "packing"])


TIMES = st.integers(0, 23)


@settings(max_examples=40, deadline=None)
@given(
    made=st.lists(st.tuples(SERIALS, STEPS, TIMES), min_size=1, max_size=12),
    asked=st.fixed_dictionaries(
        {},
        optional={
            "MATCH_epc": st.lists(st.integers(1, 6).map(lambda n: f"{LINK}{n}"), min_size=1, max_size=2),
            "EQ_bizStep": st.lists(STEPS, min_size=1, max_size=2),
            "GE_eventTime": TIMES.map(lambda hour: [f"2026-11-02T{hour:02d}:00:00Z"]),
            "LT_eventTime": TIMES.map(lambda hour: [f"2026-11-02T{hour:02d}:00:00Z"]),
            "orderBy": st.sampled_from([["eventTime"], ["recordTime"]]),
            "orderDirection": st.sampled_from([["ASC"], ["DESC"]]),
            "perPage": st.sampled_from([["1"], ["3"], ["100"]]),
        },
    ),
)
def test_the_index_answers_as_looking_at_everything_would(made: Any, asked: dict[str, list[str]]) -> None:
    world = Shop()
    for serials, step, hour in made:
        at = f"2026-11-02T{hour:02d}:00:00Z"
        world.capture({"eventTime": at, "epcList": [f"{ITEM}{n}" for n in serials], "bizStep": step})
    everything = list(world.store.events([pk[6:] for pk, sk in world.table.items if sk == "event"]).values())
    accepts = parse(asked).accepts
    wanted = sorted(one["eventID"] for one in everything if accepts(one))
    found: list[Json] = []
    token = ""
    while True:
        page = query_events(world.store, asked | ({"nextPageToken": [token]} if token else {}))
        found += page.events
        token = page.token
        if not token:
            break
    assert sorted(one["eventID"] for one in found) == wanted
    times = [one[asked.get("orderBy", ["eventTime"])[0]] for one in found]
    assert times == sorted(times, reverse=asked.get("orderDirection", ["DESC"]) == ["DESC"])


def test_named_queries(shop: Shop) -> None:
    given = NewQuery("shipments", {"eventTypes": ["ObjectEvent"], "EQ_bizStep": "shipping"})
    made = create_query(shop.store, given, "erp", 1)
    assert made.query == {"eventType": ["ObjectEvent"], "EQ_bizStep": ["shipping"]}
    assert read_query(shop.store, "shipments") == made
    assert list_queries(shop.store, 10, "") == ([made], "")
    assert joined(made.query, {"perPage": ["2"]})["perPage"] == ["2"]
    with pytest.raises(InputError):
        joined(made.query, {"EQ_action": ["ADD"]})
    for wrong in (NewQuery("w", {"foo": ["1"]}), NewQuery("w", {"EQ_bizStep": []})):
        with pytest.raises(InputError):
            create_query(shop.store, wrong, "erp", 1)
    with pytest.raises(Exception, match="query_exists"):
        create_query(shop.store, given, "erp", 1)
    delete_query(shop.store, "shipments")
    with pytest.raises(Exception, match="query_unknown"):
        delete_query(shop.store, "shipments")
