"""claim_cost, code_reject, claim_growth: what scans cost in requests and capacity units, counted at the wire.

Runs on moto over loopback HTTP. moto reports no capacity, so units are computed from the stored items' sizes; where an
endpoint reports it (UNCAP_BENCH_ENDPOINT, say the local stack's), what it reports is used.
"""

import contextlib
import functools
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import msgspec

from bench.report import Row, row
from tests.kits.moto_bridge import REGION, MotoBridge
from tests.kits.scan_kit import CAMPAIGN, RELEASE, code_keys, documents, payee_keys, serial_of, session_keys
from uncap.adapters.wire.client import DYNAMODB, RefusedError, WireClient, connect
from uncap.domain.catalog import PersonLimit
from uncap.domain.codes.scheme import Keyring
from uncap.runtime.clock import clock_ms
from uncap.runtime.observability import Observer
from uncap.runtime.settings import ScanSettings, read
from uncap.runtime.wiring_scan import build_desk, build_handler

ROOT = Path(__file__).resolve().parents[1]
SIZES = (1_000, 10_000, 100_000)
_TABLES = {
    "Scans": ["pk"],
    "Limits": ["pk"],
    "Ledger": ["pk"],
    "Catalog": ["pk", "sk"],
    "Parties": ["pk", "sk"],
}
_WRITE_UNIT = 1_024
_TRANSACTION = "transaction of three items"
_TRANSACTION_UNITS = 6


class MeteredClient:
    """A wire client that counts requests and write units: as reported if `is_real`, else from the item's size."""

    def __init__(self, client: WireClient, size_of: Callable[[str, str], int], *, is_real: bool) -> None:
        self._client = client
        self._size_of = size_of
        self._is_real = is_real
        self.units = 0.0
        self.writes = 0
        self.own_s = 0.0  # spent here on finding sizes, no part of a claim

    @property
    def requests(self) -> int:
        return self._client.requests

    def call(self, operation: str, body: bytes) -> bytes:
        if operation != "UpdateItem":
            return self._client.call(operation, body)
        self.writes += 1
        request = json.loads(body)
        try:
            answer = self._client.call(operation, json.dumps(request | {"ReturnConsumedCapacity": "TOTAL"}).encode())
        except RefusedError:
            self.units += self._computed(request)  # a failed condition is paid for as well
            raise
        reported = json.loads(answer).get("ConsumedCapacity", {}).get("CapacityUnits", 0)
        self.units += float(reported) if self._is_real else self._computed(request)
        return answer

    def _computed(self, request: dict[str, Any]) -> int:
        began = time.perf_counter()
        size = self._size_of(request["TableName"], request["Key"]["pk"]["S"])
        self.own_s += time.perf_counter() - began
        return max(1, -(-size // _WRITE_UNIT))


class Bench:
    """Tables and secrets in an account of their own, and the scan handler over them."""

    def __init__(self, dynamodb: Any, url: str, *, is_real: bool = False) -> None:
        self.dynamodb = dynamodb
        self._prefix = f"bench-{time.time_ns()}-"
        for name, keys in _TABLES.items():
            dynamodb.create_table(
                TableName=self._prefix + name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                KeySchema=[{"AttributeName": k, "KeyType": ("HASH", "RANGE")[n]} for n, k in enumerate(keys)],
            )
        self._secrets = {"codes": code_keys(), "sessions": session_keys(), "payees": payee_keys()}
        self.keyring = Keyring.parse(self._secrets["codes"])
        variables = {"AWS_ENDPOINT_URL": url, "AWS_REGION": REGION}
        credentials = {name: os.environ.get(name, "bench") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        client = connect(DYNAMODB, clock_ms=clock_ms, variables=variables | credentials)
        self.wire = MeteredClient(client, self._size_of, is_real=is_real)
        self.put_catalog()
        observer = Observer("scan_api")
        desk = build_desk(self._settings(), database=self.wire, vault=self, meter=observer)
        self._run = build_handler(desk, observer)

    def call(self, operation: str, body: bytes) -> bytes:
        """Stands in for Secrets Manager, whose calls are no part of a scan's cost."""
        if operation != "GetSecretValue":
            raise ValueError(operation)
        return json.dumps({"SecretString": self._secrets[json.loads(body)["SecretId"]]}).encode()

    def close(self) -> None:
        for name in _TABLES:
            self.dynamodb.delete_table(TableName=self._prefix + name)

    def put_catalog(self, limit: PersonLimit | None = None) -> None:
        campaign = msgspec.structs.replace(CAMPAIGN, starts_at_ms=0, claim_until_ms=2**45, limit=limit or PersonLimit())
        release = msgspec.structs.replace(RELEASE, claim_until_ms=2**45)
        for (pk, sk), doc in documents(release=release, campaigns=[campaign]).items():
            item = {"pk": {"S": pk}, "sk": {"S": sk}, "doc": {"S": doc}}
            self.dynamodb.put_item(TableName=self._prefix + "Catalog", Item=item)

    def preload(self, start: int, stop: int) -> None:
        """Claimed codes of another batch, by batch writes."""
        text = json.dumps({"i": "x" * 26, "t": 1, "w": "claim", "p": "p" * 28, "o": "v" * 90})
        for at in range(start, stop, 25):
            puts = [
                {"pk": {"S": f"8.{n}.1"}, "f": {"S": text}, "l": {"S": text}, "n": {"N": "1"}}
                for n in range(at, at + 25)
            ]
            requests = [{"PutRequest": {"Item": item}} for item in puts]
            self.dynamodb.batch_write_item(RequestItems={self._prefix + "Scans": requests})

    def token(self, person: str) -> str:
        body = json.dumps({"provider": "local", "credential": person})
        return str(json.loads(self._send("session", {"body": body})["body"])["token"])

    def scan(self, serial: str, token: str) -> dict[str, Any]:
        reply = self._send("scan_json", {}, ("1E5ZNQ38SXZSYYC86", serial), ("TOKEN", token))
        return {"status": reply["statusCode"], **json.loads(reply["body"])}

    def serial(self, index: int) -> str:
        return serial_of(self.keyring, index)

    def _send(self, name: str, changes: dict[str, Any], *swaps: tuple[str, str]) -> dict[str, Any]:
        text = _sample(name)
        for old, new in swaps:
            text = text.replace(old, new)
        with contextlib.redirect_stdout(None):
            return self._run(json.loads(text) | changes, None)

    def _size_of(self, table: str, pk: str) -> int:
        """DynamoDB's item size: names, strings in UTF-8, numbers about two digits a byte and one more."""
        item = self.dynamodb.get_item(TableName=table, Key={"pk": {"S": pk}}).get("Item", {})
        return sum(len(name) + _value_size(value) for name, value in item.items())

    def _settings(self) -> ScanSettings:
        tables = {f"UNCAP_{name.upper()}_TABLE": self._prefix + name for name in _TABLES}
        keys = {"UNCAP_CODE_KEYS_SECRET": "codes", "UNCAP_SESSION_KEYS_SECRET": "sessions"}
        rest = {"UNCAP_PAYEE_KEYS_SECRET": "payees", "UNCAP_STAGE": "bench", "UNCAP_CATALOG_MAX_AGE_MS": "3600000"}
        return read(ScanSettings, tables | keys | rest)


def claim_cost() -> Iterable[Row]:
    """Requests and write units of a first scan, a repeat and a retry, without and with person limits."""
    for label, limit in (("", PersonLimit()), (" with a person limit", PersonLimit(per_day=5))):
        with _bench() as bench:
            bench.put_catalog(limit)
            ann, bob = bench.token("ann"), bench.token("bob")
            bench.scan(bench.serial(30), bob)  # fills the catalog's cache
            for kind, token in (("first", ann), ("repeat", bob), ("retry", ann)):
                requests, units = bench.wire.requests, bench.wire.units
                answer = bench.scan(bench.serial(31), token)
                if answer.get("outcome") != ("repeat" if kind == "repeat" else "first"):
                    raise RuntimeError(f"{kind}: {answer}")
                used = bench.wire.units - units
                yield row(
                    "claim_cost", used, "write units", peer=_TRANSACTION, peer_value=_TRANSACTION_UNITS,
                    ratio=_TRANSACTION_UNITS / used, scan=kind + label, requests=bench.wire.requests - requests,
                )  # fmt: skip


def code_reject() -> Iterable[Row]:
    """A forged code through the whole handler: microseconds, and database requests (none)."""
    with _bench() as bench:
        token = bench.token("ann")
        bench.scan(bench.serial(30), token)
        before = bench.wire.requests
        forged = ["1" + f"{n:016d}" for n in range(400)]
        times = []
        for serial in forged:
            began = time.perf_counter()
            answer = bench.scan(serial, token)
            times.append(time.perf_counter() - began)
            if answer.get("code") != "code_not_issued":
                raise RuntimeError(str(answer))
        requests = bench.wire.requests - before
    yield row("code_reject", statistics.median(times) * 1e6, "us/forged code", requests=requests, budget="requests = 0")


def claim_growth() -> Iterable[Row]:
    """The cost of a claim as the table grows, and of others' claims while one code is hammered."""
    with _bench() as bench:
        token, held = bench.token("ann"), 0
        bench.scan(bench.serial(30), token)
        for size in SIZES:
            bench.preload(held, size)
            held = size
            yield row("claim_growth", *_claims(bench, token, SIZES.index(size)), items=size)
        hammer = bench.token("bob")
        for _ in range(40):
            bench.scan(bench.serial(30), hammer)
        writes = bench.wire.writes
        for _ in range(100):
            bench.scan(bench.serial(30), hammer)
        written = bench.wire.writes - writes
        yield row("claim_growth_hammered", *_claims(bench, token, len(SIZES)), hammered_writes_per_100=written)


def _claims(bench: Bench, token: str, turn: int) -> tuple[float, str]:
    """Median ms of 40 first claims, each checked to cost one request and one unit."""
    times = []
    for index in range(40 + 40 * turn, 80 + 40 * turn):
        serial = bench.serial(index)
        requests, units, own_s = bench.wire.requests, bench.wire.units, bench.wire.own_s
        began = time.perf_counter()
        answer = bench.scan(serial, token)
        times.append(time.perf_counter() - began - (bench.wire.own_s - own_s))
        if (answer.get("outcome"), bench.wire.requests - requests, bench.wire.units - units) != ("first", 1, 1):
            raise RuntimeError(f"a claim was not one request and one unit: {answer}")
    return statistics.median(times) * 1000, "ms/claim (1 request, 1 unit each)"


@functools.cache
def _sample(name: str) -> str:
    return (ROOT / f"events/scan_api/{name}.json").read_text()


def _value_size(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "N":
        return -(-len(content) // 2) + 1
    return sum(len(one.encode()) for one in content) if kind == "SS" else len(str(content).encode())


@contextmanager
def _bench() -> Iterator[Bench]:
    url = os.environ.get("UNCAP_BENCH_ENDPOINT", "")
    if url:
        bench = Bench(boto3.client("dynamodb", endpoint_url=url, region_name=REGION), url, is_real=True)
        try:
            yield bench
        finally:
            bench.close()
    else:
        with MotoBridge() as bridge:
            yield Bench(bridge.client("dynamodb"), bridge.url)
