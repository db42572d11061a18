"""Histories by hand: the same world without chance, one step after another, with the fault a test asks for."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from tests.histories.history import History
from tests.histories.rail import Bill
from tests.histories.world import Killed, Rates
from uncap.domain.catalog import Role
from uncap.domain.rewards.ids import reward_id
from uncap.domain.rewards.reward import Reward
from uncap.domain.scans import CodeRef

ResultT = TypeVar("ResultT")
PLAIN = 1  # a seed whose campaign has no rules
FAIR = Rates(lost=0.0, repeated=0.0, doubled=0.0, unhidden=0.0, stale=0.0, trouble=0.0)
CODE = CodeRef(7, 1, Role.CAP_INNER)  # carries cash
CASH = reward_id(CODE, "spring", 1, "consumer")


class Script(History):
    """One activated, shipped release; nothing goes wrong unless it is told to."""

    def __init__(self, seed: int = PLAIN) -> None:
        super().__init__(seed)
        self.world.rates, self.rail.trouble, self.leaks = FAIR, 0.0, False
        self.ledger.entries.clear()
        self._activate()
        self.channel.shipped = True

    @property
    def cash(self) -> Reward:
        """The consumer's reward of CODE, as the table has it."""
        return self.ledger.items[CASH]

    @property
    def state(self) -> str:
        """Where that reward stands."""
        return self.cash.state.value

    def attempt(self, step: "Callable[[Script], None]") -> None:
        """The step, which may fail as a function may: it is tried again later."""
        self._attempt(partial(step, self))()

    @property
    def bill(self) -> Bill:
        """The newest bill at the rail."""
        return list(self.rail.bills.values())[-1]

    def claim(self, person: str = "p1", ref: CodeRef = CODE) -> None:
        self.people.claim(person, ref)

    def relay(self) -> None:
        while self.scans.waiting:
            self._relay()

    def work(self) -> None:
        """Everything that is visible in the queue, once."""
        for _ in range(len(self.queue.messages)):
            self._work()

    def sweep(self) -> None:
        self._sweep()

    def notices(self) -> None:
        """Every notice there is arrives once."""
        for _ in range(len(self.rail.callbacks)):
            self._callback()
        self.rail.callbacks.clear()

    def pass_ms(self, ms: int) -> None:
        """Time goes by, for us alone."""
        self.world.now_ms += ms

    def to_the_rail(self, state: str = "WAIT_USER") -> None:
        """Claimed, granted and submitted; the rail's bill is in this state."""
        self.claim()
        self.relay()
        self.work()
        self.bill.state = state

    def wrong_at_the_end(self) -> list[str]:
        """What is wrong once all deadlines have passed."""
        self._settle_down()
        return self.world.violations + self._accounts()


def killed_at(script: Script, number: int, *, after: bool, steps: list[Callable[[Script], None]]) -> bool:
    """Plays the steps and ends the process before or after the `number`-th write or call; False if there are fewer."""
    honest, calls = script.world.call, 0

    def call(effect: Callable[[], ResultT], *what: object) -> ResultT:
        nonlocal calls
        calls += 1
        if calls == number and not after:
            raise Killed
        result = honest(effect, *what)
        if calls == number:
            raise Killed
        return result

    script.world.call = call  # type: ignore[method-assign]
    for step in steps:
        script.world.run(partial(step, script))
    return calls >= number
