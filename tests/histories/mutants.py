"""Plausible bugs, each put into production code (or into what a condition of the tables refuses), and who finds them.

`python -m tests.histories.mutants` prints for each the first history that catches it; `uncap prove mutant NAME` shows
one. The histories find every one of them, or they prove nothing.
"""

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.histories.bugs import MONEY, Patch
from tests.histories.campaigns import shape_of
from tests.histories.claim_bugs import CLAIMS
from tests.histories.history import History
from tests.histories.stores import FakeLedger
from tests.histories.wing_bugs import WINGS

ENOUGH = 800
"""Histories within which every mutant must be caught."""

# The kind of history in which alone it can happen, or happens most often.
MET_IN = {
    "drawn_over_budget": "drawn",
    "places_kept": "drawn",
    "slot_not_returned": "limited",
    "decided_anew": "rich",
    "blind_counts": "rich",
    "paid_after_deadline": "rich",
    "late_success_ignored": "rich",
}


class Catch(NamedTuple):
    """The seed whose history went wrong, what was said, and every line of it."""

    seed: int
    wrong: list[str]
    trace: list[str]


def mutants() -> dict[str, Callable[[Patch], type[FakeLedger]]]:
    """Name → what puts the bug in and names the table to play with."""
    return {one.__name__: one for one in (*MONEY, *CLAIMS, *(one for some in WINGS.values() for one in some))}


def seeds_of(name: str) -> Iterator[int]:
    """All seeds in order; where only one kind of history has what it breaks, that kind's."""
    shape = next((shape for shape, some in WINGS.items() if name in {one.__name__ for one in some}), MET_IN.get(name))
    return (seed for seed in itertools.count() if shape in (None, shape_of(seed)))


def hunt(name: str, limit: int = ENOUGH) -> Catch | None:
    """Plays up to `limit` seeds with the bug in until one is wrong; None if none is. KeyError for a name that is none.

    A history that raises is not a catch but a mutant that no longer fits the code: it raises here too.
    """
    mutate = mutants()[name]
    for seed in itertools.islice(seeds_of(name), limit):
        with pytest.MonkeyPatch.context() as patch:
            history = History(seed, mutate(patch))
            history.world.trace = []
            if wrong := history.play():
                return Catch(seed, wrong, history.world.trace)
    return None


def main(arguments: list[str]) -> int:
    """0 if every mutant was caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    names = parser.parse_args(arguments).names or list(mutants())
    if unknown := [name for name in names if name not in mutants()]:
        parser.error(f"no mutant {unknown[0]!r}; there are {', '.join(mutants())}")
    free = []
    for name in names:
        caught = hunt(name)
        told = f"seed {caught.seed:>3}  {caught.wrong[0]}" if caught else "NOT CAUGHT"
        free += [] if caught else [name]
        sys.stdout.write(f"{name:<34} {told}\n")
        sys.stdout.flush()
    return 1 if free else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
