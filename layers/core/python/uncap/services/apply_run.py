"""One run of an association file, some 260,000 rows: judged against all that is known, then packed into cells.

Used by `services/associate_units.py`, which stores the cells. Reads the store, writes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from uncap.domain.association.blocks import Event
from uncap.domain.association.counting import ParentCounts, distinct, key_of, tally
from uncap.domain.association.coverage import Coverage, Reads
from uncap.domain.association.files import FormCost, Issue
from uncap.domain.association.findings import Findings
from uncap.domain.association.forms import Key, Placements, Stored, event_cells, place
from uncap.domain.association.history import Fact, Origin
from uncap.domain.association.judging import ChildRow, judge
from uncap.domain.association.known import CAREFUL, CONTRADICTION, NEW, REPEAT, Known
from uncap.domain.association.ports import UnitRef
from uncap.domain.association.rows import Rows
from uncap.domain.association.sorting import Sorted, by_child
from uncap.domain.association.store import BIG, BatchFacts, run_sk
from uncap.domain.codes.scheme import INDEX_BITS

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Task:
    """What stays the same while rows of one child batch are applied in one run."""

    facts: BatchFacts
    origin: Origin
    generation: int
    coverage: Coverage
    reads: Reads
    counts: ParentCounts
    findings: Findings
    dry: bool  # rollback mode with an error behind us: go on judging, store nothing


@dataclass(slots=True)
class Applied:
    """Cells to store, and what they amount to."""

    stored: list[Stored] = field(default_factory=list)
    added: int = 0
    deleted: int = 0

    @property
    def cost(self) -> dict[str, FormCost]:
        """By form."""
        costs: dict[str, FormCost] = {}
        for one in self.stored:
            costs[one.form] = costs.get(one.form, FormCost()).plus(one.cost)
        return costs


def apply_batch(task: Task, rows: Rows) -> Applied:
    """`rows`: those of one child batch, free of faults, in the file's order."""
    found = by_child(rows)
    simple, events = _judged(task, rows, found)
    simple, events = _within_packs(task, rows, simple, events)
    _count(task, rows, simple, events)
    applied = Applied(added=len(simple), deleted=0)
    applied.added += sum(1 for event in events if event.parent_batch >= 0)
    applied.deleted = len(simple) + len(events) - applied.added
    if not task.dry:
        applied.stored = list(_stored(task, rows, simple, events))
    return applied


def _judged(task: Task, rows: Rows, found: Sorted) -> tuple[I64, list[Event]]:
    """Row numbers to place, by child, and events of the children whose story is longer."""
    kept: list[I64] = [found.simple[:0]]
    events: list[Event] = []
    columns = [found.simple, found.repeats, found.others]
    children = [rows.child.index[one] for one in columns]
    for part in sorted({part for child in children for part in distinct(child // BIG)}):
        ends = (part * BIG, (part + 1) * BIG)
        some, again, more = (
            rows_of[slice(*np.searchsorted(child, ends))] for rows_of, child in zip(columns, children, strict=True)
        )
        indices = rows.child.index[some]
        if len(more):
            indices = np.union1d(indices, rows.child.index[more])
        known = task.reads.known(task.facts.batch_no, part, task.coverage.spoken_of(indices))
        if known is not None:
            some, again, careful = _sifted(task, rows, some, again, known)
            more = np.concatenate([more, careful])
        _note(task, "repeat", rows, again)
        kept.append(some)
        events += _judge_all(task, rows, more, known)
    return np.concatenate(kept), events


def _sifted(task: Task, rows: Rows, some: I64, again: I64, known: Known) -> tuple[I64, I64, I64]:
    """Of simple rows and their repeats: those to place, those that repeat, those to be judged one by one."""
    child = rows.child.index[some]
    status, against = known.classify(child, key_of(rows.parent.batch_no[some], rows.parent.index[some]))
    # What holds for a row holds for those that say the same of the same child.
    of_again = status[np.searchsorted(child, rows.child.index[again])]
    for source, count in against.items():
        task.findings.against[source] += count

    def contradiction(row: int) -> Issue:
        one = _child_row(rows, row)
        index = int(rows.child.index[row])
        fact = judge(index, known.history(index), [one], task.origin, None).issues[0][2]
        return _issue(task, "contradiction", index, one, fact)

    refused = np.concatenate([some[status == CONTRADICTION], again[of_again == CONTRADICTION]])
    task.findings.add_rows("contradiction", np.sort(refused).tolist(), contradiction)
    repeats = np.concatenate([some[status == REPEAT], again[(of_again == REPEAT) | (of_again == NEW)]])
    careful = np.concatenate([some[status == CAREFUL], again[of_again == CAREFUL]])
    return some[status == NEW], repeats, careful


def _judge_all(task: Task, rows: Rows, more: I64, known: Known | None) -> list[Event]:
    if not len(more):
        return []
    child = rows.child.index[more]
    more = more[np.lexsort((more, rows.at_ms[more], child))]
    child = rows.child.index[more]
    cuts = [0, *(np.flatnonzero(np.diff(child)) + 1).tolist(), len(more)]
    events: list[Event] = []
    for start, stop in pairwise(cuts):
        index = int(child[start])
        history = known.history(index) if known else []
        verdict = judge(
            index,
            history,
            [_child_row(rows, row) for row in more[start:stop].tolist()],
            task.origin,
            _implied(task, index),
        )
        events += verdict.events
        for reason, row, fact in verdict.issues:
            task.findings.add(_issue(task, reason, index, row, fact))
            if reason == "contradiction" and fact is not None:
                task.findings.against[fact.origin.source] += 1
    return events


def _implied(task: Task, index: int) -> UnitRef | None:
    """In roll order, where no file has ever said otherwise of the batch."""
    facts = task.facts
    if task.coverage.associated or not facts.parent_batch_no or not facts.pack:
        return None
    return UnitRef(facts.parent_batch_no, index // facts.pack)


def _within_packs(task: Task, rows: Rows, simple: I64, events: list[Event]) -> tuple[I64, list[Event]]:
    """Without the rows that would put more into a parent than it holds. What was taken out has made room first."""
    gone = [event for event in events if event.parent_batch < 0 and event.out_batch >= 0]
    left, times = tally(np.array([_key(event.out_batch, event.out_index) for event in gone], np.int64))
    into = [event for event in events if event.parent_batch >= 0]
    keys = np.concatenate(
        [
            key_of(rows.parent.batch_no[simple], rows.parent.index[simple]),
            np.array([_key(event.parent_batch, event.parent_index) for event in into], np.int64),
        ]
    )
    task.reads.fill(tally(np.concatenate([left, keys]))[0])
    task.counts.add(left, -times)
    ranks = np.concatenate([simple, np.array([event.rank for event in into], np.int64)])
    for parent_batch in distinct(keys >> INDEX_BITS):
        task.counts.packs[parent_batch] = max(task.facts.pack, task.counts.packs.get(parent_batch, 0))
    over = task.counts.beyond(keys, ranks)
    if not over.any():
        return simple, events
    refused = set(ranks[over].tolist())
    _overfull(task, rows, ranks[over], keys[over])
    return simple[~over[: len(simple)]], [event for event in events if event.rank not in refused]


def _overfull(task: Task, rows: Rows, refused: I64, keys: I64) -> None:
    """Notes them, and where another file has put something into the same pack, notes it against that one too."""
    parents = dict(zip(refused.tolist(), keys.tolist(), strict=True))
    found, times = tally(keys)
    for key, count in zip(found.tolist(), times.tolist(), strict=True):
        source, _ = task.counts.others(key)
        if source:
            task.findings.against[source] += count

    def issue(row: int) -> Issue:
        source, held = task.counts.others(parents[row])
        child, parent = UnitRef(task.facts.batch_no, int(rows.child.index[row])), _child_row(rows, row).parent
        return Issue(int(rows.line[row]), "case_overfull", child, parent, other_file=source, count=held)

    task.findings.add_rows("case_overfull", np.sort(refused).tolist(), issue)


def _count(task: Task, rows: Rows, simple: I64, events: list[Event]) -> None:
    into = [event for event in events if event.parent_batch >= 0]
    keys = np.concatenate(
        [
            key_of(rows.parent.batch_no[simple], rows.parent.index[simple]),
            np.array([_key(event.parent_batch, event.parent_index) for event in into], np.int64),
        ]
    )
    lines = np.concatenate([rows.line[simple], np.array([event.line for event in into], np.int64)])
    task.counts.add(*tally(keys))
    task.counts.note_lines(keys, lines)
    task.coverage.placed(rows.child.index[simple], [event.index for event in events])


def _stored(task: Task, rows: Rows, simple: I64, events: list[Event]) -> Iterator[Stored]:
    run = run_sk(task.origin.source, task.origin.run)
    parents = rows.parent.batch_no[simple]
    batches = distinct(parents)
    for parent_batch in batches:
        some = simple if len(batches) == 1 else simple[parents == parent_batch]
        placements = Placements(rows.child.index[some], rows.parent.index[some], rows.at_ms[some], rows.line[some])
        yield from place(Key(task.facts.batch_no, parent_batch, run, task.generation), placements, task.facts.pack)
    if events:
        yield event_cells(task.facts.batch_no, run, task.generation, events)


def _note(task: Task, reason: str, rows: Rows, which: I64) -> None:
    def issue(row: int) -> Issue:
        return _issue(task, reason, int(rows.child.index[row]), _child_row(rows, row), None)

    task.findings.add_rows(reason, np.sort(which).tolist(), issue)


def _issue(task: Task, reason: str, index: int, row: ChildRow, fact: Fact | None) -> Issue:
    child = UnitRef(task.facts.batch_no, index)
    if fact is None:
        return Issue(row.line, reason, child, row.parent)
    source = "" if fact.origin.source == task.origin.source else fact.origin.source
    return Issue(row.line, reason, child, row.parent, fact.parent, source, fact.lines)


def _child_row(rows: Rows, row: int) -> ChildRow:
    parent_batch = int(rows.parent.batch_no[row])
    parent = UnitRef(parent_batch, int(rows.parent.index[row])) if parent_batch >= 0 else None
    return ChildRow(int(rows.at_ms[row]), row, int(rows.line[row]), bool(rows.delete[row]), parent)


def _key(batch_no: int, index: int) -> int:
    return batch_no << INDEX_BITS | index
