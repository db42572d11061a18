"""`make chaos`: a stack of its own, minutes of load and ills, the audit. Exit code 1 if a promise did not hold.

The seed decides which ills come in which order and whom they meet; how processes interleave, the machine decides.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import closing

from dev.stack import lifecycle
from dev.stack.config import from_environment
from tests.chaos.report import lines_of
from tests.chaos.run import Outcome, Plan, Say, play
from tests.kits.key_drill import BOUND_MS, drill
from tests.kits.market import UNITS_PER_CASE, Market
from tests.kits.traces import leaks

PORTS = {"UNCAP_PORT": "4768", "UNCAP_SIM_PORT": "4769", "UNCAP_STATE_DIR": ".uncap-chaos"}


def main(arguments: list[str]) -> int:
    """0 if every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.runner", description=__doc__)
    parser.add_argument("--seconds", type=float, default=240, help="of load and ills; what settles comes on top")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--keep", action="store_true", help="leave the stack running afterwards")
    options = parser.parse_args(arguments)
    config, began = from_environment(PORTS | os.environ), time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {text}\n")

    say(f"seed {options.seed}")
    outputs, _ = lifecycle.up(config, say)
    try:
        with closing(Market(outputs, UNITS_PER_CASE * 4)) as market:
            outcome = play(market, config, Plan(options.seconds, options.seed), say)
            lines = [*lines_of(outcome, outputs.state_dir), *_afterwards(market, outcome, say)]
            sys.stdout.write("\n".join(lines) + "\n")
            return int(any("WRONG" in line for line in lines))
    finally:
        if not options.keep:
            lifecycle.clean(config)


def _afterwards(market: Market, outcome: Outcome, say: Say) -> Iterator[str]:
    """The key drill on the same stack, then the search for serials and names in all that was written."""
    found = drill(market, say=say)
    yield f"key drill: the last credit {found.last_paid_ms} ms after the mark, then {found.held} rewards held"
    if found.other or not found.paid or max(found.last_paid_ms, found.last_claim_ms) > BOUND_MS:
        yield f"  WRONG {found}"
    where, kinds = leaks(market, outcome.serials, outcome.names)
    yield f"traces: {', '.join(sorted(kinds))} searched for {len(outcome.serials)} serials, {len(outcome.names)} names"
    yield from (f"  WRONG a serial or a name stands in {one}" for one in where)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
