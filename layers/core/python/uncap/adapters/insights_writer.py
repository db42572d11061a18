"""Exactly-once counting in the Insights table: a scan's mark, its counters and its sighting are one transaction.

Used by `services/project_scans.py` and `services/rebuild_insights.py`. However the stream repeats or cuts its batches,
an event whose mark `seen#{event id}` is there has been counted in full, and one without it not at all.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec
from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist, PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from uncap.adapters.alert_outbox import alert_item
from uncap.adapters.dynamo_faults import response_code
from uncap.adapters.models import InsightItem
from uncap.domain.alerts import CASE_OPENED, of_case
from uncap.domain.diversion.cases import open_case, summarise
from uncap.domain.diversion.evidence import Evidence, gathered
from uncap.domain.diversion.judgement import DiversionRule, Judgement, judge, may_open
from uncap.domain.errors import TransientError
from uncap.domain.read_models import CounterKey, Observation, home_key, shipment_key, totals

SEEN_TTL_S = 2 * 86_400  # twice what the stream remembers
CASES_PK = "cases"
EVIDENCE_SUFFIX = "#evidence"
_MAX_ACTIONS = 100  # of one TransactWriteItems
_ACTIONS_PER_PLACE = 4  # the evidence, and when a case opens the case, its summary and its alert
_BATCH_GET = 100
_ATTEMPTS = 10
_BACKOFF_S, _BACKOFF_CAP_S = 0.02, 1.0
_PASSING = {
    "",  # no reply: the marks will tell whether it was written
    "InternalServerError",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
}
_REFUSED = "ConditionalCheckFailed"
_Put = tuple[InsightItem, Condition | None]


class Recorded(msgspec.Struct, frozen=True):
    """What a call did: events counted now, events found counted before, cases opened."""

    counted: int = 0
    replayed: int = 0
    opened: tuple[str, ...] = ()


class _Plan(msgspec.Struct, frozen=True):
    """One transaction: the marks' puts first, so that the reasons of a refusal start with them."""

    events: tuple[str, ...]
    puts: tuple[_Put, ...]
    counters: dict[CounterKey, int]
    opened: tuple[str, ...]


class InsightsWriter:
    """`sleep` and `uniform` are for tests. While a table is being rebuilt `seen_ttl_s` is longer and nobody is told."""

    def __init__(
        self,
        connection: Connection,
        rule: DiversionRule,
        clock_ms: Callable[[], int],
        *,
        seen_ttl_s: int = SEEN_TTL_S,
        alerts: bool = True,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._connection = connection
        self._rule = rule
        self._clock_ms = clock_ms
        self._seen_ttl_s = seen_ttl_s
        self._alerts = alerts
        self._sleep = sleep
        self._uniform = uniform

    def record(self, observations: Iterable[Observation]) -> Recorded:
        """Count every observation that was not counted before. Those that add nothing leave no mark.

        Raises TransientError (`insights_contended`, `insights_unavailable`); repeating the call is then safe.
        """
        distinct = {one.event_id: one for one in observations if one.counters or one.sighting}
        done = [self._commit(chunk) for chunk in _chunks(distinct.values())]
        return Recorded(
            counted=sum(one.counted for one in done),
            replayed=sum(one.replayed for one in done),
            opened=tuple(case_id for one in done for case_id in one.opened),
        )

    def _commit(self, chunk: Sequence[Observation]) -> Recorded:
        pending = {one.event_id: one for one in chunk}
        for attempt in range(_ATTEMPTS):
            try:
                plan = self._plan(list(pending.values()))
                self._write(plan)
            except PynamoDBException as cause:
                seen = _seen_of(plan.events, cause) if isinstance(cause, TransactWriteError) else ()
                if not seen and not _may_pass(cause):
                    raise TransientError("insights_unavailable", "Insights refused a write") from cause
                for event_id in seen:
                    del pending[event_id]
                if not pending:
                    return Recorded(replayed=len(chunk))
                if not seen:
                    self._sleep(self._uniform(0, min(_BACKOFF_CAP_S, _BACKOFF_S * 2**attempt)))
            else:
                return Recorded(len(pending), len(chunk) - len(pending), plan.opened)
        raise TransientError("insights_contended", f"gave up after {_ATTEMPTS} attempts")

    def _write(self, plan: _Plan) -> None:
        with TransactWrite(connection=self._connection) as transaction:
            for item, condition in plan.puts:
                transaction.save(item, condition=condition)
            for (pk, sk), n in sorted(plan.counters.items()):
                transaction.update(InsightItem(pk, sk), actions=[InsightItem.n.add(n)])

    def _plan(self, observations: Sequence[Observation]) -> _Plan:
        now_ms = self._clock_ms()
        ttl = now_ms // 1000 + self._seen_ttl_s
        absent = InsightItem.pk.does_not_exist()
        puts: list[_Put] = [(InsightItem(f"seen#{one.event_id}", "meta", ttl=ttl), absent) for one in observations]
        counters = totals(observations)
        opened: list[str] = []
        places: dict[tuple[str, str], list[Observation]] = {}
        for one in observations:
            if one.sighting:
                places.setdefault((one.sighting.shipment_id, one.sighting.place), []).append(one)
        for sightings in places.values():
            place_puts, case_id = self._weigh(sightings, counters, now_ms)
            puts += place_puts
            opened += [case_id] if case_id else []
        return _Plan(tuple(one.event_id for one in observations), tuple(puts), dict(counters), tuple(opened))

    def _weigh(
        self, observations: Sequence[Observation], adding: Mapping[CounterKey, int], now_ms: int
    ) -> tuple[list[_Put], str]:
        """The puts for one shipment and place, and the case they open ("" for none); the evidence's version guards all.

        `adding`: what this transaction adds to the counters.
        """
        sightings = [one.sighting for one in observations if one.sighting]
        pk = f"suspect#{sightings[0].shipment_id}#{sightings[0].place}"
        stored = _get(pk, "meta")
        version = stored.v or 0 if stored else 0
        evidence = msgspec.json.decode(stored.doc or "", type=Evidence) if stored else None
        evidence = gathered(sightings, evidence)
        puts: list[_Put] = []
        opened = ""
        judgement = None if evidence.case_id else self._judged(evidence, adding)
        if judgement and judgement.opens:
            case = open_case(evidence, now_ms, judgement, self._rule)
            evidence = msgspec.structs.replace(evidence, case_id=case.case_id)
            if _get(CASES_PK, case.case_id) is None:  # a rebuild finds the case with what people decided
                puts.append(_document(CASES_PK, case.case_id, case, 1))
                opened = case.case_id
                if self._alerts:
                    puts.append((alert_item(of_case(case, CASE_OPENED, now_ms)), None))
        if evidence.case_id:
            puts.append(_document(CASES_PK, evidence.case_id + EVIDENCE_SUFFIX, summarise(evidence), 0))
        puts.append(_document(pk, "meta", evidence, version + 1))
        return puts, opened

    def _judged(self, evidence: Evidence, adding: Mapping[CounterKey, int]) -> Judgement:
        """Counters are read beside the transaction: a scan that another container counts this moment may be missed."""
        shipment = shipment_key(evidence.shipment_id)
        keys = {case: home_key(evidence.shipment_id, case) for case in evidence.case_scans}
        known = _counts([shipment, *keys.values()]) if may_open(evidence, self._rule) else {}
        home = {case: known.get(key, 0) + adding.get(key, 0) for case, key in keys.items()}
        return judge(evidence, known.get(shipment, 0) + adding.get(shipment, 0), home, self._rule)


def _counts(keys: Sequence[CounterKey]) -> dict[CounterKey, int]:
    """Those of these counters that exist."""
    found = {}
    for at in range(0, len(keys), _BATCH_GET):
        for item in InsightItem.batch_get(keys[at : at + _BATCH_GET], consistent_read=True):
            found[item.pk, item.sk] = item.n or 0
    return found


def _chunks(observations: Iterable[Observation]) -> Iterator[list[Observation]]:
    """Consecutive observations whose marks, distinct counters and places fit one transaction."""
    chunk: list[Observation] = []
    counters: set[CounterKey] = set()
    places: set[tuple[str, str]] = set()
    for one in observations:
        place = {(one.sighting.shipment_id, one.sighting.place)} if one.sighting else set()
        actions = len(chunk) + 1 + len(counters.union(one.counters)) + _ACTIONS_PER_PLACE * len(places | place)
        if chunk and actions > _MAX_ACTIONS:
            yield chunk
            chunk, counters, places = [], set(), set()
        chunk.append(one)
        counters.update(one.counters)
        places |= place
    if chunk:
        yield chunk


def _document(pk: str, sk: str, value: object, version: int) -> _Put:
    """A put guarded by the version before it; version 0 is unguarded."""
    item = InsightItem(pk, sk, doc=msgspec.json.encode(value).decode(), v=version or None)
    if version == 0:
        return item, None
    return item, InsightItem.pk.does_not_exist() if version == 1 else InsightItem.v == version - 1


def _get(pk: str, sk: str) -> InsightItem | None:
    try:
        return InsightItem.get(pk, sk, consistent_read=True)
    except DoesNotExist:
        return None


def _seen_of(events: Sequence[str], cause: TransactWriteError) -> list[str]:
    """The events whose marks were there before."""
    reasons = cause.cancellation_reasons[: len(events)]
    return [event for event, reason in zip(events, reasons, strict=False) if reason and reason.code == _REFUSED]


def _may_pass(cause: PynamoDBException) -> bool:
    """Worth trying again: contention, throttling, no reply, or evidence that someone else has just extended."""
    reasons = [reason for reason in getattr(cause, "cancellation_reasons", ()) if reason]
    if reasons:
        return all(reason.code in _PASSING or reason.code == _REFUSED for reason in reasons)
    return response_code(cause) in _PASSING
