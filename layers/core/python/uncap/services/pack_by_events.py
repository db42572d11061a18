"""Captured aggregations of our things go the way of a line's file: `associate_units.py` judges and keeps them.

Used by `act_on_events.py`. All of a document's aggregations are one file, known by their hashes; an event goes in whole
or not at all. Error declarations change no packing: what is packed otherwise is said by a later event or by hand.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from uncap.domain.association.files import ERRORS, FileStart, Issue
from uncap.domain.association.ports import AssociationReader, UnitRef
from uncap.domain.association.rows import Refs, Rows
from uncap.domain.codes.reading import Fault as Unread
from uncap.domain.epcis.capture import millis
from uncap.domain.epcis.faults import Fault
from uncap.domain.epcis.goods import Named
from uncap.domain.epcis.identifiers import canonical
from uncap.domain.errors import ConflictError, TransientError
from uncap.domain.intake.issues import fault_of
from uncap.services.associate_units import AssociationJob
from uncap.services.event_acts import Acting
from uncap.services.find_things import Things, not_issued

_ROUNDS = 5
_CHUNK_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class PackingFiles:
    """`open_file` (begins a failed one again) and `issues` of `associate_units.py` over one store."""

    open_file: Callable[[FileStart], AssociationJob]
    issues: Callable[[str], Sequence[Issue]]


class Packed(NamedTuple):
    """An event's rows."""

    one: Acting
    parent: UnitRef
    children: list[UnitRef]
    delete: bool
    at_ms: int


def packings(reader: AssociationReader, things: Things, events: Sequence[Acting]) -> tuple[list[Packed], list[Fault]]:
    """What these events pack or take out of packs of ours, and serials nobody issued."""
    found: list[Packed] = []
    faults: list[Fault] = []
    for one in events:
        if one.event.get("type") == "AggregationEvent" and "errorDeclaration" not in one.event:
            wrong, packed = _read(reader, things, one)
            faults += wrong
            found += packed if not wrong else ()
    return found, faults


def apply_packings(files: PackingFiles, events: Sequence[Packed], by: str, *, proceed: bool) -> list[Fault]:
    """What could not be; of an event with a fault nothing is packed, and without `proceed` nothing of any.

    Raises TransientError (`association_busy`).
    """
    faults: list[Fault] = []
    left = list(events)
    for _ in range(_ROUNDS):
        if not left:
            return faults
        wrong = _apply(files, left, by)
        if wrong is None:
            return faults
        faults += [fault for found in wrong.values() for fault in found]
        if not proceed or not wrong:
            break
        left = [packed for line, packed in enumerate(left, 1) if line not in wrong]
    words = "its packing could not be settled; send it again by itself"
    return faults or [Fault(f"{one.one.pointer}/childEPCs", "packing_unsettled", words) for one in left]


def _read(reader: AssociationReader, things: Things, one: Acting) -> tuple[list[Fault], list[Packed]]:
    event = one.event
    named, children = event.get("parentID"), event.get("childEPCs")
    if event.get("action") not in ("ADD", "DELETE") or not isinstance(named, str):
        return [], []
    above = things.find([Named("/parentID", canonical(named))])
    items = [text for text in children if isinstance(text, str)] if isinstance(children, list) else []
    below = things.find([Named(f"/childEPCs/{at}", canonical(text)) for at, text in enumerate(items)])
    if not above.ours:  # somebody else's pallet, or a forged one with nothing of ours in it
        return [not_issued(one.pointer, field) for field in above.forged if below.ours], []
    faults = [not_issued(one.pointer, field) for field in below.forged]
    [parent] = above.ours
    at_ms, delete = millis(str(event.get("eventTime", ""))), event["action"] == "DELETE"
    ours = below.ours
    if delete and not items and "childQuantityList" not in event:  # all that is in it comes out
        spans = reader.children_of(parent, at_ms)
        ours = [UnitRef(span.batch_no, index) for span in spans for index in range(span.start, span.stop)]
    return faults, [Packed(one, parent, ours, delete, at_ms)] if ours else []


def _apply(files: PackingFiles, events: Sequence[Packed], by: str) -> dict[int, list[Fault]] | None:
    """None when it is done, else faults by the number of the event, from 1."""
    name = hashlib.sha256("\n".join(packed.one.key for packed in events).encode()).hexdigest()
    try:
        job = files.open_file(FileStart(name, "rollback", "EPCIS", by))
        if not job.done:
            rows = _rows(events)
            for at in range(job.record.rows_done, len(rows), _CHUNK_ROWS):
                job.feed(rows.take(slice(at, at + _CHUNK_ROWS)))
            job.finish()
    except ConflictError:
        raise TransientError("association_busy", "the same document is being captured elsewhere") from None
    if job.record.state == "visible":
        return None
    wrong: dict[int, list[Fault]] = {}
    for line, fault in _faults(files.issues(job.record.file_id), events):
        wrong.setdefault(line, []).append(fault)
    return wrong


def _faults(issues: Sequence[Issue], events: Sequence[Packed]) -> Iterator[tuple[int, Fault]]:
    for issue in issues:
        if issue.reason in ERRORS and 0 < issue.line <= len(events):
            pointer = f"{events[issue.line - 1].one.pointer}/childEPCs"
            yield issue.line, Fault(pointer, issue.reason, fault_of(issue).words)


def _rows(events: Sequence[Packed]) -> Rows:
    table = [
        (line, child.batch_no, child.index, packed.parent.batch_no, packed.parent.index, packed.delete, packed.at_ms)
        for line, packed in enumerate(events, 1)
        for child in packed.children
    ]
    columns = np.array(table, np.int64).T
    read = np.full(len(table), Unread.NONE, np.uint8)
    child, parent = Refs(columns[1], columns[2], read), Refs(columns[3], columns[4], read)
    return Rows(columns[0], child, parent, columns[5].astype(np.bool_), columns[6])
