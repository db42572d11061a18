"""The kinds `shipments`, `receipts`, `returns`: a file of movements, checked as a whole, then recorded paper by paper.

Wired in `runtime/wiring_intake.py` (ADR 0011). The first reading writes nothing; only then are papers recorded, each
with its audit entry. A paper that was recorded before, by this file or another way, is left as it is.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import groupby

import msgspec

from uncap.adapters.flow_rows import EveryMovement
from uncap.adapters.intake.csv_rows import RowBlock, open_table, row_blocks
from uncap.adapters.intake.lines import Place
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.codes.links import check_gtin, fold_serial
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.domain.intake.faults import RowFault
from uncap.domain.intake.movements import COLUMNS, PaperRow, paper_row
from uncap.domain.intake.uploads import Upload
from uncap.domain.movements import RECEIPT, RETURN, SHIPMENT, Finding, Movement
from uncap.domain.ranges import check_range
from uncap.services.cancel_movement import stored_parts
from uncap.services.desk import Actor
from uncap.services.goods_desk import GoodsDesk
from uncap.services.name_goods import MAX_SPANS, issued_thing, merged, thing_of
from uncap.services.run_upload import Step, Work
from uncap.services.store_movements import CLOCK_AHEAD_MS, check_movements, parts_of, store_movements

BLOCK_BYTES = 128 * 1024
PAPER_ROWS = 200
ALREADY = "already_recorded"
KINDS = {"shipments": SHIPMENT, "receipts": RECEIPT, "returns": RETURN}


class _Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a file stands: while `recording`, everything before `place` is recorded."""

    recording: bool = False
    place: Place | None = None
    grave: int = 0


class Goods(msgspec.Struct, frozen=True):
    """A row with the goods it names."""

    row: PaperRow
    span: UnitSpan


@dataclass(frozen=True, slots=True)
class MovementFiles:
    """`Kind` for one of KINDS. `zone` reads times that name none."""

    kind: str
    desk: GoodsDesk
    zone: tzinfo

    def __call__(self, work: Work) -> Iterator[Step]:
        """See `Kind`."""
        mark = msgspec.json.decode(work.upload.place, type=_Mark) if work.upload.place else _Mark()
        table = open_table(work.source, COLUMNS[self.kind])
        tally = _Tally(work.upload)
        if not mark.recording:
            stored = EveryMovement(self.desk.flow.starting)
            for block in row_blocks(work.source, table, mark.place, block_bytes=BLOCK_BYTES):
                faults = self._checked(block, work.upload, stored)
                mark = _Mark(place=block.place, grave=mark.grave + len(faults))
                yield tally.step(mark, faults, seen=len(block.rows) + len(block.faults))
            if mark.place is None or not tally.rows:
                raise InputError("file_empty", "the file has no rows")
            if mark.grave and work.upload.mode == "rollback":
                yield tally.step(mark, (), verdict="failed")
                return
            mark = _Mark(recording=True, grave=mark.grave)
            yield tally.step(mark, ())
        for block in row_blocks(work.source, table, mark.place, block_bytes=BLOCK_BYTES):
            faults = self._recorded(block, work.upload, tally)
            mark = _Mark(recording=True, place=block.place, grave=mark.grave)
            yield tally.step(mark, faults)
        yield tally.step(mark, (), verdict="done")

    def _checked(self, block: RowBlock, upload: Upload, stored: EveryMovement) -> list[RowFault]:
        """Every fault of a block's rows, and what they contradict: other papers, or rows before. Nothing is written."""
        goods, faults = self._goods(block, upload)
        for paper in _papers(goods):
            parts = self._parts(paper, upload, "")
            try:
                check_movements(self.desk, parts, stored, refuse=self.kind == SHIPMENT)
            except ConflictError:
                faults += self._one_by_one(paper, upload, stored)
            else:
                stored.expect(parts)
        return [*block.faults, *faults]

    def _one_by_one(self, paper: Sequence[Goods], upload: Upload, stored: EveryMovement) -> Iterator[RowFault]:
        if self._is_recorded(paper, upload):
            return
        for goods in paper:
            parts = self._parts([goods], upload, "")
            try:
                check_movements(self.desk, parts, stored, refuse=True)
            except ConflictError as fault:
                yield RowFault(goods.row.line, fault.code, fault.message, "code")

    def _recorded(self, block: RowBlock, upload: Upload, tally: "_Tally") -> list[RowFault]:
        goods, _ = self._goods(block, upload)  # their faults were told when the file was checked
        faults: list[RowFault] = []
        for paper in _papers(goods):
            try:
                findings = self._record(paper, upload)
            except ConflictError as refused:
                faults.append(RowFault(paper[0].row.line, refused.code, refused.message, "document"))
                continue
            line = paper[0].row.line
            if findings is None:
                tally.add(ALREADY, len(paper))
                continue
            tally.recorded(len(paper))
            faults += [RowFault(line, one.code, _words(one), "document", grave=False) for one in findings]
        return faults

    def _record(self, paper: Sequence[Goods], upload: Upload) -> Sequence[Finding] | None:
        """The findings; None if the paper was recorded before."""
        if self._is_recorded(paper, upload):
            return None
        actor = Actor(upload.by, upload.role)
        reason = paper[0].row.reason
        own = self._parts(paper, upload, "")
        known = self._stored(paper[0].row.document) is not None
        # A paper of many runs, or one that the file comes back to, goes on under the number of its line.
        parts = self._parts(paper, upload, f"-L{paper[0].row.line}") if known else own
        return store_movements(self.desk, actor, parts, refuse=self.kind == SHIPMENT, reason=reason)

    def _is_recorded(self, paper: Sequence[Goods], upload: Upload) -> bool:
        for suffix in ("", f"-L{paper[0].row.line}"):
            stored = self._stored(paper[0].row.document + suffix)
            if stored is not None and _same(stored, self._parts(paper, upload, suffix)):
                return True
        return False

    def _stored(self, document: str) -> list[Movement] | None:
        try:
            return stored_parts(self.desk, self.kind, document)
        except NotFoundError:
            return None

    def _parts(self, paper: Sequence[Goods], upload: Upload, suffix: str) -> list[Movement]:
        row = paper[0].row
        giver = row.other
        to = row.party or (self.desk.party(giver).parent_id if self.kind == RETURN else "")
        movement = Movement(
            self.kind,
            row.document + suffix,
            0,
            0,
            0,
            to,
            row.at_ms or upload.created_at_ms,
            from_party=giver,
            source="file",
            reason=row.reason,
        )
        return parts_of(movement, merged([one.span for one in paper]))

    def _goods(self, block: RowBlock, upload: Upload) -> tuple[list[Goods], list[RowFault]]:
        goods: list[Goods] = []
        faults: list[RowFault] = []
        for row in block.rows:
            try:
                read = paper_row(self.kind, row.line, row.cells, self.zone)
                goods.append(Goods(read, self._span(read, upload)))
            except (InputError, ConflictError) as fault:
                faults.append(RowFault(row.line, fault.code, fault.message, fault.where[:20]))
        return goods, faults

    def _span(self, row: PaperRow, upload: Upload) -> UnitSpan:
        for where, party_id in (("party", row.party), ("other", row.other)):
            if party_id:
                self.desk.party(party_id, where)
        if row.at_ms > upload.created_at_ms + CLOCK_AHEAD_MS:
            raise InputError("moved_in_the_future", "goods move now or have moved already", where="at")
        if row.batch_no or row.stop:
            batch = self.desk.batch(row.batch_no).batch
            check_range(row.start, row.stop, batch.size)
            return UnitSpan(row.batch_no, row.start, row.stop)
        thing = self._thing(row.code, upload.gtin)
        return UnitSpan(thing.batch_no, thing.index, thing.index + 1)

    def _thing(self, code: str, gtin: str) -> UnitRef:
        bare = "/" not in code and not code.isdecimal()
        return (
            issued_thing(self.desk, check_gtin(gtin), fold_serial(code)) if bare and gtin else thing_of(self.desk, code)
        )


class _Tally:
    """The run's totals, from what the upload says has been counted."""

    def __init__(self, upload: Upload) -> None:
        self.rows = upload.rows_done
        self._counts = Counter(upload.counts)
        self._recorded = upload.result.get("recorded", 0)

    def add(self, reason: str, rows: int) -> None:
        self._counts[reason] += rows

    def recorded(self, rows: int) -> None:
        self._recorded += rows

    def step(self, mark: _Mark, faults: Sequence[RowFault], *, seen: int = 0, verdict: str = "") -> Step:
        self.rows += seen
        self._counts.update(one.code for one in faults)
        return Step(
            place=msgspec.json.encode(mark).decode(),
            rows_done=self.rows,
            counts=dict(self._counts),
            faults=faults,
            permille=1000 if verdict else 500 * mark.recording,
            result={"recorded": self._recorded},
            verdict=verdict,
        )


def _papers(goods: Sequence[Goods]) -> Iterator[list[Goods]]:
    """Neighbouring rows of one paper, cut where they would not fit one transaction: the same cuts every time."""
    for _, rows in groupby(goods, key=lambda one: one.row.paper):
        paper: list[Goods] = []
        for one in rows:
            if paper and (len(paper) >= PAPER_ROWS or len(merged([*(p.span for p in paper), one.span])) > MAX_SPANS):
                yield paper
                paper = []
            paper.append(one)
        yield paper


def _same(stored: Sequence[Movement], parts: Sequence[Movement]) -> bool:
    """The same goods between the same parties at the same time."""

    def said(one: Movement) -> tuple[int, int, int, str, str, int]:
        return one.batch_no, one.start, one.stop, one.party, one.from_party, one.at_ms

    return sorted(map(said, stored)) == sorted(map(said, parts))


def _words(finding: Finding) -> str:
    expected = f"; by earlier paper they were at {finding.expected}" if finding.expected else ""
    return f"{finding.movement_id} was recorded, and does not fit{expected}"
