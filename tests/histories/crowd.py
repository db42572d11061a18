"""The harness's tables under real threads: one lock, no chance, no turns. For proofs of contention."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tests.histories.world import Rates, World

ResultT = TypeVar("ResultT")
_STACK_BYTES = 256 * 1024


class LockedWorld(World):
    """Every effect is atomic; between effects the operating system decides who goes on."""

    def __init__(self) -> None:
        super().__init__(0, Rates(lost=0.0, trouble=0.0))
        self.lock = threading.Lock()

    def call(self, effect: Callable[[], ResultT], *what: object) -> ResultT:
        with self.lock:
            return effect()


def together(count: int, act: Callable[[int], ResultT]) -> list[ResultT]:
    """`act(0)` … `act(count - 1)`, each in a thread of its own, let go at once; their results in order."""
    start = threading.Barrier(count)

    def run(number: int) -> ResultT:
        start.wait(timeout=60)
        return act(number)

    before = threading.stack_size(_STACK_BYTES)
    try:
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(run, range(count)))
    finally:
        threading.stack_size(before)
