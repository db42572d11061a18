"""payout_schedule: how much of a rail's 100 calls/s workers use together, and the most any second saw, on a fake clock.

The production scheduler over a table and a rail that exist in memory only; calls take 40 to 200 ms, attempts 4 to 12,
one thread in a thousand oversleeps by up to 12 ms. `writes` is what the slots cost in the Limits table per payout.
"""

from collections.abc import Iterator
from functools import partial

from bench.report import Row, row
from tests.kits.payout_world import START_US, PayoutWorld, busiest_second
from uncap.domain.rail_schedule import AccountLimits

_RATE, _SECONDS = 100, 60


def payout_schedule() -> Iterator[Row]:
    """Share of the rate with 1, 4 and 64 workers; with slots from the table, and with shares kept by each worker."""
    for workers, lanes, shares in ((1, 32, 0), (4, 8, 0), (64, 4, 0), (2, 16, 2), (4, 8, 4)):
        world = PayoutWorld(seed=workers)
        for _ in range(workers):
            scheduler = world.scheduler({"m1": AccountLimits()}, workers=shares)
            for _ in range(lanes):
                world.spawn(partial(world.drain, scheduler, (40, 200)))
        world.run(START_US + (_SECONDS + 1) * 1_000_000)
        calls = [at for at in world.sends["m1"] if at >= START_US + 1_000_000]
        yield row(
            "payout_schedule", 100 * len(calls) / (_RATE * _SECONDS), "% of the rail's rate", workers=workers,
            lanes=lanes, busiest_second=busiest_second(calls), rail=_RATE,
            writes=round(world.store.writes / len(world.sends["m1"]), 2), where="fake clock",
            what="shares" if shares else "slots of the table",
        )  # fmt: skip
