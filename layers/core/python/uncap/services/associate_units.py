"""Applies one association file, fed as chunks of numpy rows: idempotent, resumable at any point, visible all at once.

Called by the intake job and the command line. docs/adr/0010 has the order of writes and what a crash leaves behind.
"""

from collections.abc import Callable

import msgspec
import numpy as np

from uncap.domain.association.counting import ParentCounts, unit_of
from uncap.domain.association.files import ERRORS, KEPT_ISSUES, FileRecord, FileStart, FormCost, Issue, RunNotes
from uncap.domain.association.findings import Findings
from uncap.domain.association.history import Origin
from uncap.domain.association.packing import column, packed
from uncap.domain.association.ports import UnitRef
from uncap.domain.association.rows import Rows, joined
from uncap.domain.association.store import BatchBook, BatchFacts, Cell, CellStore, batch_pk, file_pk, run_sk
from uncap.domain.association.zones import NO_PARENT, Zone, summary
from uncap.domain.errors import ConflictError, InputError, TransientError
from uncap.services.apply_run import Applied, Task, apply_batch
from uncap.services.association_fills import Fills
from uncap.services.association_leases import (
    coverage_of,
    end_leases,
    file_cell,
    stored_file,
    take_lease,
)
from uncap.services.association_reads import RunReads, discard, recalled
from uncap.services.check_rows import check_rows

RUN_ROWS = 1 << 19
"""Rows that are judged and stored together: some 120 MB at work, 128 blocks of items where they lie near each other."""

_ENDED = ("visible", "failed", "given_up")
_ZONES_PER_CELL = 8_192
_TRIES = 5


def open_file(
    store: CellStore, book: BatchBook, start: FileStart, clock_ms: Callable[[], int], *, again: bool = False
) -> "AssociationJob":
    """Begin a file, go on with it, or find it done: the same bytes are the same file.

    `again` starts a file that failed or was given up from its beginning. Raises InputError (`mode_unknown`),
    ConflictError (`file_moved`: another worker has begun it this moment).
    """
    if start.mode not in ("rollback", "proceed"):
        raise InputError("mode_unknown", "a file is applied in mode rollback or proceed", where="mode")
    now_ms = clock_ms()
    record = stored_file(store, start.file_id)
    if record is None:
        record = FileRecord(start.file_id, start.sha256, start.mode, now_ms, now_ms, start.name, start.by)
        store.save([file_cell(record)], "file_moved")
    elif record.state == "interrupted" or (again and record.state in ("failed", "given_up")):
        record = FileRecord(
            start.file_id, start.sha256, start.mode, now_ms, now_ms, start.name, start.by,
            generation=record.generation + 1, version=record.version + 1,
        )  # fmt: skip
        store.save([file_cell(record)], "file_moved")
    if record.state in _ENDED:
        end_leases(store, record)
        discard(store, record)  # a crash may have come between its end and this
    return AssociationJob(store, book, record, clock_ms)


def give_up(store: CellStore, file_id: str, now_ms: int) -> FileRecord:
    """End a running file for good, nothing of it visible. Raises ConflictError (`file_unknown`, `file_ended`)."""
    record = stored_file(store, file_id)
    if record is None or record.state not in ("running", "interrupted"):
        raise ConflictError("file_unknown" if record is None else "file_ended", "there is no such file at work")
    record = msgspec.structs.replace(record, state="given_up", finished_at_ms=now_ms, version=record.version + 1)
    store.save([file_cell(record)], "file_moved")
    end_leases(store, record)
    discard(store, record)
    return record


def issues(store: CellStore, file_id: str) -> list[Issue]:
    """The issues that were kept of the file's present generation, by line."""
    record = stored_file(store, file_id)
    if record is None:
        return []
    found: list[Issue] = []
    for cell in store.query(file_pk(file_id), "issues#", "issues$"):
        if cell.v == record.generation:
            found += msgspec.json.decode(cell.doc, type=RunNotes).issues
    return sorted(found, key=lambda one: one.line)[:KEPT_ISSUES]


class AssociationJob:
    """One worker's hold on a file. Not for two threads.

    Of two workers on one file the second to store anything gets ConflictError (`file_moved`) and must let go.
    """

    def __init__(self, store: CellStore, book: BatchBook, record: FileRecord, clock_ms: Callable[[], int]) -> None:
        self.record = record
        self._store = store
        self._book = book
        self._clock_ms = clock_ms
        self._facts: dict[int, BatchFacts | None] = {}
        self._waiting: list[Rows] = []
        self._mark = record.mark
        self._counts = ParentCounts()
        self._reads = RunReads(store, record, self._counts)
        self._below: set[tuple[int, int]] = set()
        if not self.done and record.runs:
            self._recall()

    @property
    def done(self) -> bool:
        """Nothing more to feed: the record is the report."""
        return self.record.state in _ENDED

    def feed(self, rows: Rows, mark: str = "") -> None:
        """The rows that follow `record.rows_done` and what was fed since; `mark` is the caller's position after them.

        A file must always be cut into the same chunks. Raises TransientError (also `association_busy`), ConflictError
        (`file_moved`); what was fed since the last stored run is then to be fed again, to a job opened anew.
        """
        if self.done:
            raise ConflictError("file_ended", "the file has been applied")
        self._waiting.append(rows)
        self._mark = mark
        if sum(len(one) for one in self._waiting) >= RUN_ROWS:
            self._run()

    def finish(self) -> FileRecord:
        """After the last chunk: make the file visible, or in rollback mode with errors fail it, in one write.

        Raises as `feed`. Calling it again returns the same record.
        """
        if self.done:
            return self.record
        if sum(len(one) for one in self._waiting):
            self._run()
        for _ in range(_TRIES):
            if self._ended():
                return self.record
            self._counts.forget_others()
            self._reads.fills = Fills(self._store, self.record, self._counts)
            self._reads.fill(self._counts.filled())
            if self._counts.overfull():
                # Its rows are stored and cannot be refused any more: it is judged anew, knowing the other's.
                self._save(state="interrupted")
                break
        raise TransientError("association_busy", "another file has just filled some of the same packs")

    def _ended(self) -> bool:
        """The write that ends the file; False where others have become visible in its packs since they were read."""
        findings = Findings(KEPT_ISSUES - self.record.kept)
        self._note_short(findings)
        kept = findings.kept()
        self._store.put_all([*self._against(), *self._notes(self.record.runs, kept)])
        visible = self.record.mode == "proceed" or self.record.sound
        fills = self._reads.fills.following() if visible else []
        if visible and self._counts.overfull():
            return False
        now_ms = self._clock_ms()
        counts = _summed(self.record.counts, findings.counts)
        ended = {"state": "visible" if visible else "failed", "finished_at_ms": now_ms, "touched_at_ms": now_ms}
        try:
            self._save(*fills, counts=counts, **ended)
        except ConflictError:
            if not self._reads.fills.moved():
                raise  # the file itself has moved: another worker has it
            return False
        end_leases(self._store, self.record)
        discard(self._store, self.record)
        return True

    def _run(self) -> None:
        rows, record = joined(self._waiting), self.record
        findings = Findings(KEPT_ISSUES - record.kept)
        rows_by_batch = check_rows(rows, self._known_facts, record.accepted_at_ms, findings)
        applied: dict[int, Applied] = {}
        for batch_no, some in rows_by_batch.items():
            facts = self._known_facts(batch_no)
            if facts is None:
                raise ValueError("rows of an unknown batch were let through")
            applied[batch_no] = apply_batch(self._task(facts, findings), some)
        record = self.record  # leases have been noted in it
        kept = findings.kept()
        stored = {batch_no: one.stored for batch_no, one in applied.items()}
        cells = [cell for forms in stored.values() for form in forms for cell in form.cells]
        extra = self._records({batch: [z for form in forms for z in form.zones] for batch, forms in stored.items()})
        extra += self._notes(record.runs, kept)
        # The zone maps first: whatever a crash leaves of the run can be found by them and removed.
        self._store.put_all(extra)
        self._store.put_all(cells)
        cost = dict(record.cost)
        for one in applied.values():
            for form, spent in one.cost.items():
                cost[form] = cost.get(form, FormCost()).plus(spent)
        sizes = [cell.size for cell in extra]
        spent = FormCost(0, len(sizes) + 1, sum(sizes), sum(-(-size // 1024) for size in sizes) + 1)
        cost["records"] = cost.get("records", FormCost()).plus(spent)
        self._save(
            rows_done=record.rows_done + len(rows),
            mark=self._mark,
            runs=record.runs + 1,
            touched_at_ms=self._clock_ms(),
            adds=tuple(sorted({*record.adds, *(batch for batch, one in applied.items() if one.added)})),
            added=record.added + sum(one.added for one in applied.values()),
            deleted=record.deleted + sum(one.deleted for one in applied.values()),
            counts=_summed(record.counts, findings.counts),
            against=_summed(record.against, {k: n for k, n in findings.against.items() if k != record.file_id}),
            cost=cost,
            kept=record.kept + len(kept),
        )
        self._waiting = []

    def _task(self, facts: BatchFacts, findings: Findings) -> Task:
        batch_no = facts.batch_no
        if batch_no not in self._reads.coverage:
            head = take_lease(self._store, self.record, batch_no, self._clock_ms())
            self._reads.coverage[batch_no] = coverage_of(self._store, head, self.record, batch_no)
        if batch_no not in self.record.batches:
            self._save(batches=(*self.record.batches, batch_no), touched_at_ms=self._clock_ms())
        dry = self.record.mode == "rollback" and (
            not self.record.sound or any(findings.counts[reason] for reason in ERRORS)
        )
        origin = Origin(self.record.accepted_at_ms, self.record.file_id, self.record.runs)
        coverage = self._reads.coverage[batch_no]
        self._reads.run = self.record.runs
        return Task(facts, origin, self.record.generation, coverage, self._reads, self._counts, findings, dry)

    def _recall(self) -> None:
        """After a crash: what the runs before it have placed, from their cells."""
        for batch_no in self.record.batches:
            head = take_lease(self._store, self.record, batch_no, self._clock_ms())
            coverage = coverage_of(self._store, head, self.record, batch_no)
            facts = self._known_facts(batch_no)
            pack = facts.pack if facts else 0
            recalled(self._store, self.record, batch_no, pack, coverage, self._counts)
            self._reads.coverage[batch_no] = coverage
        cell = self._store.get(file_pk(self.record.file_id), f"issues#{self.record.runs - 1:05d}")
        if cell is not None:
            self._counts.first_lines = msgspec.json.decode(cell.doc, type=RunNotes).first_lines
        self._reads.fill(self._counts.filled())

    def _known_facts(self, batch_no: int) -> BatchFacts | None:
        if batch_no not in self._facts:
            self._facts[batch_no] = self._book.facts(batch_no)
        return self._facts[batch_no]

    def _records(self, zones: dict[int, list[Zone]]) -> list[Cell]:
        """Zone maps of the run, and for parents which batches are packed in theirs."""
        cells: list[Cell] = []
        run, generation = run_sk(self.record.file_id, self.record.runs), self.record.generation
        for batch_no, found in zones.items():
            for at in range(0, len(found), _ZONES_PER_CELL):
                some = found[at : at + _ZONES_PER_CELL]
                table = np.array([(z.part, z.block, z.parent_batch, z.low, z.high) for z in some], np.int64)
                doc = msgspec.json.encode(summary(some)).decode()
                body = packed(*(column(one) for one in table.T))
                cells.append(Cell(batch_pk(batch_no), f"z#{run}#{at}", doc, body, generation))
            for parent_batch in sorted({zone.parent_batch for zone in found} - {NO_PARENT}):
                if (parent_batch, batch_no) not in self._below:
                    self._below.add((parent_batch, batch_no))
                    cells.append(Cell(batch_pk(parent_batch), f"down#{batch_no}", "{}"))
        return cells

    def _notes(self, run: int, kept: list[Issue]) -> list[Cell]:
        notes = RunNotes(tuple(kept), self._counts.first_lines)
        if not notes.issues and not notes.first_lines:
            return []
        doc = msgspec.json.encode(notes).decode()
        return [Cell(file_pk(self.record.file_id), f"issues#{run:05d}", doc, v=self.record.generation)]

    def _against(self) -> list[Cell]:
        """For each file that this one contradicts, a note among its items."""
        return [
            Cell(file_pk(other), f"against#{self.record.file_id}", msgspec.json.encode(count).decode())
            for other, count in self.record.against.items()
        ]

    def _note_short(self, findings: Findings) -> None:
        keys, counts = self._counts.short()

        def issue(row: int) -> Issue:
            line = self._counts.first_lines.get(int(keys[row]), 0)
            parent = UnitRef(*unit_of(int(keys[row])))
            return Issue(line, "case_short", None, parent, count=int(counts[row]))

        findings.add_rows("case_short", range(len(keys)), issue)

    def _save(self, *more: Cell, **changes: object) -> None:
        following = msgspec.structs.replace(self.record, **changes, version=self.record.version + 1)
        self._store.save([file_cell(following), *more], "file_moved")
        self.record = following


def _summed(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}
