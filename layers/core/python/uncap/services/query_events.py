"""Running an event query: candidates from the narrowest index in order of time, each event judged whole, page by page.

Called by `routes/console/epcis.py`. Work is bounded: a page looks at so many candidates, then hands back what it has
with a token to go on from; what must be known whole (a sum, another order) is refused when it would take more.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Any

import msgspec

from uncap.adapters.event_store import EventStore
from uncap.domain.epcis.capture import index_of, iso, millis
from uncap.domain.epcis.query import EventQuery, parse
from uncap.domain.epcis.query_values import refused
from uncap.domain.epcis.xml import CONTEXT
from uncap.domain.errors import InputError, NotFoundError

MAX_CANDIDATES = 3_000
_CHUNK = 50
_KEY = re.compile(r"[0-9a-f]{64}(?:![0-9a-f]{32})?", re.ASCII)
_PLACES = 200
Event = dict[str, Any]


class _Token(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a query goes on: after place `a`, or at `o` of a sorted whole; `n` were given before; `q` is the query."""

    q: str
    a: str = ""
    o: int = 0
    n: int = 0


class EventPage(msgspec.Struct, frozen=True):
    """Matching events in order; `token` is "" at the end."""

    events: list[Event]
    token: str


def query_events(store: EventStore, parameters: Mapping[str, Sequence[str]]) -> EventPage:
    """One page. Raises InputError (`query_parameter_invalid`, `query_too_large`, `query_too_complex`)."""
    query = parse(parameters)
    asked = {name: values for name, values in parameters.items() if name not in {"perPage", "nextPageToken"}}
    name = hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()[:16]
    token = _read(query.token, name)
    if query.at_most and not query.token:
        _check_count(store, query)
    room = min(query.page, query.limit - token.n) if query.limit else query.page
    if query.order_by != query.plan.by:
        return _sorted_page(store, query, token, room)
    events: list[Event] = []
    last = token.a
    for looked, (place, event) in enumerate(_found(store, query, token.a)):
        if len(events) == room or looked == MAX_CANDIDATES:
            given = token.n + len(events)
            more = not query.limit or given < query.limit
            return EventPage(events, _write(_Token(name, last, 0, given)) if more else "")
        last = place
        if event is not None and query.accepts(event):
            events.append(event)
    return EventPage(events, "")


def read_event(store: EventStore, event_id: str) -> Event:
    """The event of this id, the declaration of its error rather than itself; or the one of this hash, which is how we
    name its address. Raises NotFoundError (`event_unknown`)."""
    if _KEY.fullmatch(event_id):
        by_key = store.events([event_id])
        if by_key:
            return by_key[event_id]
    page = store.places(index_of("id", event_id), "", ":", _PLACES, newest_first=True)
    keys = [_key(place) for place, _ in page.rows]
    events = [event for event in store.events(keys).values() if event.get("eventID") == event_id]
    if not events:
        raise NotFoundError("event_unknown", "there is no event of this id", where="eventID")
    return max(events, key=lambda event: ("errorDeclaration" in event, event["recordTime"]))


def results(events: Sequence[Event], now_ms: int, name: str) -> dict[str, object]:
    """The EPCISQueryDocument that carries `events`; each has what it needs of a context of its own."""
    return {
        "@context": [CONTEXT],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": iso(now_ms),
        "epcisBody": {"queryResults": {"queryName": name, "resultsBody": {"eventList": list(events)}}},
    }


def values_of(store: EventStore, name: str, count: int, after: str) -> tuple[list[str], str]:
    """Values in use (`bizSteps`, `readPoints`, …), sorted, and where the next page begins."""
    page = store.documents(f"values#{name}", count, after)
    return [value for value, _ in page.rows], page.rows[-1][0] if page.more and page.rows else ""


def _found(store: EventStore, query: EventQuery, after: str) -> Iterator[tuple[str, Event | None]]:
    """Candidates in order with their events; None for an event that is still being written."""
    places = _places(store, query, after)
    while chunk := list(islice(places, _CHUNK)):
        events = store.events([_key(place) for place in chunk])
        for place in chunk:
            yield place, events.get(_key(place))


def _places(store: EventStore, query: EventQuery, after: str) -> Iterator[str]:
    low, high = query.plan.low, query.plan.high
    if after:
        low, high = (low, after) if query.newest_first else (after, high)
    streams = [_stream(store, one, low, high, newest_first=query.newest_first) for one in query.plan.partitions]
    previous = after
    for place in merge(*streams, reverse=query.newest_first):
        if place != previous:  # one event may stand in several partitions
            previous = place
            yield place


def _stream(store: EventStore, partition: str, low: str, high: str, *, newest_first: bool) -> Iterator[str]:
    count = _CHUNK
    while True:
        page = store.places(partition, low, high, count, newest_first=newest_first)
        yield from (place for place, _ in page.rows)
        if not page.more or not page.rows:
            return
        if newest_first:
            high = page.rows[-1][0]
        else:
            low = page.rows[-1][0]
        count = _PLACES


def _sorted_page(store: EventStore, query: EventQuery, token: _Token, room: int) -> EventPage:
    """The index is sorted by another time than the one asked for: all that match are sorted, if they are few."""
    events = [event for event in _whole(store, query) if query.accepts(event)]
    events.sort(key=lambda event: millis(event[query.order_by]), reverse=query.newest_first)
    stop = token.o + room
    more = stop < len(events) and (not query.limit or token.n + room < query.limit)
    return EventPage(events[token.o : stop], _write(_Token(token.q, "", stop, token.n + room)) if more else "")


def _whole(store: EventStore, query: EventQuery) -> Iterator[Event]:
    for looked, (_, event) in enumerate(_found(store, query, "")):
        if looked == MAX_CANDIDATES:
            raise InputError("query_too_complex", "too many events to look at; ask for a shorter time or another order")
        if event is not None:
            yield event


def _check_count(store: EventStore, query: EventQuery) -> None:
    count = 0
    for event in _whole(store, query):
        count += query.accepts(event)
        if count > query.at_most:
            raise InputError("query_too_large", f"more than {query.at_most} events match", where="maxEventCount")


def _key(place: str) -> str:
    return place.partition("#")[2]


def _write(token: _Token) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def _read(text: str, name: str) -> _Token:
    if not text:
        return _Token(name)
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        token = msgspec.json.decode(raw, type=_Token)
    except (UnicodeError, binascii.Error, msgspec.DecodeError) as cause:
        raise refused("nextPageToken", "is not ours") from cause
    if token.q != name or token.o < 0 or token.n < 0:
        raise refused("nextPageToken", "belongs to another query")
    return token
