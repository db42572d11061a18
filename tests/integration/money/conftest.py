"""The money functions' tables and queues on moto (serially), a campaign in them, and a rail of the fault harness."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws

from tests.histories.rail import FakeRail
from tests.histories.world import Rates, World
from tests.kits.moto_bridge import MotoCaller
from uncap.adapters.catalog import Catalog
from uncap.adapters.documents import DocumentTable
from uncap.adapters.flow import DynamoFlow
from uncap.adapters.ledger_hot import HotLedger
from uncap.adapters.models import CatalogItem, FlowItem, PartyItem
from uncap.adapters.rails.own_ledger import OwnLedgerRail
from uncap.adapters.reward_queue import SqsRewardQueue, sqs_client
from uncap.domain.catalog import (
    Campaign,
    CodeBatch,
    Effect,
    LaidPrize,
    Party,
    PoolShare,
    Prize,
    Release,
    Role,
    Shipment,
)
from uncap.domain.prizes.commitment import derive_seed, seed_hash
from uncap.domain.prizes.eligible import EligibleSet
from uncap.runtime.settings import RelaySettings
from uncap.runtime.wiring_back import PayoutTools, RelayTools, build_relay
from uncap.services.settle_payout import Payouts
from uncap.services.stop_money import Brakes

EVENTS = Path(__file__).parents[3] / "events"
NOW = 1_795_312_900_000
MASTER = bytes(32)
TEXT = {"zh-CN": "开盖有礼", "en": "Open and win"}
SIZE = 10
CAMPAIGN = Campaign(
    campaign_id="spring",
    version=1,
    effective_at_ms=0,
    name=TEXT,
    rules=TEXT,
    starts_at_ms=0,
    ends_at_ms=NOW + 10**10,
    claim_until_ms=NOW + 10**10,
    gtins=("06901234567892",),
    prizes=(Prize("cash", "cash", 188, TEXT), Prize("points", "points", 20, TEXT)),
    pool=(PoolShare("cash", 1, 1),),
    effects=(Effect(1, "consumer", "laid"), Effect(2, "distributor", "fixed", "points")),
)
BATCH = CodeBatch(batch_no=7, gtin="06901234567892", size=SIZE, epoch=1, roles=(Role.CAP_INNER,), state="commissioned")


def release() -> Release:
    """A release whose every code carries the cash prize."""
    bare = Release(
        release_id="rel-1",
        batch_no=7,
        campaign_id="spring",
        campaign_version=1,
        start=0,
        stop=SIZE,
        eligible_count=SIZE,
        eligible_hash="",
        prize_table=(LaidPrize("cash", SIZE),),
        seed_hash=seed_hash(derive_seed(MASTER, "rel-1")),
        beacon_source="test",
        beacon_round="1",
        beacon_value="beacon",
        claim_until_ms=NOW + 10**10,
        state="activated",
        activated_at_ms=NOW,
    )
    return msgspec.structs.replace(bare, eligible_hash=EligibleSet.of(bare).digest(7))


def sample(name: str) -> dict[str, Any]:
    """An event of events/ by function and case."""
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return loaded


def put(model: type[CatalogItem] | type[FlowItem] | type[PartyItem], pk: str, sk: str, value: object) -> None:
    """Store a document as the console does."""
    model(pk, sk, doc=msgspec.json.encode(value).decode(), v=1).save()


class Vault:
    """The DrawKeys secret, without Secrets Manager."""

    def call(self, operation: str, body: bytes) -> bytes:
        return json.dumps({"SecretString": json.dumps({"master": MASTER.hex()})}).encode()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def settings(aws: None) -> RelaySettings:
    """Empty tables and queues."""
    dynamodb = boto3.client("dynamodb")
    attributes: Any = [{"AttributeName": "pk", "AttributeType": "S"}]
    key: Any = {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    dynamodb.create_table(TableName="scans", AttributeDefinitions=attributes, **key)
    ledger: Any = {
        "AttributeDefinitions": [*attributes, *DUE_ATTRIBUTES],
        "GlobalSecondaryIndexes": [DUE_INDEX, OWNER_INDEX, WAITING_INDEX],
    }
    dynamodb.create_table(TableName="ledger", **ledger, **key)
    for name in ("catalog", "parties", "flow"):
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[*attributes, {"AttributeName": "sk", "AttributeType": "S"}],
        )
    queues = {name: boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("rewards", "parked")}
    return RelaySettings(
        stage="test",
        scans_table="scans",
        catalog_table="catalog",
        parties_table="parties",
        flow_table="flow",
        ledger_table="ledger",
        draw_keys_secret="draw",
        code_keys_secret="codes",
        reward_queue_url=queues["rewards"],
        parked_queue_url=queues["parked"],
    )


DUE_ATTRIBUTES: Any = [
    {"AttributeName": "due_shard", "AttributeType": "S"},
    {"AttributeName": "due_at", "AttributeType": "N"},
    {"AttributeName": "owner", "AttributeType": "S"},
    {"AttributeName": "owner_at", "AttributeType": "N"},
    {"AttributeName": "wait_shard", "AttributeType": "S"},
    {"AttributeName": "wait_key", "AttributeType": "S"},
]
DUE_INDEX: Any = {
    "IndexName": "due",
    "KeySchema": [
        {"AttributeName": "due_shard", "KeyType": "HASH"},
        {"AttributeName": "due_at", "KeyType": "RANGE"},
    ],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}
OWNER_INDEX: Any = {
    "IndexName": "owner",
    "KeySchema": [
        {"AttributeName": "owner", "KeyType": "HASH"},
        {"AttributeName": "owner_at", "KeyType": "RANGE"},
    ],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}
WAITING_INDEX: Any = {
    "IndexName": "waiting",
    "KeySchema": [
        {"AttributeName": "wait_shard", "KeyType": "HASH"},
        {"AttributeName": "wait_key", "KeyType": "RANGE"},
    ],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}


@pytest.fixture
def world() -> World:
    """A clock, and no faults."""
    quiet = World(1, Rates())
    quiet.now_ms = NOW
    return quiet


@pytest.fixture
def relay(settings: RelaySettings, world: World) -> RelayTools:
    """The relay's own wiring, over a campaign whose goods went to outlet o-1 of distributor d-1."""
    tools = build_relay(settings, Vault(), MotoCaller(), world.clock_ms)
    put(CatalogItem, "batch#7", "meta", BATCH)
    put(CatalogItem, "batch#7", "release#rel-1", release())
    put(CatalogItem, "campaign#spring", "v#000001", CAMPAIGN)
    put(CatalogItem, "index", "batch#00000007", {})
    put(FlowItem, "batch#7", "ship#000000000#s-1", Shipment("s-1", 7, 0, SIZE, "o-1", NOW))
    put(PartyItem, "party#o-1", "meta", Party("o-1", "outlet", TEXT, parent_id="d-1"))
    put(PartyItem, "party#d-1", "meta", Party("d-1", "distributor", TEXT))
    return tools


@pytest.fixture
def rail(world: World) -> FakeRail:
    """The cash rail."""
    return FakeRail(world, trouble=0.0)


@pytest.fixture
def payouts(settings: RelaySettings, relay: RelayTools, world: World, rail: FakeRail) -> Iterator[PayoutTools]:
    """The payout functions' tools over the same tables."""
    catalog = Catalog(DocumentTable(CatalogItem), world.clock_ms, 5_000)
    tools = Payouts(
        ledger=HotLedger(MotoCaller(), settings.ledger_table),
        catalog=catalog,
        brakes=Brakes(catalog, world.clock_ms),
        rails={"cash": rail, "points": OwnLedgerRail()},
        open_payee=lambda reward: f"openid-of-{reward.payee_person}",
        clock_ms=world.clock_ms,
        notify_url="https://api.example/v1/rails/wechat/notify",
    )
    queue = SqsRewardQueue(sqs_client(), settings.reward_queue_url)
    with ThreadPoolExecutor(1) as one_at_a_time:  # moto is exact only serially
        yield PayoutTools(tools, DynamoFlow(), queue, 0, one_at_a_time)


@pytest.fixture
def context() -> Any:
    """What Lambda passes beside the event."""
    return SimpleNamespace(
        function_name="f",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws-cn:lambda:cn-north-1:123456789012:function:f",
        aws_request_id="r",
        get_remaining_time_in_millis=lambda: 60_000,
    )


def bodies(url: str) -> list[dict[str, Any]]:
    """Everything in a queue, taken out of it."""
    client, found = sqs_client(), []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            found.append(json.loads(message["Body"]))
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found
