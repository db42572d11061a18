"""One run: load and ills side by side, then calm, an operator's hand, and the evidence. Used by `runner.py` and e2e."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from dev.seed.operators import caller_of
from dev.stack.config import StackConfig
from tests.chaos.arena import Arena
from tests.chaos.audit import Evidence, Problem, problems
from tests.chaos.ills import VICTIMS, Ills, Torment
from tests.chaos.load import Crowd, Tapper
from tests.chaos.reading import Reader
from tests.kits.fault_proxy import FaultProxy
from tests.kits.market import Market, eventually

ROOT = Path(__file__).parents[2]
THROTTLED = ("scan_api", "reward_relay", "payout_worker", "payout_callback", "sweeper_job", "reconcile_job")
MONEY = ("reward_relay", "payout_worker")
"""Whom to end on a stack that others share: the caller of a scan function that was ended waits half a minute there,
where AWS would answer 502. Each function that is throttled costs the emulator seconds to change, and to change back."""
_ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
_JOBS_EVERY_S = 10.0
Say = Callable[[str], None]


class Plan(msgspec.Struct, frozen=True):
    """`seconds` of load at `rate_per_s` claims; an ill every `gap_s` on average; `patience_s` to settle in.

    `drain`: not settled before the reward queue is empty, later looks at what was paid long ago included.
    """

    seconds: float
    seed: int
    rate_per_s: float = 1.2
    gap_s: float = 3.0
    patience_s: float = 300.0
    throttled: tuple[str, ...] = THROTTLED
    victims: tuple[str, ...] = tuple(VICTIMS)
    drain: bool = True


class Outcome(msgspec.Struct, frozen=True):
    """What a run came to. `settled_s`: from the end of the ills to everything final."""

    plan: Plan
    evidence: Evidence
    problems: list[Problem]
    told: dict[str, int]
    ills: dict[str, int]
    requests: dict[str, int]
    journal: list[tuple[float, str]]
    settled_s: float
    redriven: list[str]
    names: list[str]
    serials: list[str]


@contextmanager
def through(market: Market, proxy: FaultProxy, plan: Plan) -> Iterator[None]:
    """The functions speak to their tables by way of the proxy. Their code and roles stay as deployed."""
    functions, before = market.aws("lambda"), {}
    try:
        for name in (market.outputs.functions[one] for one in plan.throttled):
            variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            before[name] = {key: value for key, value in variables.items() if key != _ENDPOINT}
            changed = before[name] | {_ENDPOINT: proxy.url}
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": changed})
        yield
    finally:
        for name, variables in before.items():
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def play(market: Market, config: StackConfig, plan: Plan, say: Say) -> Outcome:
    """Raises AssertionError only where the run itself could not be set up; what is wrong is in the outcome."""
    rng = random.Random(plan.seed)
    arena = Arena(market, round(plan.seconds * plan.rate_per_s) + 24)
    reader, crowd = Reader(arena), Crowd(arena, rng.randrange(1 << 30))
    say(f"campaign {arena.campaign_id}, {arena.units} bottles, {len(crowd.names)} people")
    with FaultProxy(config.port, rng.randrange(1 << 30)) as proxy, through(market, proxy, plan):
        torment = Torment(Ills(market, config, proxy, rng, plan.victims), rng, plan.seconds, plan.gap_s, say)
        torment.rewards = lambda: [reward for one in list(crowd.claims) for reward in one.rewards]
        with Tapper(crowd, arena):
            with torment:
                crowd.claim_while(torment.lasts, plan.rate_per_s)
            say(f"calm again; told: {dict(crowd.told)}; requests: {dict(proxy.counts)}")
            settled_s, redriven = settle(arena, crowd, reader, plan, say)
        evidence = reader.evidence(crowd)
        return Outcome(
            plan=plan,
            evidence=evidence,
            problems=problems(evidence),
            told=dict(crowd.told),
            ills=dict(torment.counts),
            requests=dict(proxy.counts),
            journal=torment.journal,
            settled_s=settled_s,
            redriven=redriven,
            names=crowd.names,
            serials=[arena.serial(index) for index in sorted(crowd.touched)],
        )


def settle(arena: Arena, crowd: Crowd, reader: Reader, plan: Plan, say: Say) -> tuple[float, list[str]]:
    """Until everything is final or patience ends: people ask again, jobs run, an operator redrives what lies about."""
    market, began = arena.market, time.monotonic()
    redriven: list[str] = []
    next_jobs = began
    while True:
        unanswered = crowd.ask_again()
        redriven += [line for line in (redrive(market, reader, what) for what in ("parked", "dead")) if line]
        if time.monotonic() >= next_jobs:
            next_jobs = time.monotonic() + _JOBS_EVERY_S
            _jobs(market)
        left = reader.open_rewards()
        waited = time.monotonic() - began
        queued = reader.depth(market.outputs.reward_queue_url)
        say(f"{waited:5.0f} s after the ills: {left or 'all final'}, {queued} messages, {unanswered} unanswered")
        unsettled = left or unanswered or (queued and plan.drain)
        if not unsettled or waited > plan.patience_s:
            return waited, redriven
        time.sleep(3.0)


def redrive(market: Market, reader: Reader, what: str) -> str:
    """`uncap redrive parked|dead`, where there is something to redrive; what it said."""
    outputs = market.outputs
    if not reader.depth(outputs.parked_queue_url if what == "parked" else outputs.reward_dlq_url):
        return ""
    relay = market.aws("lambda").get_function_configuration(FunctionName=outputs.functions["reward_relay"])
    own = {"UNCAP_REWARD_DLQ_URL": outputs.reward_dlq_url, "UNCAP_REWARD_QUEUE_URL": outputs.reward_queue_url}
    with caller_of(outputs):
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "redrive", what],
            cwd=ROOT,
            env=os.environ | relay["Environment"]["Variables"] | own,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    return f"redrive {what}: {(done.stdout + done.stderr).strip()[-300:]}"


def _jobs(market: Market) -> None:
    """What the schedules do each minute and each hour, and the second is waited for."""

    def run(name: str) -> bool:
        try:
            market.invoke(name)
        except AssertionError:
            return False  # a worker died under it, or the rail was away: the schedule comes round again
        return True

    run("sweeper_job")
    eventually(lambda: run("reconcile_job"), "the reconcile job ends well", timeout_s=60)
