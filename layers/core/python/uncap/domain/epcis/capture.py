"""What the store keeps of an event: the event as it will be answered, and under which index entries it is found.

Pure; `services/capture_events.py` calls it with the moment of recording. Keys hold digests, never an identifier.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from uncap.domain.epcis import context, formats, subjects, terms
from uncap.domain.epcis.identifiers import canonical
from uncap.domain.epcis.prehash import event_hash
from uncap.domain.errors import InputError

SHARDS: Final = 4
"""Entries that every event adds to are spread over this many partitions, each good for 1,000 writes a second."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_ERA_MS: Final = 62_135_596_800_000
_VALUE_CHARACTERS: Final = 512  # a sort key takes 1,024 bytes
_HASH_AT: Final = len("ni:///sha-256;")


class Entry(NamedTuple):
    """One index entry: partition and place in it, which is a time and the event's key."""

    partition: str
    place: str


class Capturable(msgspec.Struct, frozen=True):
    """One event ready to be stored. `key` is its content's hash (with an error declaration, and that's). `values` are
    what lists of the vocabulary in use are made of; most of them are known already."""

    key: str
    event_id: str
    event: dict[str, object]
    entries: tuple[Entry, ...]
    values: tuple[Entry, ...]


def capturable(event: object, around: object, recorded_ms: int) -> Capturable:
    """A valid event of a document whose `@context` is `around`. Raises InputError (`epcis_event_malformed`)."""
    prefixes = context.declared(around)
    named = event_hash(event, prefixes)
    if not isinstance(event, dict):
        raise InputError("epcis_event_malformed", "an event is an object")
    key = named[_HASH_AT : _HASH_AT + 64]
    if "errorDeclaration" in event:
        key += "!" + _digest(msgspec.json.encode(event["errorDeclaration"], order="deterministic").decode())
    kept = {**event, "eventID": event.get("eventID", named), "recordTime": iso(recorded_ms)}
    own = _own_context(event, around, prefixes)
    kept.pop("@context", None)
    if own:
        kept["@context"] = own
    occurred_ms = millis(str(event.get("eventTime", "")))
    places = (f"{sortable(occurred_ms)}#{key}", f"{sortable(recorded_ms)}#{key}")
    entries = tuple(Entry(index, places[index.startswith("rec#")]) for index in sorted(set(_indices(kept, key))))
    values = tuple(Entry(f"values#{name}", value) for name, value in sorted(set(_values(kept))))
    return Capturable(key, str(kept["eventID"]), kept, entries, values)


def _values(event: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    yield "eventTypes", str(event["type"])
    for field, name, vocabulary in (
        ("bizStep", "bizSteps", terms.BIZ_STEPS),
        ("disposition", "dispositions", terms.DISPOSITIONS),
    ):
        held = event.get(field)
        if isinstance(held, str):
            yield name, terms.bare(vocabulary, held)[:_VALUE_CHARACTERS]
    for field, name in (("readPoint", "readPoints"), ("bizLocation", "bizLocations")):
        place = event.get(field)
        if isinstance(place, dict) and isinstance(place.get("id"), str):
            yield name, place["id"][:_VALUE_CHARACTERS]


def _indices(event: Mapping[str, object], key: str) -> Iterator[str]:
    shard = shard_of(key)
    yield from (f"time#{shard}", f"rec#{shard}", index_of("id", str(event["eventID"])))
    step = event.get("bizStep")
    if isinstance(step, str):
        yield f"{index_of('step', terms.bare(terms.BIZ_STEPS, step))}#{shard}"
    for field, name in (("readPoint", "read"), ("bizLocation", "loc")):
        if place := subjects.place_of(event, field):
            yield index_of(name, subjects.site_of(place))
    for item in subjects.items(event):
        yield index_of("epc", item)
        if family := subjects.class_of(item):
            yield index_of("cls", family)
    for named in subjects.classes(event):
        yield index_of("cls", named)
        if family := subjects.class_of(named):
            yield index_of("cls", family)
    held = event.get("bizTransactionList")
    for one in held if isinstance(held, list) else ():
        if isinstance(one, dict) and isinstance(one.get("bizTransaction"), str):
            yield index_of("btx", canonical(one["bizTransaction"]))


def index_of(name: str, value: str) -> str:
    """The partition of all events that have `value` in the role `name`."""
    return f"{name}#{_digest(value)}"


def shard_of(key: str) -> int:
    """Where an event stands among the entries that are spread."""
    return int(key[0], 16) % SHARDS


def sortable(at_ms: int) -> str:
    """A moment as text that sorts: milliseconds since the year 1."""
    return f"{at_ms + _ERA_MS:015d}"


def millis(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 text. Raises InputError (`time_malformed`)."""
    moment = formats.instant(text)
    if moment is None:
        raise InputError("time_malformed", f"is no date and time with an offset: {text[:40]!r}")
    return (moment - _EPOCH) // _MILLISECOND


def iso(at_ms: int) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    moment = _EPOCH + at_ms * _MILLISECOND
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _own_context(event: Mapping[str, object], around: object, prefixes: Mapping[str, str]) -> list[object]:
    """What the event needs to mean the same without its document: the prefixes it uses, other contexts' addresses."""
    own = event.get("@context")
    known = {**prefixes, **context.declared(own)}
    used = {name: known[name] for name in sorted(_prefixes_in(event)) if name in known}
    addresses = dict.fromkeys((*context.foreign(around), *context.foreign(own)))
    return [*addresses, *([used] if used else [])]


def _prefixes_in(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, held in value.items():
            yield name.partition(":")[0]
            yield from _prefixes_in(held)
    elif isinstance(value, list):
        for held in value:
            yield from _prefixes_in(held)
    elif isinstance(value, str):
        yield value.partition(":")[0]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
