"""The first look at a run's rows: faults of reading, batches, sizes, products, times. What passes is sorted by batch.

Used by `services/associate_units.py`; the book's facts are its only outside knowledge.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from uncap.domain.association.counting import distinct, key_of, unit_of
from uncap.domain.association.files import Issue
from uncap.domain.association.findings import Findings
from uncap.domain.association.ports import UnitRef
from uncap.domain.association.rows import Refs, Rows
from uncap.domain.association.store import BatchFacts
from uncap.domain.codes.reading import REASONS, Fault

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
FactsOf = Callable[[int], BatchFacts | None]

EARLIEST_MS = 946_684_800_000
"""2000-01-01: before that nobody printed these codes. A time of 0 means that the file says nothing: always so."""

AHEAD_MS = 86_400_000


def check_rows(rows: Rows, facts_of: FactsOf, accepted_at_ms: int, findings: Findings) -> dict[int, Rows]:
    """Rows without fault by child batch, batches in order, rows as they came. Each bad row is noted once."""
    check = _Check(rows, findings)
    nameless = rows.delete & (rows.parent.batch_no < 0) & (rows.parent.fault == 0)
    for refs, exempt in ((rows.child, None), (rows.parent, nameless)):
        wrong = refs.fault != 0
        for fault in np.unique(refs.fault[wrong]).tolist():
            check.refuse(refs.fault == fault, REASONS.get(Fault(fault), "code_malformed"))
        unnamed = (refs.batch_no < 0) & ~wrong
        check.refuse(unnamed if exempt is None else unnamed & ~exempt, "code_malformed")
        check.refuse(_unknown(refs, check.good, facts_of), "code_not_issued")
    late, early = rows.at_ms > accepted_at_ms + AHEAD_MS, (rows.at_ms < EARLIEST_MS) & (rows.at_ms != 0)
    check.refuse(late | early, "time_invalid")
    pairs = key_of(rows.child.batch_no, np.maximum(rows.parent.batch_no, 0))
    for pair in distinct(pairs[check.good]):
        if not _may_hold(*unit_of(pair), facts_of):
            check.refuse(pairs == pair, "other_product")
    good = np.flatnonzero(check.good)
    children = rows.child.batch_no[good]
    batches = distinct(children)
    if len(batches) == 1 and len(good) == len(rows):
        return {batches[0]: rows}
    return {batch_no: rows.take(good[children == batch_no]) for batch_no in batches}


class _Check:
    def __init__(self, rows: Rows, findings: Findings) -> None:
        self.good = np.ones(len(rows), np.bool_)
        self._rows = rows
        self._findings = findings

    def refuse(self, wrong: Flags, reason: str) -> None:
        wrong = wrong & self.good
        if wrong.any():
            self._findings.add_rows(reason, np.flatnonzero(wrong).tolist(), lambda row: self._issue(row, reason))
            self.good &= ~wrong

    def _issue(self, row: int, reason: str) -> Issue:
        child, parent = (_unit(refs, row) for refs in (self._rows.child, self._rows.parent))
        return Issue(int(self._rows.line[row]), reason, child, parent)


def _unit(refs: Refs, row: int) -> UnitRef | None:
    known = not refs.fault[row] and refs.batch_no[row] >= 0
    return UnitRef(int(refs.batch_no[row]), int(refs.index[row])) if known else None


def _unknown(refs: Refs, good: Flags, facts_of: FactsOf) -> Flags:
    """Batches nobody created, and indices beyond their size."""
    out = np.zeros(len(good), np.bool_)
    for batch_no in distinct(refs.batch_no[good]):
        facts = facts_of(batch_no) if batch_no >= 0 else None
        if batch_no >= 0:
            size = facts.size if facts else 0
            out |= (refs.batch_no == batch_no) & ((refs.index >= size) | (refs.index < 0))
    return out


def _may_hold(child_batch: int, parent_batch: int, facts_of: FactsOf) -> bool:
    child, parent = facts_of(child_batch), facts_of(parent_batch)
    if child is None or parent is None:
        return parent_batch == 0  # out of whatever it is in
    return child.goes_into(parent)
