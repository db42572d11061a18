"""Which file may be applied to a batch: one at a time, so that no two can contradict each other unseen.

Used by `services/associate_units.py`. A lease is in the batch's `head`; it ends with its file, or when that file's job
has stood still for `STALE_MS` and another needs the batch: then the first is interrupted and will begin anew.
"""

import msgspec

from uncap.domain.association.coverage import Coverage
from uncap.domain.association.files import FileRecord, Head
from uncap.domain.association.store import BIG, BLOCK, Cell, CellStore, batch_pk, file_pk
from uncap.domain.association.zones import WHOLE_PART, RunDoc, read_zones
from uncap.domain.errors import ConflictError, TransientError

STALE_MS = 10 * 60_000
_BUSY = "another association file is being applied to this batch"


def stored_file(store: CellStore, file_id: str) -> FileRecord | None:
    """The file's record, or None."""
    cell = store.get(file_pk(file_id), "meta")
    return None if cell is None else msgspec.json.decode(cell.doc, type=FileRecord)


def file_cell(record: FileRecord) -> Cell:
    """The record as it is stored; its version says what it must follow."""
    return Cell(file_pk(record.file_id), "meta", msgspec.json.encode(record).decode(), v=record.version)


def stored_head(store: CellStore, batch_no: int) -> Head | None:
    """What is known of the batch as a whole; None: nobody has said anything."""
    cell = store.get(batch_pk(batch_no), "head")
    return None if cell is None else msgspec.json.decode(cell.doc, type=Head)


def head_cell(batch_no: int, head: Head) -> Cell:
    """See `file_cell`."""
    return Cell(batch_pk(batch_no), "head", msgspec.json.encode(head).decode(), v=head.version)


def take_lease(store: CellStore, record: FileRecord, batch_no: int, now_ms: int) -> Head:
    """The batch's head, leased to this file. Raises TransientError (`association_busy`)."""
    head = stored_head(store, batch_no)
    if head is not None and head.lease == record.file_id:
        return head
    visible = False
    if head is not None and head.lease:
        visible = _settled(store, head.lease, batch_no, now_ms)
    following = Head(
        lease=record.file_id,
        visible=visible or (head is not None and head.visible),
        changes=head.changes if head else 0,
        version=head.version + 1 if head else 1,
    )
    try:
        store.save([head_cell(batch_no, following)], "association_busy")
    except ConflictError:
        raise TransientError("association_busy", _BUSY) from None
    return following


def _settled(store: CellStore, file_id: str, batch_no: int, now_ms: int) -> bool:
    """Whether the holder's rows of the batch are visible; it has ended, or it is interrupted now."""
    holder = stored_file(store, file_id)
    if holder is not None and holder.state == "running":
        if now_ms - holder.touched_at_ms < STALE_MS:
            raise TransientError("association_busy", _BUSY)
        stopped = msgspec.structs.replace(holder, state="interrupted", version=holder.version + 1)
        try:
            store.save([file_cell(stopped)], "association_busy")
        except ConflictError:
            raise TransientError("association_busy", _BUSY) from None
    return holder is not None and holder.state == "visible" and batch_no in holder.adds


def end_leases(store: CellStore, record: FileRecord) -> None:
    """Free the batches of a file that has ended. Repeating it, or racing with another, changes nothing."""
    for batch_no in record.batches:
        head = stored_head(store, batch_no)
        if head is None or head.lease != record.file_id:
            continue
        packed = record.state == "visible" and batch_no in record.adds
        following = msgspec.structs.replace(head, lease="", visible=head.visible or packed, version=head.version + 1)
        try:
            store.save([head_cell(batch_no, following)], "head_moved")
        except ConflictError:
            continue  # the next file has seen that this one has ended, and has taken over with the same facts


def coverage_of(store: CellStore, head: Head, record: FileRecord, batch_no: int) -> Coverage:
    """What others have said of the batch. What this file said itself in earlier runs is added by its job."""
    coverage = Coverage(associated=head.visible, by_hand=head.changes > 0)
    if head.version == 1:
        return coverage
    counts: dict[str, bool] = {record.file_id: False}
    for cell in store.query(batch_pk(batch_no), "z#", "z$"):
        file_id = cell.sk.split("#")[1]
        if file_id not in counts:
            other = stored_file(store, file_id)
            counts[file_id] = other is not None and other.state == "visible" and other.generation == cell.v
        if counts[file_id]:
            for zone in read_zones(msgspec.json.decode(cell.doc, type=RunDoc).zones, cell.body):
                if zone.block == WHOLE_PART:
                    coverage.parts.add(zone.part)
                else:
                    coverage.blocks.add(zone.part * (BIG // BLOCK) + zone.block)
    return coverage
