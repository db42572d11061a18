"""What shops do in a labelled week: open the cases they were sent, or others. Used by `scenario.py`."""

import random
from collections.abc import Iterable, Iterator
from typing import Protocol

from cli.risk.attempt import CASES, DAY_MS, START_MS, Attempt
from cli.risk.people import Ghosts, Outlets, Overdrawn

_VISIT_MS = 40 * 60_000


class Town(Protocol):
    """What a week knows of itself."""

    rng: random.Random

    def person(self) -> str:
        """Somebody new."""
        ...

    def case(self) -> int:
        """A case that nobody has opened."""
        ...

    def evening(self) -> int:
        """A moment between ten and ten."""
        ...

    def days(self) -> int:
        """How long the week is."""
        ...


def trade_claims(outlets: Outlets, ghosts: Ghosts, overdrawn: Iterable[Overdrawn], town: Town) -> Iterator[Attempt]:
    """All cases opened by shops, honest ones and others."""
    for _ in range(outlets.count):
        yield from _honest(outlets, town)
    for _ in range(outlets.new):
        yield from _visited(town)
    for _ in range(ghosts.count):
        yield from _ghost(ghosts, town)
    for one in overdrawn:
        for _ in range(one.count):
            yield from _overdrawn(one, town)


def _honest(given: Outlets, town: Town) -> Iterator[Attempt]:
    rng, person = town.rng, town.person()
    outlet, receiving = f"o-{person}", rng.random() < given.receiving
    for day in range(town.days()):
        at_ms = START_MS + day * DAY_MS + rng.randrange(9 * 3_600_000, 12 * 3_600_000)
        for _ in range(rng.randint(0, 2 * given.cases_a_day)):
            at_ms += rng.randrange(20_000, 3_600_000)
            late = rng.random() < given.late_paper
            yield Attempt(
                at_ms, town.case(), person, "outlet", False, outlet=outlet, batch_no=CASES, case=True,
                sent_to="" if late else outlet, received=None if not receiving else not late,
            )  # fmt: skip


def _visited(town: Town) -> Iterator[Attempt]:
    """The salesperson registers the shop and shows how it is done."""
    person, registered_ms = town.person(), town.evening()
    at_ms = registered_ms
    for _ in range(town.rng.randint(1, 2)):
        at_ms += town.rng.randrange(60_000, _VISIT_MS)
        yield Attempt(
            at_ms, town.case(), person, "outlet, new", False, outlet=f"o-{person}", batch_no=CASES, case=True,
            sent_to="", registered_at_ms=registered_ms,
        )  # fmt: skip


def _ghost(given: Ghosts, town: Town) -> Iterator[Attempt]:
    person, registered_ms = town.person(), town.evening()
    at_ms = registered_ms + 5 * 60_000
    for _ in range(given.cases):
        at_ms += int(given.seconds * town.rng.uniform(0.5, 1.5) * 1000)
        yield Attempt(
            at_ms, town.case(), person, "ghost outlet", True, outlet=f"o-{person}", batch_no=CASES, case=True,
            sent_to="", registered_at_ms=registered_ms,
        )  # fmt: skip


def _overdrawn(given: Overdrawn, town: Town) -> Iterator[Attempt]:
    """What it was sent is honestly opened; the rest is not its own."""
    person, at_ms = town.person(), town.evening()
    kind = "outlet beyond its goods" + (", receipts" if given.receiving else "")
    own_kind = "the same outlets' own goods"
    own = [True] * given.sent + [False] * given.cases
    town.rng.shuffle(own)
    for mine in own:
        at_ms += int(given.seconds * town.rng.uniform(0.5, 1.5) * 1000)
        yield Attempt(
            at_ms, town.case(), person, own_kind if mine else kind, not mine, outlet=f"o-{person}", batch_no=CASES,
            case=True, sent_to=f"o-{person}" if mine else "", received=mine if given.receiving else None,
        )  # fmt: skip
