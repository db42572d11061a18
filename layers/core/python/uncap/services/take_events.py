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
from uncap.domain.epcis.capture import Capturable, capturable
from uncap.domain.epcis.document import Document, PlacedEvent
from uncap.domain.epcis.faults import Fault
from uncap.domain.epcis.validate import validate
from uncap.domain.errors import InputError
from uncap.domain.intake.faults import RowFault
from uncap.domain.intake.uploads import Upload
from uncap.services.capture_events import acting, store_events
from uncap.services.event_acts import Acting, EventActs
from uncap.services.run_upload import Step, Work

SLICE_EVENTS = 200
_CHUNK_BYTES = 4 << 20
_OTHER = 0  # the line of what is no event's own fault


@dataclass(frozen=True, slots=True)
class Events:
    """`Kind` for EPCIS documents, 2.0 in JSON or XML, 1.x in XML. A fault's line is its event's number from 1.

    `goods`: what the events of an upload act with, where they do.
    """

    store: Callable[[], EventStore]
    goods: Callable[[Upload], EventActs] | None = None

    def __call__(self, work: Work) -> Iterator[Step]:
        """See `Kind`. Raises InputError as `document.read` does, and `epcis_not_document`."""
        made = _read(work.source)
        goods = self.goods(work.upload) if self.goods else None
        begin, whole = int(work.upload.place or 0), len(made.events)
        faults = _by_event(made, validate(made).faults)
        if goods is not None and not (faults and work.upload.mode == "rollback"):
            faults = self._checked(goods, made, faults, work.upload.mode)
        grave = {line for line, _ in faults}
        counts = Counter(fault.code for _, fault in faults)
        told = [_told(line, fault) for line, fault in faults]
        if faults and not begin and (work.upload.mode == "rollback" or _OTHER in grave):
            yield Step("", whole, counts, told, verdict="failed", result={"stored": 0})
            return
        stored = work.upload.result.get("stored", 0)
        repeated = work.upload.result.get("repeated", 0)
        for start in range(begin, whole, SLICE_EVENTS):
            stop = min(start + SLICE_EVENTS, whole)
            good = [at for at in range(start, stop) if at + 1 not in grave]
            late = self._act(goods, made, good)
            good = [at for at in good if at + 1 not in {line for line, fault in late if fault.grave}]
            fresh, known, too_large = self._capture(made, good, work.clock_ms())
            stored, repeated = stored + fresh, repeated + known
            counts.update(["epcis_event_too_large"] * too_large + [fault.code for _, fault in late])
            here = [one for one in told if start < one.line <= stop] + [_told(*one) for one in late]
            result = {"stored": stored, "repeated": repeated}
            yield Step(str(stop), stop, counts, here, 1000 * stop // whole, result, "done" if stop == whole else "")
        if begin >= whole:
            yield Step(str(whole), whole, counts, (), 1000, {"stored": stored, "repeated": repeated}, "done")

    def _checked(
        self, goods: EventActs, made: Document, faults: list[tuple[int, Fault]], mode: str
    ) -> list[tuple[int, Fault]]:
        """With what cannot be done; what can be packed is packed after this, as one file for the whole document."""
        for look in (goods.check, lambda events: goods.pack(events, proceed=mode == "proceed")):
            wrong = {line for line, _ in faults}
            right = [at for at in range(len(made.events)) if at + 1 not in wrong]
            if not faults or mode == "proceed":
                faults = sorted([*faults, *_by_event(made, look(self._acting(made, right)))])
        return faults

    def _act(self, goods: EventActs | None, made: Document, good: Sequence[int]) -> list[tuple[int, Fault]]:
        """What a slice's events could not do, or did and does not fit."""
        if goods is None:
            return []
        acts = goods.move(self._acting(made, good))
        return _by_event(made, [*acts.faults, *acts.notes])

    def _acting(self, made: Document, good: Sequence[int]) -> list[Acting]:
        placed = [made.events[at] for at in good]
        return [acting(one, ready) for one, ready in zip(placed, _ready(made, placed, 0), strict=True)]

    def _capture(self, made: Document, good: Sequence[int], now_ms: int) -> tuple[int, int, int]:
        ready = _ready(made, [made.events[at] for at in good], now_ms)
        fresh, known, refused = store_events(self.store(), ready, one_by_one=True)
        return fresh, known, len(refused)


def _ready(made: Document, placed: Sequence[PlacedEvent], now_ms: int) -> list[Capturable]:
    around = made.value.get("@context") if isinstance(made.value, dict) else None
    return [capturable(one.value, around, now_ms) for one in placed]


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
    return RowFault(line, fault.code, fault.words.partition(": «")[0], field, grave=fault.grave)
