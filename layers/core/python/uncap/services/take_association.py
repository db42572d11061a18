"""The kind `association`: a line's file, read in chunks, its codes opened by the million, its rows handed on.

What is packed in what is applied and kept by `associate_units.py` (docs/adr/0010), which also remembers how far a file
is: its mark is where this kind goes on. Wired in `runtime/wiring_intake.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

import msgspec
import numpy as np

from uncap.adapters.intake.formats import open_rows
from uncap.adapters.intake.lines import Place
from uncap.domain.association.files import FileRecord, FileStart, Issue
from uncap.domain.association.rows import Refs, Rows
from uncap.domain.codes.reading import CodeReader, Fault
from uncap.domain.errors import InputError
from uncap.domain.intake.chunks import DELETE, SKIP, Codes, RowChunk
from uncap.domain.intake.issues import fault_of, reported_counts
from uncap.domain.intake.uploads import KEPT_FAULTS, Upload
from uncap.services.run_upload import Step, Work

_AFTER_ALL_LINES = 10**11


class FileJob(Protocol):
    """One file being applied (`associate_units.open_file`)."""

    @property
    def done(self) -> bool:
        """Nothing is left to do for it."""
        ...

    @property
    def record(self) -> FileRecord:
        """Where it stands; its report."""
        ...

    def feed(self, rows: Rows, mark: str) -> None:
        """The next rows."""
        ...

    def finish(self) -> FileRecord:
        """After the last row: the report, `visible` or `failed`."""
        ...


@dataclass(frozen=True, slots=True)
class Associations:
    """`Kind`. `reader` is made anew for each file: it caches what products are like.

    `open_file(start, again)`, `give_up(file_id)`, `issues(file_id)`: those of `associate_units.py` over one store.
    """

    open_file: Callable[[FileStart, bool], FileJob]
    give_up: Callable[[str], FileRecord]
    issues: Callable[[str], Sequence[Issue]]
    reader: Callable[[], CodeReader]
    zone: tzinfo

    def __call__(self, work: Work) -> Iterator[Step]:
        """See `Kind`."""
        upload = work.upload
        start = FileStart(upload.sha256, upload.mode, upload.name, upload.by)
        job = self.open_file(start, False)
        if job.done and job.record.state != "visible" and job.record.finished_at_ms < upload.started_at_ms:
            job = self.open_file(start, True)  # it failed before, and was started again since
        if not job.done:
            try:
                yield from self._feed(work, job)
            except InputError:
                # The file is wrong as a whole (cut off, damaged): what was read of it must not show either.
                self.give_up(start.file_id)
                raise
            job.finish()
        yield self._report(work, job.record)

    def _feed(self, work: Work, job: FileJob) -> Iterator[Step]:
        mark = _read(job.record.mark)
        rows = open_rows(work.source, self.zone, work.upload.form)
        codes, stored = self.reader(), job.record.runs
        for chunk, place in rows.chunks(mark.place or rows.start):
            room = KEPT_FAULTS - mark.faults
            if chunk.faults and room > 0:
                work.keep(chunk.faults[0].line, chunk.faults[:room])
            mark = _after(mark, chunk, place)
            job.feed(rows_of(chunk, codes, work.upload), msgspec.json.encode(mark).decode())
            if job.record.runs == stored:
                continue  # the rows wait for more of them; a job that stopped here would have to read them again
            stored = job.record.runs
            yield Step(
                place=job.record.mark,
                rows_done=mark.seen,
                counts=reported_counts(job.record.counts, mark.counts),
                permille=_permille(place, rows.size),
            )
        if mark.place is None:
            raise InputError("file_empty", "the file has no rows")

    def _report(self, work: Work, record: FileRecord) -> Step:
        mark = _read(record.mark)
        faults = [fault_of(issue) for issue in self.issues(record.file_id)]
        for at in range(0, len(faults), KEPT_FAULTS):
            work.keep(_AFTER_ALL_LINES + at, faults[at : at + KEPT_FAULTS])
        total, visible = record.total, record.state == "visible"
        return Step(
            place=record.mark,
            rows_done=mark.seen,
            counts=reported_counts(record.counts, mark.counts),
            permille=1000,
            result={
                "packed": record.added if visible else 0,
                "taken_out": record.deleted if visible else 0,
                "thrown_out_on_line": mark.skipped,
                "other_events": mark.ignored,
                "items": total.items,
                "bytes": total.bytes,
                "write_units": total.write_units,
            },
            verdict="done" if visible else "failed",
        )


class _Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the feeding stands, and what the reader has refused so far."""

    place: Place | None = None
    seen: int = 0
    skipped: int = 0
    ignored: int = 0
    counts: dict[str, int] = {}

    @property
    def faults(self) -> int:
        return sum(self.counts.values())


def rows_of(chunk: RowChunk, codes: CodeReader, upload: Upload) -> Rows:
    """The chunk's codes opened. Lines that could not be read follow as rows without a code, so that they count."""
    kept = chunk.action != SKIP
    lines = chunk.lines[kept]
    child = _refs(codes, chunk.child[kept], upload.gtin)
    parent = _refs(codes, chunk.parent[kept], upload.gtin)
    delete = chunk.action[kept] == DELETE
    # Taken out of whatever it is in: no parent is no fault then.
    parent.fault[delete & (chunk.parent[kept] == b"")] = Fault.NONE
    at_ms = chunk.at_ms[kept]  # 0 where the file says nothing: it holds since ever
    count = len(chunk.faults)
    if not count:
        return Rows(lines, child, parent, delete, at_ms)
    unread = Refs(np.full(count, -1), np.full(count, -1), np.full(count, Fault.MALFORMED, np.uint8))
    order = np.argsort(np.concatenate((lines, [one.line for one in chunk.faults])), kind="stable")
    return Rows(
        np.concatenate((lines, np.array([one.line for one in chunk.faults], np.int64))),
        _joined(child, unread),
        _joined(parent, unread),
        np.concatenate((delete, np.zeros(count, np.bool_))),
        np.concatenate((at_ms, np.zeros(count, np.int64))),
    ).take(order)


def _refs(codes: CodeReader, texts: Codes, gtin: str) -> Refs:
    found = codes.read(texts, gtin)
    return Refs(found.batch_no, found.index, found.fault)


def _joined(first: Refs, second: Refs) -> Refs:
    return Refs(
        np.concatenate((first.batch_no, second.batch_no)),
        np.concatenate((first.index, second.index)),
        np.concatenate((first.fault, second.fault)),
    )


def _read(mark: str) -> _Mark:
    return msgspec.json.decode(mark, type=_Mark) if mark else _Mark()


def _after(mark: _Mark, chunk: RowChunk, place: Place) -> _Mark:
    counts = dict(mark.counts)
    for fault in chunk.faults:
        counts[fault.code] = counts.get(fault.code, 0) + 1
    skipped = int((chunk.action == SKIP).sum())
    return _Mark(place, mark.seen + chunk.seen, mark.skipped + skipped, mark.ignored + chunk.ignored, counts)


def _permille(place: Place, size: int) -> int:
    """How far along; 0 where a packed file does not tell."""
    return min(999, 1000 * place.offset // size) if size else 0
