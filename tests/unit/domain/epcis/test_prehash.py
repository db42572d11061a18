"""The event hash equals the released generator's, and does not change with how an event is written down."""

import copy
import json
import random
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from epcis_event_hash_generator import hash_generator, json_to_py  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.epcis.document import read
from uncap.domain.epcis.prehash import event_hash, hashes, prehash
from uncap.domain.errors import InputError

Json = dict[str, object]
Make = Callable[..., Json]
KINDS = ["ObjectEvent", "AggregationEvent", "AssociationEvent", "TransactionEvent", "TransformationEvent"]
EXAMPLES = sorted((Path(__file__).parents[4] / "examples" / "epcis").glob("*.json"))
CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"ex": "https://ns.example.com/epcis/"}]
PREFIXES = {"ex": "https://ns.example.com/epcis/"}


def oracle(document: Json) -> list[str]:
    """Hash IDs by the released generator. It keeps prefixes from one document to the next: forgotten here."""
    json_to_py._namespaces.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its way of opening its own files
        events = json_to_py.event_list_from_epcis_document_json(copy.deepcopy(document))
    return [str(one) for one in hash_generator.epcis_hashes_from_events(events)]


def ours(document: Json) -> list[str]:
    return hashes(read(json.dumps(document).encode()))


def around(*events: Json) -> Json:
    head = {"@context": CONTEXT, "type": "EPCISDocument", "schemaVersion": "2.0"}
    return {**head, "creationDate": "2026-11-22T10:00:00Z", "epcisBody": {"eventList": list(events)}}


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_as_the_generator_hashes_it(kind: str, event: Make) -> None:
    whole = around(event(kind))
    assert ours(whole) == oracle(whole)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_as_the_generator_hashes_them(path: Path) -> None:
    assert hashes(read(path.read_bytes())) == oracle(json.loads(path.read_bytes()))


CHANGES: list[Json] = [
    {"eventTime": "2026-11-02T08:15:00.1235Z"},
    {"eventTime": "2026-11-02T08:15:00.999499-06:00"},
    {"recordTime": "2026-11-03T00:00:00Z", "eventID": "urn:x:1"},
    {"bizStep": "urn:epcglobal:cbv:bizstep:shipping", "disposition": "https://ref.gs1.org/cbv/Disp-active"},
    {"certificationInfo": ["https://b.example/2", "https://a.example/1"]},
    {"readPoint": {"id": "geo:31.2,121.5", "ex:b": 2, "ex:a": "1.50"}, "bizLocation": {"ex:alone": "one"}},
    {"quantityList": [{"epcClass": "urn:epc:idpat:sgtin:9520123.045678.*", "quantity": 0.25}]},
    {"epcList": [], "persistentDisposition": {"set": ["active", "available"]}},
    {"ex:number": " +0042.10 ", "ex:text": "1e3", "ex:none": None, "ex:yes": True, "ex:empty": "", "ex:void": {}},
    {"ex:deep": {"ex:list": [{"ex:b": 1, "ex:a": [2, "two"]}, 3], "plain": {"type": "T", "id": "urn:x:1"}}},
    {"ex:matrix": [[1, 2], ["b", {"ex:c": 3}], []], "readPoint": {"id": "urn:x:1", "ex:rows": [["b", "a"]]}},
    {"ex:thingList": [{"ex:b": 1}, "y"], "ex:note": "ex:term", "rdfs:comment": "no part of it", "un:declared": "un:x"},
    {"sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 1.0}], "ex:only": "one"}]},
    {
        "sensorElementList": [
            {"sensorReport": [{"type": "Temperature", "booleanValue": True, "time": "2026-01-01T00:00:00Z"}]}
        ]
    },
    {"sourceList": ..., "destinationList": ..., "bizTransactionList": ..., "sensorElementList": ...},
    {"errorDeclaration": {"declarationTime": "2026-11-02T08:15:00Z", "ex:why": "x"}},
    {"type": "ex:TastingEvent", "ex:guests": 3},
]


@pytest.mark.parametrize("change", CHANGES, ids=[str(list(change)) for change in CHANGES])
def test_variations_as_the_generator_hashes_them(change: Json, event: Make) -> None:
    whole = around(event(**change))
    assert ours(whole) == oracle(whole)


def shuffled(value: object, rng: random.Random) -> object:
    """The same JSON with keys and lists in another order; every list of an event is a set but for its spelling."""
    if isinstance(value, dict):
        names = rng.sample(list(value), len(value))
        return {name: shuffled(value[name], rng) for name in names}
    if isinstance(value, list):
        return [shuffled(item, rng) for item in rng.sample(value, len(value))]
    return value


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_order_of_keys_and_lists_does_not_matter(kind: str, seed: int, event: Make) -> None:
    made = event(kind)
    assert event_hash(shuffled(made, random.Random(seed)), PREFIXES) == event_hash(made, PREFIXES)


@given(
    micros=st.integers(0, 4 * 10**15),
    minutes=st.integers(-14 * 60, 14 * 60),
)
@settings(deadline=None)
def test_time_zones_do_not_matter(micros: int, minutes: int, event: Make) -> None:
    moment = datetime(1971, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    there = moment.astimezone(timezone(timedelta(minutes=minutes)))
    first = event(eventTime=moment.isoformat().replace("+00:00", "Z"))
    assert event_hash(event(eventTime=there.isoformat()), PREFIXES) == event_hash(first, PREFIXES)


def test_one_change_of_any_value_changes_the_hash(event: Make) -> None:
    made = event()
    seen = {event_hash(made, PREFIXES)}
    for name in made.keys() - {"type"}:
        seen.add(event_hash({key: held for key, held in made.items() if key != name}, PREFIXES))
    assert len(seen) == len(made)


def test_prefix_names_do_not_matter(event: Make) -> None:
    renamed = json.loads(json.dumps(event()).replace('"ex:', '"other:'))
    assert event_hash(renamed, {"other": PREFIXES["ex"]}) == event_hash(event(), PREFIXES)
    assert event_hash({**renamed, "@context": {"other": PREFIXES["ex"]}}, {}) == event_hash(event(), PREFIXES)


def test_type_stands_before_the_value_whichever_came_first(event: Make) -> None:
    turned = event(sourceList=[{"source": "urn:x:1", "type": "location"}, {"source": "urn:x:0"}])
    said = "sourceListsource=urn:x:0type=https://ref.gs1.org/cbv/SDT-locationsource=urn:x:1"
    assert said in prehash(turned, PREFIXES)


def test_rounding_carries_over(event: Make) -> None:
    assert "eventTime=2027-01-01T00:00:00.000Z" in prehash(event(eventTime="2026-12-31T23:59:59.9996Z"), PREFIXES)


def test_values_that_are_no_numbers_stay(event: Make) -> None:
    said = prehash(event(**{"ex:a": "infinity", "ex:b": "nan", "ex:c": "12.5.1"}), PREFIXES)
    assert "a=infinity" in said
    assert "b=nan" in said
    assert "c=12.5.1" in said


def test_form_of_the_hash(event: Make) -> None:
    made = event_hash(event(), PREFIXES)
    assert made.startswith("ni:///sha-256;")
    assert made.endswith("?ver=CBV2.0")
    assert len(made) == len("ni:///sha-256;") + 64 + len("?ver=CBV2.0")


@pytest.mark.parametrize("value", [7, {}, {"type": 3}, []])
def test_what_is_no_event(value: object) -> None:
    with pytest.raises(InputError) as caught:
        event_hash(value, {}, pointer="/1")
    assert (caught.value.code, caught.value.where) == ("epcis_event_malformed", "/1")
