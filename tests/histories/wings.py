"""What a kind of history has beside claiming and paying: who acts there, how it comes to rest, what may not be wrong.

`history.py` calls it; `winged.py` lists the kinds.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from uncap.services.grant_rewards import Granter
from uncap.services.settle_payout import Payouts

if TYPE_CHECKING:
    from tests.histories.history import History


class Wing:
    """A history with nothing more in it."""

    crowd = 4
    """So many act side by side at most."""

    def __init__(self, history: "History") -> None:
        self.history, self.world = history, history.world

    def happenings(self) -> list[Callable[[], object]]:
        """What else can happen in a round."""
        return []

    @contextmanager
    def relay(self) -> Iterator[Granter]:
        """A container that grants, for one batch."""
        yield self.history.granter

    @contextmanager
    def worker(self) -> Iterator[Payouts]:
        """A container that pays, for one message."""
        yield self.history.payouts

    def later(self, at_ms: int) -> int:
        """When the next round begins, if nothing special is to happen before `at_ms`."""
        return at_ms

    def calm(self) -> None:
        """The faults are over: whoever got no answer asks until there is one."""

    def finish(self) -> None:
        """All deadlines have passed: what people still have to do is done."""

    def problems(self) -> list[str]:
        """What is wrong at the end."""
        return []
