"""budget_contention: 64 workers draw prizes from one budget kept in shards, against the same budget in one counter.

An in-memory store stands in for DynamoDB: a transaction takes as long as there, and two that meet are cancelled, so the
figures are of the protocol and not of a table. moto is not exact under threads and is not used.
"""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import msgspec

from bench.report import Row, row
from tests.histories.campaigns import BATCH, CAMPAIGN, RELEASE
from tests.kits.holding import HoldingLedger
from uncap.domain.campaigns.draws import Draw, DrawShare
from uncap.domain.campaigns.facts import Pick
from uncap.domain.catalog import Prize, Role
from uncap.domain.errors import TransientError
from uncap.domain.rewards.drawn import EXHAUSTED, Candidates, Choice
from uncap.domain.rewards.granting import Ground, reward_of
from uncap.domain.rewards.holds import SHARDS, Line, counted, line_key
from uncap.domain.rewards.ports import Channel
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.scans import CodeRef, Mark
from uncap.services.draw_prizes import Drawing, fill

WORKERS = 64
CLAIMS = 6_000
BUDGET = 4_000
LATENCY_S = 0.006
"""What a TransactWriteItems of two items takes in the region, typically."""


_CAMPAIGN = msgspec.structs.replace(
    CAMPAIGN,
    prizes=(*CAMPAIGN.prizes, Prize("lucky-points", "points", 20, CAMPAIGN.name)),
    draws=(Draw("lucky", (DrawShare("lucky-points", 1, 1, BUDGET),)),),
)


class _Run(NamedTuple):
    granted: int
    seconds: float
    units: int
    leaked: int


def budget_contention() -> Iterator[Row]:
    """Grants a second, overspend and leaks, write units a grant; more claims than prizes, so the end is met too."""
    sharded, single = _contend(SHARDS), _contend(1)
    mine, theirs = (one.granted / one.seconds for one in (sharded, single))
    yield row(
        "budget_contention", mine, "grants/s", peer="single counter", peer_value=theirs, ratio=mine / theirs,
        workers=WORKERS, overspent=sharded.granted - BUDGET, leaked=sharded.leaked,
        units_per_grant=round(sharded.units / sharded.granted, 2),
        peer_units_per_grant=round(single.units / single.granted, 2), latency_ms=LATENCY_S * 1000,
    )  # fmt: skip


def _contend(shards: int) -> _Run:
    store = HoldingLedger(latency_s=LATENCY_S)
    drawing = Drawing(
        store, lambda _: bytes(32), lambda _: False, lambda: time.monotonic_ns() // 1_000_000,
        lambda attempt: time.sleep(random.uniform(0, min(0.25, 0.005 * 2**attempt))),
    )  # fmt: skip
    slots = [_slot(index, shards) for index in range(CLAIMS)]
    start = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        rewards = list(pool.map(lambda slot: _filled(slot, drawing, store), slots))
    took_s = time.perf_counter() - start
    granted = sum(one.state is not State.NONE for one in rewards)
    held, expected = sum(store.counts.values()), sum(counted(store.rewards.values()).values())
    return _Run(granted, took_s, store.units["transaction"] + store.units["put"], abs(held - expected))


def _slot(index: int, shards: int) -> Candidates:
    ground = Ground(BATCH, RELEASE, _CAMPAIGN, "", Channel(shipped=True))
    mark = Mark("i", 1_790_000_000_000, "claim", person=f"p{index}", campaign="spring@1")
    ref, pick = CodeRef(BATCH.batch_no, index, Role.CAP_INNER), Pick(3, "consumer", 0, "drawn", "lucky")
    reward = reward_of(ref, mark, pick, ground, "lucky-points")
    line = Line(line_key("spring", "lucky", "lucky-points"), BUDGET, EXHAUSTED, shards)
    return Candidates((Choice(reward, (line,)),), reward_of(ref, mark, pick, ground, ""))


def _filled(slot: Candidates, drawing: Drawing, store: HoldingLedger) -> Reward:
    while True:
        try:
            return fill(slot, drawing, store, lambda reward: reward)  # type: ignore[arg-type]
        except TransientError:
            continue  # the stream delivers it again
