"""After claims were paid, no log, queue, archive object or table holds a serial or the name a person signed in with."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from tests.kits.market import Market

TABLES = ("scans", "limits", "catalog", "parties", "flow", "ledger", "insights")


def texts(market: Market) -> Iterator[tuple[str, str]]:
    """(where, everything that was written there)."""
    outputs = market.outputs
    for log in Path(outputs.state_dir).glob("*.log"):
        yield log.name, log.read_text(errors="replace")
    tables = market.aws("dynamodb").get_paginator("scan")
    for name in TABLES:
        for page in tables.paginate(TableName=getattr(outputs, f"{name}_table")):
            yield f"table {name}", json.dumps(page["Items"], default=str)
    for url in (outputs.reward_queue_url, outputs.reward_dlq_url, outputs.parked_queue_url, outputs.intake_dlq_url):
        for message in market.aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            yield f"queue {url.rpartition('/')[2]}", message["Body"]
    store = market.aws("s3")
    for page in store.get_paginator("list_objects_v2").paginate(Bucket=outputs.archive_bucket):
        for one in page.get("Contents", []):
            body = store.get_object(Bucket=outputs.archive_bucket, Key=one["Key"])["Body"].read()
            yield (
                f"archive {one['Key']}",
                (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode("latin-1"),
            )


def test_nothing_that_names_a_code_or_a_person_is_left_anywhere(market: Market) -> None:
    market.calm()
    phone, name = market.phone("a-name-nobody-else-has"), "a-name-nobody-else-has"
    bottles = [market.next("cash"), market.next("points"), market.next("")]
    answers = [market.claim(phone, index) for index in bottles]
    market.reward_when(phone, answers[1].rewards[0], "PAID")
    market.pay_out(phone, answers[0].rewards[0], timeout_s=150)
    secrets = {market.serial(index) for index in bottles} | {name}
    seen = list(texts(market))
    assert {where.split()[0] for where, _ in seen} >= {"ministack.log", "table"}
    found = [(where, "a serial or a name") for where, text in seen if any(secret in text for secret in secrets)]
    assert found == []
