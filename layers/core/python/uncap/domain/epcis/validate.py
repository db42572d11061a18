"""Judging a document: every fault and note in it, in the order of the document. Used by `uncap epcis validate` and by
whoever captures events.
"""

from collections.abc import Sequence

import msgspec

from uncap.domain.epcis import context, schema
from uncap.domain.epcis.document import Document
from uncap.domain.epcis.events import check_event
from uncap.domain.epcis.faults import Fault, Findings, step
from uncap.domain.epcis.query_check import check_query
from uncap.domain.epcis.xml import ORDER


class Verdict(msgspec.Struct, frozen=True):
    """What was found. A document is valid when nothing grave was; notes are for a person to look at."""

    event_count: int
    faults: tuple[Fault, ...]
    notes: tuple[Fault, ...]

    @property
    def valid(self) -> bool:
        """Whether the ratified schema's rules and the standard's own are kept."""
        return not self.faults


def validate(document: Document, *, by_schema: bool = False) -> Verdict:
    """Checks the document's head, then every event, then what the events say together.

    `by_schema` holds XML that is sent to the order of its schema, which changes nothing of what it says: a line's file
    is not refused for it, a file that is being proved is.
    """
    found = Findings()
    if document.kind == "query" and isinstance(document.value, dict):
        check_query(document.value, found)
        return _verdict(document, [*document.notes, *found.all])
    if document.kind == "EPCISDocument":
        schema.DOCUMENT(document.value, "", found)
    elif document.kind == "EPCISQueryDocument":
        schema.QUERY_DOCUMENT(document.value, "", found)
    elif document.kind == "event" and isinstance(document.value, dict) and "@context" not in document.value:
        found.fault("", "field_missing", "`@context` is required in an event that stands alone")
    _note_version(document, found)
    context.note_context(document, found)
    for placed in document.events:
        check_event(placed.value, placed.pointer, found)
    _note_repeated_ids(document, found)
    letter = by_schema and document.kind != "EPCISQueryDocument"
    notes = [_grave(note) if letter and note.code == ORDER else note for note in document.notes]
    return _verdict(document, [*notes, *found.all])


def _grave(note: Fault) -> Fault:
    return Fault(note.pointer, note.code, note.words)


def _verdict(document: Document, all_found: Sequence[Fault]) -> Verdict:
    grave = tuple(fault for fault in all_found if fault.grave)
    return Verdict(len(document.events), grave, tuple(fault for fault in all_found if not fault.grave))


def _note_version(document: Document, found: Findings) -> None:
    version = document.value.get("schemaVersion") if isinstance(document.value, dict) else None
    if isinstance(version, str) and not version.startswith("2"):
        found.note("/schemaVersion", "version_unexpected", "JSON documents exist since EPCIS 2.0")


def _note_repeated_ids(document: Document, found: Findings) -> None:
    """The same id twice is only right when one of the two declares the other an error."""
    seen: set[str] = set()
    for placed in document.events:
        if not isinstance(placed.value, dict) or "errorDeclaration" in placed.value:
            continue
        name = placed.value.get("eventID")
        if isinstance(name, str):
            if name in seen:
                found.note(step(placed.pointer, "eventID"), "event_id_repeated", "another event has this id too")
            seen.add(name)
