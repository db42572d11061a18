"""The keyed permutation of [0, size) that lays prizes: rank of an eligible index <-> position in the draw. No numpy.

`laying.py` uses it code by code, `bulk.py` computes the same over arrays. From 1,000,000 on (the least domain NIST
allows, SP 800-38G rev. 1) it is FF1 over bits with cycle walking; below that a shuffle that is kept in memory.
"""

import sys
from array import array
from struct import Struct
from typing import Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from uncap.domain.codes.ff1 import ROUNDS, block_encryptor, header

WALK_FROM = 1_000_000
KEY_BYTES = 32

_WRITE = Struct(">QQ").pack
_READ = Struct(">Q8x").unpack


class Permutation(Protocol):
    """A bijection of [0, size)."""

    def position(self, rank: int) -> int:
        """Where the draw puts the eligible index of this rank."""

    def rank(self, position: int) -> int:
        """The inverse of `position`."""


def permutation(key: bytes, size: int) -> Permutation:
    """The permutation of [0, size) under a 32-byte key. Below `WALK_FROM` it takes 8 bytes and about 1 µs per index."""
    if len(key) != KEY_BYTES:
        raise ValueError("the key of a draw is 32 bytes")
    return WalkedPermutation(key, size) if size >= WALK_FROM else StoredShuffle(key, size)


class BitShape:
    """FF1 with radix 2 over the fewest bits that hold `size` values, empty tweak, AES-256: shared with `bulk.py`.

    Up to 2^32 values a half has at most 16 bits, so b <= 2 and d = 8: one block per round, y its first eight bytes.
    `high` and `lows[i]` are the block's words before B is XORed in.
    """

    __slots__ = ("high", "lows", "u", "v")

    def __init__(self, key: bytes, size: int) -> None:
        n = (size - 1).bit_length()
        if not 20 <= n <= 32:
            raise ValueError("walking needs between 2^19 and 2^32 values")
        self.u, self.v = n // 2, n - n // 2
        number_bits = 8 * ((self.v + 7) // 8)
        chained = block_encryptor(key).update(header(2, n, 0))
        self.high = int.from_bytes(chained[:8], "big")
        low = int.from_bytes(chained[8:], "big")
        self.lows = tuple(low ^ i << number_bits for i in range(ROUNDS))


class WalkedPermutation:
    """FF1 on bits, applied until the value falls back into [0, size): fewer than two steps on average."""

    def __init__(self, key: bytes, size: int) -> None:
        self._size = size
        self._shape = BitShape(key, size)
        self._update = block_encryptor(key).update

    def position(self, rank: int) -> int:
        """One to a few times ten AES blocks."""
        value = self._inside(rank)
        while True:
            value = self._forward(value)
            if value < self._size:
                return value

    def rank(self, position: int) -> int:
        """The inverse walk."""
        value = self._inside(position)
        while True:
            value = self._backward(value)
            if value < self._size:
                return value

    def _inside(self, value: int) -> int:
        if not 0 <= value < self._size:
            raise ValueError(f"{value} is outside the permutation of {self._size}")
        return value

    def _forward(self, value: int) -> int:
        shape, update = self._shape, self._update
        u, v = shape.u, shape.v
        a, b = value >> v, value & ((1 << v) - 1)
        for i, low in enumerate(shape.lows):
            (y,) = _READ(update(_WRITE(shape.high, low ^ b)))
            a, b = b, (a + y) & ((1 << (v if i % 2 else u)) - 1)
        return a << v | b

    def _backward(self, value: int) -> int:
        shape, update = self._shape, self._update
        u, v = shape.u, shape.v
        a, b = value >> v, value & ((1 << v) - 1)
        for i in reversed(range(ROUNDS)):
            (y,) = _READ(update(_WRITE(shape.high, shape.lows[i] ^ a)))
            a, b = (b - y) & ((1 << (v if i % 2 else u)) - 1), a
        return a << v | b


def sort_keys(key: bytes, size: int) -> bytes:
    """The AES-256-CTR key stream from counter zero, 16 bytes per rank; the first eight of each decide the shuffle."""
    return Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor().update(bytes(16 * size))


class StoredShuffle:
    """Ranks sorted by 64 pseudo-random bits each (big-endian); of equal keys the smaller rank comes first."""

    def __init__(self, key: bytes, size: int) -> None:
        keys = array("Q", sort_keys(key, size))[::2]
        if sys.byteorder == "little":
            keys.byteswap()
        self._ranks = array("I", sorted(range(size), key=keys.__getitem__))
        self._positions = array("I", bytes(4 * size))
        for position, rank in enumerate(self._ranks):
            self._positions[rank] = position

    def position(self, rank: int) -> int:
        """A look-up."""
        return self._positions[_natural(rank)]

    def rank(self, position: int) -> int:
        """A look-up."""
        return self._ranks[_natural(position)]


def _natural(value: int) -> int:
    # A negative subscript would silently answer for another index.
    if value < 0:
        raise ValueError(f"{value} is outside the permutation")
    return value
