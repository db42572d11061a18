"""A deterministic world for the payout services: one clock, one random source, actors that take turns, faults.

Actors are threads of which exactly one runs. They hand over only inside `World.call`, which wraps every write and
every call to the outside: there a fault may strike before the effect, after it, or end the actor as `kill -9` would.
"""

import contextlib
import random
import threading
from collections.abc import Callable
from typing import TypeVar

from uncap.domain.errors import TransientError

ResultT = TypeVar("ResultT")
START_MS = 1_790_000_000_000


class Killed(BaseException):
    """The process is gone: no handler runs, nothing is cleaned up."""


class Rates:
    """How often faults strike, as probabilities per call."""

    def __init__(self, kill: float = 0.0, before: float = 0.0, after: float = 0.0) -> None:
        self.kill, self.before, self.after = kill, before, after


class World:
    """Clock, randomness and turns. Everything that happens is decided by the seed."""

    def __init__(self, seed: int, rates: Rates) -> None:
        self.random = random.Random(seed)
        self.rates = rates
        self.now_ms = START_MS
        self.violations: list[str] = []
        self._turn: _Actor | None = None
        self._alone = False
        self._idle = threading.Semaphore(0)

    def clock_ms(self) -> int:
        return self.now_ms

    def chance(self, probability: float) -> bool:
        return probability > 0 and self.random.random() < probability

    def calm(self) -> None:
        """No more faults: what is left must now come right by itself."""
        self.rates = Rates()

    def call(self, effect: Callable[[], ResultT]) -> ResultT:
        """Perform one atomic effect, with whatever may go wrong around it."""
        self._hand_over()
        self.now_ms += self.random.randrange(1, 40)
        self._strike(self.rates.before)
        result = effect()
        self._hand_over()
        self._strike(self.rates.after)
        return result

    def run(self, *bodies: Callable[[], object]) -> None:
        """Run these side by side until all have ended, switching between them at random."""
        if len(bodies) == 1:
            with contextlib.suppress(Killed):
                bodies[0]()
            return
        actors = [_Actor(self, body) for body in bodies]
        while alive := [actor for actor in actors if not actor.done]:
            self._turn = self.random.choice(alive)
            self._alone = len(alive) == 1
            self._turn.go.release()
            self._idle.acquire()
        self._turn = None
        for actor in actors:
            actor.finish()

    def _hand_over(self) -> None:
        actor = self._turn
        if actor is None or self._alone or self.random.random() < 0.5:
            return
        self._idle.release()
        actor.go.acquire()

    def _strike(self, transient: float) -> None:
        if self.chance(self.rates.kill):
            raise Killed
        if self.chance(transient):
            raise TransientError("injected", "a fault of the harness")


class _Actor:
    """One thread that runs only when it is given the turn."""

    def __init__(self, world: World, body: Callable[[], object]) -> None:
        self.done = False
        self.go = threading.Semaphore(0)
        self._world = world
        self._body = body
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _main(self) -> None:
        self.go.acquire()
        try:
            self._body()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001  # carried to the test's own thread and raised there
            self._error = error
        finally:
            self.done = True
            self._world._idle.release()
