"""What an uploaded association file is, by its first bytes, and its reader. Called by the intake job and the CLI."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Protocol

from uncap.adapters.intake.csv_chunks import Csv
from uncap.adapters.intake.epcis_chunks import Epcis
from uncap.adapters.intake.lines import Place
from uncap.adapters.intake.sources import ByteSource
from uncap.adapters.intake.streams import Limits, open_stream
from uncap.domain.errors import InputError
from uncap.domain.intake.chunks import RowChunk

_HEAD_BYTES = 4096
_PARQUET, _OLD_EXCEL, _PDF = b"PAR1", b"\xd0\xcf\x11\xe0", b"%PDF"


class RowReader(Protocol):
    """A file of association rows. The same file and place give the same chunks, always."""

    @property
    def start(self) -> Place:
        """Before the first row."""
        ...

    @property
    def size(self) -> int:
        """What `Place.offset` reaches at the end; 0 if nobody knows."""
        ...

    def chunks(self, place: Place) -> Iterator[tuple[RowChunk, Place]]:
        """Chunks from `place` on, each with the place after it. Raises InputError for the file, TransientError."""
        ...


def open_rows(source: ByteSource, zone: tzinfo, form: str = "auto", limits: Limits | None = None) -> RowReader:
    """A reader for the file.

    Raises InputError: `format_unknown`, `format_differs` (it is not what `form` says), and the reader's own.
    """
    found = sniff(source, limits)
    if form not in ("auto", found.partition("-")[0]):
        raise InputError("format_differs", f"the file is said to be {form} and looks like {found}")
    if found == "parquet":
        # The only reader that pyarrow is loaded for: 100 MB and most of a second.
        from uncap.adapters.intake.parquet_chunks import Parquet

        return Parquet(source, zone, limits)
    if found.startswith("epcis"):
        return Epcis(source, zone, limits, xml=found == "epcis-xml")
    return Csv(source, zone, limits)


def sniff(source: ByteSource, limits: Limits | None = None) -> str:
    """csv | parquet | epcis-json | epcis-xml. Raises InputError: `format_unknown`, `file_is_workbook`, the stream's."""
    if source.read_at(0, 4) == _PARQUET:
        return "parquet"
    head = open_stream(source, 0, limits).read(_HEAD_BYTES)
    if head[:4] == _OLD_EXCEL:
        raise InputError("file_is_workbook", "this is an Excel workbook; save the sheet as CSV UTF-8 and send that")
    if head[:4] in (_PDF, _PARQUET) or head[:2] == b"\x1f\x8b":
        raise InputError("format_unknown", "a CSV, Parquet or EPCIS file is expected, plain or packed once")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"["):
        return "epcis-json"
    return "epcis-xml" if text[:1] == b"<" else "csv"
