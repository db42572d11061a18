"""A deterministic world for the payout services: one clock, one random source, actors that take turns, faults.

Actors are greenlets of which exactly one runs. They hand over only inside `World.call`, which wraps every write and
every call to the outside: there a fault may strike before the effect, after it, or end the actor as `kill -9` would.
"""

import math
import random
from collections.abc import Callable
from typing import TypeVar

import msgspec
from greenlet import greenlet  # type: ignore[import-untyped]

from uncap.domain.errors import TransientError

ResultT = TypeVar("ResultT")
START_MS = 1_790_000_000_000


class Killed(BaseException):
    """The process is gone: no handler runs, nothing is cleaned up."""


class Rates(msgspec.Struct, frozen=True):
    """How often faults strike, as probabilities: per call the first three, per record, message or read the others."""

    kill: float = 0.0
    before: float = 0.0
    after: float = 0.0
    lost: float = 0.1  # a stream record that nobody ever reads: the relay was down past the stream's memory
    repeated: float = 0.2  # a stream batch that begins with records delivered before
    doubled: float = 0.1  # a queue message that is there twice
    unhidden: float = 0.1  # a message whose visibility ends while its worker is still busy
    stale: float = 0.3  # an eventually consistent read that shows what was one write ago
    trouble: float = 0.5  # the rail: refusals, lost requests, lost replies, codes never heard of
    late: float = 0.1  # a thread that wakes after its time
    fickle: float = 0.0  # per failed bill and step: the rail pays after all, against its own word


CALM = Rates()
"""No kills and no errors; what queues and streams do on a good day."""


def weather(rng: random.Random) -> Rates:
    """One history's mix of faults: each kind by itself is absent, usual or frequent."""
    strikes = [0.0, 0.0, 0.02, 0.1]
    return Rates(
        kill=rng.choice(strikes),
        before=rng.choice(strikes),
        after=rng.choice(strikes),
        lost=rng.choice([0.0, 0.1, 1.0 if rng.random() < 0.2 else 0.3]),
        repeated=rng.choice([0.0, 0.2, 0.6]),
        doubled=rng.choice([0.0, 0.1, 0.5]),
        unhidden=rng.choice([0.0, 0.1, 0.5]),
        stale=rng.choice([0.0, 0.3, 0.8]),
        trouble=rng.choice([0.0, 0.5, 1.0]),
        fickle=rng.choice([0.0, 0.0, 0.2]),
    )


class World:
    """Clock, randomness and turns. Everything that happens is decided by the seed.

    `trace` collects what happens, one line each, once it is made a list; by default nothing is formatted.
    """

    def __init__(self, seed: int, rates: Rates) -> None:
        self.random = random.Random(seed)
        self.rates = rates
        self.now_ms = START_MS
        self.violations: list[str] = []
        self.trace: list[str] | None = None
        self._turn: greenlet | None = None
        self._alone = False

    def clock_ms(self) -> int:
        return self.now_ms

    def chance(self, probability: float) -> bool:
        return probability > 0 and self.random.random() < probability

    @property
    def turn(self) -> object:
        """Whoever acts now; None outside `run`."""
        return self._turn

    def calm(self) -> None:
        """No more faults: what is left must now come right by itself."""
        self.rates = Rates(lost=0.0, trouble=0.0)

    def violated(self, what: str) -> None:
        """Something that must never happen has happened."""
        self.violations.append(what)
        self.note("VIOLATION", what)

    def note(self, *words: object) -> None:
        """A line of the history, with the time and whose turn it is."""
        if self.trace is not None:
            seconds = (self.now_ms - START_MS) / 1000
            whose = f"#{self._turn.number}" if self._turn is not None else "  "
            self.trace.append(f"{seconds:>12.3f} {whose} {' '.join(map(str, words))}")

    def call(self, effect: Callable[[], ResultT], *what: object) -> ResultT:
        """Perform one atomic effect, with whatever may go wrong around it. `what` names it in the trace."""
        self._hand_over()
        self.now_ms += 1 + int(39 * self.random.random())  # randrange costs ten times as much
        if self.rates.kill or self.rates.before:
            self._strike(self.rates.before, "before", what)
        result = effect()
        if self.trace is not None and what:
            self.note(" ", *what, "→", _brief(result))
        self._hand_over()
        if self.rates.kill or self.rates.after:
            self._strike(self.rates.after, "after", what)
        return result

    def sleep(self, seconds: float) -> None:
        """A thread waits, others go on; now and then it wakes too late."""
        until = self.now_ms + max(0, math.ceil(seconds * 1_000))
        self._hand_over()
        late = self.random.randrange(1, 30) if self.chance(self.rates.late) else 0
        self.now_ms = max(self.now_ms, until + late)

    def run(self, *bodies: Callable[[], object]) -> None:
        """Run these side by side until all have ended, switching between them at random."""
        alive = [_actor(number, body) for number, body in enumerate(bodies)]
        while alive:
            actor = alive[int(len(alive) * self.random.random())] if len(alive) > 1 else alive[0]
            self._turn, self._alone = actor, len(alive) == 1
            actor.switch()
            if actor.dead:
                alive.remove(actor)
        self._turn = None

    def _hand_over(self) -> None:
        if self._turn is not None and not self._alone and self.random.random() >= 0.5:
            self._turn.parent.switch()

    def _strike(self, transient: float, when: str, what: tuple[object, ...]) -> None:
        if self.chance(self.rates.kill):
            self.note("  killed", when, *what)
            raise Killed
        if self.chance(transient):
            self.note("  no answer", when, *what)
            raise TransientError("injected", "a fault of the harness")


def _actor(number: int, body: Callable[[], object]) -> greenlet:
    """A greenlet that ends quietly when it is killed; anything else it raises reaches whoever runs the world."""

    def live() -> None:
        try:
            body()
        except Killed:
            return

    actor = greenlet(live)
    actor.number = number
    return actor


def _brief(result: object) -> str:
    """A result in a word or two."""
    state = getattr(result, "state", None)
    if state is not None:
        return f"{state} rev {getattr(result, 'rev', '-')} {getattr(result, 'reason', '')}".rstrip()
    text = repr(result)
    return text if len(text) <= 90 else f"{text[:90]}…"
