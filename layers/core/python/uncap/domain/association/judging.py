"""Judges one child's rows against its history: what is accepted, what repeats, what contradicts. Pure.

The rule (docs/adr/0010): a child is in one thing at a time. To put it elsewhere it must have been taken out between.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from uncap.domain.association.blocks import NOWHERE, Event
from uncap.domain.association.history import Fact, Origin
from uncap.domain.association.ports import UnitRef


class ChildRow(NamedTuple):
    """One row of a child; `rank` its place in the run, `parent` None for "out of whatever it is in"."""

    at_ms: int
    rank: int
    line: int
    delete: bool
    parent: UnitRef | None


class Verdict(NamedTuple):
    """`events` to store, and what is wrong with other rows: reason, row, and the fact in the way if there is one."""

    events: list[Event]
    issues: list[tuple[str, ChildRow, Fact | None]]


def judge(
    index: int, history: Sequence[Fact], rows: Sequence[ChildRow], origin: Origin, implied: UnitRef | None
) -> Verdict:
    """Rows in order of time, then of rank. `implied`: what the child is in where nothing was ever said of it."""
    facts = list(history)
    keys = [(fact.at_ms, fact.origin, fact.rank) for fact in facts]
    events: list[Event] = []
    issues: list[tuple[str, ChildRow, Fact | None]] = []
    for row in rows:
        key = (row.at_ms, origin, row.rank)
        at = bisect_right(keys, key)
        before = facts[at - 1] if at else None
        after = facts[at] if at < len(facts) else None
        inside = before.parent if before else (implied if not facts and row.delete else None)
        reason, other = _fault(row, inside, before, after)
        if reason:
            issues.append((reason, row, other))
            continue
        parent = None if row.delete else row.parent
        facts.insert(at, Fact(row.at_ms, origin, row.rank, parent, (row.line, row.line)))
        keys.insert(at, key)
        left = before.parent if before and after is None else None
        events.append(_event(index, row, parent, left))
    return Verdict(events, issues)


def _fault(row: ChildRow, inside: UnitRef | None, before: Fact | None, after: Fact | None) -> tuple[str, Fact | None]:
    if row.delete:
        wrong = inside is None or (row.parent is not None and row.parent != inside)
        return ("not_packed", before) if wrong else ("", None)
    if inside is not None:
        return ("repeat" if inside == row.parent else "contradiction"), before
    if after is not None and after.parent is not None:
        return ("repeat" if after.parent == row.parent else "contradiction"), after
    return "", None


def _event(index: int, row: ChildRow, parent: UnitRef | None, left: UnitRef | None) -> Event:
    """`left`: what has one thing less in it now. Nothing has where more is known since, or roll order alone
    had put it there."""
    into = parent or UnitRef(NOWHERE, NOWHERE)
    out = left or UnitRef(NOWHERE, NOWHERE)
    return Event(index, row.at_ms, row.rank, into.batch_no, into.index, out.batch_no, out.index, row.line)
