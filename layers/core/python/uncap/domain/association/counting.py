"""How many children each parent has got from a file so far: finds cases that are over-full, and in the end short ones.

Numpy; kept in memory by `services/associate_units.py`: four bytes per parent that occurs.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from uncap.domain.codes.scheme import INDEX_BITS, INDEX_LIMIT

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_PAGE_BITS = 16
_PAGE = 1 << _PAGE_BITS
KEPT_OPEN = 2_000
"""Short parents whose first line is remembered from run to run, the first by number."""


def key_of(batch_no: I64, index: I64) -> I64:
    """One number for a thing at any level."""
    return batch_no << INDEX_BITS | index


def unit_of(key: int) -> tuple[int, int]:
    """(batch, index) of a key."""
    return key >> INDEX_BITS, key & (INDEX_LIMIT - 1)


def distinct(values: I64) -> list[int]:
    """Sorted; quick where there is only one, as in a column of batches."""
    if not len(values):
        return []
    if int(values.min()) == int(values.max()):
        return [int(values[0])]
    return [int(value) for value in np.unique(values)]


def tally(keys: I64) -> tuple[I64, I64]:
    """Distinct keys in order and how often each occurs; quick where they lie close together."""
    if not len(keys):
        return keys, np.zeros(0, np.int64)
    least = int(keys.min())
    span = int(keys.max()) - least + 1
    if span > 4 * len(keys) + _PAGE:
        found, times = np.unique(keys, return_counts=True)
        return found, times
    times = np.bincount(keys - least, minlength=span)
    found = np.flatnonzero(times)
    return found + least, times[found]


class ParentCounts:
    """Counts by key. `packs` says how many children a parent of each batch holds, 0 where nobody knows."""

    def __init__(self) -> None:
        self._pages: dict[int, npt.NDArray[np.int32]] = {}
        self.packs: dict[int, int] = {}
        self.first_lines: dict[int, int] = {}

    def of(self, keys: I64) -> I64:
        """The counts of sorted distinct keys."""
        out = np.zeros(len(keys), np.int64)
        for page, at in _by_page(keys):
            if page in self._pages:
                out[at] = self._pages[page][keys[at] % _PAGE]
        return out

    def add(self, keys: I64, times: I64) -> None:
        """Count sorted distinct keys; `times` may be negative."""
        for page, at in _by_page(keys):
            counts = self._pages.setdefault(page, np.zeros(_PAGE, np.int32))
            counts[keys[at] % _PAGE] += times[at].astype(np.int32)

    def beyond(self, keys: I64, lines: I64) -> Flags:
        """Which of these rows would put more into a parent than it holds; of a parent's rows, the last lines."""
        over = np.zeros(len(keys), np.bool_)
        found, times = tally(keys)
        packs = self._packs_of(found)
        full = found[(packs > 0) & (self.of(found) + times > packs)]
        if not len(full):
            return over
        rows = np.flatnonzero(np.isin(keys, full))
        rows = rows[np.lexsort((lines[rows], keys[rows]))]
        ours = keys[rows]
        starts = np.searchsorted(ours, full)
        rank = np.arange(len(rows)) - starts[np.searchsorted(full, ours)]
        room = (self._packs_of(full) - self.of(full))[np.searchsorted(full, ours)]
        over[rows[rank >= room]] = True
        return over

    def note_lines(self, keys: I64, lines: I64) -> None:
        """Remember the first line of parents that are short after these rows, and forget those that are not."""
        found, _ = tally(keys)
        short = found[self._is_short(found)][:KEPT_OPEN]
        rows = np.flatnonzero(np.isin(keys, short)) if len(short) else np.zeros(0, np.int64)
        for key, line in zip(keys[rows].tolist(), lines[rows].tolist(), strict=True):
            self.first_lines[key] = min(line, self.first_lines.get(key, line))
        known = np.array(sorted(self.first_lines), np.int64)
        kept = known[self._is_short(known)][:KEPT_OPEN].tolist()
        self.first_lines = {key: self.first_lines[key] for key in kept}

    def short(self) -> tuple[I64, I64]:
        """Keys and counts of parents that have some children, and fewer than they hold."""
        keys: list[I64] = [np.zeros(0, np.int64)]
        for page in sorted(self._pages):
            here = (np.flatnonzero(self._pages[page] > 0) + page * _PAGE).astype(np.int64)
            keys.append(here[self._is_short(here)])
        found = np.concatenate(keys)
        return found, self.of(found)

    def _is_short(self, keys: I64) -> Flags:
        counts = self.of(keys)
        return (counts > 0) & (counts < self._packs_of(keys))

    def _packs_of(self, keys: I64) -> I64:
        batches = keys >> INDEX_BITS
        out = np.zeros(len(keys), np.int64)
        for batch_no, pack in self.packs.items():
            out[batches == batch_no] = pack
        return out


def _by_page(keys: I64) -> list[tuple[int, slice]]:
    if not len(keys):
        return []
    pages = keys >> _PAGE_BITS
    edges = [0, *(np.flatnonzero(np.diff(pages)) + 1).tolist(), len(keys)]
    return [(int(pages[a]), slice(a, b)) for a, b in pairwise(edges)]
