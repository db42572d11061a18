"""Serials by the million: the scheme of `scheme.py` over numpy buffers. Exports, commitments and ingest use it.

Agrees with `scheme.encode`/`decode` code by code. Never imported on the scan path. One core makes well over ten million
serials a second (bench `codes_generate`): each FF1 round is one AES call over a buffer that stays in the core's cache.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncap.domain.codes import crockford
from uncap.domain.codes.ff1 import HALF_BITS, HALF_MASK, ROUNDS, block_encryptor, round_constants
from uncap.domain.codes.scheme import INDEX_BITS, INDEX_LIMIT, SERIAL_LENGTH, TAG_BITS, CodeKey, check_range
from uncap.domain.errors import InputError

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

CHUNK = 8192
"""Codes per pass: two block buffers of 128 KB and the halves, together within a core's second-level cache."""

_LOW_BITS = HALF_BITS - TAG_BITS  # bits of the index that stand in the low half, before the tag
_LOW_COUNT = 1 << _LOW_BITS
_MASK = np.uint64(HALF_MASK)
_DIGITS = np.full(256, 255, np.uint8)
for _value, _char in enumerate(crockford.ALPHABET):
    _DIGITS[[ord(_char), ord(_char.lower())]] = _value


@dataclass(frozen=True, slots=True)
class Decoded:
    """Arrays of one length; `batch_no` and `index` mean something only where `valid`."""

    valid: npt.NDArray[np.bool_]
    batch_no: I64
    index: I64


def serials(key: CodeKey, batch_no: int, indices: I64 | range) -> U8:
    """Shape (n, 17), ASCII, row i the serial of `indices[i]`. Raises InputError (`code_out_of_range`)."""
    _check_indices(batch_no, indices)
    out = np.empty((len(indices), SERIAL_LENGTH), np.uint8)
    engine = _Engine(key)
    for at in range(0, len(indices), CHUNK):
        engine.write(batch_no, _array(indices[at : at + CHUNK]), out[at : at + CHUNK])
    return out


def lines(key: CodeKey, batch_no: int, indices: I64 | range, prefix: str) -> Iterator[bytes]:
    """`prefix` (as `links.code_prefix` makes it), serial and CRLF for each index, in blocks of up to `CHUNK` lines.

    Raises InputError (`code_out_of_range`) before the first block.
    """
    _check_indices(batch_no, indices)
    row = np.frombuffer(prefix.encode("ascii") + bytes(SERIAL_LENGTH) + b"\r\n", np.uint8)
    page = np.tile(row, (CHUNK, 1))
    place = page[:, len(prefix) : len(prefix) + SERIAL_LENGTH]
    engine = _Engine(key)
    for at in range(0, len(indices), CHUNK):
        part = _array(indices[at : at + CHUNK])
        engine.write(batch_no, part, place[: len(part)])
        yield page[: len(part)].tobytes()


def decode(key: CodeKey, rows: U8) -> Decoded:
    """Inverse of `serials` for rows of shape (n, 17); lower case is folded. Nothing is raised for bad rows."""
    if rows.ndim != 2 or rows.shape[1] != SERIAL_LENGTH or rows.dtype != np.uint8:
        raise ValueError("rows are bytes of shape (n, 17)")
    count = len(rows)
    out = Decoded(np.empty(count, np.bool_), np.empty(count, np.int64), np.empty(count, np.int64))
    engine = _Engine(key)
    for at in range(0, count, CHUNK):
        part = slice(at, at + CHUNK)
        engine.read(rows[part], Decoded(out.valid[part], out.batch_no[part], out.index[part]))
    return out


def rows_of(texts: list[str]) -> U8:
    """Serials as text to rows for `decode`. Text of another length or not ASCII becomes a row that is not valid."""
    blank = b" " * SERIAL_LENGTH
    cells = (t.encode("ascii", "replace") if len(t) == SERIAL_LENGTH else blank for t in texts)
    return np.frombuffer(b"".join(cells), np.uint8).reshape(len(texts), SERIAL_LENGTH)


def texts_of(rows: U8) -> list[str]:
    """Rows as made by `serials` to text."""
    text = np.ascontiguousarray(rows).tobytes().decode("ascii")
    return [text[at : at + SERIAL_LENGTH] for at in range(0, len(text), SERIAL_LENGTH)]


def digits_of(characters: U8) -> U8:
    """Crockford characters of either case as 0 to 31, 255 for any other byte; any shape."""
    return _DIGITS.take(characters)


def _check_indices(batch_no: int, indices: I64 | range) -> None:
    if len(indices) == 0:
        check_range(batch_no, 0)
        return
    if isinstance(indices, range):
        ends = (indices[0], indices[-1])
    else:
        if indices.dtype.kind not in "iu" or indices.ndim != 1:
            raise InputError("code_out_of_range", "indices are a flat array of integers", where="index")
        ends = (int(indices.min()), int(indices.max()))
    for end in ends:
        check_range(batch_no, end)


def _array(part: I64 | range) -> I64:
    if isinstance(part, range):
        return np.arange(part.start, part.stop, part.step, dtype=np.int64)
    return part.astype(np.int64, copy=False)


class _Engine:
    """Buffers and constants of one key for chunks of up to `CHUNK` codes; see FF1 in `ff1.py` for the notation."""

    def __init__(self, key: CodeKey) -> None:
        self._key = key
        self._aes = block_encryptor(key.key)
        high, lows = round_constants(key.key, key.tweak)
        self._lows = tuple(np.uint64(low) for low in lows)
        blocks = np.empty((CHUNK, 2), ">u8")
        blocks[:, 0] = high
        self._blocks_in = blocks.reshape(-1).view(np.uint8).data
        self._words_in = blocks[:, 1]
        # The answer's bytes 4 to 11 are read as one word. The buffer starts four bytes past a multiple of eight, so
        # that these words are aligned; the block cipher wants 15 bytes more than it writes.
        room = np.empty(CHUNK * 16 + 40, np.uint8)
        start = (-(room.ctypes.data + 4)) % 8
        self._blocks_out = room[start : start + CHUNK * 16 + 15].data
        self._words_out = np.ndarray((CHUNK,), ">u8", self._blocks_out, 4, (16,))
        self._halves = np.empty((2, CHUNK), np.uint64)
        self._spare = np.empty((2, CHUNK), np.uint64)
        self._text = np.empty((2, CHUNK * 8), np.uint8)
        self._first_round = self._first_round_table()

    def _first_round_table(self) -> U64:
        """y of round 0 for each low half a plain value can have: it holds 12 bits of the index and the zero tag."""
        low_halves = np.arange(_LOW_COUNT, dtype=np.uint64) << np.uint64(TAG_BITS)
        return self._round_function(0, low_halves, np.empty(_LOW_COUNT, np.uint64)) & _MASK

    def _round_function(self, i: int, b: U64, out: U64) -> U64:
        """y of round i for each of `b`, in the low 40 bits of `out`; the bits above are noise."""
        n = len(b)
        np.bitwise_xor(b, self._lows[i], out=out)
        np.copyto(self._words_in[:n], out)
        self._aes.update_into(self._blocks_in[: n * 16], self._blocks_out)
        np.copyto(out, self._words_out[:n])
        return out

    def write(self, batch_no: int, indices: I64, out: U8) -> None:
        """Serials of `indices` into `out`, shape (n, 17) with contiguous rows of any stride."""
        n = len(indices)
        halves, y = self._halves[:, :n], self._spare[0, :n]
        a, b = halves[0], halves[1]
        low = indices & (_LOW_COUNT - 1)
        np.right_shift(indices, _LOW_BITS, out=a, casting="unsafe")
        np.bitwise_or(a, np.uint64(batch_no << (INDEX_BITS - _LOW_BITS)), out=a)
        np.add(a, self._first_round.take(low), out=a)
        np.bitwise_and(a, _MASK, out=a)
        np.left_shift(low, TAG_BITS, out=b, casting="unsafe")
        for i in range(1, ROUNDS):
            source, target = (b, a) if i % 2 == 0 else (a, b)
            np.add(target, self._round_function(i, source, y), out=target)
            np.bitwise_and(target, _MASK, out=target)
        text = self._characters(n)
        out[:, 0] = ord(crockford.ALPHABET[self._key.epoch])
        _words_at(out, 1)[...] = text[0]
        _words_at(out, 9)[...] = text[1]

    def _characters(self, n: int) -> U64:
        """The halves as text: shape (2, n), each word eight characters, the first in its lowest byte."""
        x, spare = self._halves[:, :n], self._spare[:, :n]
        for width, mask in ((20, 0xFFFFF), (10, 0x3FF_0000_03FF), (5, 0x1F001F001F001F)):
            # Each lane of 2·width bits becomes two lanes of width bits, the upper one first.
            np.bitwise_and(x, np.uint64(mask), out=spare)
            np.left_shift(spare, np.uint64({20: 32, 10: 16, 5: 8}[width]), out=spare)
            np.right_shift(x, np.uint64(width), out=x)
            np.bitwise_and(x, np.uint64(mask), out=x)
            np.bitwise_or(x, spare, out=x)
        text = self._text[:, : n * 8]
        digits, more = x.view(np.uint8), spare.view(np.uint8)
        np.greater_equal(digits, 10, out=more.view(np.bool_))
        np.multiply(more, 7, out=text)
        np.add(text, digits, out=text)
        for missing in (18, 20, 22, 27):  # I, L, O and U are left out: all letters from there on move up by one.
            np.greater_equal(digits, missing, out=more.view(np.bool_))
            np.add(text, more, out=text)
        np.add(text, ord("0"), out=text)
        return text.view(np.uint64)

    def read(self, rows: U8, out: Decoded) -> None:
        """Decodes `rows` into the three columns of `out`."""
        n = len(rows)
        digits = _DIGITS.take(rows)
        halves, y = self._halves[:, :n], self._spare[0, :n]
        halves[...] = 0
        for column in range(8):
            np.left_shift(halves, np.uint64(5), out=halves)
            np.bitwise_or(halves, digits[:, [1 + column, 9 + column]].T, out=halves)
        np.bitwise_and(halves, _MASK, out=halves)
        a, b = halves[0], halves[1]
        for i in reversed(range(ROUNDS)):
            source, target = (b, a) if i % 2 == 0 else (a, b)
            np.subtract(target, self._round_function(i, source, y), out=target)
            np.bitwise_and(target, _MASK, out=target)
        plain_ok = (b & np.uint64((1 << TAG_BITS) - 1)) == 0
        out.valid[...] = plain_ok & (digits < 32).all(axis=1) & (digits[:, 0] == self._key.epoch)
        out.batch_no[...] = a >> np.uint64(INDEX_BITS - _LOW_BITS)
        out.index[...] = (a << np.uint64(_LOW_BITS) | b >> np.uint64(TAG_BITS)) & np.uint64(INDEX_LIMIT - 1)


def _words_at(out: U8, column: int) -> npt.NDArray[np.uint64]:
    """The eight bytes from `column` on in each row of `out`, as one little-endian word per row."""
    return out[:, column : column + 8].view("<u8")[:, 0]
