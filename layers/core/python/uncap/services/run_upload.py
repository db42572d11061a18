"""One slice of work on an uploaded file: take it, let its kind go on from where it stood, save after every step.

Called by `functions/intake_job`. A kind is a generator of `Step`s (see `Kind`); which there are is the table in
`runtime/wiring_intake.py`. Killed at any moment, the same turn comes again and goes on from the last step saved; a step
that was done and not saved is done again, which kinds must bear.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from uncap.adapters.intake.sources import ByteSource
from uncap.adapters.uploads import Turn, UploadTable
from uncap.domain.errors import InputError, TransientError
from uncap.domain.intake.faults import RowFault
from uncap.domain.intake.uploads import KEPT_FAULTS, Upload, finished, leased

BUSY_DELAY_S = 15
SAVE_EVERY_MS = 1_000

Outcome = Literal["nothing", "more", "busy", "done", "failed"]


class Step(msgspec.Struct, frozen=True):
    """Everything up to `place` is done durably. All figures are totals of the run; `faults` are this step's own.

    `permille` is for people. `verdict` "done" or "failed" ends the upload, and comes with the last step.
    """

    place: str
    rows_done: int
    counts: Mapping[str, int]
    faults: Sequence[RowFault] = ()
    permille: int = 0
    result: Mapping[str, int] = {}
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What a kind is given: the upload (its mode, who, its `place`), its bytes, and the clock."""

    upload: Upload
    source: ByteSource
    clock_ms: Callable[[], int]
    keep: Callable[[int, Sequence[RowFault]], None]
    """Keeps faults at once, for kinds whose own records run ahead: (a number that sorts as the file, faults)."""


class Kind(Protocol):
    """How one kind of file is taken. Begins at `work.upload.place` ("" at first) and yields a Step whenever it stands.

    Raises InputError for a file that is wrong as a whole: the upload fails with that reason, so nothing of it may show
    by then. TransientError: the slice ends and comes again; with code `…_busy`, a little later.
    """

    def __call__(self, work: Work) -> Iterator[Step]:
        """The steps that are left."""
        ...


@dataclass(frozen=True, slots=True)
class IntakeTools:
    """The job's collaborators. `open_source` gives the bytes, checked against what was announced."""

    table: UploadTable
    open_source: Callable[[Upload], ByteSource]
    kinds: Mapping[str, Kind]
    clock_ms: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Done:
    """What a turn came to; `upload` is None where there is none."""

    outcome: Outcome
    upload: Upload | None = None


def run_upload(turn: Turn, tools: IntakeTools, lease_until_ms: int, time_is_up: Callable[[], bool]) -> Done:
    """Works on the upload until it is over or time is up. `more` and `busy` want another turn, which the caller sends.

    Raises TransientError; ConflictError (`changed_meanwhile`) if another worker took over. The turn then comes again.
    """
    stored = tools.table.read(turn.upload_id)
    if stored is None or stored.run != turn.run:
        return Done("nothing", stored)
    upload = leased(stored, tools.clock_ms(), lease_until_ms)
    if upload is None:
        return Done("nothing", stored)
    tools.table.save(upload)
    desk = _Bookkeeper(tools, upload)
    try:
        outcome = _work(desk, tools, time_is_up)
    except InputError as error:
        desk.close("failed", RowFault(0, error.code, error.message, error.where))
        return Done("failed", desk.upload)
    except TransientError as error:
        desk.release()
        if error.code.endswith("_busy"):
            return Done("busy", desk.upload)
        raise
    return Done(outcome, desk.upload)


def _work(desk: "_Bookkeeper", tools: IntakeTools, time_is_up: Callable[[], bool]) -> Outcome:
    kind = tools.kinds.get(desk.upload.kind)
    if kind is None:
        raise InputError("kind_unknown", f"files of kind {desk.upload.kind} are not taken here")
    source = tools.open_source(desk.upload)
    for step in kind(Work(desk.upload, source, tools.clock_ms, desk.keep)):
        desk.take(step)
        if step.verdict:
            desk.close(step.verdict)
            return "done" if step.verdict == "done" else "failed"
        if time_is_up():
            desk.release()
            return "more"
    raise RuntimeError(f"kind {desk.upload.kind} ended without a verdict")


class _Bookkeeper:
    """The upload as stored while one worker has it. Saves at most once a second, and whenever the worker stops."""

    def __init__(self, tools: IntakeTools, upload: Upload) -> None:
        self._table, self._clock_ms = tools.table, tools.clock_ms
        self.upload = upload
        self._saved_at_ms = tools.clock_ms()

    def take(self, step: Step) -> None:
        """A step's figures, and its faults while there is room for them."""
        kept = self.upload.kept
        room = KEPT_FAULTS - kept
        if step.faults and room > 0:
            faults = sorted(step.faults)[:room]
            # Under the place where the step began: repeated, it writes the same again.
            self._table.keep(self.upload, f"{self.upload.rows_done:012d}#{kept:04d}", faults)
            kept += len(faults)
        self.upload = msgspec.structs.replace(
            self.upload,
            place=step.place,
            rows_done=step.rows_done,
            counts=dict(step.counts),
            result=dict(step.result),
            permille=min(step.permille, 1000),
            kept=kept,
        )
        if self._clock_ms() - self._saved_at_ms >= SAVE_EVERY_MS:
            self._save(self.upload)

    def keep(self, at: int, faults: Sequence[RowFault]) -> None:
        """See `Work.keep`; the same number again replaces what was kept under it."""
        self._table.keep(self.upload, f"{at:012d}", faults)

    def release(self) -> None:
        """For the next turn, at once."""
        self._save(msgspec.structs.replace(self.upload, lease_until_ms=0))

    def close(self, verdict: str, reason: RowFault | None = None) -> None:
        """Over."""
        over = finished(self.upload, verdict, self._clock_ms(), reason)
        self.upload = self._table.save(over)

    def _save(self, upload: Upload) -> None:
        now_ms = self._clock_ms()
        self.upload = self._table.save(
            msgspec.structs.replace(upload, touched_at_ms=now_ms, version=upload.version + 1)
        )
        self._saved_at_ms = now_ms
