"""The bytes of an uploaded document in order: as it lies there, or out of gzip or a zip with one file in it.

Expansion is bounded while it happens (`Limits`), so that a bomb costs a block and ends in a clear error. A continuation
skips to its offset: for a plain file that is free, a compressed one is expanded again, at several hundred MB/s.
"""

import io
import zipfile
import zlib
from typing import IO, Protocol

import msgspec

from uncap.adapters.intake.sources import ByteSource
from uncap.domain.errors import InputError

BLOCK_BYTES = 4 << 20
_EASY_BYTES = 16 << 20
_GZIP, _ZIPS, _ENCRYPTED = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06"), 0x1
_GZIP_WINDOW = 31
_DIRECTORY_BYTES = 16 << 20
_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Limits(msgspec.Struct, frozen=True):
    """What a file may cost. Codes compress 3 to 20 times; a bomb does 1,000 times."""

    file_bytes: int = 5 << 30
    expanded_bytes: int = 32 << 30
    ratio: int = 200


class Stream(Protocol):
    """Bytes in order; `read` gives b"" at the end and otherwise at least one byte."""

    def read(self, length: int) -> bytes:
        """Up to `length` bytes. Raises InputError for a damaged or excessive archive, TransientError."""
        ...


def open_stream(source: ByteSource, offset: int = 0, limits: Limits | None = None) -> Stream:
    """The expanded document from `offset` on.

    Raises InputError: `file_empty`, `file_too_large`, `archive_damaged`, `archive_encrypted`, `archive_not_single`,
    `archive_method`, `file_is_workbook`; while reading also `expansion_too_large`, `archive_truncated`.
    """
    limits = limits or Limits()
    if source.size == 0:
        raise InputError("file_empty", "the file has no bytes in it")
    if source.size > limits.file_bytes:
        raise InputError(
            "file_too_large", f"{source.size} bytes; at most {limits.file_bytes}: split it, or send Parquet or gzip"
        )
    magic = source.read_at(0, 4)
    if magic[:2] == _GZIP:
        return _skipped(_Bounded(_Gzip(source), source.size, limits), offset)
    if magic in _ZIPS:
        return _skipped(_Bounded(_zip_member(source, limits), source.size, limits), offset)
    return _Plain(source, offset)


def is_packed(source: ByteSource) -> bool:
    """Whether places in the document say nothing about how much of the file has been read."""
    magic = source.read_at(0, 4)
    return magic[:2] == _GZIP or magic in _ZIPS


class _Plain:
    def __init__(self, source: ByteSource, offset: int) -> None:
        self._source, self._at = source, offset

    def read(self, length: int) -> bytes:
        data = self._source.read_at(self._at, length)
        self._at += len(data)
        return data


class _Gzip:
    """RFC 1952, any number of members."""

    def __init__(self, source: ByteSource) -> None:
        self._source, self._at = source, 0
        self._inflate = zlib.decompressobj(_GZIP_WINDOW)
        self._rest = b""

    def read(self, length: int) -> bytes:
        while True:
            if self._inflate.eof and not self._next_member():
                return b""
            if not self._rest:
                self._rest = self._source.read_at(self._at, 1 << 20)
                self._at += len(self._rest)
            try:
                data = self._inflate.decompress(self._rest, length)
            except zlib.error as cause:
                raise _damaged("the gzip file is damaged") from cause
            ended = not self._rest and not data and not self._inflate.eof
            self._rest = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if data:
                return data
            if ended:
                raise InputError("archive_truncated", "the gzip file ends too early; was it uploaded whole?")

    def _next_member(self) -> bool:
        if not self._rest:
            self._rest = self._source.read_at(self._at, 1 << 20)
            self._at += len(self._rest)
        # Tapes and some tools pad the end with zeros.
        self._rest = self._rest.lstrip(b"\0")
        if not self._rest:
            return self._at < self._source.size and self._next_member()
        self._inflate = zlib.decompressobj(_GZIP_WINDOW)
        return True


class _Member:
    """One file in a zip; the archive's checksum is verified at its end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, length: int) -> bytes:
        try:
            return self._file.read(length)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as cause:
            raise _damaged("the zip archive is damaged") from cause


def _zip_member(source: ByteSource, limits: Limits) -> _Member:
    try:
        archive = zipfile.ZipFile(io.BufferedReader(RangeFile(source, _DIRECTORY_BYTES), 1 << 20))
        members = [one for one in archive.infolist() if not one.is_dir() and not _is_litter(one.filename)]
        if any(one.filename in ("xl/workbook.xml", "[Content_Types].xml") for one in members):
            raise InputError("file_is_workbook", "this is an Excel workbook; save the sheet as CSV UTF-8 and send that")
        if len(members) != 1:
            raise InputError("archive_not_single", f"the zip holds {len(members)} files; send each file by itself")
        if members[0].flag_bits & _ENCRYPTED:
            raise InputError("archive_encrypted", "the zip is protected by a password; send it without")
        if members[0].compress_type not in _KINDS:
            raise InputError("archive_method", "the zip is packed by a rare method; use plain zip or gzip")
        if members[0].file_size > limits.expanded_bytes:
            raise _too_large(limits)
        return _Member(archive.open(members[0]))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as cause:
        raise _damaged("the zip archive is damaged or was cut off") from cause


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in (".DS_Store", "Thumbs.db", "desktop.ini")


class RangeFile(io.RawIOBase):
    """A source as a file that can seek, for readers that want one (zip, Parquet). No read is larger than `most`."""

    def __init__(self, source: ByteSource, most: int) -> None:
        super().__init__()
        self._source, self._at, self._most = source, 0, most

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As files do."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise OSError("a seek before the file's beginning")
        self._at = base + offset
        return self._at

    def readinto(self, into: "bytearray | memoryview") -> int:  # type: ignore[override]  # any writable buffer
        """As files do. Raises InputError (`archive_damaged`) for a read that no honest file asks for."""
        if len(into) > self._most:
            raise _damaged(f"the file's directory asks for {len(into) >> 20} MB at once")
        data = self._source.read_at(self._at, len(into))
        into[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Bounded:
    """Stops a stream at the limits."""

    def __init__(self, inner: Stream, packed_bytes: int, limits: Limits) -> None:
        self._inner, self._limits, self._seen = inner, limits, 0
        self._allowed = min(limits.expanded_bytes, max(_EASY_BYTES, packed_bytes * limits.ratio))

    def read(self, length: int) -> bytes:
        data = self._inner.read(length)
        self._seen += len(data)
        if self._seen > self._allowed:
            raise _too_large(self._limits)
        return data


def _skipped(stream: Stream, offset: int) -> Stream:
    while offset > 0:
        data = stream.read(min(offset, BLOCK_BYTES))
        if not data:
            break
        offset -= len(data)
    return stream


def _too_large(limits: Limits) -> InputError:
    words = f"unpacked, the archive is larger than {limits.expanded_bytes >> 30} GiB or {limits.ratio} times itself"
    return InputError("expansion_too_large", words)


def _damaged(words: str) -> InputError:
    return InputError("archive_damaged", words)
