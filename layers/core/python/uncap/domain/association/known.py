"""What was known of a run's children before it: finds repeats and contradictions among a million at a time.

Numpy; built by `services/apply_run.py` from the cells of the blocks that somebody has spoken of.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from uncap.domain.association.algebra import Algebra
from uncap.domain.association.counting import key_of
from uncap.domain.association.history import BlockView, Fact, Origin
from uncap.domain.association.store import BIG, BLOCK

I64 = npt.NDArray[np.int64]
NEW, REPEAT, CONTRADICTION, CAREFUL = 0, 1, 2, 3


class Known:
    """Views by block number, and the algebraic items by partition."""

    def __init__(self, views: dict[int, BlockView], algebras: dict[int, list[tuple[Origin, Algebra]]]) -> None:
        self._views = views
        self._algebras = algebras

    def history(self, index: int) -> list[Fact]:
        """See `BlockView`."""
        view = self._views.get(index // BLOCK)
        return view.history(index) if view else []

    def classify(self, child: I64, parent_key: I64) -> tuple[npt.NDArray[np.uint8], dict[str, int]]:
        """NEW, REPEAT, CONTRADICTION or CAREFUL (more to its history) for children in order that are put somewhere.

        And the contradictions by whose statement they contradict.
        """
        out = np.zeros(len(child), np.uint8)
        said_by: dict[str, I64] = {}
        for origin, start, parents in self._layers():
            low, high = np.searchsorted(child, (start, start + len(parents)))
            known = parents[child[low:high] - start]
            there = known >= 0
            same = known == parent_key[low:high]
            out[low:high][there] = np.where(same[there], REPEAT, CONTRADICTION)
            against = np.flatnonzero(there & ~same) + low
            if len(against):
                said_by[origin.source] = np.concatenate([said_by.get(origin.source, against[:0]), against])
        for view in self._views.values():
            for index in view.changed:
                at = int(np.searchsorted(child, index))
                if at < len(child) and child[at] == index:
                    out[at] = CAREFUL
        counts = {source: int((out[rows] == CONTRADICTION).sum()) for source, rows in said_by.items()}
        return out, {source: count for source, count in counts.items() if count}

    def _layers(self) -> Iterator[tuple[Origin, int, I64]]:
        for part, algebras in self._algebras.items():
            for origin, algebra in algebras:
                yield origin, part * BIG, _dense(algebra)
        for block, view in self._views.items():
            for origin, segment in view.segments:
                parents = np.frombuffer(segment.parents, np.int64)
                keys = key_of(np.full(len(parents), segment.parent_batch, np.int64), parents)
                yield origin, block * BLOCK, np.where(parents < 0, -1, keys)


def _dense(algebra: Algebra) -> I64:
    """Parent keys by position of the partition, -1 where there is none."""
    starts = np.array(algebra.starts, np.int64)
    there = np.ones(algebra.stop, np.bool_)
    there[: starts[0]] = False
    there[np.array(algebra.rejects, np.int64)] = False
    place = np.cumsum(there) - 1
    piece = np.repeat(np.arange(len(starts)), np.diff(starts, append=algebra.stop))
    piece = np.concatenate([np.zeros(starts[0], np.int64), piece])
    before = place[starts] - there[starts] + 1
    count = place - before[piece] + np.array(algebra.offsets, np.int64)[piece]
    parents = np.array(algebra.parents, np.int64)[piece] + count // algebra.pack
    keys = key_of(np.full(len(parents), algebra.parent_batch, np.int64), parents)
    return np.where(there, keys, -1)


def children_in(view: BlockView, block: int) -> Iterator[tuple[str, I64]]:
    """Children of the block that are placed by segments, with their parents' keys, shape (2, n); and who says so."""
    for origin, segment in view.segments:
        parents = np.frombuffer(segment.parents, np.int64)
        at = np.flatnonzero(parents >= 0)
        keys = key_of(np.full(len(at), segment.parent_batch, np.int64), parents[at])
        yield origin.source, np.stack([at + block * BLOCK, keys])


def children_of_algebra(algebra: Algebra, part: int) -> I64:
    """The same for an algebraic item of partition `part`."""
    keys = _dense(algebra)
    at = np.flatnonzero(keys >= 0)
    return np.stack([at + part * BIG, keys[at]])
