"""Chooses how a run's placements are stored, and writes them as cells: algebraic or blocks, whichever costs less.

Numpy; used by `services/associate_units.py` on at most a run of a file at a time (docs/adr/0010).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from uncap.domain.association.algebra import ALGEBRA
from uncap.domain.association.blocks import SEGMENT, Event
from uncap.domain.association.columns import EXACT, VAGUE
from uncap.domain.association.files import FormCost
from uncap.domain.association.packing import column, packed
from uncap.domain.association.store import BIG, BLOCK, Cell, block_sk, part_pk
from uncap.domain.association.zones import NO_PARENT, Zone

I64 = npt.NDArray[np.int64]

MAX_BYTES = 350_000
"""An item takes 400 KB; names and what DynamoDB adds stay far below the rest."""

MIN_RUN = 4
"""Fewer children per piece than this, and pieces cannot be cheaper than blocks."""

_LEAST_BLOCK = 130
"""No block item is smaller: a reason not to pack blocks at all when the algebraic item is below their sum."""

_NO_DOC = "{}"
_EVENTS_PER_CELL = 8_192


@dataclass(frozen=True, slots=True)
class Placements:
    """Children of one batch put into parents of one batch, sorted by child, each child once."""

    child: I64
    parent: I64
    at_ms: I64
    line: I64

    def take(self, at: slice) -> "Placements":
        """These of them."""
        return Placements(self.child[at], self.parent[at], self.at_ms[at], self.line[at])


@dataclass(frozen=True, slots=True)
class Key:
    """What names the cells: child batch, parent batch, `run_sk` of the run, the file's generation."""

    child_batch: int
    parent_batch: int
    run: str
    generation: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Cells of one form with where their parents are, and what they cost."""

    form: str  # algebraic | blocks | exceptions
    cells: list[Cell]
    zones: list[Zone]
    units: int

    @property
    def cost(self) -> FormCost:
        """Bytes and write units (1 KB each) of all cells."""
        sizes = [cell.size for cell in self.cells]
        return FormCost(self.units, len(sizes), sum(sizes), sum(-(-size // 1024) for size in sizes))


def place(key: Key, all_of_them: Placements, pack: int) -> Iterator[Stored]:
    """The cheapest cells for these, partition by partition. `pack` 0: what the cases themselves show."""
    for at in _cuts(all_of_them.child, BIG):
        part = all_of_them.take(at)
        algebraic = _algebraic(key, part, pack)
        blocks = -(-int(part.child[-1] % BIG + 1) // BLOCK) - int(part.child[0] % BIG // BLOCK)
        if algebraic and algebraic.cost.bytes <= _LEAST_BLOCK * blocks:
            yield algebraic
            continue
        choices = [one for one in (algebraic, _blocks(key, part, pack)) if one]
        yield min(choices, key=lambda one: (one.cost.write_units, one.cost.bytes))


def _cuts(child: I64, width: int) -> list[slice]:
    """Where sorted children fall into partitions or blocks of this width."""
    if not len(child):
        return []
    edges = np.flatnonzero(np.diff(child // width)) + 1
    ends = [0, *edges.tolist(), len(child)]
    return [slice(start, stop) for start, stop in pairwise(ends)]


def _lines(line: I64) -> tuple[int, int, int]:
    """(format, first, last)."""
    low, high = int(line.min()), int(line.max())
    follows = high - low + 1 == len(line) and bool((np.diff(line) == 1).all())
    return (EXACT if follows else VAGUE), low, high


def _algebraic(key: Key, part: Placements, pack: int) -> Stored | None:
    """None where the children do not lie in order for long enough."""
    fresh = np.empty(len(part.parent), np.bool_)
    fresh[0] = True
    np.not_equal(part.parent[1:], part.parent[:-1], out=fresh[1:])
    heads = np.flatnonzero(fresh)
    lengths = np.diff(heads, append=len(part.parent))
    widest = int(lengths.max())
    pack = max(pack, widest)
    # A case follows another by itself if that one was full and its number is the next; else a piece begins.
    natural = (lengths[:-1] == pack) & (np.diff(part.parent[heads]) == 1)
    begins = fresh.copy()
    begins[heads[1:][natural]] = False
    begins[1:] |= part.at_ms[1:] != part.at_ms[:-1]
    starts = np.flatnonzero(begins)
    if len(starts) * MIN_RUN > len(part.child) and len(starts) > 1:
        return None
    in_case = starts - heads[np.searchsorted(heads, starts, side="right") - 1]
    base = int(part.child[0]) // BIG * BIG
    first, stop = int(part.child[0]) - base, int(part.child[-1]) - base + 1
    rejects = BitMap()
    if stop - first > len(part.child):
        missing = np.ones(stop - first, np.bool_)
        missing[part.child - part.child[0]] = False
        rejects = BitMap((np.flatnonzero(missing) + first).astype(np.uint32))
        rejects.run_optimize()
    bitmap = bytes(rejects.serialize())
    head = ALGEBRA.pack(_lines(part.line)[0], pack, len(starts), stop, len(bitmap), *_lines(part.line)[1:])
    columns = (part.child[starts] - base, part.parent[starts], in_case, part.at_ms[starts])
    body = packed(head, *(column(one) for one in columns), bitmap)
    if len(body) > MAX_BYTES:
        return None
    cell = _cell(key, int(part.child[0]), "a#", body)
    zone = Zone(int(part.child[0]) // BIG, -1, key.parent_batch, int(part.parent.min()), int(part.parent.max()))
    return Stored("algebraic", [cell], [zone], len(part.child))


def _blocks(key: Key, part: Placements, pack: int) -> Stored:
    cells, zones = [], []
    for at in _cuts(part.child, BLOCK):
        block = part.take(at)
        first = int(block.child[0])
        mask = b""
        if len(block.child) < BLOCK:
            present = np.zeros(BLOCK, np.bool_)
            present[block.child % BLOCK] = True
            mask = np.packbits(present, bitorder="little").tobytes()
        form, low, high = _lines(block.line)
        body = packed(
            SEGMENT.pack(form, len(block.child), low, high), mask, column(block.parent, pack), column(block.at_ms)
        )
        cells.append(_cell(key, first, block_sk(first) + "b#", body))
        low, high = int(block.parent.min()), int(block.parent.max())
        zones.append(Zone(first // BIG, first % BIG // BLOCK, key.parent_batch, low, high))
    return Stored("blocks", cells, zones, len(part.child))


def event_cells(child_batch: int, run: str, generation: int, events: Sequence[Event]) -> Stored:
    """Events by block, sorted as they are to be read; parts where a block has very many."""
    cells, zones = [], []
    rows = np.array([tuple(getattr(one, name) for name in Event.__struct_fields__) for one in sorted(events)], np.int64)
    rows = rows.reshape(len(events), len(Event.__struct_fields__))
    for at in _cuts(rows[:, 0], BLOCK):
        for part, start in enumerate(range(at.start, at.stop, _EVENTS_PER_CELL)):
            some = rows[start : min(start + _EVENTS_PER_CELL, at.stop)]
            body = packed(len(some).to_bytes(4, "little"), *(column(one) for one in some.T))
            first = int(some[0, 0])
            sk = f"{block_sk(first)}x#{run}#{part}"
            cells.append(Cell(part_pk(child_batch, first), sk, _NO_DOC, body, generation))
            parents = np.unique(some[:, 3][some[:, 3] >= 0]).tolist()
            for parent_batch in parents:
                into = some[some[:, 3] == parent_batch, 4]
                zones.append(Zone(first // BIG, first % BIG // BLOCK, parent_batch, int(into.min()), int(into.max())))
            if not parents:
                # Whoever only took things out has spoken of this block too, and must be found again after a crash.
                zones.append(Zone(first // BIG, first % BIG // BLOCK, NO_PARENT, 0, 0))
    return Stored("exceptions", cells, zones, 0)


def _cell(key: Key, first: int, prefix: str, body: bytes) -> Cell:
    sk = f"{prefix}{key.run}#{key.parent_batch}"
    return Cell(part_pk(key.child_batch, first), sk, _NO_DOC, body, key.generation)
