"""A little of everything at once on the deployed stack: claims, kills, repeats, a sick rail, tables that refuse."""

import pytest

from dev.stack.config import StackConfig
from tests.chaos.report import lines_of
from tests.chaos.run import MONEY, Plan, play
from tests.kits.market import Market

RELAY = ("reward_relay",)
PLAN = Plan(12, 20261122, gap_s=0.2, patience_s=150, throttled=RELAY, victims=MONEY, drain=False)


def test_a_little_of_everything_leaves_the_books_right(market: Market, stack_config: StackConfig) -> None:
    """`make chaos` does so for minutes, with a seed of your choice."""
    outcome = play(market, stack_config, PLAN, print)
    told = "\n".join(lines_of(outcome, market.outputs.state_dir))
    if outcome.problems:
        pytest.fail(told, pytrace=False)
    assert len(outcome.ills) == 12, told
    assert outcome.told["first"] > 0, told
    assert outcome.requests["passed"] > 0, told
