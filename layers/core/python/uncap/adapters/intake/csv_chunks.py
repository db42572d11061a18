"""An association file in CSV as row chunks: plain blocks by numpy, others row by row, the same rows either way.

`open_csv` reads the header; `Csv.chunks` goes on from any place. Called by `adapters/intake/formats.py`.
"""

from collections.abc import Iterator
from datetime import tzinfo

import numpy as np

from uncap.adapters.intake.columns_fast import plain_columns
from uncap.adapters.intake.csv_rows import CsvTable, open_table, read_block
from uncap.adapters.intake.lines import UTF8, Block, Place, blocks, line_feeds
from uncap.adapters.intake.sources import ByteSource
from uncap.adapters.intake.streams import BLOCK_BYTES, Limits, is_packed, open_stream
from uncap.adapters.intake.text_rows import TextRows, actions_of, names_its_codes
from uncap.domain.intake.chunks import RowChunk, codes_of
from uncap.domain.intake.columns import ASSOCIATION
from uncap.domain.intake.times import parse_times


class Csv:
    """One CSV file. `zone` is the brand's, for times that name none."""

    def __init__(self, source: ByteSource, zone: tzinfo, limits: Limits | None = None) -> None:
        """Raises InputError as `open_table` does."""
        self._source, self._zone, self._limits = source, zone, limits
        self._table = open_table(source, ASSOCIATION, limits)

    @property
    def start(self) -> Place:
        """The first row's place."""
        return self._table.first

    @property
    def size(self) -> int:
        """Bytes; 0 for a packed file."""
        return 0 if is_packed(self._source) else self._source.size

    def chunks(self, place: Place, block_bytes: int = BLOCK_BYTES) -> Iterator[tuple[RowChunk, Place]]:
        """Chunks from `place` on, each with the place after it. Raises InputError, TransientError."""
        encoding = place.encoding
        stream = open_stream(self._source, place.offset, self._limits)
        for block in blocks(stream, place, block_bytes):
            chunk = plain_chunk(block, self._table, self._zone, encoding) if _is_text(block.data, encoding) else None
            if chunk is not None:
                encoding = encoding or ("" if block.data.isascii() else UTF8)
                lines = block.line + line_feeds(block.data)
                yield chunk, Place(block.offset + len(block.data), lines, encoding)
                continue
            careful = read_block(block, self._table, encoding)
            encoding = careful.place.encoding
            rows = TextRows(self._zone, careful.faults)
            for row in careful.rows:
                rows.add(row.line, row.cells)
            yield rows.build(), careful.place


def _is_text(data: bytes, encoding: str) -> bool:
    """Whether all of it is in the file's encoding; where that is open, in UTF-8."""
    if data.isascii():
        return True
    try:
        data.decode(encoding or UTF8)
    except UnicodeDecodeError:
        return False
    return True


def plain_chunk(block: Block, table: CsvTable, zone: tzinfo, encoding: str) -> RowChunk | None:
    """The block as a chunk if nothing about it is unusual."""
    names = list(table.columns)
    wanted = [table.columns[name] for name in names]
    columns = plain_columns(block.data, table.delimiter, table.width, wanted, table.columns.get("action"))
    if columns is None:
        return None
    found = dict(zip(names, columns, strict=True))
    child, parent = found["child"], found["parent"]
    count = len(child)
    action = actions_of(found["action"], encoding or UTF8) if "action" in found else np.zeros(count, np.uint8)
    at_ms = parse_times(found["at"], zone) if "at" in found else np.zeros(count, np.int64)
    if action is None or at_ms is None or not names_its_codes(child, parent, action):
        return None
    return RowChunk(np.arange(block.line, block.line + count), codes_of(child), codes_of(parent), action, at_ms)
