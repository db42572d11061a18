"""The last moment of a month: rewards of two containers are dated on either side of it, and both are settled."""

import pytest

from tests.histories.history import History
from tests.histories.script import FAIR
from uncap.domain.catalog import Role
from uncap.domain.rewards.accruing import ACCRUAL, month_of, month_start_ms, next_month
from uncap.domain.scans import CodeRef

SEEDS = 12


class LastMoment(History):
    """Two claims wait in two shards as the month ends; nobody has an account yet."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, shape="books")
        self.world.rates, self.rail.trouble, self.leaks = FAIR, 0.0, False
        self._activate()
        self.channel.shipped, self.channel.outlet = True, "o-1"
        ends_ms = month_start_ms(next_month(month_of(self.world.now_ms)))
        self.world.now_ms = ends_ms - 1_000
        for index in range(4):
            self.people.claim(f"p{index}", CodeRef(7, index, Role.CAP_INNER))
        self.world.now_ms = ends_ms - self.world.random.randrange(20, 120)
        self.world.run(self._relay, self._relay, self._relay, self._relay)

    @property
    def months(self) -> set[str]:
        """Into which months the accruals are dated."""
        return {month_of(one.paid_at_ms) for one in self.ledger.items.values() if one.kind == ACCRUAL}


@pytest.mark.parametrize("first", range(0, 120, SEEDS))
def test_what_accrues_at_midnight_is_settled(first: int) -> None:
    for seed in range(first, first + SEEDS):
        history = LastMoment(seed)
        history._settle_down()
        assert history.world.violations + history._accounts() == [], seed


def test_some_do_accrue_on_both_sides() -> None:
    assert any(len(LastMoment(seed).months) > 1 for seed in range(30))
