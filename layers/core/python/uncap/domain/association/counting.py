"""How many children each parent has: from others, and from a file so far. Finds cases over-full, in the end short ones.

Numpy; kept in memory by `services/associate_units.py`: four bytes per parent that occurs, twelve where others packed.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from uncap.domain.codes.scheme import INDEX_BITS, INDEX_LIMIT

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Pages = dict[int, npt.NDArray[np.int32]]

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
        self._pages: Pages = {}  # what the file put in, less what it took out
        self._before: Pages = {}  # what others have put in, as far as it was looked up
        self._by: Pages = {}  # who of them did last: a place in `_sources`, from 1
        self._sources: list[str] = []
        self.packs: dict[int, int] = {}
        self.first_lines: dict[int, int] = {}

    def of(self, keys: I64) -> I64:
        """How many the parents of these sorted distinct keys hold."""
        return _read(self._before, keys) + _read(self._pages, keys)

    def add(self, keys: I64, times: I64) -> None:
        """Count sorted distinct keys; `times` may be negative."""
        _add(self._pages, keys, times)

    def add_others(self, source: str, keys: I64) -> None:
        """One child of each of these keys was put there by another file or a hand."""
        if source not in self._sources:
            self._sources.append(source)
        found, times = tally(keys)
        _add(self._before, found, times)
        _add(self._by, found, self._sources.index(source) + 1 - _read(self._by, found))

    def forget_others(self) -> None:
        """As if nothing had been looked up."""
        self._before, self._by = {}, {}

    def others(self, key: int) -> tuple[str, int]:
        """Who else put something into the parent, the last of them; and how many all of them did."""
        keys = np.array([key], np.int64)
        by = int(_read(self._by, keys)[0])
        return self._sources[by - 1] if by else "", int(_read(self._before, keys)[0])

    def filled(self) -> I64:
        """Keys of the parents into which the file put more than it took out."""
        keys = [np.flatnonzero(self._pages[page] > 0) + page * _PAGE for page in sorted(self._pages)]
        return np.concatenate([np.zeros(0, np.int64), *keys]).astype(np.int64)

    def overfull(self) -> bool:
        """Whether some parent holds more than it can: somebody else has packed while this file was applied."""
        keys = self.filled()
        packs = self._packs_of(keys)
        return bool(((packs > 0) & (self.of(keys) > packs)).any())

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
        """Keys and counts of parents that the file put something into, and that have fewer than they hold."""
        keys = self.filled()
        found = keys[self._is_short(keys)]
        return found, self.of(found)

    def _is_short(self, keys: I64) -> Flags:
        return (_read(self._pages, keys) > 0) & (self.of(keys) < self._packs_of(keys))

    def _packs_of(self, keys: I64) -> I64:
        batches = keys >> INDEX_BITS
        out = np.zeros(len(keys), np.int64)
        for batch_no, pack in self.packs.items():
            out[batches == batch_no] = pack
        return out


def _read(pages: Pages, keys: I64) -> I64:
    out = np.zeros(len(keys), np.int64)
    for page, at in _by_page(keys):
        if page in pages:
            out[at] = pages[page][keys[at] % _PAGE]
    return out


def _add(pages: Pages, keys: I64, times: I64) -> None:
    for page, at in _by_page(keys):
        counts = pages.setdefault(page, np.zeros(_PAGE, np.int32))
        counts[keys[at] % _PAGE] += times[at].astype(np.int32)


def _by_page(keys: I64) -> list[tuple[int, slice]]:
    if not len(keys):
        return []
    pages = keys >> _PAGE_BITS
    edges = [0, *(np.flatnonzero(np.diff(pages)) + 1).tolist(), len(keys)]
    return [(int(pages[a]), slice(a, b)) for a, b in pairwise(edges)]
