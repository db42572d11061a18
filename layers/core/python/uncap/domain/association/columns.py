"""Columns of whole numbers in few bytes: read here without numpy, written by `packing.py`. Pure.

A column is a header and byte planes (all lowest bytes first, then the next), so that zstandard sees like among like.
"""

import sys
from array import array
from itertools import accumulate
from struct import Struct

import zstandard

CONST, RAW, DELTA, SLOPE = 0, 1, 2, 3
"""All alike; offset from the least; step from the one before (zig-zag); distance from base + row // pack (zig-zag)."""

HEADER = Struct("<BBqI")
"""Kind, bytes per number, base, pack (0 unless SLOPE)."""

VAGUE, EXACT = 1, 2
"""Formats of placed children: lines known as a range, or one by one because they follow each other."""

LEVEL = 3
_TYPES = {1: "B", 2: "H", 4: "I", 8: "Q"}
MAX_BODY = 8 << 20
"""A stored body never unpacks to more."""


def read_column(data: bytes, at: int, count: int) -> tuple["array[int]", int]:
    """`count` numbers from offset `at` of unpacked data, and the offset after them. Raises ValueError if cut short."""
    kind, width, base, pack = HEADER.unpack_from(data, at)
    at += HEADER.size
    if kind == CONST:
        return array("q", [base]) * count, at
    numbers = _planes(data, at, count, width)
    at += count * width
    if kind == RAW:
        return array("q", [base + number for number in numbers]), at
    steps = ((number >> 1) ^ -(number & 1) for number in numbers)
    if kind == DELTA:
        return array("q", accumulate(steps, initial=base))[1:], at
    if kind != SLOPE or not pack:
        raise ValueError("not a column")
    return array("q", [base + row // pack + step for row, step in enumerate(steps)]), at


def _planes(data: bytes, at: int, count: int, width: int) -> "array[int]":
    if at + count * width > len(data):
        raise ValueError("the column is cut short")
    whole = next(size for size in _TYPES if size >= width)
    mixed = bytearray(count * whole)
    for plane in range(width):
        mixed[plane::whole] = data[at + plane * count : at + (plane + 1) * count]
    numbers = array(_TYPES[whole], bytes(mixed))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def unpacked(body: bytes) -> bytes:
    """Raises ValueError if the body is not what `packing.py` wrote."""
    try:
        return zstandard.ZstdDecompressor().decompress(body, max_output_size=MAX_BODY)
    except zstandard.ZstdError:
        raise ValueError("a stored body cannot be read") from None
