"""Writes what `columns.py`, `blocks.py` and `algebra.py` read: numpy columns to bytes. Intake only.

Of the ways to write a column the one with the smallest numbers is taken.
"""

import numpy as np
import numpy.typing as npt
import zstandard

from uncap.domain.association.columns import CONST, DELTA, HEADER, LEVEL, RAW, SLOPE

I64 = npt.NDArray[np.int64]


def column(values: I64, pack: int = 0) -> bytes:
    """The column; `pack` > 0 also tries the distance from first value + row // pack. Values fit 62 bits."""
    if not len(values) or (values == values[0]).all():
        return HEADER.pack(CONST, 0, int(values[0]) if len(values) else 0, 0)
    least = int(values.min())
    choices = [(RAW, least, 0, values - least)]
    steps = np.empty_like(values)
    steps[0] = 0
    np.subtract(values[1:], values[:-1], out=steps[1:])
    choices.append((DELTA, int(values[0]), 0, _zigzag(steps)))
    if pack:
        base = int(values[0])
        choices.append((SLOPE, base, pack, _zigzag(values - base - np.arange(len(values)) // pack)))
    kind, base, pack, numbers = min(choices, key=lambda one: (int(one[3].max()), one[0]))
    width = (int(numbers.max()).bit_length() + 7) // 8
    planes = numbers.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :width]
    return HEADER.pack(kind, width, base, pack) + np.ascontiguousarray(planes.T).tobytes()


def packed(*parts: bytes) -> bytes:
    """The parts one after another, compressed."""
    return zstandard.ZstdCompressor(LEVEL, write_checksum=False, write_content_size=True).compress(b"".join(parts))


def _zigzag(values: I64) -> I64:
    return (values << 1) ^ (values >> 63)
