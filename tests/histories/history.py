"""One seeded history: people claim, stream, queue and rail misbehave, and at the end everything must add up.

The services are the production ones; only what they are given is fake. `play` returns what is wrong, nothing if all is
well.
"""

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
    targeting_of,
)
from tests.histories.rail import FakeRail
from tests.histories.stores import FakeChannel, FakeDecisions, FakeLedger, FakeQueue, FakeScans
from tests.histories.world import Rates, World
from uncap.adapters.catalog import Catalog
from uncap.adapters.rails.own_ledger import OwnLedgerRail
from uncap.domain.catalog import Release, Role
from uncap.domain.errors import UncapError
from uncap.domain.rewards.reward import FINAL, Reward, State
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.services.decide_hold import acknowledge, approve
from uncap.services.grant_rewards import Granter, grant_changes
from uncap.services.receive_callback import receive_callback
from uncap.services.reconcile_scans import reconcile
from uncap.services.redrive_parked import redrive_dead
from uncap.services.reserve_budget import book_breakage, reserve_budget
from uncap.services.settle_payout import Payouts
from uncap.services.stop_money import MAX_AGE_MS, Brakes
from uncap.services.sweep_rewards import sweep
from uncap.services.take_message import look_later, take_message
from uncap.services.trial_balance import trial_balance

__all__ = ["BATCH", "CAMPAIGN", "RELEASE", "FakeCatalog", "History"]
FIRST_LOOK_S = 300
# A stop holds once the brakes' answer has aged; then come the calls of an actor that has just been told to go on, each
# up to 40 ms, and those of three others between them.
STOP_WITHIN_MS = MAX_AGE_MS + 2_000


class History:
    """A world with everything in it, and the things that can happen there. Every other seed's campaign has rules."""

    def __init__(self, seed: int, ledger: type[FakeLedger] = FakeLedger) -> None:
        self.rich = seed % 2 == 0
        seeded = World(seed, Rates())
        faults = seeded.random.choice([0.0, 0.02, 0.1])
        self.world = World(seed, Rates(kill=faults, before=faults, after=faults))
        self.rail = FakeRail(self.world, trouble=self.world.random.choice([0.0, 0.5, 1.0]))
        self.ledger, self.queue = ledger(self.world), FakeQueue(self.world)
        self.scans, self.channel, self.source = FakeScans(self.world), FakeChannel(), FakeCatalog(rich=self.rich)
        catalog, clock = Catalog(self.source, self.world.clock_ms, 0), self.world.clock_ms
        own, brakes = OwnLedgerRail(), Brakes(catalog, clock)
        self.decisions = FakeDecisions(self.world)
        self.granter = Granter(
            catalog, self.channel, self.ledger, self.queue, _laid, brakes, clock, {"points": own}, pool=None,
            targeting=targeting_of(self.decisions, self.channel, catalog),
        )  # fmt: skip
        self.payouts = Payouts(
            ledger=self.ledger,
            catalog=catalog,
            brakes=brakes,
            rails={"cash": self.rail, "points": own},
            open_payee=lambda reward: f"openid-{reward.party}",
            clock_ms=self.world.clock_ms,
            notify_url="https://api.example/v1/rails/wechat/notify",
        )

    def play(self) -> list[str]:
        self.ledger.entries.clear()
        reserve_budget(_quiet(self.ledger), RELEASE, self.source.campaign, RULES.rules if self.rich else ())
        random = self.world.random
        self.channel.shipped = random.random() < 0.7
        for _ in range(random.randrange(20, 60)):
            self.world.run(*(self._attempt(random.choice(self._happenings())) for _ in range(random.randrange(1, 5))))
            self.world.now_ms += random.choice([10, 1_000, 60_000, 200_000, 500_000, 3 * 3_600_000, 9 * 3_600_000])
            self.rail.live()
        self._settle_down()
        return self.world.violations + self._accounts()

    def _happenings(self) -> list[Callable[[], object]]:
        often = [self._claim, self._relay, self._work, self._work, self._work, self._sweep, self._callback]
        return [*often, *often, self._reconcile, self._change_the_ground, self._human, self._forge, self._come_back]

    def _attempt(self, body: Callable[[], object]) -> Callable[[], None]:
        def guarded() -> None:
            try:
                body()
            except UncapError:
                return  # the invocation failed; whatever delivered the event delivers it again

        return guarded

    def _claim(self) -> None:
        self._scan(CodeRef(7, self.world.random.randrange(CODES), Role.CAP_INNER), f"p{self.world.random.randrange(5)}")

    def _come_back(self) -> None:
        """People whose payout ended without them open the page again."""
        for reward in list(self.ledger.items.values()):
            if reward.state is State.CLAIMABLE:
                self._scan(reward.code, reward.party)

    def _scan(self, ref: CodeRef, person: str) -> None:
        outlet = self.world.random.choice(["", "", "o-1"]) if self.rich else ""
        at_ms = self.world.now_ms
        mark = Mark(f"i{at_ms}", at_ms, "claim", person, "sealed", outlet=outlet, campaign="spring@1")
        old = self.scans.images.get(ref.key())
        first = old.first if old else None
        self.scans.write(ScanImage(ref.key(), mark, (old.count if old else 0) + 1, first or mark))

    def _relay(self) -> None:
        batch = self.scans.batch()
        grant_changes(batch, self.granter)
        self.scans.position = max(self.scans.position, self.scans.stream.index(batch[-1]) + 1 if batch else 0)

    def _work(self) -> None:
        taken = self.queue.take()
        if taken:
            moved = take_message(taken[1], self.payouts)
            look_later(moved, self.queue, FIRST_LOOK_S)
            self.queue.delete_message(taken[0])

    def _sweep(self) -> None:
        sweep(self.payouts, self.channel, self.queue, 50)

    def _callback(self) -> None:
        if self.rail.callbacks:
            place = self.world.random.randrange(len(self.rail.callbacks))
            body = self.rail.callbacks[place]
            receive_callback({"signature": "good"}, body, self.rail, self.payouts)
            if body in self.rail.callbacks and not self.world.chance(0.3):  # else it comes again
                self.rail.callbacks.remove(body)

    def _forge(self) -> None:
        writes = self.ledger.writes
        for body, headers in ((b"{}", {}), *((body, {"signature": "bad"}) for body in self.rail.callbacks[:1])):
            try:
                receive_callback(headers, body, self.rail, self.payouts)
            except UncapError:
                continue
            self.world.violations.append("a forged notice was believed")
        if self.ledger.writes != writes:
            self.world.violations.append("a forged notice was written")

    def _reconcile(self) -> None:
        reconcile(self.scans, self.granter, self.world.clock_ms, lambda: self.world.chance(0.1))

    def _change_the_ground(self) -> None:
        self.channel.shipped = True
        self.channel.distributor = self.world.random.choice(["d-1", "d-2"])
        self.source.hold = self.world.random.choice(["", "", "", "frozen", "recalled"])
        self.source.paused = self.world.chance(0.3)
        if self.rich:
            self.channel.outlet = self.world.random.choice(["", "o-1", "o-2"])
            self.channel.salesperson = self.world.random.choice(["", "s-1"])
            self.source.outlet_paused = self.world.random.choice(["", "", "o-1", "o-2"])
        stopped = bool(self.source.hold or self.source.paused)
        self.rail.no_new_bills_after_ms = self.world.now_ms + STOP_WITHIN_MS if stopped else 0

    def _human(self) -> None:
        for reward in list(self.ledger.items.values()):
            if reward.state is State.HELD and reward.reason.startswith("rail_") and self.world.chance(0.5):
                approve(reward.reward_id, self.ledger, self.queue, self.world.now_ms)
        redrive_dead(self.queue, self.queue, 10)

    def _settle_down(self) -> None:
        """Faults end, time goes on past every deadline, and nobody is lost on the way."""
        self.world.calm()
        self.rail.trouble = 0.0
        self.channel.shipped, self.source.hold, self.source.paused = True, "", False
        self.source.outlet_paused = ""
        self.rail.no_new_bills_after_ms = 0
        for reward in list(self.ledger.items.values()):
            if reward.state is State.HELD and reward.reason == "recalled":  # the recall was called off
                approve(reward.reward_id, self.ledger, self.queue, self.world.now_ms)
        for step in range(14 * 4):
            if step % 14 == 0:
                while not reconcile(self.scans, self.granter, self.world.clock_ms, lambda: False).complete:
                    continue
            while self.scans.position < len(self.scans.stream):
                self._relay()
            redrive_dead(self.queue, self.queue, 100)
            for _ in range(len(self.queue.messages)):
                self._attempt(self._work)()
            self._attempt(self._sweep)()
            self.world.now_ms += DAY_MS // 4
            self.rail.live()
        for reward in list(self.ledger.items.values()):
            if reward.reason == "late_success" and reward.attempt and not reward.attempt.is_open:
                acknowledge(reward.reward_id, self.ledger)
        book_breakage(self.ledger, [RELEASE], self.world.now_ms)

    def _accounts(self) -> list[str]:
        """What is wrong at the end: money, states, books."""
        wrong = [f"{one} was paid {len(bills)} times" for one, bills in self.rail.successes.items() if len(bills) > 1]
        wrong += [problem for one in self.ledger.items.values() if (problem := self._state_problem(one))]
        for image in self.scans.images.values():
            mine = [one for one in self.ledger.items.values() if one.ref == image.pk]
            if not self.rich and len(mine) != len(CAMPAIGN.effects):
                wrong.append(f"claim {image.pk} has {len(mine)} rewards")
            wrong += [f"{one.reward_id} changed hands" for one in mine if not _right_party(one, image)]
        if self.rich:
            wrong += rich_problems(self.decisions, self.scans.images, self.ledger.items)
        balance = trial_balance(self.ledger)
        stated = sum(line.amount_minor for line in self.rail.lines)
        if not balance.is_balanced:
            wrong.append(f"the ledger sums to {balance.totals}")
        if balance.overdrawn():
            wrong.append(f"over budget: {balance.overdrawn()}")
        if -balance.of("clearing", "fake_transfer", "CNY") != stated:
            wrong.append(f"the ledger says {-balance.of('clearing', 'fake_transfer', 'CNY')}, the rail {stated}")
        return wrong

    def _state_problem(self, reward: Reward) -> str:
        paid = bool(self.rail.successes.get(reward.reward_id))
        if reward.state not in FINAL and reward.state is not State.HELD:
            return f"{reward.reward_id} is stuck in {reward.state}"
        if reward.kind == "cash" and paid != (reward.state is State.PAID):
            return f"{reward.reward_id} is {reward.state}, the rail paid: {paid}"
        return ""


RIGHT = {
    "distributor": ("d-1", "d-2", ""),
    "outlet": ("o-1", "o-2", ""),
    "salesperson": ("s-1", ""),
    "inviter": ("o-2", ""),
}


def _laid(release: Release, index: int) -> str:
    return "taxed" if index == 5 else "cash" if index % 4 != 3 else ""


def _right_party(reward: Reward, image: ScanImage) -> bool:
    if reward.beneficiary == "consumer":
        return image.first is not None and reward.party == image.first.person
    if reward.beneficiary == "outlet" and image.first is not None and image.first.outlet:
        return reward.party == image.first.outlet
    return reward.party in RIGHT[reward.beneficiary]


def _quiet(ledger: FakeLedger) -> FakeLedger:
    """The same ledger before the world begins to misbehave."""
    quiet = FakeLedger(World(0, Rates()))
    quiet.entries = ledger.entries
    return quiet
