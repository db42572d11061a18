"""Blocks of whole lines with their line numbers and places, and the text they are written in. Below every CSV reader.

A line of the file is a row: quoted cells hold no line breaks, so that one stray quote spoils one row and not the file.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from uncap.adapters.intake.streams import BLOCK_BYTES, Stream
from uncap.domain.errors import InputError

LINE_BYTES = 64 * 1024
BLOCK_LINES = 131_072
UTF8, GB18030 = "utf-8", "gb18030"
_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = (",", ";", "\t")


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a reader stands in a document; stored between slices. What `offset` counts is the reader's own affair.

    `line` is the next row's line. `encoding` is "" until a byte beyond ASCII has decided it.
    """

    offset: int = 0
    line: int = 1
    encoding: str = ""


class Block(NamedTuple):
    """Whole lines; the last one of the file may lack its line feed. `offset` and `line` are the first one's."""

    data: bytes
    offset: int
    line: int


class Dialect(NamedTuple):
    """How a file's cells are divided and what its first line says. `first` is the place of the line after it."""

    delimiter: str
    header: tuple[str, ...]
    first: Place


def blocks(stream: Stream, place: Place, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """The document from `place` on; `stream` stands there. At most `block_bytes` and BLOCK_LINES each.

    Where a block ends depends on where it begins and on nothing else: a job that goes on cuts as it would have before.
    Raises InputError (`line_too_long`) and the stream's.
    """
    rest, offset, line, ended = b"", place.offset, place.line, False
    while not ended or rest:
        rest, ended = _topped_up(stream, rest, block_bytes)
        cut = _cut(rest)
        if not cut:
            if len(rest) > LINE_BYTES or not ended:
                raise InputError("line_too_long", f"a line is longer than {LINE_BYTES} bytes", where=f"line {line}")
            cut = len(rest)
        if cut:
            block, rest = rest[:cut], rest[cut:]
            yield Block(block, offset, line)
            offset += cut
            line += line_feeds(block)


def _topped_up(stream: Stream, rest: bytes, block_bytes: int) -> tuple[bytes, bool]:
    """`rest` and what follows it up to a block's size, and whether the document ends there."""
    parts, missing = [rest], max(block_bytes, LINE_BYTES + 1) - len(rest)
    while missing > 0:
        more = stream.read(missing)
        if not more:
            return b"".join(parts), True
        parts.append(more)
        missing -= len(more)
    return b"".join(parts), False


def _cut(data: bytes) -> int:
    """Where the last whole line ends, or the BLOCK_LINES-th if there are more."""
    if line_feeds(data) <= BLOCK_LINES:
        return data.rfind(b"\n") + 1
    return int(np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))[BLOCK_LINES - 1]) + 1


def line_feeds(data: bytes) -> int:
    """How many there are; `bytes.count` takes eight times as long where there are many."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord("\n")))


def read_dialect(stream: Stream) -> Dialect:
    """From the first line. `stream` stands at the beginning.

    Raises InputError: `file_empty`, `encoding_utf16`, `encoding_unknown`, `line_too_long`, `line_ends_unknown`,
    `header_quotes`.
    """
    head = _first_line(stream)
    start = len(_BOM) if head.startswith(_BOM) else 0
    if head[:2] in _WIDE_BOMS or b"\0" in head:
        raise InputError("encoding_utf16", "the text is UTF-16 or binary; save it as CSV UTF-8", where="line 1, byte 1")
    line = head[start:].rstrip(b"\r\n")
    if not line.strip():
        raise InputError("file_empty", "the file has no header line", where="line 1")
    if b"\r" in line:
        raise InputError("line_ends_unknown", "lines end in CR alone; save the file with LF or CRLF", where="line 1")
    encoding = UTF8 if start else encoding_of(line)
    text = decode(line, encoding, 1)
    delimiter = max(_DELIMITERS, key=text.count)
    cells = split(text, delimiter)
    if cells is None:
        raise InputError("header_quotes", "the header's quotes do not match", where="line 1")
    return Dialect(delimiter, tuple(cells), Place(len(head), 2, encoding))


def encoding_of(line: bytes) -> str:
    """UTF-8 or GB 18030 (which holds GBK and GB 2312), as the line says; "" for ASCII, or where it is neither."""
    if line.isascii():
        return ""
    return next((name for name in (UTF8, GB18030) if _is(line, name)), "")


def decode(line: bytes, encoding: str, number: int) -> str:
    """The line as text. Raises InputError (`encoding_unknown`) naming line and byte."""
    try:
        return line.decode(encoding or UTF8)
    except UnicodeDecodeError as cause:
        name = {UTF8: "UTF-8", GB18030: "GB 18030", "": "UTF-8 or GBK"}[encoding]
        raise InputError(
            "encoding_unknown",
            f"byte {cause.start + 1} of the line is 0x{line[cause.start]:02x}, which is not {name};"
            " save the file as CSV UTF-8",
            where=f"line {number}",
        ) from cause


def _is(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def split(text: str, delimiter: str) -> list[str] | None:
    """One line's cells (RFC 4180 quoting), spaces around them removed; None where quotes do not match."""
    if '"' not in text:
        return [cell.strip() for cell in text.split(delimiter)]
    cells, at, end = [], 0, len(text)
    while True:
        cell, at = _cell(text, at, delimiter)
        if cell is None:
            return None
        cells.append(cell)
        if at >= end:
            return cells
        at += 1
        if at == end:
            return [*cells, ""]


def _cell(text: str, at: int, delimiter: str) -> tuple[str | None, int]:
    """A cell from `at` on, and where it ends: at its delimiter or the end of the text."""
    begin = at
    while begin < len(text) and text[begin] == " ":
        begin += 1
    if begin == len(text) or text[begin] != '"':
        stop = text.find(delimiter, at)
        stop = len(text) if stop < 0 else stop
        cell = text[at:stop].strip()
        return (None if '"' in cell else cell), stop
    close = begin + 1
    while (close := text.find('"', close)) >= 0 and text[close + 1 : close + 2] == '"':
        close += 2
    stop = -1 if close < 0 else text.find(delimiter, close)
    stop = len(text) if stop < 0 else stop
    if close < 0 or text[close + 1 : stop].strip():
        return None, stop
    return text[begin + 1 : close].replace('""', '"').strip(), stop


def _first_line(stream: Stream) -> bytes:
    data = b""
    while b"\n" not in data and len(data) <= LINE_BYTES:
        more = stream.read(LINE_BYTES + 1)
        if not more:
            return data
        data += more
    cut = data.find(b"\n") + 1
    if not 0 < cut <= LINE_BYTES:
        raise InputError("line_too_long", f"a line is longer than {LINE_BYTES} bytes", where="line 1")
    return data[:cut]
