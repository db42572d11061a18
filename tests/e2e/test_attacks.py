"""What attackers and accidents leave behind: garbage in queue and table, racing operators, and what must not leak."""

import gzip
import json
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

from dev.seed.operators import console
from tests.kits.market import Market, eventually

WRITERS = 16
NOWHERE = 9_999_999  # no such batch
MARK = {"i": "x", "t": 1, "w": "claim", "p": "p_nobody"}
POISON: dict[str, tuple[dict[str, Any], str]] = {
    "no-code": (MARK, "scan_key_malformed"),
    f"{NOWHERE}.1.1": (MARK | {"v": "x@²"}, "batch_unknown"),
    f"{NOWHERE}.2.1": (MARK | {"t": -(10**18)}, "scan_image_malformed"),
    f"{NOWHERE}.3.1": (MARK | {"x": "x" * 3_000}, "scan_image_malformed"),
}
GARBAGE = ("garbage", "{}", '{"v":2,"reward_id":"x"}', '{"v":1,"reward_id":"' + "0" * 26 + '"}', "[" * 10_000)


def parked(market: Market) -> Counter[tuple[str, str]]:
    """(key, reason) of what lies on ParkedQueue; left there, hidden for a moment."""
    found: Counter[tuple[str, str]] = Counter()
    while True:
        answer = market.aws("sqs").receive_message(
            QueueUrl=market.outputs.parked_queue_url, MaxNumberOfMessages=10, VisibilityTimeout=3
        )
        if not answer.get("Messages"):
            return found
        for message in answer["Messages"]:
            body = json.loads(message["Body"])
            found[body["record"]["pk"], body["reason"]] += 1


def test_poison_is_parked_with_its_reason_and_the_rest_goes_on(market: Market) -> None:
    outputs, tables, queues = market.outputs, market.aws("dynamodb"), market.aws("sqs")
    for body in GARBAGE:
        queues.send_message(QueueUrl=outputs.reward_queue_url, MessageBody=body)
    try:
        for pk, (mark, _) in POISON.items():
            text = {"S": json.dumps(mark)}
            tables.put_item(
                TableName=outputs.scans_table, Item={"pk": {"S": pk}, "f": text, "l": text, "n": {"N": "1"}}
            )
        phone = market.phone()
        [cash] = market.claim(phone, market.next("cash")).rewards
        [points] = market.claim(phone, market.next("points")).rewards
        assert market.pay_out(phone, cash)["state"] == market.pay_out(phone, points)["state"] == "PAID"
        seen: Counter[tuple[str, str]] = Counter()

        def all_parked() -> bool:
            seen.update(parked(market))
            return {(pk, reason) for pk, (_, reason) in POISON.items()} <= set(seen)

        eventually(all_parked, "the poison parked")
    finally:
        for pk in POISON:
            tables.delete_item(TableName=outputs.scans_table, Key={"pk": {"S": pk}})


def test_sixteen_operators_write_one_chain(market: Market) -> None:
    start = Barrier(WRITERS)
    with closing(console(market.outputs).client) as client:
        base = market.outputs.console_base

        def register(_: int) -> int:
            start.wait(timeout=60)
            body = {"party_id": f"chain-{uuid.uuid4().hex[:12]}", "role": "brand", "name": {"en": "Chain"}}
            return client.post(f"{base}/parties", json=body, headers=dict(market.desk.client.headers)).status_code

        with ThreadPoolExecutor(WRITERS) as pool:
            statuses = Counter(pool.map(register, range(WRITERS)))
    # Whoever lost every round, or found no execution free, was told to try again; nothing of theirs was written.
    assert set(statuses) <= {201, 429, 503}
    assert statuses[201] >= WRITERS // 2
    day = datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()
    assert market.desk.call("GET", "/audit", day=day)["check"]["intact"] is True


def test_no_serial_and_no_openid_is_kept_or_logged(market: Market) -> None:
    """In tables, queues, archive and every log of the stack, after claims, refusals and a payout."""
    outputs, indices = market.outputs, [market.next(kind) for kind in ("cash", "points", "")]
    person = f"leak-{uuid.uuid4().hex}"
    phone = market.phone(person)
    serials = [market.serial(index) for index in indices]
    for index in indices:
        phone.open(market.link(index))
        market.claim(phone, index)
        market.claim(market.phone(), index)
    for wrong in ("/01/0/21/", f"/01/{market.gtin}/21/X"):
        phone.client.get(f"{outputs.scan_base}{wrong}{serials[0]}")
    market.pay_out(phone, market.claim(phone, indices[1]).rewards[0])
    needles = [*serials, person]
    assert [name for name, text in everything(market) if any(one.lower() in text.lower() for one in needles)] == []


def everything(market: Market) -> list[tuple[str, str]]:
    """(name, text) of all that a deployed stack keeps."""
    outputs = market.outputs
    tables = [getattr(outputs, name) for name in outputs.__struct_fields__ if name.endswith("_table")]
    logs = market.aws("logs")
    groups = [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]]
    return [
        *((table, scan_of(market, table)) for table in tables),
        *((group, log_of(market, group)) for group in groups),
        *((path.name, path.read_text(errors="replace")) for path in Path(outputs.state_dir).glob("*.log")),
        *((queue, glimpse(market, queue)) for queue in (outputs.parked_queue_url, outputs.reward_dlq_url)),
        (outputs.archive_bucket, archive(market)),
    ]


def scan_of(market: Market, table: str) -> str:
    pages = market.aws("dynamodb").get_paginator("scan").paginate(TableName=table)
    return "\n".join(json.dumps(page["Items"]) for page in pages)


def log_of(market: Market, group: str) -> str:
    pages = market.aws("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return "\n".join(event["message"] for page in pages for event in page["events"])


def glimpse(market: Market, queue: str) -> str:
    answer = market.aws("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return json.dumps(answer.get("Messages", []))


def archive(market: Market) -> str:
    bucket, files = market.outputs.archive_bucket, market.aws("s3")
    keys = [one["Key"] for one in files.list_objects_v2(Bucket=bucket).get("Contents", [])]
    bodies = [files.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    plain = [gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body for body in bodies]
    return b"\n".join(plain).decode("utf-8", "replace")
