"""Cells of plain CSV blocks as fixed-width arrays, by numpy, without a Python object per row.

`csv_chunks.py` calls it first and falls back on `csv_rows.py` for a block that is not plain: ragged lines, quotes in
cells, spaces around them, letters beyond ASCII in a column that is read, formulas, control characters.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from uncap.domain.intake.chunks import CODE_BYTES

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
_LF, _CR, _QUOTE, _SPACE, _WIDE = 10, 13, 34, 32, 128
_PRINTABLE = bytes(range(32, 127)) + bytes(range(128, 256))
_FORMULA = np.frombuffer(b"=+-@\t\r", np.uint8)
_STARTS_FORMULA = np.isin(np.arange(256), _FORMULA)


class Cells(NamedTuple):
    """Where one column's cells begin and end in the block's bytes."""

    start: I64
    stop: I64


def plain_columns(
    data: bytes, delimiter: str, width: int, wanted: Sequence[int], words: int | None = None
) -> list[U8] | None:
    """The wanted columns of every line, each (n, w) padded with zeros; None where a careful reader must look.

    `width` is the number of cells in each line. Bytes beyond ASCII may stand in column `words` and in those that are
    not wanted; that they are text is the caller's to know.
    """
    if data.translate(None, _PRINTABLE + b"\r\n" + delimiter.encode()):
        return None
    buffer = np.frombuffer(data if data.endswith(b"\n") else data + b"\n", np.uint8)
    ends = np.flatnonzero(buffer == _LF)
    starts = np.concatenate(([0], ends[:-1] + 1))
    closed = buffer[ends - 1] == _CR
    if int(np.count_nonzero(buffer == _CR)) != int(np.count_nonzero(closed)):
        return None
    stops = ends - closed
    marks = _delimiters(buffer, ord(delimiter), starts, stops, width - 1)
    if marks is None or (stops <= starts).any():
        return None
    edges = np.column_stack((starts - 1, marks, stops))
    quoted = b'"' in data
    if quoted and not _all_quotes_wrap(buffer, edges):
        return None
    padded = np.concatenate((buffer, np.zeros(CODE_BYTES, np.uint8)))
    made, wide = [], not data.isascii()
    for at in wanted:
        cells = Cells(edges[:, at] + 1, edges[:, at + 1])
        column = _column(padded, _unquoted(buffer, cells) if quoted else cells, wide=wide and at != words)
        if column is None:
            return None
        made.append(column)
    return made


def _column(padded: U8, cells: Cells, *, wide: bool) -> U8 | None:
    """One column's cells, if no formula, space or foreign letter is at their edges or in them."""
    edges = padded[cells.start], padded[cells.stop - 1]
    filled = cells.stop > cells.start
    if (filled & (_STARTS_FORMULA[edges[0]] | (edges[0] == _SPACE) | (edges[1] == _SPACE))).any():
        return None
    column = gather(padded, cells)
    return None if wide and column is not None and (column >= _WIDE).any() else column


def gather(padded: U8, cells: Cells) -> U8 | None:
    """(n, w) of the cells' bytes; None if one is longer than CODE_BYTES. `padded` has that many bytes to spare."""
    lengths = cells.stop - cells.start
    width = max(int(lengths.max(initial=0)), 1)
    if width > CODE_BYTES:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    column = windows[cells.start]
    if int(lengths.min(initial=width)) < width:
        column[np.arange(width) >= lengths[:, None]] = 0
    return column


def _delimiters(buffer: U8, mark: int, starts: I64, stops: I64, per_line: int) -> I64 | None:
    """(n, per_line) positions, or None if some line has another number of them."""
    found = np.flatnonzero(buffer == mark)
    if len(found) != len(starts) * per_line:
        return None
    marks = found.reshape(len(starts), per_line)
    if per_line and ((marks[:, 0] < starts).any() or (marks[:, -1] >= stops).any()):
        return None
    return marks


def _all_quotes_wrap(buffer: U8, edges: I64) -> bool:
    """Whether every quote of the block is the first or last byte of a cell that is quoted on both sides."""
    wraps = sum(
        int(_wrapped(buffer, Cells(edges[:, at] + 1, edges[:, at + 1])).sum()) for at in range(edges.shape[1] - 1)
    )
    return 2 * wraps == int(np.count_nonzero(buffer == _QUOTE))


def _wrapped(buffer: U8, cells: Cells) -> npt.NDArray[np.bool_]:
    wrapped: npt.NDArray[np.bool_] = cells.stop - cells.start >= 2
    wrapped &= buffer[cells.start] == _QUOTE
    wrapped &= buffer[cells.stop - 1] == _QUOTE
    return wrapped


def _unquoted(buffer: U8, cells: Cells) -> Cells:
    wrapped = _wrapped(buffer, cells)
    return Cells(cells.start + wrapped, cells.stop - wrapped)


def is_plain(column: U8) -> bool:
    """No formula, nothing beyond printable ASCII, no space at either end; cells (n, w) padded with zeros."""
    if (column >= 127).any() or ((column < _SPACE) & (column > 0)).any():
        return False
    first = column[:, 0]
    if (first == _SPACE).any() or np.isin(first, _FORMULA).any():
        return False
    if not (column == _SPACE).any():
        return True
    lengths = (column != 0).sum(axis=1)
    last = column[np.arange(len(column)), np.maximum(lengths - 1, 0)]
    return not (last == _SPACE).any()
