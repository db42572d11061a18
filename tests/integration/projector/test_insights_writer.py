"""Counters and evidence are exact whatever the stream and the network do. Serial: moto is not exact under threads."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pynamodb.connection import Connection
from pynamodb.exceptions import CancellationReason, TransactWriteError, VerboseClientError

from tests.integration.projector.conftest import create_table
from uncap.adapters.insights import Insights, carry_case
from uncap.adapters.insights_writer import InsightsWriter, _chunks
from uncap.adapters.models import InsightItem, open_tables
from uncap.domain.diversion.cases import case_id_of, move_case
from uncap.domain.diversion.evidence import Sighting
from uncap.domain.diversion.judgement import DiversionRule
from uncap.domain.errors import ConflictError, InputError, NotFoundError, TransientError
from uncap.domain.read_models import Observation, day_key, party_key, shipment_key

NOW_MS = 1_795_000_000_000
DAY = "2026-11-20"
RULE = DiversionRule(travel_ppm=0)
PLACES = ("party:east", "h3:8440a61ffffffff")


def observation(event: int, kind: int) -> Observation:
    """A scan whose counters and sighting follow from `kind`, as those of a real one follow from its record."""
    counters = [
        day_key(f"2026-11-{20 + kind % 3}", "g", f"r{kind % 7}", "first"),
        party_key("d", "2026-11-20", "first"),
    ]
    sighting = None
    if kind % 4 == 0:
        place = PLACES[kind % 8 // 4]
        counters.append(shipment_key("s1"))
        sighting = Sighting(
            *("s1", place, "g", 7, "d", "R", kind % 5, f"p_{kind % 6}", f"c{kind % 3}", "2026-11-20", event),
            is_fresh=True,
        )
    return Observation(f"e{event}", tuple(counters), sighting)


class FlakyConnection:
    """Refuses some transactions with a conflict, and loses the reply of others after they were committed."""

    def __init__(self, connection: Connection, draw: Callable[[], str]) -> None:
        self._real = connection.transact_write_items
        self._draw = draw

    def __call__(self, **kwargs: Any) -> Any:
        fault = self._draw()
        if fault == "conflict":
            raise cancelled("TransactionConflict")
        reply = self._real(**kwargs)
        if fault == "lost":
            raise TransactWriteError("lost", ReadTimeoutError(endpoint_url="local"))
        return reply


def cancelled(code: str) -> TransactWriteError:
    error = {"Error": {"Code": "TransactionCanceledException", "Message": code}}
    return TransactWriteError(
        code, VerboseClientError(error, "TransactWriteItems", cancellation_reasons=[CancellationReason(code)])
    )


@pytest.fixture
def connection(aws: None) -> Connection:
    create_table("insights")
    return open_tables({InsightItem: "insights"})


def writer(connection: Connection, rule: DiversionRule = RULE) -> InsightsWriter:
    return InsightsWriter(connection, rule, lambda: NOW_MS, sleep=lambda _: None, uniform=lambda low, _: low)


def stored_counters() -> dict[tuple[str, str], int]:
    rows: list[dict[str, Any]] = boto3.resource("dynamodb").Table("insights").scan()["Items"]
    return {(row["pk"], row["sk"]): int(row["n"]) for row in rows if "n" in row}


def emptied() -> None:
    table = boto3.resource("dynamodb").Table("insights")
    for row in table.scan()["Items"]:
        table.delete_item(Key={"pk": row["pk"], "sk": row["sk"]})


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.integers(0, 40), min_size=1, max_size=24), seed=st.integers(0, 2**32))
def test_counts_are_exact_under_replay_rebatching_and_faults(
    connection: Connection, kinds: list[int], seed: int
) -> None:
    emptied()
    rng = random.Random(seed)
    events = [observation(number, kind) for number, kind in enumerate(kinds)]
    flaky = open_tables({InsightItem: "insights"})
    flaky.transact_write_items = FlakyConnection(  # type: ignore[assignment, method-assign]
        flaky, lambda: rng.choice(("", "", "", "conflict", "lost"))
    )
    opened: list[str] = []
    counted = 0
    for _ in range(2):  # the stream delivers everything more than once, cut differently each time
        for batch in cut(rng, [*events, *rng.sample(events, len(events) // 2)]):
            counted += deliver(writer(flaky), batch, opened)
    assert stored_counters() == Counter(key for one in events for key in one.counters)
    assert counted <= len(events)  # a lost reply is found out as a replay
    for place in PLACES:
        sightings = [one.sighting for one in events if one.sighting and one.sighting.place == place]
        check_case(sightings, place)
    assert len(opened) == len(set(opened))


def check_case(sightings: list[Sighting], place: str) -> None:
    people, cases = {one.person for one in sightings}, {one.case_no for one in sightings}
    insights, case_id = Insights(), case_id_of("s1", place)
    if len(people) < 3 or len(cases) < 2:
        with pytest.raises(NotFoundError, match="case_unknown"):
            insights.case(case_id)
        return
    evidence = insights.case(case_id).evidence
    assert (evidence.people, evidence.cases, evidence.scans) == (len(people), tuple(sorted(cases)), len(sightings))
    assert evidence.cells == Counter(one.cell for one in sightings)


def cut(rng: random.Random, events: list[Observation]) -> Iterator[list[Observation]]:
    while events:
        size = rng.randint(4, 24)
        yield events[:size]
        events = events[size:]


def deliver(to: InsightsWriter, batch: list[Observation], opened: list[str]) -> int:
    """As the stream does: again until it goes through."""
    for _ in range(50):
        try:
            done = to.record(batch)
        except TransientError:
            continue
        opened += done.opened
        return done.counted
    raise TimeoutError("never went through")


def test_a_chunk_never_exceeds_a_transaction() -> None:
    rng = random.Random(3)
    many = [observation(number, rng.randint(0, 40)) for number in range(500)]
    chunks = list(_chunks(many))
    assert [one for chunk in chunks for one in chunk] == many
    for chunk in chunks:
        keys = {key for one in chunk for key in one.counters}
        places = {one.sighting.place for one in chunk if one.sighting}
        assert len(chunk) + len(keys) + 3 * len(places) <= 100
    assert len(chunks) < 9


def test_full_transactions_are_accepted(connection: Connection) -> None:
    many = [
        Observation(f"e{n}", (day_key("2026-11-20", "g", f"r{n}", "first"), party_key(f"d{n}", "2026-11-20", "first")))
        for n in range(45)
    ]
    assert writer(connection).record(many).counted == 45
    assert writer(connection).record(many[10:]).replayed == 35
    assert set(stored_counters().values()) == {1}
    assert len(stored_counters()) == 90


def test_what_adds_nothing_leaves_no_mark(connection: Connection) -> None:
    assert writer(connection).record([Observation("e1", ())]).counted == 0
    assert boto3.resource("dynamodb").Table("insights").scan()["Count"] == 0


def test_marks_expire_in_two_days(connection: Connection) -> None:
    writer(connection).record([observation(1, 1)])
    mark = boto3.resource("dynamodb").Table("insights").get_item(Key={"pk": "seen#e1", "sk": "meta"})["Item"]
    assert mark["ttl"] == NOW_MS // 1000 + 2 * 86_400


def test_endless_conflict_is_transient_and_a_refusal_is_not_retried(connection: Connection) -> None:
    pauses: list[float] = []
    calls: list[str] = []

    def refuse(code: str) -> Callable[..., Any]:
        def call(**_: Any) -> Any:
            calls.append(code)
            raise cancelled(code)

        return call

    contended = InsightsWriter(connection, RULE, lambda: NOW_MS, sleep=pauses.append, uniform=lambda _, high: high)
    connection.transact_write_items = refuse("TransactionConflict")  # type: ignore[method-assign]
    with pytest.raises(TransientError, match="insights_contended"):
        contended.record([observation(1, 1)])
    assert pauses == sorted(pauses)
    assert pauses[-1] == 1.0
    calls.clear()
    connection.transact_write_items = refuse("ValidationError")  # type: ignore[method-assign]
    with pytest.raises(TransientError, match="insights_unavailable"):
        contended.record([observation(1, 1)])
    assert calls == ["ValidationError"]


def test_a_case_opens_once_and_later_scans_and_people_both_move_it(connection: Connection) -> None:
    to, insights = writer(connection), Insights()
    assert to.record([observation(0, 0), observation(1, 8)]).opened == ()
    opened = to.record([observation(2, 16), observation(3, 24)]).opened
    assert opened == (case_id_of("s1", "party:east"),)
    case = insights.case(opened[0])
    assert (case.state, case.version, case.evidence.scans) == ("open", 1, 4)
    insights.update_case(move_case(case, "investigating", "wang", "called", NOW_MS))
    with pytest.raises(ConflictError, match="case_moved"):
        insights.update_case(move_case(case, "investigating", "li", "me too", NOW_MS))
    assert to.record([observation(4, 32)]).opened == ()
    later = insights.case(opened[0])
    assert (later.state, later.version, later.evidence.scans) == ("investigating", 2, 5)


def test_listing_cases(connection: Connection) -> None:
    to, insights = writer(connection), Insights()
    for number in range(5):
        to.record(
            Observation(f"e{number}.{n}", (), Sighting(f"s{number}", "h3:x", "g", 7, "d", "R", n, f"p{n}", "c", "d", n))
            for n in range(3)
        )
    first = insights.cases(limit=2)
    second = insights.cases(limit=2, after=first.after)
    third = insights.cases(limit=2, after=second.after)
    ids = [case.case_id for page in (first, second, third) for case in page.cases]
    assert ids == sorted(case_id_of(f"s{n}", "h3:x") for n in range(5))
    assert third.after == ""
    assert all(case.evidence.scans == 3 for case in first.cases)
    insights.update_case(move_case(first.cases[0], "investigating", "wang", "x", NOW_MS))
    assert [case.case_id for case in insights.cases(state="investigating").cases] == ids[:1]
    carry_case(first.cases[0])  # what is there stays as it is
    assert insights.case(ids[0]).state == "investigating"


def test_rows_for_the_console(connection: Connection) -> None:
    writer(connection).record([observation(number, number) for number in range(12)])
    rows = Insights().overview("2026-11-20", "2026-11-21")
    assert sum(row.n for row in rows) == 8
    assert {row.day for row in rows} == {"2026-11-20", "2026-11-21"}
    assert (rows[0].gtin, rows[0].region, rows[0].outcome) == ("g", "r0", "first")
    assert [(row.day, row.outcome, row.n) for row in Insights().party("d", "2026-11-20", "2026-11-20")] == [
        ("2026-11-20", "first", 12)
    ]
    assert Insights().party("d", "2026-11-21", "2026-11-22") == []
    for first, last, code in (
        ("2026-11-22", "2026-11-20", "day_range_malformed"),
        ("yesterday", "2026-11-20", "day_range_malformed"),
        ("2020-01-01", "2026-11-20", "day_range_too_long"),
    ):
        with pytest.raises(InputError, match=code):
            Insights().overview(first, last)
