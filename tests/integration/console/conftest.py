"""The console API over moto's tables: a Chalice app, operators who are signed in, a clock that tests move."""

import dataclasses
import functools
import json
import secrets
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import boto3
import msgspec
import pytest
from chalice.test import Client
from moto import mock_aws
from pynamodb.connection import Connection

from tests.kits.moto_bridge import MotoCaller
from uncap.adapters.event_store import EventStore
from uncap.adapters.models import CatalogItem, FlowItem, InsightItem, LedgerItem, PartyItem, ScanItem, open_tables
from uncap.adapters.replenishments import Replenishments
from uncap.domain.codes.scheme import Keyring
from uncap.domain.operators import Operator
from uncap.domain.passwords import hash_password
from uncap.routes.console.mount import build_app
from uncap.runtime.settings import ConsoleSettings
from uncap.runtime.wiring_console import build_desk
from uncap.services.desk import Desk

PASSWORD = "correct horse battery"
NOW_MS = 1_795_300_000_000
TABLES = ("scans", "catalog", "parties", "flow", "ledger", "insights", "events")
MODELS = (ScanItem, CatalogItem, PartyItem, FlowItem, LedgerItem, InsightItem)
HASH_ONLY = ("scans", "ledger")


class Vault:
    """Secrets Manager's one call, with keys drawn for this test."""

    def __init__(self) -> None:
        self.code_keys = {"epochs": {"1": {"state": "minting", "key": secrets.token_hex(32)}}}
        self.values: dict[str, dict[str, Any]] = {
            "code-keys": self.code_keys,
            "draw-keys": {"master": secrets.token_hex(32)},
            "address-keys": {"seal": secrets.token_hex(32)},
            "operator-keys": {"current": "1", "keys": {"1": secrets.token_hex(32)}},
        }

    def call(self, operation: str, body: bytes) -> bytes:
        assert operation == "GetSecretValue"
        value = self.values[json.loads(body)["SecretId"]]
        return msgspec.json.encode({"SecretString": json.dumps(value)})


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


class Queue:
    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, reward_ids: Sequence[str]) -> None:
        self.sent += reward_ids

    def look(self, reward_ids: Sequence[str], delay_s: int) -> None:
        raise AssertionError(f"the console asks nobody to look at {reward_ids} in {delay_s} s")


class Watcher:
    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.lines: list[tuple[str, int]] = []

    def answered(self, operation: str, status: int, took_ms: int) -> None:
        self.lines.append((operation, status))

    def unexpected(self, error: Exception) -> None:
        self.errors.append(error)


class Answer(msgspec.Struct):
    status: int
    body: Any
    headers: dict[str, Any]

    @property
    def code(self) -> str:
        return str(self.body["code"])


class Api:
    """One signed-in (or anonymous) client of the app."""

    def __init__(self, app: Any, token: str = "") -> None:
        self._http = Client(app).http
        self.token = token
        self.bench: Bench | None = None

    def call(self, method: str, path: str, body: object = None, raw: bytes | None = None, **headers: str) -> Answer:
        sent = {"Content-Type": "application/json", **headers}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        response = self._http.request(method, path, headers=sent, body=data)
        kind = str(response.headers.get("Content-Type", ""))
        decoded = json.loads(response.body) if "json" in kind else response.body.decode()
        return Answer(response.status_code, decoded, response.headers)

    def second(self) -> "Api":
        """Another operator who may do everything: what needs two people needs this one."""
        assert self.bench is not None
        return self.bench.second

    def ok(self, method: str, path: str, body: object = None) -> Any:
        answer = self.call(method, path, body)
        assert answer.status < 300, (method, path, answer.status, answer.body)
        return answer.body

    def refused(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        answer = self.call(method, path, body)
        assert answer.headers["Content-Type"] == "application/problem+json", answer
        return answer.status, answer.code


@dataclasses.dataclass
class Bench:
    desk: Desk
    clock: Clock
    vault: Vault
    watcher: Watcher
    queue: Queue
    app: Any
    client: Any

    def add_operator(self, login: str, role: str) -> None:
        # Parameters far below production's, so that a hundred sign-ins stay fast; they are stored with the hash.
        hashed = hash_password(PASSWORD, secrets.token_bytes(16), n=16, r=8, p=1)
        item = {
            "pk": {"S": f"operator#{login}"},
            "sk": {"S": "meta"},
            "doc": {"S": msgspec.json.encode(Operator(login, role, hashed)).decode()},
            "v": {"N": "1"},
        }
        self.client.put_item(TableName="parties", Item=item)

    def sign_in(self, login: str, role: str) -> Api:
        self.add_operator(login, role)
        token = Api(self.app).ok("POST", "/sign-in", {"login": login, "password": PASSWORD})["token"]
        signed_in = Api(self.app, token)
        signed_in.bench = self
        return signed_in

    @functools.cached_property
    def second(self) -> Api:
        return self.sign_in("zoe", "admin")

    @property
    def keyring(self) -> Keyring:
        return self.desk.keyring()


def empty_table(client: Any, name: str) -> None:
    keys = ["pk"] if name in HASH_ONLY else ["pk", "sk"]
    for item in client.scan(TableName=name)["Items"]:
        client.delete_item(TableName=name, Key={key: item[key] for key in keys})


def create_table(client: Any, name: str) -> None:
    keys = [("pk", "HASH")] if name in HASH_ONLY else [("pk", "HASH"), ("sk", "RANGE")]
    attributes = [name for name, _ in keys]
    extra: dict[str, Any] = {}
    if name == "ledger":
        attributes += ["due_shard", "owner", "wait_shard", "wait_key"]
        due = [{"AttributeName": "due_shard", "KeyType": "HASH"}, {"AttributeName": "due_at", "KeyType": "RANGE"}]
        owner = [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "owner_at", "KeyType": "RANGE"}]
        waiting = [
            {"AttributeName": "wait_shard", "KeyType": "HASH"},
            {"AttributeName": "wait_key", "KeyType": "RANGE"},
        ]
        extra["GlobalSecondaryIndexes"] = [
            {"IndexName": index, "KeySchema": schema, "Projection": {"ProjectionType": "KEYS_ONLY"}}
            for index, schema in (("due", due), ("owner", owner), ("waiting", waiting))
        ]
    definitions = [{"AttributeName": one, "AttributeType": "S"} for one in attributes]
    if extra:
        definitions += [{"AttributeName": one, "AttributeType": "N"} for one in ("due_at", "owner_at")]
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": one, "KeyType": kind} for one, kind in keys],
        AttributeDefinitions=definitions,
        BillingMode="PAY_PER_REQUEST",
        **extra,
    )


class Cloud(NamedTuple):
    """moto with the tables, shared by the tests of one file: making its clients is what takes the time."""

    client: Any
    connection: Connection


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        environment.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        client = boto3.client("dynamodb")
        for name in TABLES:
            create_table(client, name)
        yield Cloud(client, open_tables(dict(zip(MODELS, TABLES, strict=False))))


@pytest.fixture
def bench(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = make_bench(cloud, monkeypatch)
    yield made
    assert made.watcher.errors == []


def make_bench(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Empty tables, fresh keys, a clock at its beginning."""
    for name in TABLES:
        empty_table(cloud.client, name)
    monkeypatch.setattr("uncap.runtime.wiring_console.open_tables", lambda _: cloud.connection)
    settings = ConsoleSettings(
        stage="test",
        scans_table="scans",
        catalog_table="catalog",
        parties_table="parties",
        flow_table="flow",
        ledger_table="ledger",
        insights_table="insights",
        code_keys_secret="code-keys",
        draw_keys_secret="draw-keys",
        operator_keys_secret="operator-keys",
        address_keys_secret="address-keys",
        reward_queue_url="https://queue.invalid/rewards",
        uploads_bucket="uploads",
        events_table="events",
        intake_queue_url="https://queue.invalid/intake",
        link_base="https://q.example.cn",
    )
    clock, vault, watcher, queue = Clock(), Vault(), Watcher(), Queue()
    events = EventStore(MotoCaller(), "events")
    wired = build_desk(settings, vault, clock)
    claims = Replenishments(MotoCaller(), "ledger")
    desk = dataclasses.replace(
        wired, reward_queue=lambda: queue, event_store=lambda: events, replenishments=lambda: claims
    )
    return Bench(desk, clock, vault, watcher, queue, build_app(lambda: desk, watcher), cloud.client)


@pytest.fixture
def admin(bench: Bench) -> Api:
    return bench.sign_in("anna", "admin")


@pytest.fixture
def second(bench: Bench) -> Api:
    return bench.sign_in("bert", "admin")
