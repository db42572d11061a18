"""What a launch asks of the payout rail and of AWS: hours until everything is paid, peaks against quotas, the bill.

Pure arithmetic over a forecast; prices are bench/prices.json, quantities per claim those of docs/adr/0007.
"""

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cli.simulate.assumptions import Aws, Rail
from cli.simulate.forecast import Forecast
from cli.simulate.market import Floats

PRICES: dict[str, Any] = json.loads((Path(__file__).parents[2] / "bench/prices.json").read_text())
_MEMORY_GB = 0.5
_SQS_PER_PAYOUT = 0.42
"""Send, receive and delete in batches of ten, and the shared look (docs/adr/0007)."""
_CASH_WRITES, _CASH_READS = 3, 1.0
"""Attempt, the rail's answer, settlement; the grant is the put that every reward pays."""
_BACK_MS_PER_REWARD, _BACK_MS_PER_PAYOUT = 2.0, 40.0
_DAYS_TO_DRAIN = 3_650


class Drain(msgspec.Struct, frozen=True):
    """How payouts queue at the rail. `never`: the limits do not let it through within ten years."""

    scenario: str
    transfers: float
    net_minor: float
    peak_backlog: float
    longest_wait_hours: float
    hours_after_the_end: float
    days_at_the_limit: int
    never: bool = False


class Peak(msgspec.Struct, frozen=True):
    """One quota against the busiest second, with the arithmetic in words."""

    what: str
    needed: float
    allowed: float
    how: str

    @property
    def fits(self) -> bool:
        return self.needed <= self.allowed


class Bill(msgspec.Struct, frozen=True):
    """USD by what is charged; `total` is expected, `high` at the 95th percentile of claims."""

    parts: dict[str, float]
    total: float
    high: float


def drains(found: Forecast) -> tuple[Drain, ...]:
    """The expected launch, the 95th percentile, and every cash prize that is laid or given on every code."""
    rail, net = found.launch.given.rail, float(found.cash_net_minor.mean())
    count, high = float(found.cash_count.mean()), float(np.percentile(found.cash_count, 95))
    each = net / count if count else 0.0
    granted = float(found.claims.mean())
    everyone = count * found.launch.given.codes.count / granted if granted else 0.0
    scenarios = (("expected", count), ("95th percentile", high), ("every code claimed", everyone))
    profile = _hourly(found)
    return tuple(drain(name, number, each, profile, rail) for name, number in scenarios)


def drain(scenario: str, transfers: float, net_minor_each: float, profile: Floats, rail: Rail) -> Drain:
    """`transfers` arriving by `profile` (shares per hour, whole days) at the rail's limits, hour after hour.

    The day's limits are those of all merchant accounts together, spent by whatever is oldest.
    """
    per_hour = rail.merchants * rail.per_second * 3600
    per_day = _per_day(rail, net_minor_each)
    if per_day == 0 and transfers > 0:
        return Drain(scenario, transfers, transfers * net_minor_each, transfers, math.inf, math.inf, 0, never=True)
    backlog = peak = today = longest = 0.0
    full_days, hour = 0, 0
    while hour < len(profile) or (backlog > 1e-6 and hour < len(profile) + 24 * _DAYS_TO_DRAIN):
        if hour % 24 == 0:
            full_days, today = full_days + int(today >= per_day - 1e-6), 0.0
        backlog += transfers * float(profile[hour]) if hour < len(profile) else 0.0
        sent = min(backlog, per_hour, per_day - today)
        backlog, today = backlog - sent, today + sent
        peak = max(peak, backlog)
        longest = max(longest, _wait_hours(backlog, hour % 24 + 1, per_hour, per_day, today))
        hour += 1
    never = backlog > 1e-6
    after = math.inf if never else float(max(0, hour - len(profile)))
    return Drain(scenario, transfers, transfers * net_minor_each, peak, longest, after, full_days, never)


def peaks(found: Forecast) -> tuple[Peak, ...]:
    """The busiest second, at the 95th percentile of claims, against what an account has without asking."""
    launch, aws, high = found.launch, found.launch.given.aws, float(np.percentile(found.claims, 95))
    busiest = float(launch.day_weights.max() * launch.hour_weights.max())
    claims = high * busiest / 3600 * launch.given.timing.burst
    requests = claims * aws.requests_per_visit * aws.visits_per_claim
    scans = claims * aws.visits_per_claim
    ledger = claims * _ledger_writes(found)
    said = f"{high:,.0f} claims × {busiest:.2%} in the busiest hour ÷ 3600 × {launch.given.timing.burst:g}"
    return (
        Peak("claims/s", claims, _relay(aws), f"{said}; relay: {aws.relay_workers} × {aws.relay_per_second}"),
        Peak("API requests/s", requests, aws.api_requests_per_second,
             f"claims × {aws.requests_per_visit:g} requests × {aws.visits_per_claim:g} visits"),
        Peak("Lambda concurrency", requests * aws.request_ms / 1000, aws.lambda_concurrency,
             f"requests × {aws.request_ms:g} ms"),
        Peak("Scans write units/s", scans, aws.new_table_write_units, "one per visit; a table that was never warm"),
        Peak("Ledger write units/s", ledger, aws.new_table_write_units,
             f"{_ledger_writes(found):.2f} per claim; a table that was never warm"),
        Peak("table quota, write units/s", max(scans, ledger), aws.table_write_units, "the busier of the two"),
    )  # fmt: skip


def bill(found: Forecast) -> Bill:
    """The AWS bill of the whole launch, on-demand prices."""
    each, claims, aws = PRICES["per_million"], float(found.claims.mean()), found.launch.given.aws
    payouts = float(found.cash_count.mean()) / claims if claims else 0.0
    requests = aws.requests_per_visit * aws.visits_per_claim
    reads = aws.visits_per_claim * (aws.requests_per_visit - 1) / 2 + payouts * _CASH_READS
    milliseconds = (
        requests * aws.request_ms + found.picks_per_claim * _BACK_MS_PER_REWARD + payouts * _BACK_MS_PER_PAYOUT
    )
    per_claim = {
        "API requests": (requests + payouts) * each["http_api_request"],
        "Lambda": (requests + payouts) * each["lambda_request"]
        + milliseconds / 1000 * _MEMORY_GB * PRICES["lambda_gb_second"] * 1e6,
        "writes": (aws.visits_per_claim + _ledger_writes(found)) * each["write_unit"],
        "reads": reads * each["read_unit"],
        "queue": payouts * _SQS_PER_PAYOUT * each["sqs_request"],
    }
    parts = {name: usd * claims / 1e6 for name, usd in per_claim.items()}
    total = sum(parts.values())
    high = float(np.percentile(found.claims, 95))
    return Bill(parts, total, total * high / claims if claims else 0.0)


def _ledger_writes(found: Forecast) -> float:
    """Write units per claim: a put per reward, three more per payout, the decision with its counts, the limit."""
    needs, claims = found.launch.index.needs, max(float(found.claims.mean()), 1e-9)
    counts = sum(need.endswith("_count") for need in needs)
    decision = (2 * (1 + counts) if counts else 1) if found.launch.index.rules else 0
    limits = 2 if found.launch.campaign.limit.per_day or found.launch.campaign.limit.per_campaign else 0
    return found.picks_per_claim + _CASH_WRITES * float(found.cash_count.mean()) / claims + decision + limits


def _relay(aws: Aws) -> float:
    return float(aws.relay_per_second * aws.relay_workers)


def _per_day(rail: Rail, net_minor_each: float) -> float:
    by_count = rail.merchants * rail.daily_count if rail.daily_count else math.inf
    by_amount = math.inf
    if rail.daily_minor and net_minor_each:
        by_amount = rail.merchants * math.floor(rail.daily_minor / net_minor_each)
    return min(by_count, by_amount)


def _wait_hours(backlog: float, hour: int, per_hour: float, per_day: float, today: float) -> float:
    """How long the youngest in the queue will wait, the day's limits kept."""
    left_today = max(0.0, min(per_day - today, per_hour * (24 - hour)))
    if backlog <= left_today:
        return backlog / per_hour
    rest, whole = backlog - left_today, min(per_day, per_hour * 24)
    days = math.floor(rest / whole)
    return (24 - hour) + 24 * days + (rest - days * whole) / per_hour


def _hourly(found: Forecast) -> Floats:
    launch = found.launch
    return np.asarray(np.outer(launch.day_weights, launch.hour_weights).reshape(-1), np.float64)
