"""A stream batch becomes archive, counters and diversion evidence. Repeating it, whole or cut anew, changes nothing.

Called by functions/scan_projector. A record that can never be read, or that nobody foresaw, is parked with its reason
and the rest goes on; anything that may pass is raised, and the stream delivers the batch again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from uncap.adapters.archive import ScanArchive
from uncap.adapters.case_watch import CaseWatch
from uncap.adapters.insights_writer import InsightsWriter
from uncap.adapters.receipts import ScanReceipts
from uncap.domain.errors import PoisonError
from uncap.domain.read_models import Observation, ScanFact, fact_of
from uncap.domain.rewards.ports import ParkedQueue
from uncap.domain.scans import ScanChange
from uncap.services.check_diversion import Observer
from uncap.services.isolate_records import isolate
from uncap.services.watch_canaries import orders_rung

Record = Mapping[str, Any]


class ProjectorTools(msgspec.Struct, frozen=True):
    """What a projection needs. `decode` reads a stream record (None: no scan), `redact` makes one fit to be parked."""

    decode: Callable[[Record], ScanChange | None]
    redact: Callable[[Record], Mapping[str, Any]]
    observe: Observer
    archive: ScanArchive
    insights: InsightsWriter
    parking: ParkedQueue
    receipts: ScanReceipts
    watch: CaseWatch | None = None
    clock_ms: Callable[[], int] = lambda: 0  # 0: a record that fails alone is repeated for ever


class Projected(msgspec.Struct, frozen=True):
    """What became of a batch; `opened` are the ids of new diversion cases, `leaked` the export orders whose canaries
    were scanned, `signals` those raised for the first time."""

    records: int
    parked: int
    counted: int
    replayed: int
    opened: tuple[str, ...]
    leaked: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()


def project_scans(records: Sequence[Record], tools: ProjectorTools) -> Projected:
    """Archive, found receipts, then count. Raises TransientError, nothing half-counted; the batch may come again."""
    parts, unforeseen = isolate(records, lambda some: _project(some, tools), tools.clock_ms())
    for record, reason, detail in unforeseen:
        tools.parking.park("scans-stream", reason, detail, tools.redact(record))
    return Projected(
        records=len(records),
        parked=len(unforeseen) + sum(one.parked for one in parts),
        counted=sum(one.counted for one in parts),
        replayed=sum(one.replayed for one in parts),
        opened=tuple(case for one in parts for case in one.opened),
        leaked=tuple(order for one in parts for order in one.leaked),
        signals=tuple(signal for one in parts for signal in one.signals),
    )


def _project(records: Sequence[Record], tools: ProjectorTools) -> Projected:
    facts: list[ScanFact] = []
    observations: list[Observation] = []
    parked = 0
    for record in records:
        try:
            change = tools.decode(record)
            if change is None:
                continue
            fact = fact_of(change)
            observation = tools.observe(fact)
        except PoisonError as poison:
            tools.parking.park("scans-stream", poison.code, poison.message, tools.redact(record))
            parked += 1
            continue
        facts.append(fact)
        observations.append(observation)
    if facts:
        tools.archive.write(facts)
    tools.receipts.record(facts)
    done = tools.insights.record(observations)
    leaked = orders_rung(observations)
    glimpses = [one.glimpse for one in observations if one.glimpse]
    signals = tuple(one.signal_id for one in tools.watch.record(glimpses)) if tools.watch else ()
    return Projected(len(records), parked, done.counted, done.replayed, done.opened, leaked, signals)
