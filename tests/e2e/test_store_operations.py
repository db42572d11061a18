"""The local stack's tables behave as the harness's do: the same generated operations, the same answers."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.histories.scans import FakeLimits, FakeScans
from tests.histories.stores import FakeLedger
from tests.histories.world import Rates, World
from tests.kits import scan_operations
from tests.kits.ledger_operations import Player, operations
from tests.kits.market import Market
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.ledger_hot import HotLedger
from uncap.adapters.limits_wire import WireLimits
from uncap.adapters.models import LedgerItem, open_tables
from uncap.adapters.scans_wire import WireScans
from uncap.adapters.wire.client import DYNAMODB, WireClient, connect
from uncap.domain.rewards.ports import LedgerStore
from uncap.runtime.clock import clock_ms

SEEDS, LENGTH = (0, 1, 2), 80
PK: Any = {
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}
TYPES: Any = [{"AttributeName": "pk", "AttributeType": "S"}]


@pytest.fixture
def caller(market: Market, monkeypatch: pytest.MonkeyPatch) -> Iterator[WireClient]:
    """The production clients, pointed at the stack by the variables they read."""
    outputs = market.outputs
    for name, value in {
        "AWS_ENDPOINT_URL": outputs.endpoint,
        "AWS_DEFAULT_REGION": outputs.region,
        "AWS_REGION": outputs.region,
        "AWS_ACCESS_KEY_ID": outputs.access_key_id,
        "AWS_SECRET_ACCESS_KEY": outputs.secret_access_key,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    client = connect(DYNAMODB, clock_ms=clock_ms)
    yield client
    client._connections.close()


@pytest.fixture
def tables(market: Market) -> Iterator[list[str]]:
    """A ledger, a scans and a limits table of this test's own, empty, with the real ledger's index."""
    client, name = market.aws("dynamodb"), f"uncap-test-{uuid.uuid4().hex[:8]}"
    real = client.describe_table(TableName=market.outputs.ledger_table)["Table"]
    kept = ("IndexName", "KeySchema", "Projection")
    indexes = [{key: index[key] for key in kept} for index in real["GlobalSecondaryIndexes"]]
    client.create_table(
        TableName=f"{name}-ledger",
        AttributeDefinitions=real["AttributeDefinitions"],
        GlobalSecondaryIndexes=indexes,
        **PK,
    )
    for kind in ("scans", "limits"):
        client.create_table(TableName=f"{name}-{kind}", AttributeDefinitions=TYPES, **PK)
    yield [f"{name}-{kind}" for kind in ("ledger", "scans", "limits")]
    for kind in ("ledger", "scans", "limits"):
        client.delete_table(TableName=f"{name}-{kind}")


def forget(market: Market, table: str) -> None:
    client = market.aws("dynamodb")
    for item in client.scan(TableName=table)["Items"]:
        client.delete_item(TableName=table, Key={"pk": item["pk"]})


def test_ledgers_answer_alike(market: Market, caller: WireClient, tables: list[str]) -> None:
    open_tables({LedgerItem: tables[0]})
    stores: list[LedgerStore] = [DynamoLedger(), HotLedger(caller, tables[0])]
    for seed in SEEDS:
        asked = operations(seed, LENGTH)
        told = Player(FakeLedger(World(seed, Rates())), "g").play(asked)
        for store in stores:
            assert Player(store, "g").play(asked) == told, f"{type(store).__name__}, seed {seed}"
            forget(market, tables[0])


def test_scans_and_limits_answer_alike(caller: WireClient, tables: list[str]) -> None:
    for seed in SEEDS:
        asked = scan_operations.operations(seed, LENGTH)
        world = World(seed, Rates(lost=0.0))
        told = scan_operations.play(FakeScans(world), FakeLimits(world), asked, seed + 1)
        real = scan_operations.play(WireScans(caller, tables[1]), WireLimits(caller, tables[2]), asked, seed + 1)
        assert real == told, f"seed {seed}"
