"""Rows of any CSV file as text: header matched to fields, line numbers, and a fault for every row that cannot be read.

Shipments, receipts and returns use it as it is; the association reader falls back on it for blocks that are not plain.
UTF-8 (with or without BOM), GBK and GB 18030; `,` `;` or tab; LF or CRLF; quoted cells without line breaks.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from uncap.adapters.intake.lines import Block, Place, blocks, decode, encoding_of, line_feeds, read_dialect, split
from uncap.adapters.intake.sources import ByteSource
from uncap.adapters.intake.streams import BLOCK_BYTES, Limits, open_stream
from uncap.domain.errors import InputError
from uncap.domain.intake.columns import Field, match
from uncap.domain.intake.faults import RowFault, starts_formula

CELL_CHARACTERS = 512


class CsvRow(NamedTuple):
    """One row: its line and the cells of the matched fields, "" where one is empty."""

    line: int
    cells: dict[str, str]


class CsvTable(NamedTuple):
    """What the header says: which column is which field, and where the rows begin."""

    delimiter: str
    columns: Mapping[str, int]
    width: int
    first: Place


class RowBlock(NamedTuple):
    """Rows and faults of one block in order of lines, and the place after it: what a job does at a time, and saves."""

    rows: list[CsvRow]
    faults: list[RowFault]
    place: Place


def open_table(source: ByteSource, fields: Sequence[Field], limits: Limits | None = None) -> CsvTable:
    """Reads the header. Raises InputError: the stream's, `read_dialect`'s and `match`'s."""
    dialect = read_dialect(open_stream(source, 0, limits))
    return CsvTable(dialect.delimiter, match(dialect.header, fields), len(dialect.header), dialect.first)


def row_blocks(
    source: ByteSource,
    table: CsvTable,
    place: Place | None = None,
    *,
    block_bytes: int = BLOCK_BYTES,
    limits: Limits | None = None,
) -> Iterator[RowBlock]:
    """The file's rows from `place` (a RowBlock's; None: the first row) on. Raises InputError, TransientError."""
    place = place or table.first
    encoding = place.encoding
    for block in blocks(open_stream(source, place.offset, limits), place, block_bytes):
        made = read_block(block, table, encoding)
        encoding = made.place.encoding
        yield made


def read_block(block: Block, table: CsvTable, encoding: str) -> RowBlock:
    """A block's rows. The first line beyond ASCII decides the encoding, and the place carries it on."""
    rows: list[CsvRow] = []
    faults: list[RowFault] = []
    lines = block.data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for at, line in enumerate(lines):
        number = block.line + at
        raw = line.removesuffix(b"\r")
        if not raw.strip():
            continue
        encoding = encoding or encoding_of(raw)
        try:
            rows.append(CsvRow(number, _cells(raw, table, encoding, number)))
        except InputError as fault:
            faults.append(RowFault(number, fault.code, fault.message, fault.where if fault.code in _OF_CELL else ""))
    whole = line_feeds(block.data)
    return RowBlock(rows, faults, Place(block.offset + len(block.data), block.line + whole, encoding))


_OF_CELL = frozenset({"cell_is_formula", "cell_too_long", "cell_unprintable"})


def _cells(raw: bytes, table: CsvTable, encoding: str, number: int) -> dict[str, str]:
    """One row's matched cells. Raises InputError; `where` is the field for a fault of one cell."""
    if b"\0" in raw:
        raise InputError("row_has_nul", f"byte {raw.index(0) + 1} of the line is zero; the file is damaged")
    cells = split(decode(raw, encoding, number), table.delimiter)
    if cells is None:
        raise InputError("row_quotes", "a quote is not closed in this line; cells hold no line breaks")
    if len(cells) < table.width and any(at >= len(cells) for at in table.columns.values()):
        words = f"the line has {len(cells)} cells and the header {table.width}; was the file cut off?"
        raise InputError("row_too_short", words)
    if any(cells[table.width :]):
        raise InputError("row_too_long", f"the line has {len(cells)} cells and the header {table.width}")
    found = {name: cells[at] for name, at in table.columns.items()}
    for name, cell in found.items():
        check_cell(name, cell)
    return found


def check_cell(name: str, cell: str) -> None:
    """Raises InputError (`cell_is_formula`, `cell_too_long`, `cell_unprintable`); `where` is the field."""
    if starts_formula(cell):
        raise InputError("cell_is_formula", "the cell begins like a spreadsheet formula; it is not read", where=name)
    if len(cell) > CELL_CHARACTERS:
        raise InputError("cell_too_long", f"a cell is longer than {CELL_CHARACTERS} characters", where=name)
    if not cell.isprintable():
        raise InputError("cell_unprintable", "the cell holds control characters", where=name)
