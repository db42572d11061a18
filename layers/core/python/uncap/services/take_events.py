"""An uploaded EPCIS document as a kind of file: judged whole, then its events are captured slice by slice.

For documents beyond what a request carries (`capture_events.py`); wired in `runtime/wiring_intake.py`. A slice that is
done again stores nothing twice, as events are stored once by what they say.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from uncap.adapters.event_store import EventStore
from uncap.adapters.intake.sources import ByteSource
from uncap.domain.epcis import document
from uncap.domain.epcis.capture import capturable
from uncap.domain.epcis.document import Document, PlacedEvent
from uncap.domain.epcis.faults import Fault
from uncap.domain.epcis.validate import validate
from uncap.domain.errors import InputError
from uncap.domain.intake.faults import RowFault
from uncap.services.capture_events import store_events
from uncap.services.run_upload import Step, Work

SLICE_EVENTS = 200
_CHUNK_BYTES = 4 << 20
_OTHER = 0  # the line of what is no event's own fault


@dataclass(frozen=True, slots=True)
class Events:
    """`Kind` for EPCIS documents, 2.0 in JSON or XML, 1.x in XML. A fault's line is its event's number from 1."""

    store: Callable[[], EventStore]

    def __call__(self, work: Work) -> Iterator[Step]:
        """See `Kind`. Raises InputError as `document.read` does, and `epcis_not_document`."""
        made = _read(work.source)
        faults = _by_event(made, validate(made).faults)
        grave = {line for line, _ in faults}
        counts = Counter(fault.code for _, fault in faults)
        told = [_told(line, fault) for line, fault in faults]
        whole = len(made.events)
        if faults and (work.upload.mode == "rollback" or _OTHER in grave):
            yield Step("", whole, counts, told, verdict="failed", result={"stored": 0})
            return
        begin = int(work.upload.place or 0)
        stored = work.upload.result.get("stored", 0)
        repeated = work.upload.result.get("repeated", 0)
        for start in range(begin, whole, SLICE_EVENTS):
            stop = min(start + SLICE_EVENTS, whole)
            good = [made.events[at] for at in range(start, stop) if at + 1 not in grave]
            fresh, known, too_large = self._capture(made, good, work.clock_ms())
            stored, repeated = stored + fresh, repeated + known
            counts.update(["epcis_event_too_large"] * too_large)
            here = [one for one in told if start < one.line <= stop]
            result = {"stored": stored, "repeated": repeated}
            yield Step(str(stop), stop, counts, here, 1000 * stop // whole, result, "done" if stop == whole else "")
        if begin >= whole:
            yield Step(str(whole), whole, counts, (), 1000, {"stored": stored, "repeated": repeated}, "done")

    def _capture(self, made: Document, placed: Sequence[PlacedEvent], now_ms: int) -> tuple[int, int, int]:
        around = made.value.get("@context") if isinstance(made.value, dict) else None
        ready = [capturable(one.value, around, now_ms) for one in placed]
        fresh, known, refused = store_events(self.store(), ready, one_by_one=True)
        return fresh, known, len(refused)


def _read(source: ByteSource) -> Document:
    if source.size > document.MAX_BYTES:
        raise InputError("epcis_too_large", f"a document holds at most {document.MAX_BYTES >> 20} MB; split it")
    parts = [source.read_at(at, _CHUNK_BYTES) for at in range(0, source.size, _CHUNK_BYTES)]
    made = document.read(b"".join(parts))
    if made.kind != "EPCISDocument":
        raise InputError("epcis_not_document", "an EPCISDocument is expected")
    return made


def _by_event(made: Document, faults: Sequence[Fault]) -> list[tuple[int, Fault]]:
    """Faults with the number of the event they are about, `_OTHER` for the document's own."""
    prefix = made.events[0].pointer.rpartition("/")[0] + "/" if made.events else "\0"
    found = []
    for fault in faults:
        number = fault.pointer.removeprefix(prefix).partition("/")[0]
        own = fault.pointer.startswith(prefix) and number.isdigit()
        found.append((int(number) + 1 if own else _OTHER, fault))
    return sorted(found)


def _told(line: int, fault: Fault) -> RowFault:
    """Without the value at fault, which may be a code."""
    field = fault.pointer.rpartition("/")[2] if fault.pointer else ""
    return RowFault(line, fault.code, fault.words.partition(": «")[0], field)
