"""What the risk gate and the pacing of payouts add to a claim that is paid. Counted; used by `usd.py`.

The gate: the production gate over the honest week of examples/risk, four relay workers. The pacing: the production
scheduler with the template's two workers of four lanes, on a fake clock; calls take what bench/prices.json assumes.
"""

import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cli.risk.command import judge_all
from cli.risk.scenario import load_scenario
from tests.kits.payout_world import START_US, PayoutWorld
from uncap.domain.rail_schedule import AccountLimits, Go
from uncap.domain.risk import read_rules
from uncap.runtime.wiring_back import PAY_THREADS

RELAY_WORKERS, PAYOUT_WORKERS = 4, 2
_WEEK = Path(__file__).parents[1] / "examples/risk/honest-week.json"
_SECONDS = 60


class Gate(NamedTuple):
    """Per claim."""

    writes: float
    cpu_ms: float


class Pacing(NamedTuple):
    """Per payout. `wait_ms`: how long a lane stands still for its slot."""

    writes: float
    reads: float
    wait_ms: float


def gate_cost() -> Gate:
    """Write units and CPU; drawing the week is counted as the gate's, so CPU is an upper bound."""
    began = time.process_time()
    tally = judge_all(load_scenario(_WEEK), 1, read_rules(""), RELAY_WORKERS)
    claims = sum(tally.claims.values())
    return Gate(tally.writes / claims, (time.process_time() - began) * 1000 / claims)


def pacing_cost(rail_ms: int, attempt_ms: int, *, busy: bool) -> Pacing:
    """Busy: every lane always has another payout. Sparse: one payout a minute."""
    world = PayoutWorld(seed=1)
    if not busy:
        return _sparse(world, attempt_ms)
    for _ in range(PAYOUT_WORKERS):
        scheduler = world.scheduler({"m1": AccountLimits()}, workers=PAYOUT_WORKERS)
        for _ in range(PAY_THREADS):
            world.spawn(partial(world.drain, scheduler, (rail_ms, rail_ms)))
    world.run(START_US + _SECONDS * 1_000_000)
    paid = len(world.sends["m1"])
    each_ms = PAYOUT_WORKERS * PAY_THREADS * _SECONDS * 1_000 / paid
    # The world's lanes take 8 ms to write an attempt, on the mean.
    return Pacing(world.store.writes / paid, world.store.reads / paid, each_ms - rail_ms - 8)


def _sparse(world: PayoutWorld, attempt_ms: int) -> Pacing:
    scheduler = world.scheduler({"m1": AccountLimits()}, workers=PAYOUT_WORKERS)
    waited_us = 0

    def one_a_minute() -> None:
        nonlocal waited_us
        while True:
            world.pause(60)
            began_us, errand = world.now_us, world.errand()
            found = scheduler.choose(errand)
            world.pause(attempt_ms / 1000)
            if isinstance(found, Go) and world.sent(scheduler, found, errand):
                waited_us += world.now_us - began_us - attempt_ms * 1_000

    world.spawn(one_a_minute)
    world.run(START_US + _SECONDS * 60_000_000)
    paid = len(world.sends["m1"])
    return Pacing(world.store.writes / paid, world.store.reads / paid, waited_us / 1_000 / paid)
