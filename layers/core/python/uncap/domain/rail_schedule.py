"""When and through which merchant account a payout may be sent: the slots of a rate, daily limits, routes. Pure.

Used by `services/schedule_payouts.py`; the shared state behind it is a `PaceStore` (adapters/rail_pace.py). Times of
slots are epoch microseconds, all others epoch milliseconds (docs/adr/0022).
"""

from typing import Protocol

import msgspec

from uncap.domain.codes import crockford

SLACK_US = 5_000
"""A call may leave this much after its slot; later, the slot is lost. Clocks of workers must agree within it."""

HORIZON_US = 1_000_000
"""Slots are given out at most this far ahead."""

LEAD_US = 20_000
"""A new slot is at least this far ahead: the attempt is written before it comes."""

_SMALL_MINOR, _LARGE_MINOR = 500, 20_000
_OLD_MS, _FULL_AGE_MS = 60_000, 600_000
_DAY_MS = 86_400_000
_SPREAD = 32


class AccountLimits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one account may send, as its owner agreed with the rail; None: no such limit.

    `rate_per_s`: None takes the rail's own, 0 sends unpaced. A day begins `day_offset_min` minutes before UTC's. What
    was counted is not returned when a payout fails: the count may be too high, never too low.
    """

    rate_per_s: int | None = None
    day_amount_minor: int | None = None
    day_count: int | None = None
    payee_day_amount_minor: int | None = None
    payee_day_count: int | None = None
    day_offset_min: int = 480


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which accounts pay what; "" matches all. The first route that matches decides."""

    accounts: tuple[str, ...]
    kind: str = ""
    campaign: str = ""
    beneficiary: str = ""


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """What the scheduler must know of a payout. `payee` recognises the person, it is no name or number of theirs."""

    reward_id: str
    kind: str
    campaign: str
    beneficiary: str
    payee: str
    amount_minor: int
    since_ms: int


class Go(msgspec.Struct, frozen=True):
    """Send through this account, at `slot_us` or up to SLACK_US later; 0: whenever you like."""

    account: str
    slot_us: int = 0


class Later(msgspec.Struct, frozen=True):
    """Not before `at_ms`. Nothing was sent, and nothing about the payout changes."""

    at_ms: int
    reason: str


class Pace(msgspec.Struct, frozen=True):
    """What the shared state said: the first of the leased slots, or why there are none (`first` None)."""

    first: int | None = None
    next_free: int = 0
    rests_until_ms: int = 0


class PaceStore(Protocol):
    """The state all workers share, one conditional item per account. TransientError: ask again."""

    def lease(self, account: str, earliest: int, latest: int, count: int, now_ms: int) -> Pace:
        """Take `count` slots at or after `earliest`, the first no later than `latest`; nobody else gets them."""
        ...

    def rest(self, account: str, until_ms: int) -> None:
        """Nobody is given slots of this account before then. An earlier end never shortens it."""
        ...

    def rests_until(self, account: str) -> int:
        """Until when the account rests, epoch ms, 0 for never; at half the price of certainty."""
        ...

    def spend(self, counter: str, amount_minor: int, limit: "Allowance", expires_at_s: int) -> bool:
        """Count one payout of this amount if number and sum stay within the limit; else count nothing: False."""
        ...


class Allowance(msgspec.Struct, frozen=True):
    """A day's limits of one counter."""

    amount_minor: int | None = None
    count: int | None = None

    def __bool__(self) -> bool:
        return self.amount_minor is not None or self.count is not None


class Grid(msgspec.Struct, frozen=True):
    """Slot n is at n * `period_us`. With calls up to SLACK_US late, no second holds more than the rate.

    A half-open second sees calls of slots in an open interval of 1 s + SLACK_US, which is at most rate periods long.
    """

    period_us: int

    @classmethod
    def of(cls, rate_per_s: int) -> "Grid":
        """The densest grid that keeps this rate: 99.5 % of it."""
        return cls(-(-(1_000_000 + SLACK_US) // rate_per_s))

    def at_or_after(self, time_us: int) -> int:
        """The first slot not before this time."""
        return -(-time_us // self.period_us)

    def time_us(self, slot: int) -> int:
        return slot * self.period_us


def reach_us(errand: Errand, now_ms: int) -> int:
    """How far ahead this payout may book: small and old ones further, so they go first where slots are scarce.

    A large one that has just come gets a quarter of the horizon; who has waited ten minutes gets all of it, so that
    nobody is passed over for ever.
    """
    age_ms = max(0, now_ms - errand.since_ms)
    if age_ms >= _FULL_AGE_MS or errand.amount_minor <= _SMALL_MINOR:
        return HORIZON_US
    share = 2 if errand.amount_minor < _LARGE_MINOR else 1
    return HORIZON_US * (share + (age_ms >= _OLD_MS)) // 4


def come_back_ms(errand: Errand, now_ms: int) -> int:
    """When a message that found no slot is looked at again: 5 to 20 s, small ones sooner, spread by the reward's id."""
    spread = crockford.decode(errand.reward_id[-2:]) % _SPREAD
    base = 5_000 if errand.amount_minor <= _SMALL_MINOR else 10_000
    return now_ms + base + base * spread // _SPREAD


def accounts_for(errand: Errand, routes: tuple[Route, ...], everyone: tuple[str, ...]) -> tuple[str, ...]:
    """The accounts that may pay this, the first to ask in front: by the reward's id, so that all get their share."""
    for route in routes:
        fits = (
            route.kind in ("", errand.kind)
            and route.campaign in ("", errand.campaign)
            and route.beneficiary in ("", errand.beneficiary)
        )
        if fits:
            everyone = route.accounts
            break
    if not everyone:
        return ()
    turn = crockford.decode(errand.reward_id[-4:]) % len(everyone)
    return everyone[turn:] + everyone[:turn]


def day_of(limits: AccountLimits, now_ms: int) -> int:
    """The number of the rail's day."""
    return (now_ms + limits.day_offset_min * 60_000) // _DAY_MS


def next_day_ms(limits: AccountLimits, now_ms: int) -> int:
    """When the rail's next day begins."""
    return (day_of(limits, now_ms) + 1) * _DAY_MS - limits.day_offset_min * 60_000
