"""Which children of a batch somebody has spoken of: so that a fresh stretch of a batch is applied without a read.

Numpy and roaring bitmaps; kept in memory by `services/associate_units.py` while it applies a file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from uncap.domain.association.known import Known
from uncap.domain.association.store import BIG, BLOCK

I64 = npt.NDArray[np.int64]


@dataclass(slots=True)
class Coverage:
    """`blocks` and `parts` in which other files have items, `by_hand` whether hands changed anything (anywhere).

    `own`: children this file has placed so far. `associated`: some visible file says what the batch is packed in.
    """

    associated: bool = False
    by_hand: bool = False
    blocks: set[int] = field(default_factory=set)
    parts: set[int] = field(default_factory=set)
    own: BitMap = field(default_factory=BitMap)

    def spoken_of(self, indices: I64) -> list[int]:
        """Blocks that hold any of these sorted children and must be read to judge them."""
        blocks = indices // BLOCK
        found = {int(blocks[0]), *blocks[1:][blocks[1:] != blocks[:-1]].tolist()} if len(blocks) else set()
        if not self.by_hand:
            found = {b for b in found if b in self.blocks or b // (BIG // BLOCK) in self.parts}
        if self.own:
            again = self.own & BitMap(indices.astype(np.uint32))
            found.update(np.unique(np.array(again, np.int64) // BLOCK).tolist())
        return sorted(found)

    def placed(self, indices: I64, more: Sequence[int]) -> None:
        """These are spoken of from now on."""
        self.own |= BitMap(indices.astype(np.uint32))
        self.own.update(more)


class Reads(Protocol):
    """What a run reads of the store; `services/associate_units.py` keeps it."""

    def known(self, batch_no: int, part: int, blocks: list[int]) -> Known | None:
        """What counted before this run in these blocks of a partition; None for no blocks."""
        ...

    def fill(self, keys: I64) -> None:
        """Puts into the counts what others have put into these parents (sorted distinct keys)."""
        ...
