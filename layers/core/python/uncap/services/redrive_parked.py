"""Parked records and dead letters, tried again by hand once their cause is gone. Called by `uncap redrive`.

Safe at any time: a parked claim goes through the same granting as ever, a dead message to the same worker.
"""

from dataclasses import dataclass, field

import msgspec

from uncap.adapters.reward_queue import ParkedMessage, message_of
from uncap.domain.errors import PoisonError
from uncap.domain.rewards.ports import Inbox, Message, RewardQueue, ScanReader
from uncap.services.grant_rewards import Granter, grant_claims

STREAM = "scans-stream"


@dataclass
class Redriven:
    """`done` went through, `kept` stay in their queue with the reason why."""

    done: int = 0
    kept: list[tuple[str, str]] = field(default_factory=list)


def redrive_parked(inbox: Inbox, scans: ScanReader, granter: Granter, limit: int) -> Redriven:
    """Grant the claims named by up to `limit` parked records, as the Scans table has them now."""
    result, seen = Redriven(), 0
    while seen < limit and (messages := inbox.receive()):
        for message in messages:
            seen += 1
            try:
                pk = _redrive_claim(message, scans, granter)
            except PoisonError as cause:
                result.kept.append((message.receipt[:16], cause.code))
                continue
            if pk:
                inbox.delete(message.receipt)
                result.done += 1
    return result


def redrive_dead(inbox: Inbox, queue: RewardQueue, limit: int) -> Redriven:
    """Send up to `limit` dead reward messages to the queue again; malformed ones stay and are reported."""
    result, seen = Redriven(), 0
    while seen < limit and (messages := inbox.receive()):
        for message in messages:
            seen += 1
            try:
                dead = message_of(message.body)
            except PoisonError as cause:
                result.kept.append((message.receipt[:16], cause.code))
                continue
            # Send first: a crash in between leaves one message too many, which the worker takes in its stride.
            if dead.look:
                queue.look(dead.look, 0)
            else:
                queue.send([dead.reward_id])
            inbox.delete(message.receipt)
            result.done += 1
    return result


def _redrive_claim(message: Message, scans: ScanReader, granter: Granter) -> str:
    try:
        parked = msgspec.json.decode(message.body, type=ParkedMessage)
    except msgspec.MsgspecError as cause:
        raise PoisonError("message_malformed", "not a parked record") from cause
    pk = str(parked.record.get("pk", ""))
    if parked.source != STREAM or not pk:
        raise PoisonError("redrive_unsupported", f"nothing to redrive from {parked.source!r}")
    image = scans.get(pk)
    if image is None or image.first is None:
        raise PoisonError("scan_unknown", "the Scans table has no claim under this key")
    granted = grant_claims([image], granter)
    for _, why in granted.poison:
        raise why
    return pk
