"""Read models can be made again from the archive alone, by the commands that the runbook names."""

import os
import shlex
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.demo.books import outcomes_of
from tests.kits.market import Market, eventually

ROOT = Path(__file__).parents[2]


def uncap(market: Market, *words: str, settings: dict[str, str] | None = None) -> str:
    """What `uncap …` printed, run as a person on duty would."""
    outputs = market.outputs
    environment = os.environ | {
        "AWS_ENDPOINT_URL": outputs.endpoint,
        "AWS_DEFAULT_REGION": outputs.region,
        "AWS_ACCESS_KEY_ID": outputs.access_key_id,
        "AWS_SECRET_ACCESS_KEY": outputs.secret_access_key,
    }
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *words],
        cwd=ROOT,
        env=environment | (settings or {}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def empty_table(market: Market) -> Iterator[str]:
    """A table like Insights, without anything in it."""
    tables, name = market.aws("dynamodb"), f"uncap-local-insights-{uuid.uuid4().hex[:8]}"
    tables.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    yield name
    tables.delete_table(TableName=name)


def counters(market: Market, table: str) -> dict[tuple[str, str], int]:
    """This market's day counters."""
    today = datetime.now(UTC).date()
    found: dict[tuple[str, str], int] = {}
    for day in (today, today + timedelta(days=1)):
        answer = market.aws("dynamodb").query(
            TableName=table,
            KeyConditionExpression="pk = :day AND begins_with(sk, :gtin)",
            ExpressionAttributeValues={":day": {"S": f"day#{day}"}, ":gtin": {"S": market.gtin}},
        )
        found |= {(item["pk"]["S"], item["sk"]["S"]): int(item["n"]["N"]) for item in answer["Items"]}
    return found


def test_the_archive_alone_gives_the_same_counts(market: Market, empty_table: str) -> None:
    phone, index = market.phone(), market.next("")
    before = outcomes_of(market.desk, market.gtin).get("repeat", 0)
    market.claim(phone, index)
    market.claim(market.phone(), index)
    eventually(lambda: outcomes_of(market.desk, market.gtin).get("repeat", 0) > before, "the scans are counted")
    exports = uncap(market, "env", "scan_projector", "--stage", market.outputs.stage)
    settings = dict(shlex.split(line)[1].split("=", 1) for line in exports.splitlines())
    told = uncap(market, "insights", "rebuild", "--into", empty_table, settings=settings)
    assert "0 were already" in told
    assert counters(market, empty_table) == counters(market, market.outputs.insights_table) != {}
    again = uncap(market, "insights", "rebuild", "--into", empty_table, settings=settings)
    assert ": 0 counted" in again
    assert counters(market, empty_table) == counters(market, market.outputs.insights_table)
