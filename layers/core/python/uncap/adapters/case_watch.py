"""What is remembered of each case's scans, and the signals that raises: counted and put into the outbox exactly once.

Called by `services/project_scans.py` after the counters. `watch#{batch}` / `{case:07d}` is a CaseFile with its version;
units are remembered by number, so a repeated batch adds nothing. Items go after 90 days.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException
from pynamodb.transactions import TransactWrite

from uncap.adapters.alert_outbox import alert_item
from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import InsightItem
from uncap.domain.alerts import of_signal
from uncap.domain.diversion.signals import CaseFile, Glimpse, Signal, WatchRule, judged, noted
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.read_models import SIGNAL, day_key, party_key

KEPT_S = 90 * 86_400
_BATCH_GET = 100
_ATTEMPTS = 5
_CaseKey = tuple[int, int]


class CaseWatch:
    """Safe to repeat. `clock_ms` decides when an item goes; while a table is rebuilt nobody is told (`alerts`)."""

    def __init__(
        self, connection: Connection, rule: WatchRule, clock_ms: Callable[[], int], *, alerts: bool = True
    ) -> None:
        self._alerts = alerts
        self._connection = connection
        self._rule = rule
        self._clock_ms = clock_ms

    def record(self, glimpses: Iterable[Glimpse]) -> tuple[Signal, ...]:
        """Note these glimpses; the signals they raise. Raises TransientError; the same again is safe."""
        cases: dict[_CaseKey, list[Glimpse]] = {}
        for one in glimpses:
            cases.setdefault((one.batch_no, one.case_no), []).append(one)
        stored = self._read(list(cases))
        return tuple(
            signal
            for key, seen in cases.items()
            for signal in self._record(key, seen, stored.get(key, (CaseFile(), 0)))
        )

    def _record(self, key: _CaseKey, seen: Sequence[Glimpse], known: tuple[CaseFile, int]) -> tuple[Signal, ...]:
        for _ in range(_ATTEMPTS):
            before, version = known
            file = before
            for glimpse in seen:
                file = noted(file, glimpse)
            unreceived = next((one for one in seen if one.unreceived), seen[-1])
            file, signals = judged(file, unreceived, self._rule)
            if file is before:
                return ()
            try:
                self._write(key, file, version, signals)
            except ConflictError:
                known = self._read([key]).get(key, (CaseFile(), 0))
                continue
            return signals
        raise TransientError("case_contended", "a case's scans keep coming from everywhere at once")

    def _read(self, keys: Sequence[_CaseKey]) -> dict[_CaseKey, tuple[CaseFile, int]]:
        found: dict[_CaseKey, tuple[CaseFile, int]] = {}
        wanted = [_item_key(key) for key in keys]
        with translated():
            for at in range(0, len(wanted), _BATCH_GET):
                for item in InsightItem.batch_get(wanted[at : at + _BATCH_GET], consistent_read=True):
                    key = int(item.pk.partition("#")[2]), int(item.sk)
                    found[key] = msgspec.json.decode(item.doc or "", type=CaseFile), item.v or 0
        return found

    def _write(self, key: _CaseKey, file: CaseFile, version: int, signals: Sequence[Signal]) -> None:
        doc, ttl = msgspec.json.encode(file).decode(), self._clock_ms() // 1000 + KEPT_S
        item = InsightItem(*_item_key(key), doc=doc, v=version + 1, ttl=ttl)
        condition = InsightItem.v == version if version else InsightItem.pk.does_not_exist()
        if not signals:
            with translated("case_moved"):
                item.save(condition=condition)
            return
        try:
            with TransactWrite(connection=self._connection) as transaction:
                transaction.save(item, condition=condition)
                for signal in signals:
                    if self._alerts:
                        transaction.save(alert_item(of_signal(signal)))
                    for counter in _counters(signal):
                        transaction.update(InsightItem(*counter), actions=[InsightItem.n.add(1)])
        except PynamoDBException as cause:
            # Whatever stood in the way, reading the case again tells whether anything is left to do.
            raise ConflictError("case_moved", "the case's file has changed or was not stored") from cause


def _item_key(key: _CaseKey) -> tuple[str, str]:
    return f"watch#{key[0]}", f"{key[1]:07d}"


def _counters(signal: Signal) -> list[tuple[str, str]]:
    name = SIGNAL + signal.kind
    by_day = [day_key(signal.day, signal.gtin, signal.region, name)]
    return by_day + ([party_key(signal.party_id, signal.day, name)] if signal.party_id else [])
