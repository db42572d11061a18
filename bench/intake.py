"""intake_read: a line's file to fixed-width codes, per format, beside pyarrow's CSV reader; memory over a long file."""

import functools
import io
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.csv

from bench.report import Row, median_seconds, row
from cli.line_files import LineDay, run_line, to_bytes_by_form
from uncap.adapters.intake.formats import open_rows
from uncap.adapters.intake.sources import ByteSource, BytesSource, FileSource
from uncap.domain.catalog import Role
from uncap.domain.codes import bulk, links
from uncap.domain.codes.scheme import CodeKey

_ROWS, _PACK, _LONG = 100_000, 24, 20
_ZONE = ZoneInfo("Asia/Shanghai")
_BUDGET = {"csv": ">= 1e6", "gbk": ">= 1e6", "parquet": ">= 1e6"}


def intake_read() -> Iterator[Row]:
    """Rows per second on one core, up to but without opening the codes; then the peak of memory over a long file."""
    files = _files()
    for form, data in files.items():
        spent = median_seconds(functools.partial(_read, BytesSource(data)))
        began = time.process_time()
        _read(BytesSource(data))
        more: dict[str, object] = {"rows_per_cpu_second": round(_ROWS / (time.process_time() - began))}
        if form in _BUDGET:
            more["budget"] = _BUDGET[form]
        if form == "csv":
            peer = median_seconds(functools.partial(_peer, data))
            more |= {"peer": "pyarrow.csv to strings", "peer_value": _ROWS / peer, "ratio": peer / spent}
        yield row("intake_read", _ROWS / spent, "rows/s", form=form, bytes=len(data), **more)  # type: ignore[arg-type]
    yield _memory(files["csv"])


def _memory(data: bytes) -> Row:
    head, _, rows = data.partition(b"\r\n")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "long.csv"
        with file.open("wb") as out:
            out.write(head + b"\r\n")
            for _ in range(_LONG):
                out.write(rows)
        _read(BytesSource(data))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        count = _read(FileSource(file))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return row(
        "intake_read.memory", grown / 1024, "MiB", rows=count, what="peak beyond that of a file a twentieth as long"
    )


def _read(source: ByteSource) -> int:
    reader = open_rows(source, _ZONE)
    return sum(len(chunk) for chunk, _ in reader.chunks(reader.start))


def _peer(data: bytes) -> int:
    options = pyarrow.csv.ReadOptions(use_threads=False, block_size=4 << 20)
    return sum(batch.num_rows for batch in pyarrow.csv.open_csv(io.BytesIO(data), read_options=options))


def _files() -> dict[str, bytes]:
    units, cases = _printed("09520123456788", Role.CAP_INNER, _ROWS), _printed("19520123456785", Role.CASE_OUTER, 5_000)
    rows = run_line(units, cases, LineDay(_PACK, 1_795_300_000_000))
    return {form: to_bytes_by_form(rows, form) for form in ("csv", "gbk", "parquet", "epcis", "xml")}


def _printed(gtin: str, role: Role, count: int) -> list[str]:
    key = CodeKey.derive(bytes(range(32)), 1, gtin, role)
    prefix = links.code_prefix("https://q.example.cn", gtin)
    return b"".join(bulk.lines(key, 7, range(count), prefix)).decode("ascii").split()
