"""The permutation and the winners of a whole release over numpy arrays; agrees with `permutation.py` and `laying.py`.

The console lists winners with it when a release is revealed, `published.py` when it checks one. Half a value has at
most 16 bits, so each of FF1's ten rounds is tabulated once per draw and a million ranks cost ten look-ups each.
"""

import numpy as np
import numpy.typing as npt

from uncap.domain.catalog import Release
from uncap.domain.codes.ff1 import ROUNDS, block_encryptor
from uncap.domain.prizes.commitment import draw_key
from uncap.domain.prizes.eligible import EligibleSet
from uncap.domain.prizes.laying import check_committed
from uncap.domain.prizes.permutation import KEY_BYTES, WALK_FROM, BitShape, sort_keys

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]

_CHUNK = 1 << 14
"""Values walked at a time: their halves and the round tables stay in the core's cache."""


class BulkPermutation:
    """`permutation.permutation(key, size)` over arrays."""

    def __init__(self, key: bytes, size: int) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("the key of a draw is 32 bytes")
        self._size = size
        self._walked = size >= WALK_FROM
        if self._walked:
            self._shape = BitShape(key, size)
            self._tables = [_round_table(key, self._shape, i) for i in range(ROUNDS)]
        else:
            keys = np.frombuffer(sort_keys(key, size), ">u8")[::2]
            self._ranks: I64 = np.argsort(keys.astype(np.uint64), kind="stable")
            self._positions = np.empty(size, np.int64)
            self._positions[self._ranks] = np.arange(size, dtype=np.int64)

    def positions(self, ranks: I64) -> I64:
        """The positions of `ranks`, shape (n,). Raises ValueError if one is outside [0, size)."""
        self._check(ranks)
        return self._walk(ranks, forward=True) if self._walked else self._positions[ranks]

    def ranks(self, positions: I64) -> I64:
        """The inverse of `positions`."""
        self._check(positions)
        return self._walk(positions, forward=False) if self._walked else self._ranks[positions]

    def _check(self, values: I64) -> None:
        if len(values) and (int(values.min()) < 0 or int(values.max()) >= self._size):
            raise ValueError(f"a value is outside the permutation of {self._size}")

    def _walk(self, values: I64, *, forward: bool) -> I64:
        step = self._forward if forward else self._backward
        out = np.empty(len(values), np.int64)
        for at in range(0, len(values), _CHUNK):
            part = step(values[at : at + _CHUNK].astype(np.uint32))
            outside = np.flatnonzero(part >= self._size)
            while len(outside):
                part[outside] = step(part[outside])
                outside = outside[part[outside] >= self._size]
            out[at : at + _CHUNK] = part
        return out

    def _forward(self, values: U32) -> U32:
        u, v = self._shape.u, self._shape.v
        a, b = values >> np.uint32(v), values & np.uint32((1 << v) - 1)
        for i, table in enumerate(self._tables):
            a += table.take(b)
            a &= np.uint32((1 << (v if i % 2 else u)) - 1)
            a, b = b, a
        return a << np.uint32(v) | b

    def _backward(self, values: U32) -> U32:
        u, v = self._shape.u, self._shape.v
        a, b = values >> np.uint32(v), values & np.uint32((1 << v) - 1)
        for i in reversed(range(ROUNDS)):
            b -= self._tables[i].take(a)
            b &= np.uint32((1 << (v if i % 2 else u)) - 1)
            a, b = b, a
        return a << np.uint32(v) | b


def _round_table(key: bytes, shape: BitShape, i: int) -> U32:
    """y mod 2^m of round i for every value that B can take: v bits in even rounds, u bits in odd ones."""
    bits, m = (shape.u, shape.v) if i % 2 else (shape.v, shape.u)
    blocks = np.empty((1 << bits, 2), ">u8")
    blocks[:, 0] = shape.high
    blocks[:, 1] = np.arange(1 << bits, dtype=np.uint64) ^ np.uint64(shape.lows[i])
    answer = np.frombuffer(block_encryptor(key).update(blocks.tobytes()), ">u8")[::2]
    return (answer & np.uint64((1 << m) - 1)).astype(np.uint32)


def indices_at(eligible: EligibleSet, ranks: I64) -> I64:
    """`EligibleSet.index_at` over an array of ranks within [0, count)."""
    before = np.asarray(eligible.before, np.int64)
    starts = np.asarray(eligible.starts, np.int64)
    at = np.searchsorted(before, ranks, side="right") - 1
    return np.asarray(starts[at] + ranks - before[at], np.int64)


def winners(release: Release, seed: bytes) -> list[tuple[int, str]]:
    """(unit index, prize id) of every laid prize of the release, by index. Raises as `laying.laid_prize` does."""
    check_committed(release, seed)
    eligible = EligibleSet.of(release)
    total = sum(prize.count for prize in release.prize_table)
    shuffle = BulkPermutation(draw_key(seed, release.beacon_value), eligible.count)
    indices = indices_at(eligible, shuffle.ranks(np.arange(total, dtype=np.int64))).tolist()
    prizes = [prize.prize_id for prize in release.prize_table for _ in range(prize.count)]
    return sorted(zip(indices, prizes, strict=True))
