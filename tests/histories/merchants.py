"""The wing of several merchant accounts: who pays is chosen under a rate, daily limits and rests shared by all workers.

Every worker is a container with a production scheduler of its own; a killed one loses the slots it held. The accounts
lead to the one bank of `rail.py`, which knows what really happened.
"""

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from tests.histories.rail import FakeRail
from tests.histories.wings import Wing
from tests.histories.world import Killed, World
from tests.kits.payout_world import MemoryPace
from uncap.adapters.rails.all_accounts import AllAccounts
from uncap.domain.errors import AuthError, NotFoundError
from uncap.domain.identity import open_name
from uncap.domain.rail_schedule import AccountLimits, Allowance, Pace, Route, day_of
from uncap.domain.rails import (
    CallbackNotice,
    NotAccepted,
    NotFound,
    Paid,
    PayInstruction,
    Rail,
    RailCapabilities,
    RailOutcome,
    StatementLine,
)
from uncap.domain.rewards import ids
from uncap.domain.rewards.reward import AWAITING_NAME, Reward, State
from uncap.domain.sessions import Session
from uncap.services.collect_reward import NameDesk, give_name
from uncap.services.pay_reward import NO_RAIL
from uncap.services.receive_callback import receive_callback
from uncap.services.schedule_payouts import Scheduler
from uncap.services.settle_payout import Payouts

if TYPE_CHECKING:
    from tests.histories.history import History

LIMITS = {
    "m1": AccountLimits(rate_per_s=1, day_count=3, payee_day_count=2),
    "m2": AccountLimits(rate_per_s=2, day_amount_minor=8_400, payee_day_amount_minor=8_200),
    "m3": AccountLimits(),
}
ROUTES = (Route(beneficiary="outlet", accounts=("m3",)), Route(accounts=("m1", "m2")))
NAMED_FROM_MINOR, NAME = 5_000, "张三"
SEAL_KEY = bytes(32)
_SECOND_MS = 1_000
_AROUND_MIDNIGHT_MS = 300_000


class SharedPace:
    """`PaceStore`: MemoryPace's conditions, each of them one write among faults."""

    def __init__(self, world: World) -> None:
        self.world, self.kept = world, MemoryPace()
        self.resting: dict[str, tuple[int, int]] = {}
        """Since when and until when an account rests."""

    def lease(self, account: str, earliest: int, latest: int, count: int, now_ms: int) -> Pace:
        return self.world.call(
            lambda: self.kept.lease(account, earliest, latest, count, now_ms), "lease", count, "of", account
        )

    def rest(self, account: str, until_ms: int) -> None:
        self.world.call(lambda: self._rest(account, until_ms), "rest", account)

    def rests_until(self, account: str) -> int:
        return self.world.call(lambda: self.kept.rests_until(account), "rests until", account)

    def spend(self, counter: str, amount_minor: int, limit: Allowance, expires_at_s: int) -> bool:
        return self.world.call(lambda: self.kept.spend(counter, amount_minor, limit, expires_at_s), "spend", counter)

    def _rest(self, account: str, until_ms: int) -> None:
        self.kept.rest(account, until_ms)
        self.resting[account] = (self.world.now_ms, until_ms)


class Merchant:
    """One account at the bank, a `Rail`. It sees when its calls leave, and whose bills they are about."""

    def __init__(self, name: str, bank: FakeRail, pace: SharedPace) -> None:
        self.name, self.bank, self.pace = name, bank, pace
        self.left_ms: list[int] = []

    @property
    def capabilities(self) -> RailCapabilities:
        return msgspec.structs.replace(self.bank.capabilities, name_from_minor=NAMED_FROM_MINOR)

    def submit(self, instruction: PayInstruction) -> RailOutcome:
        self._watch(instruction.bill_no)
        if instruction.user_name != (NAME if instruction.amount_minor >= NAMED_FROM_MINOR else ""):
            self.bank.world.violated(f"bill {instruction.bill_no} was sent with the name {instruction.user_name!r}")
        if self.bank.world.chance(0.15 * self.bank.trouble):
            return NotAccepted(reason="not_enough", retry_after_ms=600_000)
        return self.bank.submit(instruction)

    def query(self, bill_no: str) -> RailOutcome:
        return self.bank.query(bill_no) if self.bank.accounts.get(bill_no) == self.name else NotFound()

    def cancel(self, bill_no: str) -> RailOutcome:
        return self.bank.cancel(bill_no) if self.bank.accounts.get(bill_no) == self.name else NotFound()

    def verify_callback(self, headers: Mapping[str, str], body: bytes) -> CallbackNotice:
        notice = self.bank.verify_callback(headers, body)
        if notice.account != self.name:
            raise AuthError("rail_sealed", "another merchant's key opens it")
        return notice

    def statement(self, date: datetime.date) -> Iterator[StatementLine]:
        return (line for line in self.bank.statement(date) if self.bank.accounts.get(line.bill_no) == self.name)

    def _watch(self, bill_no: str) -> None:
        now_ms, world = self.bank.world.now_ms, self.bank.world
        first = self.bank.accounts.setdefault(bill_no, self.name)
        if first != self.name:
            world.violated(f"bill {bill_no} was sent through {first} and {self.name}")
        self.left_ms = [at for at in self.left_ms if now_ms - at < _SECOND_MS] + [now_ms]
        rate = LIMITS[self.name].rate_per_s
        if rate and len(self.left_ms) > rate:
            world.violated(f"{len(self.left_ms)} calls left {self.name} within a second")
        began_ms, until_ms = self.pace.resting.get(self.name, (0, 0))
        if began_ms + 2 * _SECOND_MS < now_ms < until_ms:  # what was leased for the second ahead may still leave
            world.violated(f"{self.name} was used while it rests")


class MerchantsWing(Wing):
    """Workers that share accounts, and what must hold of each account's days."""

    crowd = 7

    def __init__(self, history: "History") -> None:
        super().__init__(history)
        bank = history.rail
        self.pace = SharedPace(self.world)
        self.merchants: dict[str, Rail] = {name: Merchant(name, bank, self.pace) for name in LIMITS}
        self.idle: list[Scheduler] = []
        rails = {**history.payouts.rails, "cash": self.merchants["m1"]}
        history.payouts = dataclasses.replace(
            history.payouts,
            rails=rails,
            accounts=self.merchants,
            open_name=lambda one: open_name(SEAL_KEY, one.reward_id, one.name),
        )
        tell, clock = self._tell, self.world.clock_ms
        self.names = NameDesk(history.ledger, tell, lambda: SEAL_KEY, self.world.random.randbytes, clock)
        history.counterpart = AllAccounts(tuple(self.merchants.values()))

    def happenings(self) -> list[Callable[[], object]]:
        claiming = [self.history._claim, self.history._relay] * 3
        return [*claiming, *[self.history._work] * 10, self._misdirect, self._close_one, *[self._say_name] * 3]

    @contextmanager
    def worker(self) -> Iterator[Payouts]:
        payouts, scheduler = self.history.payouts, self.idle.pop() if self.idle else self._started()
        try:
            yield dataclasses.replace(payouts, scheduler=scheduler)
        except Killed:
            raise  # its slots are gone with it
        except BaseException:
            self._rest(payouts, scheduler)
            raise
        else:
            self._rest(payouts, scheduler)

    def _rest(self, payouts: Payouts, scheduler: Scheduler) -> None:
        if payouts is self.history.payouts:
            self.idle.append(scheduler)

    def calm(self) -> None:
        """All merchants are back, and people let go what had none."""
        self._configure(self.merchants)
        for one in list(self.history.ledger.items.values()):
            if one.state is State.HELD and one.reason == NO_RAIL:
                self.history.office.release(one.reward_id)
        self._say_name()

    def _configure(self, accounts: Mapping[str, Rail]) -> None:
        """Other keys, and so other containers."""
        self.history.payouts = dataclasses.replace(self.history.payouts, accounts=accounts)
        self.idle.clear()

    def _started(self) -> Scheduler:
        accounts = {name: (LIMITS[name], None) for name in self.history.payouts.accounts}
        return Scheduler(self.pace, accounts, ROUTES, lambda: self.world.now_ms * 1_000, self.world.sleep)

    def _close_one(self) -> None:
        """A merchant is taken out of the configuration, or all are there again."""
        gone = self.world.random.choice(["", "", *LIMITS])
        left = {name: one for name, one in self.merchants.items() if name != gone}
        self._configure(left)

    def _misdirect(self) -> None:
        """A notice that one merchant's key opens tells of another's bill."""
        sent = [one for one in self.history.ledger.items.values() if one.attempt and one.attempt.is_open]
        if not sent:
            return
        reward = self.world.random.choice(sent)
        attempt = reward.attempt
        other = "m2" if attempt is None or attempt.account == "m1" else "m1"
        paid = Paid(rail_id="r-x", paid_at_ms=self.world.now_ms, amount_minor=reward.net_minor)
        bill = ids.bill_no(reward.reward_id, attempt.no if attempt else 1)
        notice = CallbackNotice(
            event_id="n-x", bill_no=bill, amount_minor=reward.net_minor, outcome=paid, account=other
        )
        try:
            receive_callback(
                {"signature": "good"}, msgspec.json.encode(notice), self.history.counterpart, self.history.payouts
            )
        except NotFoundError:
            return
        self.world.violated(f"{other} was believed about a bill of another account")

    def _tell(self, _session: Session, reward: Reward) -> None:
        self.history.queue.send([reward.reward_id])

    def _say_name(self) -> None:
        """Somebody says the name that the rail asks for."""
        for one in list(self.history.ledger.items.values()):
            if one.state is State.HELD and one.reason == AWAITING_NAME:
                give_name(self.names, Session("h5", "d", 0, 0, one.party, "sealed"), one.reward_id, NAME)

    def problems(self) -> list[str]:
        """The days of every account, that nothing was sent past the routes, that names are forgotten."""
        days: dict[tuple[str, int], list[int]] = defaultdict(list)
        payees: dict[tuple[str, int, str], list[int]] = defaultdict(list)
        rewards = self.history.ledger.items.values()
        ended = (State.PAID, State.RELEASED, State.CLAIMABLE)
        wrong = [f"the name of {one.reward_id} is kept" for one in rewards if one.name and one.state in ended]
        for one in self.history.ledger.begun:
            attempt = one.attempt
            if attempt is None or one.kind != "cash":
                continue
            if attempt.account not in ("m1", "m2"):
                wrong.append(f"{one.reward_id} went through {attempt.account!r}")
                continue
            day = day_of(LIMITS[attempt.account], attempt.at_ms)
            if day == day_of(LIMITS[attempt.account], attempt.at_ms - _AROUND_MIDNIGHT_MS):
                days[attempt.account, day].append(one.net_minor)
                payees[attempt.account, day, one.payee_person].append(one.net_minor)
        for (account, day), sums in days.items():
            limits = LIMITS[account]
            if _over(sums, limits.day_count, limits.day_amount_minor):
                wrong.append(f"{account} sent {sums} on day {day}")
        for (account, day, who), sums in payees.items():
            limits = LIMITS[account]
            if _over(sums, limits.payee_day_count, limits.payee_day_amount_minor):
                wrong.append(f"{account} sent {sums} to {who} on day {day}")
        return wrong


def _over(sums: list[int], count: int | None, amount_minor: int | None) -> bool:
    return (count is not None and len(sums) > count) or (amount_minor is not None and sum(sums) > amount_minor)
