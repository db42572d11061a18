"""QR symbols by the thousand: our printed links are all version 3-M, so one set of tables serves a whole batch.

Equal to segno's symbols module by module, the choice of the mask included (tests/unit/cli/test_qr_batch.py); whatever
does not fit version 3-M in alphanumeric mode is left to segno itself. `cli/qr.py` draws single codes with qrcode.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import segno

from cli.labels.qr_tables import ALPHABET, CAPACITY, DATA_CODEWORDS, SIZE, U8, U32, packed, tables

CHUNK = 512
"""Links per pass: the masks' words of one chunk stay in a core's second-level cache."""
_SHORTEST = 39  # below, version 2 would do (table 7)
_VALUES = np.full(256, 255, np.uint8)
for _value, _char in enumerate(ALPHABET):
    _VALUES[ord(_char)] = _value
_EQUALS = np.uint32((1 << SIZE - 1) - 1)
_STARTS = np.uint32((1 << SIZE) - (1 << 6))  # places where seven modules still fit
_GROUPS = tuple(np.uint32(0xF << at & (1 << SIZE) - 1) for at in range(25, 2, -4))


def symbols(links: Sequence[str]) -> list[U8]:
    """The smallest symbol at level M for each link: square arrays, 1 is dark, without a quiet zone.

    Raises ValueError for a text that no symbol holds.
    """
    out: list[U8] = []
    for at in range(0, len(links), CHUNK):
        part = links[at : at + CHUNK]
        out += encode(part) if _fits(part) else [_by_segno(link) for link in part]
    return out


def encode(links: Sequence[str]) -> list[U8]:
    """Version 3-M symbols of links that are all of one length, 39 to 61 characters of the alphanumeric mode."""
    table = tables()
    data = _codewords(links)
    check = np.zeros((len(links), table.check.shape[2]), np.uint8)
    for position in range(DATA_CODEWORDS):
        check ^= table.check[position].take(data[:, position], axis=0)
    modules = np.tile(table.fixed, (len(links), 1))
    modules[:, table.places] = np.unpackbits(np.concatenate((data, check), axis=1), axis=1)
    square = modules.reshape(-1, SIZE, SIZE)
    rows, columns = packed(square), packed(square.transpose(0, 2, 1))
    masked = rows[None] ^ table.mask_rows[:, None]
    best = _penalties(masked, columns[None] ^ table.mask_columns[:, None]).argmin(axis=0)
    chosen = masked[best, np.arange(len(links))] | table.format_rows[best]
    bits = np.unpackbits(chosen.astype(">u4").view(np.uint8).reshape(len(links), SIZE, 4), axis=2)
    return list(bits[:, :, 3:])


def _fits(links: Sequence[str]) -> bool:
    length = len(links[0])
    if not _SHORTEST <= length <= CAPACITY or any(len(link) != length for link in links):
        return False
    text = "".join(links)
    return text.isascii() and bool((_VALUES.take(np.frombuffer(text.encode(), np.uint8)) != 255).all())


def _by_segno(link: str) -> U8:
    try:
        made = segno.make(link, error="M", boost_error=False, micro=False)
    except segno.DataOverflowError as cause:
        raise ValueError(f"no QR code holds {len(link)} characters") from cause
    return np.array([list(row) for row in made.matrix], np.uint8)


def _codewords(links: Sequence[str]) -> U8:
    """Shape (n, 44): mode 0010, nine bits of length, eleven bits a pair, six for a last one, terminator, padding."""
    length = len(links[0])
    values = _VALUES.take(np.frombuffer("".join(links).encode(), np.uint8)).reshape(len(links), length)
    pairs = values[:, : length // 2 * 2].astype(np.uint16).reshape(len(links), -1, 2)
    words = pairs[:, :, 0] * np.uint16(len(ALPHABET)) + pairs[:, :, 1]
    bits = np.zeros((len(links), DATA_CODEWORDS * 8), np.uint8)
    bits[:, :13] = [0b0010 << 9 >> 12 - at & 1 | length >> 12 - at & 1 for at in range(13)]
    end = 13 + 11 * words.shape[1]
    bits[:, 13:end] = (words[:, :, None] >> np.arange(10, -1, -1, dtype=np.uint16) & 1).reshape(len(links), -1)
    if length % 2:
        bits[:, end : end + 6] = values[:, -1:] >> np.arange(5, -1, -1, dtype=np.uint8) & 1
        end += 6
    codewords = np.packbits(bits, axis=1)
    used = min((end + 4 + 7) // 8, DATA_CODEWORDS)
    codewords[:, used::2], codewords[:, used + 1 :: 2] = 0xEC, 0x11
    return codewords


def _penalties(rows: U32, columns: U32) -> npt.NDArray[np.int64]:
    """Shape (8, n): the four features of clause 7.8.3.1, before the format information is written."""
    lines = np.concatenate((rows, columns), axis=2)
    even = ~(rows[..., :-1] ^ rows[..., 1:])
    blocks = ~(rows ^ rows >> np.uint32(1))[..., :-1] & _EQUALS & even & even >> np.uint32(1)
    scores = 3 * _ones(blocks) + _runs(lines) + 40 * _finders(lines)
    dark = _ones(rows) / SIZE**2
    return scores + 10 * (np.abs(dark * 100 - 50) / 5).astype(np.int64)


def _runs(lines: U32) -> npt.NDArray[np.int64]:
    """Five alike in a line cost 3, each further one 1: windows of five, and two more for each run of windows."""
    one = np.uint32(1)
    equal = ~(lines ^ lines >> one) & _EQUALS
    equal &= equal >> one
    windows = equal & equal >> np.uint32(2)
    return _ones(windows) + 2 * _ones(windows & ~(windows << one))


def _finders(lines: U32) -> npt.NDArray[np.int64]:
    """Dark-light-3 dark-light-dark with four light modules (or the edge) on a side; none is counted twice."""
    after, before = lines << np.uint32(7), lines >> np.uint32(1)
    after |= after << np.uint32(1)
    after |= after << np.uint32(2)
    before |= before >> np.uint32(1)
    before |= before >> np.uint32(2)
    dark = lines & lines << np.uint32(2)  # the first and third module; the fifth and seventh four places on
    found = dark & dark << np.uint32(4) & lines << np.uint32(3) & _STARTS
    found &= ~(lines << np.uint32(1) | lines << np.uint32(5) | after & before)
    # Two of them can share modules four or six apart; the earlier one wins, so four places are settled at a time.
    counted = np.zeros_like(found)
    for group in _GROUPS:
        counted |= found & group & ~(counted >> np.uint32(4)) & ~(counted >> np.uint32(6))
    return _ones(counted)


def _ones(words: U32) -> npt.NDArray[np.int64]:
    """Set bits per symbol: sums over the last axis."""
    counts: npt.NDArray[np.int64] = np.bitwise_count(words).sum(axis=2, dtype=np.int64)
    return counts
