"""Workers, a clock and a rail that exist only here: the scheduler runs for simulated minutes in real seconds.

Every lane of every worker is a greenlet; whoever pauses is woken when the fake clock gets there. For tests of the
scheduler and for `bench payout_schedule`.
"""

import heapq
import random
from bisect import bisect_left
from collections.abc import Callable, Mapping

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from uncap.domain.codes import crockford
from uncap.domain.rail_schedule import AccountLimits, Allowance, Errand, Go, Later, Pace, Route
from uncap.services.schedule_payouts import PostponedError, Scheduler

START_US = 1_795_312_900_000_000


class MemoryPace:
    """`PaceStore` with the conditions of `adapters/rail_pace.py`, and a count of what it would have cost."""

    def __init__(self) -> None:
        self.next_free: dict[str, int] = {}
        self.rests: dict[str, int] = {}
        self.spent: dict[str, tuple[int, int]] = {}
        self.writes = 0
        self.reads = 0

    def lease(self, account: str, earliest: int, latest: int, count: int, now_ms: int) -> Pace:
        self.writes += 1
        free, rest = self.next_free.get(account, 0), self.rests.get(account, 0)
        if rest > now_ms or free > latest:
            return Pace(None, free, rest)
        first = max(free, earliest)
        self.next_free[account] = first + count
        return Pace(first)

    def rest(self, account: str, until_ms: int) -> None:
        self.writes += 1
        self.rests[account] = max(self.rests.get(account, 0), until_ms)

    def rests_until(self, account: str) -> int:
        self.reads += 1
        return self.rests.get(account, 0)

    def spend(self, counter: str, amount_minor: int, limit: Allowance, expires_at_s: int) -> bool:
        self.writes += 1
        number, total = self.spent.get(counter, (0, 0))
        full = limit.count is not None and number >= limit.count
        if full or (limit.amount_minor is not None and total + amount_minor > limit.amount_minor):
            return False
        self.spent[counter] = (number + 1, total + amount_minor)
        return True


class PayoutWorld:
    """`late`: the share of pauses that end up to 12 ms late, as threads do; the rest is up to 1 ms late."""

    def __init__(self, seed: int, *, late: float = 0.001) -> None:
        self.now_us = START_US
        self.random = random.Random(seed)
        self.late = late
        self.store = MemoryPace()
        self.sends: dict[str, list[int]] = {}
        self.waits_ms: list[tuple[int, int]] = []
        self.postponed = 0
        self._sleepers: list[tuple[int, int, greenlet]] = []
        self._hub = getcurrent()
        self._number = 0

    def clock_us(self) -> int:
        return self.now_us

    def pause(self, seconds: float) -> None:
        late_us = self.random.randrange(12_000) if self.random.random() < self.late else self.random.randrange(1_000)
        self._wake_at(self.now_us + round(seconds * 1_000_000) + late_us, getcurrent())
        self._hub.switch()

    def scheduler(
        self, accounts: Mapping[str, AccountLimits], routes: tuple[Route, ...] = (), workers: int = 0
    ) -> Scheduler:
        """One worker's; all share the store."""
        told = {name: (limits, 100) for name, limits in accounts.items()}
        return Scheduler(self.store, told, routes, self.clock_us, self.pause, workers)

    def spawn(self, body: Callable[[], None]) -> None:
        """A lane that begins now."""
        self._wake_at(self.now_us, greenlet(body))

    def run(self, until_us: int) -> None:
        """Let it happen up to this time."""
        while self._sleepers and self._sleepers[0][0] <= until_us:
            at_us, _, lane = heapq.heappop(self._sleepers)
            self.now_us = max(self.now_us, at_us)
            lane.switch()
        self.now_us = max(self.now_us, until_us)

    def errand(self, amount_minor: int | None = None, since_ms: int | None = None) -> Errand:
        self._number += 1
        return Errand(
            reward_id=crockford.encode(self.random.getrandbits(130), 26),
            kind="cash",
            campaign=f"c{self._number % 3}",
            beneficiary="consumer",
            payee=f"p{self._number}",
            amount_minor=amount_minor or self.random.choice((30, 188, 500, 2_000, 50_000)),
            since_ms=self.now_us // 1000 if since_ms is None else since_ms,
        )

    def drain(self, scheduler: Scheduler, latency_ms: tuple[int, int]) -> None:
        """One lane that always has another payout: choose, write the attempt, wait for the slot, call the rail."""
        while True:
            errand = self.errand()
            found = scheduler.choose(errand)
            if isinstance(found, Later):
                self.postponed += 1
                self.pause(self.random.random())
                continue
            self.pause(self.random.uniform(0.004, 0.012))
            if self.sent(scheduler, found, errand):
                self.pause(self.random.uniform(*latency_ms) / 1000)

    def sent(self, scheduler: Scheduler, found: Go, errand: Errand) -> bool:
        try:
            scheduler.turn(found.account, errand, lambda: "", found.slot_us)
        except PostponedError:
            self.postponed += 1
            return False
        self.sends.setdefault(found.account, []).append(self.now_us)
        return True

    def _wake_at(self, at_us: int, lane: greenlet) -> None:
        self._number += 1
        heapq.heappush(self._sleepers, (at_us, self._number, lane))


def busiest_second(times_us: list[int]) -> int:
    """The most calls in any second, wherever it begins."""
    times = sorted(times_us)
    return max((bisect_left(times, at + 1_000_000) - number for number, at in enumerate(times)), default=0)
