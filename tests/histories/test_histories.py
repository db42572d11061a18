"""Seeded histories of the production services under faults. `UNCAP_HISTORIES=10000 pytest tests/histories` for more."""

import os

import pytest

from tests.histories.history import History
from uncap.domain.rewards.reward import Reward

HISTORIES = int(os.environ.get("UNCAP_HISTORIES", "200"))
CHUNK = 50


@pytest.mark.parametrize("first", range(0, HISTORIES, CHUNK))
def test_every_reward_is_paid_at_most_once_and_the_books_agree(first: int) -> None:
    wrong = {}
    for seed in range(first, min(first + CHUNK, HISTORIES)):
        if found := History(seed).play():
            wrong[seed] = found
    assert wrong == {}


def test_a_history_is_decided_by_its_seed() -> None:
    def ledger(seed: int) -> dict[str, str]:
        history = History(seed)
        history.play()
        return {key: f"{one.state} {one.rev} {one.reason}" for key, one in history.ledger.items.items()}

    assert ledger(11) == ledger(11)


def test_histories_are_not_all_fair_weather() -> None:
    """The faults do strike: attempts are repeated, payouts expire and come back, rewards end in several ways."""
    rewards: list[Reward] = []
    for seed in range(40):
        history = History(seed)
        history.play()
        rewards += history.ledger.items.values()
    attempts = [one.attempt for one in rewards if one.attempt]
    assert any(attempt.no > 1 for attempt in attempts)
    assert any(attempt.tries > 3 for attempt in attempts)
    assert len({(one.state, one.reason) for one in rewards}) >= 4
