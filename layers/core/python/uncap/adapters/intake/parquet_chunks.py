"""An association file in Parquet as row chunks: row group by row group, page by page, columns found by name.

Rows are numbered from 1. A place's `offset` is the row group, its `line` the next row. pyarrow reads through ranged
requests; what the file claims about itself is checked before any of it is unpacked.
"""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from uncap.adapters.intake.columns_fast import Cells, gather, is_plain
from uncap.adapters.intake.lines import Place
from uncap.adapters.intake.sources import ByteSource
from uncap.adapters.intake.streams import Limits, RangeFile
from uncap.adapters.intake.text_rows import TextRows, actions_of, names_its_codes
from uncap.domain.errors import InputError
from uncap.domain.intake.chunks import CODE_BYTES, RowChunk, codes_of
from uncap.domain.intake.columns import ASSOCIATION, match
from uncap.domain.intake.faults import starts_formula
from uncap.domain.intake.times import EARLIEST_MS, LATEST_MS, parse_times

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
CHUNK_ROWS = 131_072
MAX_ROWS = 400_000_000
_READ_BYTES = 256 << 20
_BUFFER_BYTES = 1 << 20
_HEAD = "the schema"


class Parquet:
    """One Parquet file. `zone` is the brand's, for times that name none."""

    def __init__(self, source: ByteSource, zone: tzinfo, limits: Limits | None = None) -> None:
        """Raises InputError: `file_too_large`, `parquet_damaged`, `expansion_too_large`, `column_type`, `match`'s."""
        limits = limits or Limits()
        if source.size > limits.file_bytes:
            raise InputError("file_too_large", f"{source.size} bytes; at most {limits.file_bytes}")
        self._zone = zone
        try:
            file = pa.PythonFile(RangeFile(source, _READ_BYTES), mode="r")
            self._file = pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)
            schema = self._file.schema_arrow
        except (pa.ArrowException, OSError) as cause:
            raise _damaged() from cause
        _check_size(self._file.metadata, limits)
        columns = match(schema.names, ASSOCIATION, _HEAD)
        self._names = {field: schema.names[at] for field, at in columns.items()}
        for field, name in self._names.items():
            _check_type(field, schema.field(name).type)

    @property
    def start(self) -> Place:
        """The first row's place."""
        return Place(0, 1)

    @property
    def size(self) -> int:
        """Row groups."""
        return int(self._file.num_row_groups)

    def chunks(self, place: Place) -> Iterator[tuple[RowChunk, Place]]:
        """Chunks from `place` on, each with the place after it. Raises InputError (`parquet_damaged`)."""
        first = 1 + sum(self._rows_in(at) for at in range(place.offset))
        for group in range(place.offset, self._file.num_row_groups):
            line = first
            first += self._rows_in(group)
            for batch in self._batches(group):
                if line >= place.line:
                    after = line + batch.num_rows
                    yield self._chunk(batch, line), Place(group + (after == first), after)
                line += batch.num_rows

    def _rows_in(self, group: int) -> int:
        return int(self._file.metadata.row_group(group).num_rows)

    def _batches(self, group: int) -> Iterator[Any]:
        wanted = list(dict.fromkeys(self._names.values()))
        try:
            yield from self._file.iter_batches(CHUNK_ROWS, row_groups=[group], columns=wanted, use_threads=False)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as cause:
            raise _damaged() from cause

    def _chunk(self, batch: Any, line: int) -> RowChunk:
        columns = {field: batch.column(batch.schema.get_field_index(name)) for field, name in self._names.items()}
        chunk = self._fast(columns, line)
        return self._careful(columns, line) if chunk is None else chunk

    def _fast(self, columns: dict[str, Any], line: int) -> RowChunk | None:
        child, parent = text_cells(columns["child"]), text_cells(columns["parent"])
        if child is None or parent is None:
            return None
        count = len(child)
        action: npt.NDArray[np.uint8] | None = np.zeros(count, np.uint8)
        if "action" in columns:
            cells = text_cells(columns["action"])
            action = None if cells is None else actions_of(cells, "utf-8")
        at_ms = self._times(columns["at"]) if "at" in columns else np.zeros(count, np.int64)
        if action is None or at_ms is None or not names_its_codes(child, parent, action):
            return None
        return RowChunk(np.arange(line, line + count), codes_of(child), codes_of(parent), action, at_ms)

    def _times(self, column: Any) -> I64 | None:
        if not _is_time(column.type):
            cells = text_cells(column)
            return None if cells is None else parse_times(cells, self._zone)
        if pa.types.is_timestamp(column.type) and column.type.tz is None:
            return None
        values: I64 = _millis(column).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        known = values[values != 0]
        return values if not len(known) or (known.min() >= EARLIEST_MS and known.max() < LATEST_MS) else None

    def _careful(self, columns: dict[str, Any], line: int) -> RowChunk:
        rows = TextRows(self._zone)
        texts = {field: _texts(column) for field, column in columns.items()}
        for at in range(len(texts["child"])):
            cells = {field: column[at] for field, column in texts.items()}
            odd = next((field for field, cell in cells.items() if starts_formula(cell) or not cell.isprintable()), None)
            if odd:
                rows.fault(line + at, InputError("cell_is_formula", "the cell is a formula or not text", where=odd))
            else:
                rows.add(line + at, cells)
        return rows.build()


def text_cells(column: Any) -> U8 | None:
    """A text column as cells (n, w) padded with zeros; None where a careful reader must look at each."""
    plain = column.cast(pa.large_binary()) if not pa.types.is_large_binary(column.type) else column
    if plain.null_count:
        plain = plain.fill_null(b"")
    _, offsets_buffer, data = plain.buffers()
    count = len(plain)
    if count == 0:
        return np.zeros((0, 1), np.uint8)
    offsets = np.frombuffer(offsets_buffer, np.int64, count + 1, plain.offset * 8)
    low, high = int(offsets[0]), int(offsets[-1])
    padded = np.zeros(high - low + CODE_BYTES, np.uint8)
    if high > low:
        padded[: high - low] = np.frombuffer(data, np.uint8, high - low, low)
    cells = gather(padded, Cells(offsets[:-1] - low, offsets[1:] - low))
    return cells if cells is not None and is_plain(cells) else None


def _texts(column: Any) -> list[str]:
    """Cells as a CSV would have them; times in milliseconds."""
    if pa.types.is_timestamp(column.type) and column.type.tz is None:
        return ["" if cell is None else cell.isoformat() for cell in column.cast(pa.timestamp("ms")).to_pylist()]
    if _is_time(column.type):
        return ["" if cell is None else str(cell) for cell in _millis(column).to_pylist()]
    return ["" if cell is None else cell.decode("utf-8", "replace").strip() for cell in _binary(column)]


def _binary(column: Any) -> list[bytes | None]:
    cells: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    return cells


def _millis(column: Any) -> Any:
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64())
    return column.cast(pa.timestamp("ms", column.type.tz), safe=False).cast(pa.int64())


def _is_time(kind: Any) -> bool:
    return pa.types.is_timestamp(kind) or pa.types.is_integer(kind)


def _check_type(field: str, kind: Any) -> None:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    text = any(
        is_kind(value)
        for is_kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    )
    if not text and not (field == "at" and _is_time(kind)):
        raise InputError("column_type", f"the column {field} is {str(kind)[:40]}, and text is expected", where=_HEAD)


def _check_size(metadata: Any, limits: Limits) -> None:
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    expanded = sum(group.total_byte_size for group in groups)
    if metadata.num_rows > MAX_ROWS or expanded > limits.expanded_bytes:
        raise InputError("expansion_too_large", f"{metadata.num_rows} rows, {expanded} bytes unpacked; split the file")
    if metadata.num_rows == 0:
        raise InputError("file_empty", "the file has no rows")


def _damaged() -> InputError:
    return InputError("parquet_damaged", "the Parquet file is damaged, encrypted or was cut off")
