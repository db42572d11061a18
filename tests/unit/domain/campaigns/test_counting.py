"""Counts of openings: no number twice, runs of days as a calendar sees them, late openings on their own day."""

import datetime

from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.campaigns.counting import MAX_DAYS, Standing, Tally, counted
from uncap.domain.campaigns.rules import Nth, Streak

FIRST = datetime.date(2026, 11, 1)


def after(*days: int) -> list[Standing]:
    tally, standings = Tally(), []
    for day in days:
        tally, standing = counted(tally, (FIRST + datetime.timedelta(days=day)).isoformat())
        standings.append(standing)
    return standings


def test_days_in_a_row() -> None:
    assert after(0, 0, 1, 3) == [Standing(1, 1, 1), Standing(2, 0, 2), Standing(3, 2, 3), Standing(4, 1, 1)]


def test_a_late_opening_belongs_to_its_day() -> None:
    assert after(0, 2, 1)[-1] == Standing(3, 2, 2)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_numbers_run_from_one_and_runs_are_days_without_a_gap(days: list[int]) -> None:
    standings = after(*sorted(days))
    assert [one.nth for one in standings] == list(range(1, len(days) + 1))
    seen: list[int] = []
    for day, standing in zip(sorted(days), standings, strict=True):
        run = 1
        while day - run in seen:
            run += 1
        assert standing.days == (0 if day in seen else run)
        seen.append(day)
        assert standing.row == sum(1 for one in seen if day - run < one <= day)


def test_a_tally_stays_small() -> None:
    tally = Tally()
    for day in range(300):
        tally, standing = counted(tally, (FIRST + datetime.timedelta(days=day)).isoformat())
    assert (tally.count, len(tally.days), tally.rev) == (300, MAX_DAYS, 300)
    assert standing == Standing(300, MAX_DAYS + 1, MAX_DAYS + 1)


def test_which_openings() -> None:
    numbers = range(8)
    assert [n for n in numbers if n in Nth(at=(2, 5))] == [2, 5]
    assert [n for n in numbers if n in Nth(every=3)] == [3, 6]
    assert [n for n in numbers if n in Nth(first=2)] == [1, 2]
    assert [n for n in numbers if Streak(days=3).reached(n, 0)] == [3]
    assert [n for n in numbers if Streak(openings=3, repeat=True).reached(0, n)] == [3, 6]
