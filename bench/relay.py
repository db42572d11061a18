"""relay_rate: stream records per second of one relay worker, four rewards each, the function's own code and clients.

DynamoDB and SQS are a server on the loopback in a process of its own, once answering at once (what the worker's CPU
allows) and once after 4 ms per request (what one worker gets where the network is what it is). Local figures.
"""

import dataclasses
import itertools
import json
import multiprocessing
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from bench import loopback as wire
from bench.report import Row, median_seconds, row
from tests.histories.history import BATCH, CAMPAIGN, RELEASE
from uncap.adapters.ledger import DynamoLedger
from uncap.adapters.ledger_hot import HotLedger
from uncap.adapters.models import LedgerItem, open_tables
from uncap.adapters.reward_queue import SqsRewardQueue, sqs_client
from uncap.adapters.scans_stream import change_of, parked_record
from uncap.adapters.wire.client import DYNAMODB, WireClient, connect
from uncap.domain import ledger
from uncap.domain.catalog import Effect, Party, Shipment
from uncap.domain.rewards.ports import LedgerStore
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.scans import Mark
from uncap.runtime.clock import clock_ms
from uncap.runtime.settings import RelaySettings
from uncap.runtime.wiring_back import RelayTools, build_relay
from uncap.services.relay_claims import relay_claims

_RECORDS = 100
_LATENCY_S = 0.004
_TARGET = 2_000
_CAMPAIGN = msgspec.structs.replace(
    CAMPAIGN,
    effects=(
        Effect(1, "consumer", "fixed", "cash"),
        *(Effect(no, who, "fixed", "points") for no, who in ((2, "outlet"), (3, "distributor"), (4, "salesperson"))),
    ),
)
_NAME = {"zh-CN": "x"}
_ITEMS: dict[tuple[str, str], Any] = {
    ("batch#7", "meta"): msgspec.structs.replace(BATCH, size=10**6),
    ("batch#7", "release#rel-1"): msgspec.structs.replace(RELEASE, stop=10**6),
    ("campaign#spring", "v#000001"): _CAMPAIGN,
    ("batch#7", "ship#000000000#s"): Shipment("s", 7, 0, 10**6, "o-1", 1),
    ("party#o-1", "meta"): Party("o-1", "outlet", _NAME, parent_id="s-1"),
    ("party#s-1", "meta"): Party("s-1", "salesperson", _NAME, parent_id="d-1"),
    ("party#d-1", "meta"): Party("d-1", "distributor", _NAME),
}


def relay_rate() -> Iterator[Row]:
    """Records per second: CPU bound with eight put threads and without, and with 4 ms per request."""
    rates: dict[tuple[float, int], float] = {}
    for latency in (0.0, _LATENCY_S):
        with _server(latency) as variables, wire.environment(variables):
            for threads in (0, 8):
                rates[latency, threads] = _rate(threads)
    bound, waiting = rates[0.0, 8], rates[_LATENCY_S, 8]
    yield row(
        "relay_rate", bound, "records/s/worker", peer="the same without put threads", peer_value=rates[0.0, 0],
        ratio=bound / rates[0.0, 0], rewards_each=4, server="loopback, answers at once",
    )  # fmt: skip
    yield row(
        "relay_rate", waiting, "records/s/worker", peer="the same without put threads",
        peer_value=rates[_LATENCY_S, 0], ratio=waiting / rates[_LATENCY_S, 0], rewards_each=4,
        server="loopback, 4 ms per request", workers_for_2000_per_s=-(-_TARGET // int(waiting)),
        budget=">= 2000 scans/s on paper: a shard carries 1000 writes/s and up to 10 workers",
    )  # fmt: skip


def _rate(threads: int) -> float:
    tools = build_relay(_settings(), _Vault(), _tables(), clock_ms)
    plain = SqsRewardQueue(sqs_client(), _settings().reward_queue_url)
    granter = tools.granter if threads else dataclasses.replace(tools.granter, pool=None, queue=plain)
    turns = itertools.count()
    worker = dataclasses.replace(tools, granter=granter)
    return _RECORDS / median_seconds(lambda: _relay(worker, next(turns)), rounds=5)


def _relay(tools: RelayTools, turn: int) -> None:
    done = relay_claims(_records(turn), tools.granter, tools.parking, decode=change_of, redact=parked_record)
    if (len(done.rewards), done.paid, done.sent) != (4 * _RECORDS, 3 * _RECORDS, _RECORDS):
        raise RuntimeError(f"{len(done.rewards)} rewards, {done.sent} sent, {done.poison[:1]}")


def ledger_put() -> Iterator[Row]:
    """CPU per conditional put of a reward in the caller, by the wire client and by PynamoDB, in turn."""
    rewards = itertools.count()
    with _server(0.0) as variables, wire.environment(variables):
        open_tables({LedgerItem: "ledger"})
        stores: tuple[LedgerStore, ...] = (HotLedger(_tables(), "ledger"), DynamoLedger())
        spent: dict[str, list[float]] = {}
        for _ in range(7):
            for store in stores:
                began = time.process_time()
                for _ in range(_RECORDS):
                    store.create(_reward(next(rewards)))
                spent.setdefault(type(store).__name__, []).append((time.process_time() - began) * 1000 / _RECORDS)
    own, peer = (statistics.median(times[1:]) for times in spent.values())
    yield row("ledger_put", own, "ms CPU", peer="PynamoDB", peer_value=peer, ratio=peer / own)


def _reward(number: int) -> Reward:
    entry = ledger.granted("rel-1", "consumer", "CNY", 188)
    return Reward(
        f"{number:026d}", f"7.{number}.1", "spring@1", "rel-1", 1, "consumer", State.PENDING, 1, 2,
        party=f"p_{number:026d}", payee="v1." + "x" * 76, kind="cash", prize_id="cash", amount_minor=188,
        currency="CNY", granted=entry,
    )  # fmt: skip


def _tables() -> WireClient:
    return connect(DYNAMODB, clock_ms=clock_ms)


def _records(turn: int) -> list[dict[str, Any]]:
    """A batch of the stream: first claims of codes not seen before."""
    records = []
    for index in range(turn * _RECORDS, (turn + 1) * _RECORDS):
        mark = Mark(f"i{index:025d}", 1, "claim", f"p_{index:026d}", "v1." + "x" * 76, campaign="spring@1")
        text = msgspec.json.encode(mark).decode()
        image = {"pk": {"S": f"7.{index}.1"}, "f": {"S": text}, "l": {"S": text}, "n": {"N": "1"}}
        body = {"Keys": {"pk": image["pk"]}, "NewImage": image, "ApproximateCreationDateTime": 1795312801}
        records.append({"eventID": str(index), "eventName": "INSERT", "dynamodb": body})
    return records


def _settings() -> RelaySettings:
    tables = {f"{name}_table": name for name in ("scans", "catalog", "parties", "flow", "ledger")}
    url = "http://127.0.0.1/rewards"
    return msgspec.convert(
        {f"UNCAP_{key.upper()}": value for key, value in tables.items()}
        | {"UNCAP_STAGE": "bench", "UNCAP_DRAW_KEYS_SECRET": "draw", "UNCAP_CODE_KEYS_SECRET": "codes"}
        | {"UNCAP_REWARD_QUEUE_URL": url, "UNCAP_PARKED_QUEUE_URL": url, "UNCAP_CATALOG_MAX_AGE_MS": 3_600_000},
        RelaySettings,
    )


class _Vault:
    """No secret is needed: the benchmark's effects are fixed."""

    def call(self, operation: str, body: bytes) -> bytes:
        raise RuntimeError(f"{operation} of {len(body)} bytes was not expected")


@contextmanager
def _server(latency_s: float) -> Iterator[dict[str, str]]:
    context = multiprocessing.get_context("spawn")
    ready = context.SimpleQueue()
    process = context.Process(target=_serve, args=(ready, latency_s), daemon=True)
    process.start()
    try:
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ready.get()}",
            "AWS_DEFAULT_REGION": wire.REGION,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
        }
    finally:
        process.kill()
        process.join()


def _serve(ready: Any, latency_s: float) -> None:
    answers = {name: _delayed(answer, latency_s) for name, answer in _answers().items()}
    server = socket.create_server(("127.0.0.1", 0), backlog=64)
    ready.put(server.getsockname()[1])
    while True:
        connection, _ = server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=wire._talk, args=(connection, answers), daemon=True).start()


def _delayed(answer: Callable[[Any], Any], latency_s: float) -> Callable[[Any], Any]:
    def late(request: Any) -> Any:
        if latency_s:
            time.sleep(latency_s)
        return answer(request)

    return late


def _answers() -> dict[str, Callable[[Any], Any]]:
    docs = {key: json.loads(msgspec.json.encode(value)) for key, value in _ITEMS.items()}
    texts = {key: json.dumps(doc) for key, doc in docs.items()}

    def get(request: Any) -> Any:
        pk, sk = request["Key"]["pk"]["S"], request["Key"].get("sk", {}).get("S", "")
        doc = texts.get((pk, sk))
        return {"Item": {**request["Key"], "doc": {"S": doc}}} if doc else {}

    def query(request: Any) -> Any:
        wanted, *sort = (one["S"] for _, one in sorted(request["ExpressionAttributeValues"].items()))
        flow = request["TableName"] == "flow"
        rows = sorted((sk, doc) for (pk, sk), doc in texts.items() if pk == wanted and sk.startswith("ship#") == flow)
        if sort:
            rows = [
                one for one in rows if (one[0].startswith(sort[0]) if len(sort) == 1 else sort[0] <= one[0] <= sort[1])
            ]
        items = [{"pk": {"S": wanted}, "sk": {"S": sk}, "doc": {"S": doc}} for sk, doc in rows]
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)}

    def put(_: Any) -> Any:
        return {"ConsumedCapacity": {"TableName": "ledger", "CapacityUnits": 1.0}}

    def send(request: Any) -> Any:
        return {"Successful": [{"Id": one["Id"], "MessageId": one["Id"]} for one in request["Entries"]], "Failed": []}

    return {"GetItem": get, "Query": query, "PutItem": put, "SendMessageBatch": send}
