"""usd_per_million: what a million claims, visits and payouts cost, from counted requests × bench/prices.json.

Counted: the scan path's requests and units (bench/scan.py), and the production payout services over a metering ledger.
Measured: CPU per scan. Assumed, and kept with the prices: network waits, and a Lambda's share of a CPU.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.money_meter import MeteredLedger, MeteredSource, metered
from bench.report import Row, row
from bench.scan import claim_cost
from bench.scan_speed import scan_cpu
from tests.histories.history import CAMPAIGN, CODES, History
from uncap.adapters.catalog import Catalog
from uncap.domain.catalog import Role
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.services.grant_rewards import Granter, grant_claims
from uncap.services.pay_reward import pay
from uncap.services.receive_callback import receive_callback
from uncap.services.settle_payout import Payouts

PRICES: dict[str, Any] = json.loads((Path(__file__).parent / "prices.json").read_text())
_EACH, _WAITS = PRICES["per_million"], PRICES["assumed"]
_MEMORY_GB = 0.5
_RELAY_BATCH, _QUEUE_BATCH, _WORKER_BATCH = 100, 10, 5
_CPU_PER_CALL_MS = 1.2  # PynamoDB or boto3, as measured by bench/relay.py's kind of loop on the reference machine
_TRANSACTION_UNITS = 6


def usd_per_million() -> Iterator[Row]:
    """Claim, visit, and claim → paid in cash (with the person's tap and a callback) and in points, busy and sparse."""
    first = next(iter(claim_cost()))
    cpu_ms = _number(next(iter(scan_cpu())), "value")
    request = _EACH["http_api_request"] + _EACH["lambda_request"]
    claim = request + _number(first, "value") * _EACH["write_unit"] + _lambda(cpu_ms, _number(first, "requests"))
    bought = request + _TRANSACTION_UNITS * _EACH["write_unit"] + _lambda(cpu_ms, 1)
    yield row(
        "usd_per_million", claim, "USD/M claims", peer="transaction of three items", peer_value=bought,
        ratio=bought / claim, what="claim", budget="<= 1.90",
    )  # fmt: skip
    page = request + _lambda(cpu_ms, 1) + _EACH["read_unit"] / 2
    polls = 2 * (request + _lambda(cpu_ms, 1) + _EACH["read_unit"])
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
    """USD per million rewards of this kind after the claim, by what is charged."""
    relay, worker, callback = _counted(kind)
    batches = (_RELAY_BATCH, _QUEUE_BATCH, _WORKER_BATCH) if busy else (1, 1, 1)
    units = relay + worker + callback
    sqs = _EACH["sqs_request"] * (1 / batches[1] + 2 / batches[2])
    runs = _EACH["lambda_request"] * (1 / batches[0] + 1 / batches[2])
    waits = _lambda(0, relay["requests"]) + _lambda(0, worker["requests"], rail_calls=int(kind == "cash"))
    called_back = 0.0
    if callback["requests"]:
        called_back = _EACH["http_api_request"] + _EACH["lambda_request"] + _lambda(0, callback["requests"])
    return {
        "writes": units["write"] * _EACH["write_unit"],
        "reads": units["read"] / 2 * _EACH["read_unit"],
        "queue": sqs,
        "lambda": runs + waits,
        "callback": called_back,
    }


def _counted(kind: str) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Units and requests per reward at the relay, the worker and the callback: production services, no faults."""
    history = History(1, MeteredLedger)
    history.world.calm()
    history.rail.trouble = 0.0
    history.channel.shipped = True
    ledger = history.ledger
    if not isinstance(ledger, MeteredLedger):
        raise TypeError("the history keeps another ledger")
    catalog = Catalog(MeteredSource(history.source, ledger), history.world.clock_ms, 5_000)
    granter = Granter(catalog, history.channel, ledger, history.queue, lambda *_: "cash")
    payouts = Payouts(
        ledger, catalog, history.payouts.rails, lambda _: "openid", history.world.clock_ms, "https://api.example/n"
    )
    claims = [_claim(index, history.world.now_ms) for index in range(CODES)]
    granted, relay = metered(ledger, lambda: grant_claims(claims, granter))
    wanted = [one.reward_id for one in granted.rewards if one.kind == kind]
    _, worker = metered(ledger, lambda: [pay(one, payouts) for one in wanted])
    history.rail.pay_all()
    notices = list(history.rail.callbacks)
    signed = {"signature": "good"}
    _, callback = metered(ledger, lambda: [receive_callback(signed, one, history.rail, payouts) for one in notices])
    share = len(CAMPAIGN.effects)
    return _per(relay, share * len(wanted)), _per(worker, len(wanted)), _per(callback, len(wanted))


def _claim(index: int, now_ms: int) -> ScanImage:
    mark = Mark(f"i{index}", now_ms, "claim", f"p_{index:026d}", "v1." + "x" * 76, campaign="spring@1")
    return ScanImage(CodeRef(7, index, Role.CAP_INNER).key(), mark, 1, mark)


def _per(units: Counter[str], count: int) -> Counter[str]:
    return Counter({name: value / count for name, value in units.items()})


def _lambda(cpu_ms: float, requests: float, rail_calls: int = 0) -> float:
    """USD per million invocations' worth of compute: CPU stretched to the Lambda's share, and waiting."""
    cpu = cpu_ms or requests * _CPU_PER_CALL_MS
    ms = cpu / (_MEMORY_GB * _WAITS["vcpu_per_gb"]) + requests * _WAITS["dynamodb_ms"] + rail_calls * _WAITS["rail_ms"]
    return float(ms / 1000 * _MEMORY_GB * PRICES["lambda_gb_second"] * 1_000_000)


def _number(found: Row, key: str) -> float:
    value = found[key]
    if not isinstance(value, int | float):
        raise TypeError(f"{key} of {found['name']} is not a number")
    return float(value)
