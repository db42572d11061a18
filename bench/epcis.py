"""epcis_capture: events stored per second; epcis_query: what a page of events costs among a million of them.

The services' own code and store adapter. DynamoDB is an object in this process that answers after 4 ms per request, as
one worker gets it where the network is what it is. The million is computed, not kept: event `n` happened after `n` s,
its places in every index follow from `n`, so answers have the size and the pages that the table would give.
"""

import base64
import functools
import itertools
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import zstandard

from bench.report import Row, row
from uncap.adapters.event_store import EventStore
from uncap.domain.epcis.capture import SHARDS, index_of, iso, shard_of, sortable
from uncap.domain.epcis.identifiers import canonical
from uncap.services.capture_events import Capturing, capture_document
from uncap.services.query_events import query_events

EVENTS = 1_000_000
_LATENCY_S = 0.004
_BEGAN_MS = 1_790_000_000_000
_STEPS = ("commissioning", "packing", "shipping", "receiving", "storing", "picking", "loading", "arriving")
_PLACES = 50
_PER_ITEM = 10
_DOCUMENTS, _DOCUMENT_EVENTS, _EVENT_ITEMS = 8, 50, 12
_QUERIES = 60


class _Sink:
    """Takes every write and knows nothing; counts requests and items."""

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self.requests = self.items = 0

    def call(self, operation: str, body: bytes) -> bytes:
        """One operation, answered after the latency."""
        self.requests += 1
        self.items += body.count(b'"PutRequest"') + (operation == "PutItem")
        if self._latency_s:
            time.sleep(self._latency_s)
        return b"{}"


def epcis_capture() -> Iterator[Row]:
    """Documents of 50 events with 12 items each: judged, hashed, indexed and written, on one worker."""
    fresh = itertools.count()
    for latency_s, table in ((0.0, "answers at once"), (_LATENCY_S, "4 ms per request")):
        sink = _Sink(latency_s)
        tools = Capturing(EventStore(sink, "events"), lambda: _BEGAN_MS, lambda count: bytes(count))
        documents = [_document(next(fresh)) for _ in range(_DOCUMENTS)]
        began = time.perf_counter()
        for one in documents:
            job = capture_document(tools, one, "rollback", "bench")
            if job.stored != _DOCUMENT_EVENTS:
                raise RuntimeError(job.errors)
        events = _DOCUMENTS * _DOCUMENT_EVENTS
        yield row(
            "epcis_capture", events / (time.perf_counter() - began), "events/s/worker", items_each=_EVENT_ITEMS,
            writes_each=sink.items / events, requests_each=round(sink.requests / events, 3), table=table,
        )  # fmt: skip


def _document(number: int) -> bytes:
    events = [_event(number * _DOCUMENT_EVENTS + at, _EVENT_ITEMS) for at in range(_DOCUMENT_EVENTS)]
    context = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
    head = {"@context": [context], "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": iso(_BEGAN_MS)}
    return json.dumps({**head, "epcisBody": {"eventList": events}}).encode()


def _event(number: int, items: int) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventTime": iso(_BEGAN_MS + number * 1000),
        "eventTimeZoneOffset": "+08:00",
        "epcList": [_epc(number // _PER_ITEM + at * EVENTS) for at in range(items)],
        "action": "OBSERVE",
        "bizStep": _STEPS[number % len(_STEPS)],
        "disposition": "in_transit",
        "readPoint": {"id": _place(number % _PLACES)},
        "bizLocation": {"id": _place(number % _PLACES)},
    }


def _epc(serial: int) -> str:
    return f"urn:epc:id:sgtin:9520123.045678.{serial}"


def _place(number: int) -> str:
    return f"urn:epc:id:sgln:9520123.{number:05d}.0"


def _key(number: int) -> str:
    return f"{number * 2_654_435_761 % 2**32:08x}{number:056x}"


class _Million:
    """The table with a million events, none of them kept."""

    def __init__(self) -> None:
        numbers = np.arange(EVENTS, dtype=np.int64)
        shards = ((numbers * 2_654_435_761 % 2**32) >> 28) % SHARDS
        self._found: dict[str, Any] = {}
        for shard in range(SHARDS):
            own = numbers[shards == shard]
            self._found[f"time#{shard}"] = self._found[f"rec#{shard}"] = own
            for at, step in enumerate(_STEPS):
                self._found[f"{index_of('step', step)}#{shard}"] = own[own % len(_STEPS) == at]
        for at in range(_PLACES):
            place = canonical(_place(at)).partition("/254/")[0]
            self._found[index_of("read", place)] = self._found[index_of("loc", place)] = numbers[at::_PLACES]
        self._pack = zstandard.ZstdCompressor(level=3).compress
        self.requests = 0

    def item(self, serial: int) -> None:
        """The events of one item can be asked for."""
        numbers = np.arange(serial * _PER_ITEM, (serial + 1) * _PER_ITEM, dtype=np.int64)
        self._found[index_of("epc", canonical(_epc(serial)))] = numbers

    def call(self, operation: str, body: bytes) -> bytes:
        """One operation."""
        self.requests += 1
        time.sleep(_LATENCY_S)
        request = json.loads(body)
        return json.dumps(self._query(request) if operation == "Query" else self._get(request)).encode()

    def _query(self, request: dict[str, Any]) -> dict[str, Any]:
        values = {name: one["S"] for name, one in request["ExpressionAttributeValues"].items()}
        numbers = self._found[values[":p"]]
        low, high = (_number(values[name], at) for name, at in ((":l", 0), (":h", EVENTS)))
        start, stop = np.searchsorted(numbers, low), np.searchsorted(numbers, high, side="right")
        span = numbers[start:stop]
        page = (span[: request["Limit"]] if request["ScanIndexForward"] else span[::-1][: request["Limit"]]).tolist()
        items = [{"sk": {"S": f"{sortable(_BEGAN_MS + one * 1000)}#{_key(one)}"}} for one in page]
        more = {"LastEvaluatedKey": items[-1]} if len(span) > len(page) else {}
        return {"Items": items, **more}

    def _get(self, request: dict[str, Any]) -> dict[str, Any]:
        [(table, asked)] = request["RequestItems"].items()
        keys = [one["pk"]["S"] for one in asked["Keys"]]
        return {
            "Responses": {table: [{"pk": {"S": key}, "z": {"B": self._stored(int(key[-56:], 16))}} for key in keys]}
        }

    @functools.lru_cache(maxsize=4096)  # noqa: B019 -- one table a process
    def _stored(self, number: int) -> str:
        event = {**_event(number, 1), "eventID": f"urn:x:{number}", "recordTime": iso(_BEGAN_MS + number * 1000)}
        return base64.b64encode(self._pack(json.dumps(event).encode())).decode()


def _number(place: str, otherwise: int) -> int:
    digits = place.partition("#")[0]
    return (int(digits) - int(sortable(_BEGAN_MS))) // 1000 if digits.isdigit() else otherwise


def epcis_query() -> Iterator[Row]:
    """The first page (30 events) of five kinds of questions, 60 of each."""
    table, rng = _Million(), random.Random(7)
    if shard_of(_key(3)) != int(_key(3)[0], 16) % SHARDS:
        raise RuntimeError("the store's shards are not the benchmark's")
    store = EventStore(table, "events")
    for name, ask in _questions(table, rng).items():
        took: list[float] = []
        before = table.requests
        for _ in range(_QUERIES):
            parameters = ask()
            began = time.perf_counter()
            page = query_events(store, parameters)
            took.append((time.perf_counter() - began) * 1000)
            if not page.events:
                raise RuntimeError(f"{name} found nothing")
        yield row(
            "epcis_query", statistics.median(took), "ms", question=name, events=EVENTS,
            p99_ms=round(statistics.quantiles(took, n=100)[98], 1), requests_each=(table.requests - before) / _QUERIES,
            table="computed, 4 ms per request",
        )  # fmt: skip


def _questions(table: _Million, rng: random.Random) -> dict[str, Callable[[], dict[str, list[str]]]]:
    def moment() -> str:
        return iso(_BEGAN_MS + rng.randrange(EVENTS // 2) * 1000)

    def item() -> dict[str, list[str]]:
        serial = rng.randrange(EVENTS // _PER_ITEM)
        table.item(serial)
        return {"MATCH_anyEPC": [_epc(serial)]}

    return {
        "item": item,
        "newest": lambda: {"perPage": ["30"]},
        "time window": lambda: {"GE_eventTime": [moment()], "orderDirection": ["ASC"]},
        "step and time": lambda: {"EQ_bizStep": [rng.choice(_STEPS)], "GE_eventTime": [moment()]},
        "place, step and time": lambda: {
            "EQ_readPoint": [_place(rng.randrange(0, _PLACES, 2))],
            "EQ_bizStep": [_STEPS[0], _STEPS[2], _STEPS[4], _STEPS[6]],
            "GE_eventTime": [moment()],
        },
    }
