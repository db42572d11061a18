"""The harness's table behaves as DynamoDB does: generated operations get the same answers from both clients on moto.

The same operations run against the deployed local stack in tests/e2e/test_store_operations.py.
"""

from typing import Any

import boto3
import pytest

from tests.histories.scans import FakeLimits, FakeScans
from tests.histories.stores import FakeLedger
from tests.histories.world import Rates, World
from tests.kits import scan_operations
from tests.kits.ledger_operations import Player, operations
from tests.kits.moto_bridge import MotoCaller
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.ledger_hot import HotLedger
from uncap.adapters.limits_wire import WireLimits
from uncap.adapters.models import LedgerItem, open_tables
from uncap.adapters.scans_wire import WireScans
from uncap.domain.rewards.ports import LedgerStore
from uncap.runtime.settings import RelaySettings

RUNS, LENGTH = 5, 80
LIMITS: Any = {
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
}


def forget(table: str) -> None:
    client = boto3.client("dynamodb")
    for item in client.scan(TableName=table)["Items"]:
        client.delete_item(TableName=table, Key={"pk": item["pk"]})


@pytest.mark.parametrize("seed", range(RUNS))
def test_all_stores_answer_alike(settings: RelaySettings, seed: int) -> None:
    open_tables({LedgerItem: settings.ledger_table})
    asked = operations(seed, LENGTH)
    told = Player(FakeLedger(World(seed, Rates())), "g").play(asked)
    stores: dict[str, LedgerStore] = {
        "pynamodb": DynamoLedger(),
        "wire": HotLedger(MotoCaller(), settings.ledger_table),
    }
    for name, store in stores.items():
        assert Player(store, "g").play(asked) == told, name
        forget(settings.ledger_table)


@pytest.mark.parametrize("seed", range(RUNS))
def test_scans_and_limits_answer_alike(settings: RelaySettings, seed: int) -> None:
    boto3.client("dynamodb").create_table(TableName="limits", **LIMITS)
    world = World(seed, Rates(lost=0.0))
    asked = scan_operations.operations(seed, LENGTH)
    told = scan_operations.play(FakeScans(world), FakeLimits(world), asked, 7)
    caller = MotoCaller()
    assert scan_operations.play(WireScans(caller, settings.scans_table), WireLimits(caller, "limits"), asked, 7) == told
    answers = [line for line in told if "take" in line]
    assert any("True" in line for line in answers)
    assert any("False" in line for line in answers)


def test_the_operations_try_what_matters() -> None:
    """Refusals and successes of every kind are among them, or agreement would prove little."""
    told = [
        line
        for seed in range(RUNS)
        for line in Player(FakeLedger(World(seed, Rates())), "g").play(operations(seed, LENGTH))
    ]
    moves = [line for line in told if line.startswith("move")]
    assert sum("reward_moved" in line for line in moves) > 5
    assert sum('"s":"PAID"' in line for line in moves) > 3
    for name in ("skip", "unbalanced", "enter", "open_case"):
        assert any(line.startswith(name) for line in told), name
    assert any(line.startswith("due") and "['[" in line for line in told)
