"""Captured once, whole or in its right parts, and nothing is seen of what was stopped half way."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tests.kits.event_table import MemoryTable
from uncap.adapters import event_store
from uncap.adapters.event_store import EventStore
from uncap.domain.epcis.document import document_of
from uncap.domain.epcis.faults import Fault
from uncap.domain.epcis.prehash import hashes
from uncap.domain.epcis.validate import validate
from uncap.domain.errors import InputError, NotFoundError, TransientError
from uncap.services.capture_events import Capturing, capture_document, capture_event, list_jobs, read_job
from uncap.services.event_acts import Acted, Acting
from uncap.services.query_events import query_events, read_event, results, values_of

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
NOW_MS = 1_795_300_000_000
Json = dict[str, Any]


def event(number: int = 1, **changes: Any) -> Json:
    made: Json = {
        "type": "ObjectEvent",
        "eventTime": f"2026-11-02T08:15:{number % 60:02d}.000+08:00",
        "eventTimeZoneOffset": "+08:00",
        "epcList": [f"urn:epc:id:sgtin:9520123.045678.{number}"],
        "action": "OBSERVE",
        "bizStep": "shipping",
        "readPoint": {"id": "urn:epc:id:sgln:9520123.00001.7"},
    } | changes
    return {name: held for name, held in made.items() if held is not None}


def body(*events: Json, **changes: Any) -> bytes:
    head = {"@context": [CONTEXT, {"ex": "https://ns.example.com/"}], "type": "EPCISDocument", "schemaVersion": "2.0"}
    made = {**head, "creationDate": "2026-11-22T10:00:00Z", "epcisBody": {"eventList": list(events)}} | changes
    return json.dumps({name: held for name, held in made.items() if held is not None}).encode()


class World:
    def __init__(self) -> None:
        self.table = MemoryTable()
        self.now_ms = NOW_MS
        self.store = EventStore(self.table, "events", sleep=lambda _: None)
        self.tools = Capturing(self.store, self.clock, lambda count: bytes(range(count)))

    def clock(self) -> int:
        self.now_ms += 1
        return self.now_ms

    def all(self) -> list[Json]:
        return query_events(self.store, {"perPage": ["100"]}).events


@pytest.fixture
def world() -> World:
    return World()


def test_a_document_is_captured_and_the_job_says_so(world: World) -> None:
    job = capture_document(world.tools, body(event(1), event(2)), "rollback", "erp")
    assert (job.running, job.success, job.stored, job.repeated) == (False, True, 2, 0)
    assert read_job(world.store, job.capture_id) == job
    told = job.as_told()
    assert told["captureID"] == job.capture_id
    assert told["finishedAt"] == "2026-11-21T22:26:40.002Z"
    assert {one["recordTime"] for one in world.all()} == {"2026-11-21T22:26:40.001Z"}


def test_the_same_event_twice_is_stored_once_however_it_is_written(world: World) -> None:
    again = event(1, eventTime="2026-11-02T00:15:01Z", epcList=["https://brand.example/01/09520123456788/21/1"])
    assert capture_document(world.tools, body(event(1), again), "rollback", "erp").repeated == 1
    job = capture_document(
        world.tools, body(event(1, bizStep="https://ref.gs1.org/cbv/BizStep-shipping")), "proceed", "x"
    )
    assert (job.success, job.repeated) == (True, 1)
    job = capture_document(world.tools, body(again, event(2)), "proceed", "erp")
    assert (job.stored, job.repeated) == (1, 1)
    assert len(world.all()) == 2


def test_event_ids_are_kept_or_are_the_hash(world: World) -> None:
    named = event(1, eventID="urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8")
    capture_document(world.tools, body(named, event(2)), "rollback", "erp")
    ids = {one["eventID"] for one in world.all()}
    assert ids == {named["eventID"], *hashes(document_of(json.loads(body(event(2)))))}
    assert read_event(world.store, named["eventID"])["epcList"] == named["epcList"]
    with pytest.raises(NotFoundError):
        read_event(world.store, "urn:x:1")


def test_a_declared_error_stands_beside_the_event_and_is_read_first(world: World) -> None:
    first = event(1, eventID="urn:uuid:1")
    wrong = {**first, "errorDeclaration": {"declarationTime": "2026-11-03T00:00:00Z", "reason": "did_not_occur"}}
    capture_document(world.tools, body(first), "rollback", "erp")
    capture_document(world.tools, body(wrong), "rollback", "erp")
    assert len(world.all()) == 2
    assert "errorDeclaration" in read_event(world.store, "urn:uuid:1")


def test_rollback_leaves_nothing_and_proceed_the_right_events(world: World) -> None:
    wrong = event(2, action="LOOK")
    job = capture_document(world.tools, body(event(1), wrong), "rollback", "erp")
    assert (job.success, job.stored) == (False, 0)
    assert [error.type for error in job.errors] == ["epcisException:ValidationException"]
    assert job.errors[0].detail.startswith("/epcisBody/eventList/1/action: value_unknown")
    assert world.all() == []
    job = capture_document(world.tools, body(event(1), wrong), "proceed", "erp")
    assert (job.success, job.stored, len(job.errors)) == (False, 1, 1)
    assert len(world.all()) == 1
    job = capture_document(world.tools, body(event(3), creationDate=None), "proceed", "erp")
    assert (job.success, job.stored) == (False, 0), "a fault of the document itself is everyone's"


def test_what_is_no_document_never_becomes_a_job(world: World) -> None:
    for data, code in (
        (b"{", "epcis_truncated"),
        (json.dumps(event(1)).encode(), "epcis_not_document"),
        (body(*(event(n) for n in range(1001))), "capture_limit_exceeded"),
    ):
        with pytest.raises(InputError) as caught:
            capture_document(world.tools, data, "rollback", "erp")
        assert caught.value.code == code
    assert world.table.items == {}


def test_an_event_keeps_what_its_extensions_mean(world: World) -> None:
    extended = event(1, **{"ex:shift": {"ex:name": "early"}})
    whole = body(extended)
    capture_document(world.tools, whole, "rollback", "erp")
    [stored] = world.all()
    assert stored["@context"] == [{"ex": "https://ns.example.com/"}]
    answer = document_of(results([stored], NOW_MS, "SimpleEventQuery"))
    assert validate(answer).faults == ()
    assert hashes(answer) == hashes(document_of(json.loads(whole)))


def test_a_capture_that_was_stopped_is_unseen_and_healed_by_the_next(world: World) -> None:
    world.table.fail_after = 0
    with pytest.raises(TransientError):
        capture_document(world.tools, body(event(1)), "rollback", "erp")
    [(_, job)] = [one for one in world.table.items.items() if one[0][0] == "jobs"]
    assert '"running":false' not in job["doc"]["S"]
    world.table.fail_after = 3
    many = body(*(event(n) for n in range(30)))
    with pytest.raises(TransientError):
        capture_document(world.tools, many, "rollback", "erp")
    assert world.all() == [], "entries without events are nothing"
    world.table.fail_after = -1
    assert capture_document(world.tools, many, "rollback", "erp").stored == 30
    assert len(world.all()) == 30


def test_unprocessed_writes_are_sent_again_and_then_given_up(world: World) -> None:
    world.table.refuse_next = 3
    assert capture_document(world.tools, body(event(1)), "rollback", "erp").stored == 1
    world.table.refuse_next = 100
    with pytest.raises(TransientError):
        capture_document(world.tools, body(event(2)), "rollback", "erp")


def test_an_event_beyond_what_an_item_holds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_store, "MAX_EVENT_BYTES", 400)
    huge = event(1, epcList=[f"urn:epc:id:sgtin:9520123.045678.{n * n * 7919}" for n in range(200)])
    job = capture_document(world.tools, body(huge, event(2)), "rollback", "erp")
    assert (job.stored, job.errors[0].type) == (0, "epcisException:CaptureLimitExceededException")
    job = capture_document(world.tools, body(huge, event(2)), "proceed", "erp")
    assert (job.stored, len(job.errors)) == (1, 1)
    with pytest.raises(InputError):
        capture_event(world.tools, json.dumps({"@context": CONTEXT, **huge}).encode())


def test_one_event_at_once(world: World) -> None:
    made = capture_event(world.tools, json.dumps({"@context": CONTEXT, **event(1)}).encode())
    assert [one["eventID"] for one in world.all()] == [made.event_id]
    for wrong, code in (({"action": "X"}, "epcis_invalid"), ({"type": "EPCISDocument"}, "epcis_not_document")):
        with pytest.raises(InputError) as caught:
            capture_event(world.tools, json.dumps({"@context": CONTEXT, **event(2), **wrong}).encode())
        assert caught.value.code == code


def test_jobs_are_listed_newest_first(world: World) -> None:
    made = [capture_document(world.tools, body(event(n)), "rollback", "erp").capture_id for n in range(3)]
    first, after = list_jobs(world.store, 2, "")
    rest, end = list_jobs(world.store, 2, after)
    assert [job.capture_id for job in (*first, *rest)] == made[::-1]
    assert end == ""
    with pytest.raises(NotFoundError):
        read_job(world.store, "none")


def test_the_vocabulary_in_use(world: World) -> None:
    capture_document(world.tools, body(event(1), event(2, bizStep="receiving", disposition="active")), "rollback", "x")
    assert values_of(world.store, "bizSteps", 10, "") == (["receiving", "shipping"], "")
    assert values_of(world.store, "bizSteps", 1, "") == (["receiving"], "receiving")
    assert values_of(world.store, "bizSteps", 1, "receiving") == (["shipping"], "")
    assert values_of(world.store, "dispositions", 10, "") == (["active"], "")
    assert values_of(world.store, "eventTypes", 10, "") == (["ObjectEvent"], "")
    assert values_of(world.store, "readPoints", 10, "") == (["urn:epc:id:sgln:9520123.00001.7"], "")


def test_more_moving_events_than_a_request_has_time_for_are_the_jobs_error(world: World) -> None:
    class Busy:
        def check(self, events: Sequence[Acting]) -> list[Fault]:
            raise InputError("capture_limit_exceeded", f"{len(events)} are too many", where="eventList")

        def pack(self, events: Sequence[Acting], *, proceed: bool) -> list[Fault]:
            raise AssertionError("nothing is done of it")

        def move(self, events: Sequence[Acting]) -> Acted:
            raise AssertionError("nothing is done of it")

        def act(self, events: Sequence[Acting], *, proceed: bool) -> Acted:
            raise AssertionError("nothing is done of it")

    tools = msgspec.structs.replace(world.tools, goods=Busy())
    job = capture_document(tools, body(event(1)), "proceed", "erp")
    assert (job.running, job.success, job.stored, job.errors[0].status) == (False, False, 0, 413)
    assert read_job(world.store, job.capture_id) == job
