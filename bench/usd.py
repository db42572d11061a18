"""usd_per_million: what a million claims, visits and payouts cost, from counted requests × bench/prices.json.

Counted: the scan path's requests and units (bench/scan.py), and the production payout services over a metering ledger.
Measured: CPU per scan. Assumed, and kept with the prices: network waits, the rail's CPU, a Lambda's share of a CPU.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from bench.money_meter import MeteredLedger, MeteredSource, metered
from bench.report import Row, row
from bench.scan import claim_cost
from bench.scan_speed import scan_cpu
from bench.usd_gate import gate_cost, pacing_cost
from tests.histories.history import BATCH, RELEASE, FakeCatalog, History
from uncap.adapters.catalog import Catalog
from uncap.adapters.reward_queue import RewardMessage
from uncap.domain.catalog import Role
from uncap.domain.rewards.reward import State
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.runtime.wiring_back import PAY_THREADS, PUT_THREADS
from uncap.services.grant_rewards import grant_claims
from uncap.services.pay_reward import pay
from uncap.services.receive_callback import receive_callback
from uncap.services.stop_money import Brakes
from uncap.services.take_message import take_message

PRICES: dict[str, Any] = json.loads((Path(__file__).parent / "prices.json").read_text())
_EACH, _WAITS = PRICES["per_million"], PRICES["assumed"]
_MEMORY_GB = 0.5
_RELAY_BATCH, _QUEUE_BATCH = 100, 10
_CPU_PER_CALL_MS = 0.3  # the wire client with a reward's encoding, as bench/relay.py measures it (ledger_put)
_LAMBDA_SECOND = _MEMORY_GB * PRICES["lambda_gb_second"] * 1_000_000
_SIGNED = {"signature": "good"}
_TRANSACTION_UNITS = 6


def usd_per_million() -> Iterator[Row]:
    """Claim, visit, and claim → paid in cash (with the person's tap and a callback) and in points, busy and sparse."""
    first = next(iter(claim_cost()))
    cpu_ms = _number(next(iter(scan_cpu())), "value")
    request = _EACH["http_api_request"] + _EACH["lambda_request"]
    claim = (
        request + _number(first, "value") * _EACH["write_unit"] + _lambda(_number(first, "requests"), 1, cpu_ms=cpu_ms)
    )
    bought = request + _TRANSACTION_UNITS * _EACH["write_unit"] + _lambda(1, 1, cpu_ms=cpu_ms)
    yield row(
        "usd_per_million", claim, "USD/M claims", peer="transaction of three items", peer_value=bought,
        ratio=bought / claim, what="claim", budget="<= 1.90",
    )  # fmt: skip
    page = request + _lambda(1, 1, cpu_ms=cpu_ms) + _EACH["read_unit"] / 2
    polls = 2 * (request + _lambda(1, 1, cpu_ms=cpu_ms) + _EACH["read_unit"])
    yield row("usd_per_million", claim + page + polls, "USD/M visits", what="GET, POST, two status polls")
    for kind in ("cash", "points"):
        for busy in (True, False):
            parts = _payout(kind, busy=busy)
            total = claim + sum(parts.values())
            yield row(
                "usd_per_million", total, "USD/M paid", what=f"claim → paid, {kind}, {'busy' if busy else 'sparse'}",
                parts={name: round(value, 3) for name, value in parts.items()},
                budget="<= 6.50" if busy else "",
            )  # fmt: skip


def _payout(kind: str, *, busy: bool) -> dict[str, float]:
    """USD per million rewards of this kind after the claim, by what is charged; the risk gate and the pacing are on."""
    relay, worker, callback, look = _counted(kind, busy=busy)
    units = relay + worker + callback + look
    relayed, batch = (_RELAY_BATCH, _QUEUE_BATCH) if busy else (1, 1)
    lanes = (PUT_THREADS, PAY_THREADS) if busy else (1, 1)
    runs, queue, waits, called_back = 1 / relayed, 0.0, _lambda(relay["requests"], lanes[0]), 0.0
    if worker:
        # Send, receive and delete of the message to the worker; then of the look, which a batch's rewards share.
        queue = _EACH["sqs_request"] * (3 / batch + (1 + 2 / batch) / batch)
        runs += 1 / batch + 1 / batch**2
        waits += _lambda(worker["requests"], lanes[1], rail_calls=1) + _lambda(look["requests"], lanes[1])
        called_back = _EACH["http_api_request"] + _EACH["lambda_request"] + _lambda(callback["requests"], 1)
    gate = gate_cost()
    runs_cpu = _lambda(0, 1, cpu_ms=gate.cpu_ms) + _lambda(gate.writes, lanes[0])
    return {
        "gate": gate.writes * _EACH["write_unit"] + runs_cpu,
        "pacing": _pacing(lanes[1], busy=busy) if worker else 0.0,
        "writes": units["write"] * _EACH["write_unit"],
        "reads": units["read"] / 2 * _EACH["read_unit"],
        "queue": queue,
        "lambda": runs * _EACH["lambda_request"] + waits,
        "callback": called_back,
    }


def _pacing(lanes: int, *, busy: bool) -> float:
    """Slots: units at the table, the requests' time, and lanes that stand still; a rest is read at half the price."""
    paced = pacing_cost(_WAITS["rail_ms"], _WAITS["dynamodb_ms"], busy=busy)
    units = paced.writes * _EACH["write_unit"] + paced.reads / 2 * _EACH["read_unit"]
    ms = paced.wait_ms / lanes
    return float(units + _lambda(paced.writes + paced.reads, lanes) + ms / 1000 * _LAMBDA_SECOND)


def _counted(kind: str, *, busy: bool) -> list[Counter[str]]:
    """Units and requests per reward at relay, worker, callback and look: the production services, without faults.

    Busy: one after the other, as in a batch. Sparse: each a minute later, when nothing is remembered any more.
    """
    history = History(1, MeteredLedger)
    history.world.calm()
    history.rail.trouble = 0.0
    history.channel.shipped = True
    ledger, world = history.ledger, history.world
    if not isinstance(ledger, MeteredLedger):
        raise TypeError("the history keeps another ledger")
    catalog = Catalog(MeteredSource(_Wide(), ledger), world.clock_ms, 5_000)
    brakes = Brakes(catalog, world.clock_ms)
    granter = dataclasses.replace(history.granter, catalog=catalog, brakes=brakes, laid_prize=lambda *_: "cash")
    payouts = dataclasses.replace(history.payouts, catalog=catalog, brakes=brakes)

    def each(work: Callable[[Any], Any], wanted: Iterable[Any]) -> Counter[str]:
        def all_of_them() -> None:
            for one in wanted:
                world.now_ms += 0 if busy else 60_000
                work(one)

        return metered(ledger, all_of_them)[1]

    claims = [_claim(index, world.now_ms) for index in range(_RELAY_BATCH)]
    relay = _per(each(lambda one: grant_claims([one], granter), claims), len(ledger.items))
    if kind != "cash":
        return [relay, Counter(), Counter(), Counter()]
    wanted = [one.reward_id for one in ledger.items.values() if one.state is State.PENDING]
    worker = each(lambda one: pay(one, payouts), wanted)
    history.rail.pay_all()
    callback = each(lambda one: receive_callback(_SIGNED, one, history.rail, payouts), list(history.rail.callbacks))
    if {one.state for one in ledger.items.values()} != {State.PAID}:
        raise RuntimeError("not everything was paid")
    share = _QUEUE_BATCH if busy else 1
    looks = [RewardMessage(1, look=tuple(wanted[at : at + share])) for at in range(0, len(wanted), share)]
    look = each(lambda one: take_message(msgspec.json.encode(one).decode(), payouts), looks)
    return [relay, *(_per(one, len(wanted)) for one in (worker, callback, look))]


class _Wide(FakeCatalog):
    """The harness's campaign on a release large enough for a whole batch of the stream."""

    def query(self, pk: str, *, consistent: bool = False) -> list[tuple[str, str]]:
        if pk == "campaign#spring":
            return super().query(pk, consistent=consistent)
        batch = msgspec.structs.replace(BATCH, size=_RELAY_BATCH)
        release = msgspec.structs.replace(RELEASE, stop=_RELAY_BATCH, eligible_count=_RELAY_BATCH)
        texts = [msgspec.json.encode(one).decode() for one in (batch, release)]
        return list(zip(("meta", "release#rel-1"), texts, strict=True))


def _claim(index: int, now_ms: int) -> ScanImage:
    mark = Mark(f"i{index}", now_ms, "claim", f"p_{index:026d}", "v1." + "x" * 76, campaign="spring@1")
    return ScanImage(CodeRef(7, index, Role.CAP_INNER).key(), mark, 1, mark)


def _per(units: Counter[str], count: int) -> Counter[str]:
    return Counter({name: value / count for name, value in units.items()})


def _lambda(requests: float, lanes: int, *, cpu_ms: float = 0.0, rail_calls: int = 0) -> float:
    """USD per million invocations' worth of compute: CPU at the Lambda's share of one, and waits, `lanes` at once."""
    cpu = cpu_ms or requests * _CPU_PER_CALL_MS + rail_calls * _WAITS["rail_cpu_ms"]
    waits = requests * _WAITS["dynamodb_ms"] + rail_calls * _WAITS["rail_ms"]
    ms = cpu / (_MEMORY_GB * _WAITS["vcpu_per_gb"]) + waits / lanes
    return float(ms / 1000 * _LAMBDA_SECOND)


def _number(found: Row, key: str) -> float:
    value = found[key]
    if not isinstance(value, int | float):
        raise TypeError(f"{key} of {found['name']} is not a number")
    return float(value)
