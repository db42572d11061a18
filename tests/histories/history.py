"""One seeded history: people claim, stream, queue and rail misbehave, and at the end everything must add up.

The services are the production ones; only what they are given is fake. `play` returns what is wrong, nothing if all is
well.
"""

import datetime
from collections.abc import Callable

from tests.histories.campaigns import (
    BATCH,
    CAMPAIGN,
    CODES,
    DAY_MS,
    RELEASE,
    RULES,
    FakeCatalog,
    rich_problems,
    shape_of,
    targeting_of,
)
from tests.histories.decisions import FakeDecisions
from tests.histories.office import OPERATORS, Office
from tests.histories.parts import drawing_of, laid_prize, quiet
from tests.histories.people import People
from tests.histories.rail import FakeRail
from tests.histories.scans import FakeChannel, FakeLimits, FakeScans, OutletScans
from tests.histories.stores import FakeLedger, FakeQueue
from tests.histories.verdict import claim_problems, draw_problems, money_problems, people_problems, stolen_problems
from tests.histories.winged import WINGS
from tests.histories.wings import Wing
from tests.histories.world import Rates, World, weather
from uncap.adapters.catalog import Catalog
from uncap.adapters.rails.own_ledger import OwnLedgerRail
from uncap.adapters.rails.registry import OWN_LEDGER_KINDS
from uncap.domain.catalog import Role
from uncap.domain.errors import UncapError
from uncap.domain.rails import Books, Rail
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.states import EPOCH_COMPROMISED, waits_for_person
from uncap.domain.scans import CodeRef
from uncap.services.compare_statement import compare_statement
from uncap.services.decide_hold import acknowledge
from uncap.services.grant_rewards import Granter, grant_changes
from uncap.services.receive_callback import receive_callback
from uncap.services.reconcile_scans import reconcile
from uncap.services.redrive_parked import redrive_dead
from uncap.services.reserve_budget import book_breakage, reserve_budget
from uncap.services.schedule_payouts import PostponedError
from uncap.services.settle_payout import Payouts
from uncap.services.stop_money import MAX_AGE_MS, Brakes
from uncap.services.sweep_rewards import sweep
from uncap.services.take_message import look_later, send_back, take_message

__all__ = ["BATCH", "CAMPAIGN", "RELEASE", "FakeCatalog", "History"]
FIRST_LOOK_S = 300
CATALOG_AGE_MS = 5_000
# A stop holds once the brakes' answer has aged; then come the calls of an actor that has just been told to go on, each
# up to 40 ms, and those of three others between them.
STOP_WITHIN_MS = MAX_AGE_MS + 2_000
_PAUSES_MS = (10, 1_000, 60_000, 200_000, 500_000, 3 * 3_600_000, 9 * 3_600_000)


class History:
    """A world with everything in it, and the things that can happen there."""

    def __init__(self, seed: int, ledger: type[FakeLedger] = FakeLedger, shape: str = "") -> None:
        self.shape = shape or shape_of(seed)
        self.leaked_ms = 0
        self.rich = self.shape == "rich"
        world = self.world = World(seed, Rates())
        world.rates, self.leaks = weather(world.random), world.chance(0.1)
        self.rail = FakeRail(world, trouble=world.rates.trouble)
        self.ledger, self.queue, self.decisions = ledger(world), FakeQueue(world), FakeDecisions(world)
        self.scans = OutletScans(world) if self.rich else FakeScans(world)
        self.limits, self.channel, self.source = FakeLimits(world), FakeChannel(), FakeCatalog(self.shape)
        catalog, clock = Catalog(self.source, world.clock_ms, CATALOG_AGE_MS), world.clock_ms
        self.office = Office(world, self.ledger, self.queue)
        self.rail.let_go = self._let_go
        self.people = People(world, self.scans, self.limits, catalog)
        brakes = Brakes(catalog, clock)
        own: dict[str, Rail] = dict.fromkeys(OWN_LEDGER_KINDS, OwnLedgerRail())
        self.granter = Granter(
            catalog, self.channel, self.ledger, self.queue, laid_prize, brakes, clock, own, pool=None,
            targeting=targeting_of(self.decisions, self.channel, catalog),
            drawing=drawing_of(self.ledger, self.source.campaign, clock),
        )  # fmt: skip
        self.payouts = Payouts(
            ledger=self.ledger,
            catalog=catalog,
            brakes=brakes,
            rails={"cash": self.rail, **own},
            open_payee=lambda reward: f"openid-{reward.party}",
            clock_ms=clock,
            notify_url="https://api.example/v1/rails/wechat/notify",
        )
        self.counterpart: Books = self.rail
        self.wing = WINGS.get(self.shape, Wing)(self)

    def play(self) -> list[str]:
        random, world = self.world.random, self.world
        world.note(self.shape, world.rates)
        self.ledger.entries.clear()
        self._activate(random.random() < 0.8)
        self.channel.shipped = random.random() < 0.7
        for _ in range(random.randrange(20, 60)):
            happenings = self._happenings()
            chosen = [random.choice(happenings) for _ in range(1 + random.randrange(self.wing.crowd))]
            world.note("next:", *(one.__name__.strip("_") for one in chosen))
            world.run(*map(self._attempt, chosen))
            world.now_ms = self.wing.later(world.now_ms + random.choice(_PAUSES_MS))
            self.rail.live()
        self._settle_down()
        for problem in self._accounts():
            world.violated(problem)
        return world.violations

    def _happenings(self) -> list[Callable[[], object]]:
        often = [self._claim, self._relay, self._work, self._work, self._work, self._sweep, self._callback]
        rare = [self._reconcile, self._change_the_ground, self._human, self._forge]
        rare += [self._come_back, self._ask_again, self._stray]
        eager = [self._claim] * 4 if self.shape == "limited" else []
        return [*often, *often, *rare, *eager, *self.wing.happenings()]

    def _attempt(self, body: Callable[[], object]) -> Callable[[], None]:
        def guarded() -> None:
            try:
                body()
            except UncapError as cause:
                # The invocation failed; whatever delivered the event delivers it again.
                self.world.note(getattr(body, "__name__", "step").strip("_"), "failed:", cause.code)

        return guarded

    def _activate(self, yes: bool = True) -> None:
        self.source.activated = yes
        if yes:
            rules = RULES.rules if self.rich else ()
            reserve_budget(quiet(self.ledger), self.source.release(), self.source.campaign, rules)

    def _claim(self) -> None:
        ref = CodeRef(7, self.world.random.randrange(CODES), Role.CAP_INNER)
        persons = 2 if self.shape == "limited" else 5
        self.people.claim(f"p{self.world.random.randrange(persons)}", ref)

    def _ask_again(self) -> None:
        self.people.ask_again()

    def _come_back(self) -> None:
        """People whose payout ended without them open the page again."""
        for reward in list(self.ledger.items.values()):
            if reward.state is State.CLAIMABLE:
                self.people.claim(reward.party, reward.code)

    def _stray(self) -> None:
        """An old message turns up: a dead letter driven again, a copy that was slow."""
        if self.ledger.items:
            self.queue.send([self.world.random.choice(list(self.ledger.items))])

    def _relay(self) -> None:
        shard = self.world.random.choice(self.scans.waiting or [0, 1])
        batch, position = self.scans.batch(shard)
        with self.wing.relay() as granter:
            grant_changes(batch, granter)
        self.scans.taken(shard, position)

    def _work(self) -> None:
        taken = self.queue.take()
        if taken:
            moved: list[Reward] = []
            with self.wing.worker() as payouts:
                try:
                    moved = take_message(taken[1], payouts)
                except PostponedError as later:
                    send_back([later], self.queue, self.world.now_ms)
            look_later(moved, self.queue, FIRST_LOOK_S)
            self.queue.delete_message(taken[0])

    def _sweep(self) -> None:
        sweep(self.payouts, self.channel, self.queue, 50)

    def _callback(self) -> None:
        if self.rail.callbacks:
            place = self.world.random.randrange(len(self.rail.callbacks))
            body = self.rail.callbacks[place]
            receive_callback({"signature": "good"}, body, self.counterpart, self.payouts)
            self.rail.took(body)
            if body in self.rail.callbacks and not self.world.chance(0.3):  # else it comes again
                self.rail.callbacks.remove(body)

    def _forge(self) -> None:
        before = len(self.ledger.writers)
        for body, headers in self.rail.forgeries():
            try:
                receive_callback(headers, body, self.counterpart, self.payouts)
            except UncapError:
                continue
            self.world.violated("a forged notice was believed")
        if self.world.turn in self.ledger.writers[before:]:
            self.world.violated("a forged notice was written")

    def _reconcile(self) -> None:
        with self.wing.relay() as granter:
            reconcile(self.scans, granter, self.world.clock_ms, lambda: self.world.chance(0.1), self.ledger)

    def _change_the_ground(self) -> None:
        if not self.source.activated:
            self._activate()
        self.channel.shipped = True
        self.channel.distributor = self.world.random.choice(["d-1", "d-2"])
        self.source.hold = self.world.random.choice(["", "", "", "frozen", "recalled"])
        self.source.paused = self.world.chance(0.3)
        if self.shape in ("rich", "wide"):
            self.channel.outlet = self.world.random.choice(["", "o-1", "o-2"])
            self.channel.salesperson = self.world.random.choice(["", "s-1"])
        if self.rich:
            self.source.outlet_paused = self.world.random.choice(["", "", "o-1", "o-2"])
        if self.leaks and self.world.chance(0.5):
            self.source.epoch_state, self.leaked_ms = "compromised", self.leaked_ms or self.world.now_ms
        stopped = bool(self.source.hold or self.source.paused or self.leaked_ms)
        self.rail.no_new_bills_after_ms = self.world.now_ms + STOP_WITHIN_MS if stopped else 0
        self.world.note("ground:", self.source.hold, "paused" if self.source.paused else "", self.channel.__dict__)

    def _let_go(self, bill: str) -> bool:
        """Two people's word stands against a stolen key, and against nothing else."""
        held_by_more = bool(self.source.hold or self.source.paused)
        return not held_by_more and any(bill.startswith(one) for one in self._cleared())

    def _cleared(self) -> set[str]:
        """Rewards whose mark says that people let them go, and whose approval is on file."""
        marked = {one.reward_id for one in self.ledger.items.values() if one.cleared == EPOCH_COMPROMISED}
        return {one for one in marked if self.office.has_released(one)}

    def _human(self) -> None:
        for reward in list(self.ledger.items.values()):
            if waits_for_person(reward) and self.world.chance(0.5):
                self.office.decide(reward.reward_id, self.world.random.choice(OPERATORS))
        redrive_dead(self.queue, self.queue, 10)

    def _calm_down(self) -> None:
        """Faults end, what was stopped goes on, and whoever got no answer asks until there is one."""
        self.world.note("calm")
        self.world.calm()
        self.rail.trouble = 0.0
        if not self.source.activated:
            self._activate()
        self.channel.shipped, self.source.hold, self.source.paused = True, "", False
        self.source.outlet_paused = ""
        self.rail.no_new_bills_after_ms = self.leaked_ms and self.leaked_ms + STOP_WITHIN_MS
        self.world.now_ms += CATALOG_AGE_MS
        while self.people.unanswered:
            self.people.ask_again()
        self.wing.calm()
        for reward in list(self.ledger.items.values()):
            if reward.state is State.HELD and reward.reason == "recalled":  # the recall was called off
                self.office.release(reward.reward_id)

    def _settle_down(self) -> None:
        """Time goes on past every deadline, and nobody is lost on the way."""
        self._calm_down()
        for step in range(14 * 4):
            if step % 14 == 0:
                with self.wing.relay() as granter:
                    while not reconcile(self.scans, granter, self.world.clock_ms, lambda: False, self.ledger).complete:
                        continue
            self._pass_six_hours()
        for reward in list(self.ledger.items.values()):
            if reward.reason == "late_success" and reward.attempt and not reward.attempt.is_open:
                acknowledge(reward.reward_id, self.ledger)
        compare_statement(self.counterpart, datetime.date(2026, 9, 21), self.ledger, self.world.now_ms)
        for _ in range(2):
            book_breakage(self.ledger, [self.source.release()], self.world.now_ms)
            self.world.now_ms += DAY_MS
        self.wing.finish()

    def _pass_six_hours(self) -> None:
        while self.scans.waiting:
            self._relay()
        redrive_dead(self.queue, self.queue, 100)
        if self.world.chance(0.3):
            self._attempt(self._stray)()
        for _ in range(len(self.queue.messages)):
            self._attempt(self._work)()
        self._attempt(self._sweep)()
        self.world.now_ms += DAY_MS // 4
        self.rail.live()

    def _accounts(self) -> list[str]:
        """What is wrong at the end: money, claims, limits, decisions."""
        campaign, rewards = self.source.campaign, self.ledger.items
        wrong = money_problems(self.ledger, self.rail) + claim_problems(self.scans.images, self.ledger, campaign)
        wrong += draw_problems(self.ledger, campaign)
        wrong += people_problems(self.people, campaign)
        claimed = {pk: one for pk, one in self.scans.images.items() if one.first}
        wrong += stolen_problems(rewards.values(), self.leaked_ms and self.leaked_ms + STOP_WITHIN_MS, self._cleared())
        wrong += self.wing.problems()
        return wrong + (rich_problems(self.decisions, claimed, rewards) if self.rich else [])
