"""Counting openings: the nth of a person, outlet or case, and runs of days without a gap. Pure.

A tally lives in the Ledger as `tally#{campaign}#{kind}#{subject}` and moves only in the transaction that keeps the
decision it was read for (`adapters/decisions.py`): no opening is counted twice and no number is left out.
"""

import datetime

import msgspec

MAX_DAYS = 64
"""Longest run that is remembered, in days; `checks.py` refuses longer streaks."""


class Tally(msgspec.Struct, frozen=True, omit_defaults=True):
    """`count` openings so far; `days` are the latest days with openings, ordinal and number, ascending."""

    count: int = 0
    days: tuple[tuple[int, int], ...] = ()
    rev: int = 0


class Standing(msgspec.Struct, frozen=True):
    """Where one opening stands: the nth; days in its run, 0 unless it is the first of its day; openings in its run."""

    nth: int
    days: int
    row: int


def counted(tally: Tally, day: str) -> tuple[Tally, Standing]:
    """The tally with one more opening on `day`, and where that opening stands.

    An opening that comes late is put on its own day: the run it belongs to is the one that ends on that day.
    """
    ordinal = datetime.date.fromisoformat(day).toordinal()
    per_day = dict(tally.days)
    is_first = ordinal not in per_day
    per_day[ordinal] = per_day.get(ordinal, 0) + 1
    length, row, at = 0, 0, ordinal
    while at in per_day:
        length, row, at = length + 1, row + per_day[at], at - 1
    kept = tuple(sorted(per_day.items())[-MAX_DAYS:])
    return Tally(tally.count + 1, kept, tally.rev + 1), Standing(tally.count + 1, length if is_first else 0, row)


def key_of(campaign_id: str, kind: str, subject: str) -> str:
    """The tally's name within the Ledger."""
    return f"tally#{campaign_id}#{kind}#{subject}"
