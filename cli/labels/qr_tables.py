"""What a version 3-M QR symbol is made of, as arrays: field arithmetic, module placement, masks, format bits.

ISO/IEC 18004:2015: 29 x 29 modules, 44 data and 26 error correction codewords in one block (table 9), 61 alphanumeric
characters (table 7). Built once per process by `qr_batch.py`.
"""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
Positions = npt.NDArray[np.intp]

SIZE = 29
DATA_CODEWORDS, CHECK_CODEWORDS = 44, 26
CAPACITY = 61
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
MASKS = 8
_FIELD, _ORDER = 0x11D, 255  # x^8 + x^4 + x^3 + x^2 + 1 over GF(2); the order of its units
_ALIGNMENT = 22  # row and column of the one alignment pattern's centre (annex E)
_FORMAT_GENERATOR, _FORMAT_MASK = 0x537, 0x5412  # annex C; level M's two bits are 00


class Tables(NamedTuple):
    """`check[i][v]`: what data codeword i of value v adds to the check codewords. `fixed`: the function patterns, the
    rest light. `places`: flat module of each bit of the message. Rows are packed, leftmost module in bit 28."""

    check: U8
    fixed: U8
    places: Positions
    mask_rows: U32
    mask_columns: U32
    format_rows: U32


@functools.cache
def tables() -> Tables:
    """The arrays; some milliseconds the first time."""
    fixed, is_function = _function_patterns()
    masks = np.array([_mask(number) & ~is_function for number in range(MASKS)], np.uint8)
    formats = np.array([_format_modules(number) for number in range(MASKS)], np.uint8)
    return Tables(
        check=_check_table(),
        fixed=fixed.ravel(),
        places=_places(is_function),
        mask_rows=packed(masks),
        mask_columns=packed(masks.transpose(0, 2, 1)),
        format_rows=packed(formats),
    )


def packed(modules: U8) -> U32:
    """Rows of 29 modules (last axis) as one word each."""
    wide = np.zeros((*modules.shape[:-1], 32), np.uint8)
    wide[..., 3:] = modules
    return np.packbits(wide, axis=-1).view(">u4")[..., 0].astype(np.uint32)


def _check_table() -> U8:
    exp, log = _powers()
    generator = [1]
    for root in range(CHECK_CODEWORDS):
        generator = _times(generator, [1, exp[root]], exp, log)
    table = np.zeros((DATA_CODEWORDS, 256, CHECK_CODEWORDS), np.uint8)
    for position in range(DATA_CODEWORDS):
        remainder = [1] + [0] * (CHECK_CODEWORDS + DATA_CODEWORDS - 1 - position)
        for at in range(len(remainder) - CHECK_CODEWORDS):
            factor = remainder[at]
            for offset, coefficient in enumerate(generator):
                remainder[at + offset] ^= _product(factor, coefficient, exp, log)
        unit = remainder[-CHECK_CODEWORDS:]
        for value in range(256):
            table[position, value] = [_product(value, one, exp, log) for one in unit]
    return table


def _powers() -> tuple[list[int], list[int]]:
    exp, log, value = [0] * _ORDER, [0] * 256, 1
    for power in range(_ORDER):
        exp[power], log[value] = value, power
        value = value << 1 ^ (_FIELD if value & 0x80 else 0)
    return exp, log


def _product(a: int, b: int, exp: list[int], log: list[int]) -> int:
    return exp[(log[a] + log[b]) % _ORDER] if a and b else 0


def _times(a: list[int], b: list[int], exp: list[int], log: list[int]) -> list[int]:
    out = [0] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            out[i + j] ^= _product(x, y, exp, log)
    return out


def _function_patterns() -> tuple[U8, npt.NDArray[np.bool_]]:
    """(dark modules, modules that carry no message): finders, separators, timing, alignment, format (clause 6.3)."""
    dark = np.zeros((SIZE, SIZE), np.uint8)
    taken = np.zeros((SIZE, SIZE), np.bool_)
    dark[6, 8:-8:2] = dark[8:-8:2, 6] = 1
    taken[6, :] = taken[:, 6] = True
    finder = _rings(7)
    for rows, columns in ((slice(0, 7), slice(0, 7)), (slice(0, 7), slice(-7, None)), (slice(-7, None), slice(0, 7))):
        dark[rows, columns] = finder
    taken[:9, :9] = taken[:9, -8:] = taken[-8:, :9] = True
    around = slice(_ALIGNMENT - 2, _ALIGNMENT + 3)
    dark[around, around], taken[around, around] = _rings(5), True
    return dark, taken


def _rings(size: int) -> U8:
    """Dark ring, light ring, dark centre: the finder (7) and the alignment pattern (5)."""
    out = np.ones((size, size), np.uint8)
    out[1:-1, 1:-1] = 0
    out[2:-2, 2:-2] = 1
    return out


def _places(taken: npt.NDArray[np.bool_]) -> Positions:
    """Columns in pairs from the right, up and down in turn, the timing column left out (clause 7.7.3)."""
    out: list[int] = []
    upwards = True
    for right in (*range(SIZE - 1, 6, -2), *range(5, 0, -2)):
        for row in range(SIZE - 1, -1, -1) if upwards else range(SIZE):
            out += [row * SIZE + column for column in (right, right - 1) if not taken[row, column]]
        upwards = not upwards
    return np.array(out[: 8 * (DATA_CODEWORDS + CHECK_CODEWORDS)], np.intp)


def _mask(number: int) -> npt.NDArray[np.bool_]:
    """Where data mask pattern `number` turns modules over (table 10)."""
    i, j = np.indices((SIZE, SIZE))
    conditions = (
        (i + j) % 2,
        i % 2,
        j % 3,
        (i + j) % 3,
        (i // 2 + j // 3) % 2,
        i * j % 2 + i * j % 3,
        (i * j % 2 + i * j % 3) % 2,
        ((i + j) % 2 + i * j % 3) % 2,
    )
    return np.asarray(conditions[number] == 0)


def _format_modules(mask: int) -> U8:
    """Both copies of the format information and the dark module (clause 7.9.1, figure 25)."""
    remainder = mask << 10
    for bit in range(14, 9, -1):
        if remainder >> bit & 1:
            remainder ^= _FORMAT_GENERATOR << (bit - 10)
    word = (mask << 10 | remainder) ^ _FORMAT_MASK
    bits = [word >> at & 1 for at in range(15)]  # bit 0 is the least significant
    out = np.zeros((SIZE, SIZE), np.uint8)
    rows = (0, 1, 2, 3, 4, 5, 7, 8)
    for at, row in enumerate(rows):
        out[row, 8] = out[8, SIZE - 1 - at] = bits[at]
    for at, column in enumerate((7, 5, 4, 3, 2, 1, 0), 8):
        out[8, column] = bits[at]
    for at in range(8, 15):
        out[SIZE - 15 + at, 8] = bits[at]
    out[SIZE - 8, 8] = 1
    return out
