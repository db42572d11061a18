"""A batch of stream records, from decoding to the queue: what cannot be read is parked, the rest goes on.

Called by reward_relay. Transient errors are raised, so that the stream delivers the whole batch again; a record that
nobody foresaw is parked alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from uncap.domain.errors import PoisonError
from uncap.domain.rewards.ports import ParkedQueue
from uncap.domain.scans import ScanChange
from uncap.services.grant_rewards import Granted, Granter, grant_changes
from uncap.services.isolate_records import isolate

SOURCE = "scans-stream"
Record = Mapping[str, Any]


def relay_claims(
    records: Sequence[Record],
    granter: Granter,
    parking: ParkedQueue,
    *,
    decode: Callable[[Record], ScanChange | None],
    redact: Callable[[Record], Mapping[str, Any]],
) -> Granted:
    """Grant what the records claim. Parking is a durable write and happens before this returns.

    A batch that is repeated parks its poison again: one message too many is cheaper than one lost.
    """
    parts, unforeseen = isolate(
        records, lambda some: _relay(some, granter, parking, decode=decode, redact=redact), granter.clock_ms()
    )
    granted = Granted()
    for part in parts:
        granted.rewards += part.rewards
        granted.sent += part.sent
        granted.poison += part.poison
    for record, reason, detail in unforeseen:
        parking.park(SOURCE, reason, detail, redact(record))
        granted.poison.append((str(redact(record).get("pk", "")), PoisonError(reason, detail)))
    return granted


def _relay(
    records: Sequence[Record],
    granter: Granter,
    parking: ParkedQueue,
    *,
    decode: Callable[[Record], ScanChange | None],
    redact: Callable[[Record], Mapping[str, Any]],
) -> Granted:
    changes: list[ScanChange] = []
    sources: dict[str, Record] = {}
    broken: list[tuple[Record, PoisonError]] = []
    for record in records:
        try:
            change = decode(record)
        except PoisonError as cause:
            broken.append((record, cause))
            continue
        if change is not None:
            changes.append(change)
            sources[change.new.pk] = record
    granted = grant_changes(changes, granter)
    parked = [*broken, *((sources[pk], why) for pk, why in granted.poison)]
    granted.poison += [(str(redact(record).get("pk", "")), why) for record, why in broken]
    for record, why in parked:
        parking.park(SOURCE, why.code, why.message, redact(record))
    return granted
