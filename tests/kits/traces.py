"""Everything a deployed local stack has written anywhere, and the search for what must never be in it.

Logs (the emulator's own and CloudWatch's), every table, queue and bucket, alarms with their history, names of metrics.
Not the rail simulator's state: it plays WeChat, who knows openids. Used by tests/e2e/test_traces.py and the chaos run.
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import zstandard

from dev.stack.config import ARTEFACT_BUCKET
from tests.kits.market import Market

_PACKED: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b", gzip.decompress),
    (b"\x28\xb5\x2f\xfd", lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body)),
    (b"\x78\x9c", zlib.decompress),
)
_HIDDEN_S = 2
Trace = tuple[str, str]
"""(where, everything that was written there)."""


def written(market: Market) -> Iterator[Trace]:
    """All of it, place by place; `where` begins with the kind of place."""
    yield from _logs(market)
    yield from _tables(market)
    yield from _queues(market)
    yield from _objects(market)
    watch = market.aws("cloudwatch")
    yield "alarms", _text(watch.describe_alarms()) + _text(watch.describe_alarm_history(MaxRecords=100))
    yield "metrics", _text([page["Metrics"] for page in watch.get_paginator("list_metrics").paginate()])


def leaks(market: Market, serials: Collection[str], needles: Collection[str]) -> tuple[list[str], set[str]]:
    """(where a serial or one of the `needles` stands, kinds of places that were looked into)."""
    found, kinds = [], set()
    for where, text in written(market):
        kinds.add(where.split()[0])
        if holds_serial(text, frozenset(serials)) or any(needle in text for needle in needles):
            found.append(where)
    return found, kinds


def holds_serial(text: str, serials: frozenset[str]) -> bool:
    """True if one of them stands anywhere in the text, in either case: a hundred are looked for at once."""
    for length in {len(one) for one in serials}:
        for run in re.finditer(rf"[0-9A-Za-z]{{{length},}}", text):
            upper = run[0].upper()
            if any(upper[at : at + length] in serials for at in range(len(upper) - length + 1)):
                return True
    return False


def readable(body: bytes) -> str:
    """Unpacked where it is packed; every byte is one character, so that nothing is passed over."""
    for magic, unpack in _PACKED:
        if body.startswith(magic):
            body = unpack(body)
            break
    return body.decode("utf-8", errors="replace")


def _logs(market: Market) -> Iterator[Trace]:
    for log in sorted(Path(market.outputs.state_dir).glob("*.log")):
        yield f"log {log.name}", log.read_text(errors="replace")
    logs = market.aws("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            events = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            messages = [event["message"] for one in events for event in one["events"]]
            yield f"cloudwatch {group['logGroupName']}", "\n".join(messages)


def _tables(market: Market) -> Iterator[Trace]:
    tables = market.aws("dynamodb")
    for name in tables.list_tables()["TableNames"]:
        items = [page["Items"] for page in tables.get_paginator("scan").paginate(TableName=name)]
        yield f"table {name}", _text(items)


def _queues(market: Market) -> Iterator[Trace]:
    queues = market.aws("sqs")
    for url in queues.list_queues()["QueueUrls"]:
        bodies = []
        while found := queues.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=_HIDDEN_S, MessageAttributeNames=["All"]
        ).get("Messages", []):
            bodies += [_text(message) for message in found]
        yield f"queue {url.rpartition('/')[2]}", "\n".join(bodies)


def _objects(market: Market) -> Iterator[Trace]:
    store = market.aws("s3")
    for bucket in (one["Name"] for one in store.list_buckets()["Buckets"]):
        if bucket == ARTEFACT_BUCKET:
            continue  # the deployed code itself
        for page in store.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for key in (one["Key"] for one in page.get("Contents", [])):
                yield f"object {bucket}/{key}", readable(store.get_object(Bucket=bucket, Key=key)["Body"].read())


def _text(value: Any) -> str:
    """JSON, packed attributes unpacked."""
    return json.dumps(value, default=lambda one: readable(one) if isinstance(one, bytes) else str(one))
