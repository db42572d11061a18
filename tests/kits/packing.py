"""What association files mean, said slowly with dictionaries: the truth that the packed forms are compared with."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.association.rows import Refs, Rows
from uncap.domain.association.store import BatchFacts


class Row(NamedTuple):
    """One line of a file; parent None: out of whatever it is in."""

    child: UnitRef
    parent: UnitRef | None
    at_ms: int
    delete: bool = False


class Book:
    """`BatchBook` over a dictionary."""

    def __init__(self, *batches: BatchFacts) -> None:
        self.batches = {one.batch_no: one for one in batches}

    def facts(self, batch_no: int) -> BatchFacts | None:
        return self.batches.get(batch_no)


class Nothing:
    """`AssociationReader` of a brand without packs."""

    def parent_of(self, unit: UnitRef, at_ms: int | None = None) -> UnitRef | None:
        return None

    def children_of(self, unit: UnitRef, at_ms: int | None = None) -> Sequence[UnitSpan]:
        return ()


def rows_of(rows: Sequence[Row], first_line: int = 1) -> Rows:
    """As columns, lines counted on."""

    def refs(units: list[UnitRef | None]) -> Refs:
        table = np.array([(u.batch_no, u.index) if u else (-1, -1) for u in units], np.int64).reshape(-1, 2)
        return Refs(table[:, 0], table[:, 1], np.zeros(len(units), np.uint8))

    return Rows(
        np.arange(first_line, first_line + len(rows)),
        refs([row.child for row in rows]),
        refs([row.parent for row in rows]),
        np.array([row.delete for row in rows], np.bool_),
        np.array([row.at_ms for row in rows], np.int64),
    )


class Truth:
    """Facts per child as (at, when accepted, run, rank) → parent. Files are applied in order, run by run."""

    def __init__(self, pack: int) -> None:
        self.facts: dict[UnitRef, dict[tuple[int, int, int, int], UnitRef | None]] = defaultdict(dict)
        self._pack = pack

    def apply(self, runs: Sequence[Sequence[Row]], accepted_at_ms: int) -> Counter[str]:
        """One file in mode proceed; counts by reason."""
        counts: Counter[str] = Counter()
        before = Counter(parent for child in self.facts if (parent := self.parent_at(child, None)) is not None)
        held = Counter(before)
        for run, rows in enumerate(runs):
            self._run(run, rows, accepted_at_ms, counts, held)
        counts["case_short"] = sum(1 for case, n in held.items() if before[case] < n < self._pack)
        return +counts

    def parent_at(self, child: UnitRef, at_ms: int | None) -> UnitRef | None:
        known = {key: parent for key, parent in self.facts[child].items() if at_ms is None or key[0] <= at_ms}
        return known[max(known)] if known else None

    def _run(self, run: int, rows: Sequence[Row], accepted: int, counts: Counter[str], held: Counter[UnitRef]) -> None:
        added: list[tuple[int, Row]] = []
        for rank, row in sorted(enumerate(rows), key=lambda one: (one[1].at_ms, one[0])):
            facts = self.facts[row.child]
            key = (row.at_ms, accepted, run, rank)
            before, after = [k for k in facts if k < key], [k for k in facts if k > key]
            inside = facts[max(before)] if before else None
            following = facts[min(after)] if after else None
            if row.delete:
                if inside is None or (row.parent and row.parent != inside):
                    counts["not_packed"] += 1
                else:
                    facts[key] = None
                    held[inside] -= 0 if after else 1
            elif (inside or following) is not None:
                counts["repeat" if (inside or following) == row.parent else "contradiction"] += 1
            else:
                facts[key] = row.parent
                added.append((rank, row))
        for rank, row in sorted(added):
            assert row.parent is not None
            if held[row.parent] >= self._pack:
                counts["case_overfull"] += 1
                del self.facts[row.child][row.at_ms, accepted, run, rank]
            else:
                held[row.parent] += 1
