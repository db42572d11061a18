"""Seeded histories of the production services under faults. `make histories N=100000` for more, SEED=n for one."""

import os

import pytest

from tests.histories.campaigns import SHAPES
from tests.histories.history import History
from tests.histories.runner import failures, main, replay
from uncap.domain.rewards.reward import Reward, State

HISTORIES = int(os.environ.get("UNCAP_HISTORIES", "3000"))
CHUNK = 100


@pytest.mark.parametrize("first", range(0, HISTORIES, CHUNK))
def test_every_reward_is_paid_at_most_once_and_the_books_agree(first: int) -> None:
    assert failures(range(first, min(first + CHUNK, HISTORIES))) == []


def test_a_history_is_decided_by_its_seed() -> None:
    """Line by line; so a failure replays exactly."""
    for seed in (11, 12, 13):
        assert replay(seed) == replay(seed)
    assert replay(11) != replay(12)


def test_watching_a_history_does_not_change_it() -> None:
    history, watched = History(12), History(12)
    watched.world.trace = []
    assert history.play() == watched.play()
    assert history.ledger.items == watched.ledger.items


def test_histories_are_not_all_fair_weather() -> None:
    """The faults do strike: attempts are repeated, payouts expire and come back, rewards end in several ways."""
    histories = [History(seed) for seed in range(60)]
    for history in histories:
        history.play()
    rewards: list[Reward] = [one for history in histories for one in history.ledger.items.values()]
    attempts = [one.attempt for one in rewards if one.attempt]
    assert any(attempt.no > 1 for attempt in attempts)
    assert any(attempt.tries > 3 for attempt in attempts)
    assert len({(one.state, one.reason) for one in rewards}) >= 6
    assert {history.shape for history in histories} == set(SHAPES)
    assert sum(history.people.refused for history in histories) > 3, "nobody ever reached a limit"
    assert sum(one.state is State.PAID for one in rewards) > 300
    assert any(history.leaked_ms for history in histories), "no key was ever stolen"


def test_now_and_then_the_rail_breaks_its_word() -> None:
    """It pays a bill it had called failed, and the case of it is opened: in about one history of two hundred."""

    def kinds(seed: int) -> set[str]:
        history = History(seed)
        history.play()
        return {case.kind for case in history.ledger.cases.values()}

    assert any("late_success" in kinds(seed) for seed in range(1_000))


def test_the_command_plays_many_or_one(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "30", "--jobs", "1", "--first", "500"]) == 0
    assert "30/30 histories" in capfd.readouterr().err
    assert main(["--seed", "501"]) == 0
    told = capfd.readouterr()
    assert "seed 501" in told.out
    assert "claim" in told.out
    with pytest.raises(SystemExit):
        main(["--count", "0"])
