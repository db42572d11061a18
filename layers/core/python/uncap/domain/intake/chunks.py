"""Rows of an association file by the ten thousand: fixed-width arrays, as readers make them and associations take them.

A `RowChunk` is what one step of a job works on; `ChunkBuilder` makes one from rows that came one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from uncap.domain.intake.faults import RowFault

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
Codes = npt.NDArray[np.bytes_]

CODE_BYTES = 192
"""The longest printed code that is read; a link of ours has 61 characters."""

ADD, DELETE, SKIP = 0, 1, 2
_WORDS = {
    ADD: "add,pack,aggregate,bind,关联,绑定,装箱,入箱,新增",
    DELETE: "delete,unpack,remove,disaggregate,unbind,解绑,拆箱,出箱,删除",
    # Lines note what they threw out. Nothing is packed by such a row; its code is simply not among the packed.
    SKIP: "reject,rejected,scrap,ng,剔除,剔废,废码,报废",
}
ACTIONS: dict[str, int] = {"": ADD} | {word: code for code, words in _WORDS.items() for word in words.split(",")}
"""What the action column may say, folded; empty is the usual case, packing."""


@dataclass(frozen=True, slots=True)
class RowChunk:
    """Rows in order of lines, and what was wrong with others of the same stretch of the file.

    `lines` as in `RowFault`; `child`, `parent` printed codes, ASCII, b"" for a parent that is not named; `action` ADD,
    DELETE or SKIP; `at_ms` epoch milliseconds, 0 where the file says nothing. All columns have one length.
    """

    lines: I64
    child: Codes
    parent: Codes
    action: U8
    at_ms: I64
    faults: tuple[RowFault, ...] = ()
    ignored: int = 0  # EPCIS events that pack nothing

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def seen(self) -> int:
        """Rows that were there, good and bad."""
        return len(self.lines) + len(self.faults)


@dataclass(slots=True)
class ChunkBuilder:
    """Collects rows one by one."""

    lines: list[int] = field(default_factory=list)
    child: list[bytes] = field(default_factory=list)
    parent: list[bytes] = field(default_factory=list)
    action: list[int] = field(default_factory=list)
    at_ms: list[int] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)
    ignored: int = 0

    def add(self, line: int, child: bytes, parent: bytes, action: int, at_ms: int) -> None:
        """One row whose codes are ASCII and at most CODE_BYTES long."""
        self.lines.append(line)
        self.child.append(child)
        self.parent.append(parent)
        self.action.append(action)
        self.at_ms.append(at_ms)

    def add_all(self, line: int, children: Sequence[str], parent: bytes, action: int, at_ms: int) -> None:
        """Rows that differ in their child only."""
        count = len(children)
        self.lines += [line] * count
        self.child += [child.encode("ascii") for child in children]
        self.parent += [parent] * count
        self.action += [action] * count
        self.at_ms += [at_ms] * count

    def build(self) -> RowChunk:
        """The chunk, its faults in order of lines."""
        return RowChunk(
            np.array(self.lines, np.int64),
            np.array(self.child, "S"),
            np.array(self.parent, "S"),
            np.array(self.action, np.uint8),
            np.array(self.at_ms, np.int64),
            tuple(sorted(self.faults)),
            self.ignored,
        )


def codes_of(cells: U8) -> Codes:
    """Cells (n, w) padded with zeros as n texts."""
    return np.ascontiguousarray(cells).view(f"S{cells.shape[1]}").ravel()


def action_of(text: str) -> int | None:
    """The action a cell names, or None."""
    return ACTIONS.get(text.strip().casefold())
