"""Any number of histories over all cores, or one of them again with everything that happened. For `make histories`.

`python -m tests.histories.runner --count 10000`, `--seed 4711`; 0 if all is well, 1 with the failing seed's history.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Iterator

from tests.histories.history import History

_CHUNK = 25
Failure = tuple[int, list[str]]


def failures(seeds: Iterable[int]) -> list[Failure]:
    """The seeds among these whose histories went wrong, and how."""
    return [(seed, wrong) for seed in seeds if (wrong := History(seed).play())]


def replay(seed: int) -> tuple[list[str], list[str]]:
    """(what is wrong, every line of the history): the same each time, on any machine."""
    history = History(seed)
    history.world.trace = []
    wrong = history.play()
    return wrong, history.world.trace


def chunks(first: int, count: int) -> Iterator[range]:
    """The seeds in portions small enough that a failure is told soon."""
    for start in range(first, first + count, _CHUNK):
        yield range(start, min(start + _CHUNK, first + count))


def run(first: int, count: int, jobs: int) -> list[Failure]:
    """Play `count` histories from seed `first`, with a progress line; stops at the first portion with a failure."""
    played, began, told = 0, time.monotonic(), 0.0
    with multiprocessing.Pool(jobs) as pool:
        for seeds, found in zip(chunks(first, count), pool.imap(failures, chunks(first, count)), strict=True):
            played += len(seeds)
            now = time.monotonic()
            if found or played == count or now - told >= 1:
                told, rate = now, played / (now - began)
                _say(f"\r{played}/{count} histories, {rate:.0f}/s, {len(found)} failed ")
            if found:
                pool.terminate()
                return found
    _say("\n")
    return []


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def main(arguments: list[str]) -> int:
    """0 if every history is in order."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories.runner", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="how many histories")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one alone, printed in full")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    options = parser.parse_args(arguments)
    if options.count < 1 or options.jobs < 1:
        parser.error("there is nothing to play")
    if options.seed is None:
        found = run(options.first, options.count, options.jobs)
        if not found:
            return 0
        seed = found[0][0]
    else:
        seed = options.seed
    wrong, trace = replay(seed)
    sys.stdout.write("\n".join([f"\nseed {seed}", *trace, *(f"WRONG: {one}" for one in wrong), ""]))
    _say(f"seed {seed}: {len(wrong) or 'nothing'} wrong; again with make histories SEED={seed}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
