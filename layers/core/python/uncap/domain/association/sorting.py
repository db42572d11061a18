"""Sorts a run's rows by child: which children are simply put somewhere, which rows say the same again, which need care.

Numpy; used by `services/apply_run.py`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncap.domain.association.counting import key_of
from uncap.domain.association.rows import Rows

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sorted:
    """Row numbers of one child batch's rows, each in one of three."""

    simple: I64  # one per child, in order of children: put into a parent, and nothing else
    repeats: I64  # say what a simple row says; by child
    others: I64  # children taken out, or put into different parents; by child, then time, then row


def by_child(rows: Rows) -> Sorted:
    """Of rows that say the same of a child, the earliest in time stands; of these the first."""
    child = rows.child.index
    order = np.arange(len(child))
    if (child[1:] < child[:-1]).any():
        # Child and row as one number: sorting numbers is several times faster than a stable sort of rows.
        bits = len(child).bit_length()
        both = np.sort(child << bits | order)
        order, child = both & ((1 << bits) - 1), both >> bits
    fresh = np.ones(len(child), np.bool_)
    np.not_equal(child[1:], child[:-1], out=fresh[1:])
    if fresh.all():
        out = rows.delete[order]
        return Sorted(order[~out], order[:0], order[out])
    return _grouped(rows, order, np.flatnonzero(fresh), np.cumsum(fresh) - 1)


def _grouped(rows: Rows, order: I64, starts: I64, group: I64) -> Sorted:
    keys = key_of(rows.parent.batch_no[order], rows.parent.index[order])
    at_ms = rows.at_ms[order]
    alike = np.minimum.reduceat(keys, starts) == np.maximum.reduceat(keys, starts)
    alike &= ~np.logical_or.reduceat(rows.delete[order], starts)
    earliest = np.flatnonzero(at_ms == np.minimum.reduceat(at_ms, starts)[group])
    first = np.ones(len(earliest), np.bool_)
    np.not_equal(group[earliest[1:]], group[earliest[:-1]], out=first[1:])
    chosen = np.zeros(len(order), np.bool_)
    chosen[earliest[first]] = True
    plain = alike[group]
    others = np.flatnonzero(~plain)
    others = others[np.lexsort((order[others], at_ms[others], group[others]))]
    return Sorted(order[plain & chosen], order[plain & ~chosen], order[others])
