"""Which merchant account pays, and when the call may leave: rates, daily limits and rests shared by all workers.

Used by `pay_reward.py` before an attempt is written (`choose`) and before it is sent (`turn`). Nothing here touches a
reward; what a worker crashes with is a slot or a place in a day's count, never a payment (docs/adr/0022).
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from uncap.domain.errors import TransientError
from uncap.domain.rail_schedule import (
    HORIZON_US,
    LEAD_US,
    SLACK_US,
    AccountLimits,
    Allowance,
    Errand,
    Go,
    Grid,
    Later,
    PaceStore,
    Route,
    accounts_for,
    come_back_ms,
    day_of,
    next_day_ms,
    reach_us,
)
from uncap.domain.rails import NotAccepted, RailOutcome
from uncap.services.own_share import OwnShare, share_of

RATE_FULL, RESTING, DAY_LIMIT = "rate_full", "rail_resting", "day_limit"
NO_ACCOUNT = "no_account"
_PATIENCE = 2
_LATE_TRIES = 5
_DAYS_KEPT_S = 3 * 86_400
_DAY_MS = 86_400_000


class PostponedError(TransientError):
    """The rail may not be called before `at_ms`. The message goes back delayed; the reward is as it was."""

    def __init__(self, reward_id: str, later: Later) -> None:
        super().__init__("payout_postponed", f"not now: {later.reason}", where=later.reason)
        self.reward_id = reward_id
        self.at_ms = later.at_ms


@dataclass
class _Lane:
    """One account in this container: its grid (None: unpaced), slots leased and not yet used, who waits for some.

    `own`: the grid is this worker's share of the rate, and nobody else's slots are on it.
    """

    limits: AccountLimits
    grid: Grid | None
    own: bool = False
    slots: deque[int] = field(default_factory=deque)
    busy_until_us: int = 0  # as last heard: up to here its slots are somebody's
    waiting: int = 0
    counting: threading.Lock = field(default_factory=threading.Lock)
    leasing: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, by: int) -> int:
        """So many more wait for a slot; how many waited before."""
        with self.counting:
            before, self.waiting = self.waiting, self.waiting + by
        return before


class Scheduler:
    """Safe to share between threads. Time and `pause` (seconds) are arguments, so that tests decide about them."""

    def __init__(
        self,
        store: PaceStore,
        accounts: Mapping[str, tuple[AccountLimits, int | None]],
        routes: tuple[Route, ...],
        clock_us: Callable[[], int],
        pause: Callable[[float], None],
        workers: int = 0,
    ) -> None:
        """`accounts`: name to its limits and the rail's own rate. `workers`: at most so many are at work at once, and
        share a rate evenly where that leaves each enough; 0: nobody knows, the store gives the slots out."""
        self._store = store
        self._own = OwnShare(store)
        self._routes = routes
        self._clock_us = clock_us
        self._pause = pause
        self._lanes: dict[str, _Lane] = {}
        for name, (limits, rail_rate) in accounts.items():
            rate = rail_rate if limits.rate_per_s is None else limits.rate_per_s
            share = share_of(rate, workers) if rate else 0
            self._lanes[name] = _Lane(limits, Grid.of(share or rate) if rate else None, own=bool(share))

    def choose(self, errand: Errand) -> Go | Later:
        """An account with a slot and room for today, all of it reserved. The soonest `Later` where there is none."""
        names = [one for one in accounts_for(errand, self._routes, tuple(self._lanes)) if one in self._lanes]
        if not names:
            return Later(self._now_ms() + _DAY_MS, NO_ACCOUNT)
        refusals = [Later(0, RATE_FULL)]
        for patience in range(_PATIENCE + 1):
            soonest = min(refusals, key=lambda one: one.at_ms)
            if soonest.reason != RATE_FULL:
                return soonest
            if patience:
                self._pause(max(0, soonest.at_ms - self._now_ms()) / 1000)
            refusals = []
            # Where the last thing heard of an account is a long queue, the others are asked first.
            for account in sorted(names, key=lambda one: max(0, self._lanes[one].busy_until_us - self._clock_us())):
                found = self._try(account, errand)
                if isinstance(found, Go):
                    return found
                refusals.append(found)
        return self._patient(min(refusals, key=lambda one: one.at_ms), errand)

    def turn(self, account: str, errand: Errand, stopped: Callable[[], str], slot_us: int = 0) -> str:
        """Return "" when a call through this account may leave: in the slot given, or in the next one to be had.

        `stopped` is asked at the end of the wait, however long that was: why no money may move now, or ""; then that
        is returned, and no call may be made. PostponedError: no slot within the time one is given; nothing was sent.
        """
        for _ in range(_LATE_TRIES):
            if not slot_us:
                slot = self._slot(account, errand)
                if isinstance(slot, Later):
                    raise PostponedError(errand.reward_id, slot)
                slot_us = slot
            self._pause_until(slot_us - LEAD_US)
            if (reason := stopped()) or not slot_us:
                return reason
            self._pause_until(slot_us)
            if slot_us <= self._clock_us() < slot_us + SLACK_US:
                return ""
            # Overslept: a call now might be one too many in its second.
            slot_us = 0
        raise PostponedError(errand.reward_id, self._patient(Later(0, RATE_FULL), errand))

    def heard(self, account: str, outcome: RailOutcome) -> None:
        """What the rail said to a call: an account out of money or over its rate rests for all workers."""
        if isinstance(outcome, NotAccepted) and not outcome.hold and outcome.retry_after_ms and account in self._lanes:
            until_ms = self._now_ms() + outcome.retry_after_ms
            self._own.heard_of_rest(account, until_ms)
            self._store.rest(account, until_ms)

    def _try(self, account: str, errand: Errand) -> Go | Later:
        lane = self._lanes[account]
        slot = self._leased(account, lane, errand)
        if isinstance(slot, Later):
            return slot
        if self._spend(account, lane.limits, errand):
            return Go(account, slot)
        return Later(next_day_ms(lane.limits, self._now_ms()), DAY_LIMIT)

    def _spend(self, account: str, limits: AccountLimits, errand: Errand) -> bool:
        """Count it for the payee, then for the account; False where either day is full."""
        now_ms = self._now_ms()
        key, amount = f"{account}#{day_of(limits, now_ms)}", errand.amount_minor
        expires_at_s = now_ms // 1000 + _DAYS_KEPT_S
        of_payee = Allowance(limits.payee_day_amount_minor, limits.payee_day_count)
        if of_payee and not self._store.spend(f"{key}#{errand.payee}", amount, of_payee, expires_at_s):
            return False
        of_account = Allowance(limits.day_amount_minor, limits.day_count)
        return not of_account or self._store.spend(key, amount, of_account, expires_at_s)

    def _slot(self, account: str, errand: Errand) -> int | Later:
        """A slot of this very account; waits a little for room."""
        lane = self._lanes.get(account)
        if lane is None:
            return 0
        found = self._leased(account, lane, errand)
        for _ in range(_PATIENCE):
            if not isinstance(found, Later) or found.reason != RATE_FULL:
                break
            self._pause(max(0, found.at_ms - self._now_ms()) / 1000)
            found = self._leased(account, lane, errand)
        return self._patient(found, errand) if isinstance(found, Later) else found

    def _patient(self, found: Later, errand: Errand) -> Later:
        """Who found no room after waiting comes back later, not at the very next slot."""
        return Later(come_back_ms(errand, self._now_ms()), RATE_FULL) if found.reason == RATE_FULL else found

    def _leased(self, account: str, lane: _Lane, errand: Errand) -> int | Later:
        """The time of a slot that is the caller's from now on; 0 where the account is unpaced."""
        if lane.grid is None:
            return 0
        lane.wait(1)
        with lane.leasing:
            waiting = lane.wait(-1)
            return self._next(account, lane, lane.grid, errand, waiting)

    def _next(self, account: str, lane: _Lane, grid: Grid, errand: Errand, waiting: int) -> int | Later:
        """One of the slots this container holds, or of those it leases now: for the caller and who waits with it."""
        now_us = self._clock_us()
        earliest = grid.at_or_after(now_us + LEAD_US)
        while lane.slots:
            slot = lane.slots.popleft()
            if slot >= earliest:
                return grid.time_us(slot)
        latest = grid.at_or_after(now_us + LEAD_US + reach_us(errand, now_us // 1000))
        if lane.busy_until_us > grid.time_us(latest):
            # What was heard can only have become more: no need to ask.
            return self._full(lane, grid.time_us(latest), now_us)
        give = self._own.lease if lane.own else self._store.lease
        pace = give(account, earliest, latest, waiting, now_us // 1000)
        if pace.first is not None:
            lane.slots.extend(range(pace.first + 1, pace.first + waiting))
            lane.busy_until_us = grid.time_us(pace.first + waiting)
            return grid.time_us(pace.first)
        if pace.rests_until_ms > now_us // 1000:
            return Later(pace.rests_until_ms, RESTING)
        lane.busy_until_us = grid.time_us(pace.next_free)
        return self._full(lane, grid.time_us(latest), now_us)

    def _full(self, lane: _Lane, latest_us: int, now_us: int) -> Later:
        """When there will be room within the caller's reach, as far as is known."""
        room_us = min(max(lane.busy_until_us - latest_us, 0), HORIZON_US)
        return Later((now_us + room_us) // 1000 + 10, RATE_FULL)

    def _pause_until(self, time_us: int) -> None:
        early_us = time_us - self._clock_us()
        if early_us > 0:
            self._pause(early_us / 1_000_000)

    def _now_ms(self) -> int:
        return self._clock_us() // 1000
