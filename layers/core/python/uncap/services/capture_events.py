"""Capturing EPCIS documents: judged whole, stored once by what each event says, and told as a capture job.

Called by `routes/console/epcis.py` for bodies of a request and by the intake job for uploaded documents. With
`rollback` a document with any fault leaves nothing; with `proceed` its right events are stored (EPCIS 2.0, 12.6).
"""

from collections.abc import Callable, Sequence
from typing import Literal, cast

import msgspec

from uncap.adapters.event_store import EventStore
from uncap.domain.epcis.capture import Capturable, capturable, iso, sortable
from uncap.domain.epcis.document import Document, PlacedEvent, read
from uncap.domain.epcis.faults import Fault
from uncap.domain.epcis.validate import validate
from uncap.domain.errors import ConflictError, InputError, NotFoundError
from uncap.services.event_acts import Acting, EventActs

MAX_EVENTS = 1_000
"""Of one request; an uploaded document is taken in slices and knows no such limit."""
_ERRORS = 100
_JOBS = "jobs"

Behaviour = Literal["rollback", "proceed"]


class CaptureError(msgspec.Struct, frozen=True):
    """Why an event or a document was not captured, in the form of the standard's problems."""

    type: str
    title: str
    status: int
    detail: str


class CaptureJob(msgspec.Struct, frozen=True, omit_defaults=True):
    """One document on its way. `stored` and `repeated` count its events; `errors` holds the first hundred, `notes` what
    was recorded of goods and does not fit (docs/goods.md)."""

    capture_id: str
    created_at_ms: int
    behaviour: Behaviour
    by: str
    finished_at_ms: int = 0
    running: bool = True
    success: bool = True
    stored: int = 0
    repeated: int = 0
    errors: tuple[CaptureError, ...] = ()
    notes: tuple[str, ...] = ()

    def as_told(self) -> dict[str, object]:
        """The job as the standard writes it."""
        told: dict[str, object] = {
            "captureID": self.capture_id,
            "createdAt": iso(self.created_at_ms),
            "running": self.running,
            "success": self.success,
            "captureErrorBehaviour": self.behaviour,
            "errors": self.errors,
        }
        told |= {"notes": self.notes} if self.notes else {}
        return told | ({"finishedAt": iso(self.finished_at_ms)} if self.finished_at_ms else {})


class Capturing(msgspec.Struct, frozen=True):
    """What capturing needs: the store, the clock, ids nobody can guess; `goods`, where events act on goods of ours."""

    store: EventStore
    clock_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    goods: EventActs | None = None


def capture_document(tools: Capturing, data: bytes, behaviour: Behaviour, by: str) -> CaptureJob:
    """The finished job. Raises InputError for what is no EPCIS document at all (`document.read`'s codes,
    `capture_limit_exceeded`), TransientError: the same document may be sent again."""
    document = read(data)
    if document.kind != "EPCISDocument":
        raise InputError("epcis_not_document", "an EPCISDocument is expected")
    if len(document.events) > MAX_EVENTS:
        raise InputError("capture_limit_exceeded", f"a request captures at most {MAX_EVENTS} events")
    now_ms = tools.clock_ms()
    job = CaptureJob(f"{sortable(now_ms)}-{tools.random_bytes(8).hex()}", now_ms, behaviour, by)
    tools.store.keep(_JOBS, job.capture_id, job)
    try:
        job = carry_out(tools, document, job)
    except InputError as refused:  # more of its events would act on goods than a request has time for
        at_ms, errors = tools.clock_ms(), (_too_large(refused),)
        job = msgspec.structs.replace(job, finished_at_ms=at_ms, running=False, success=False, errors=errors)
    tools.store.keep(_JOBS, job.capture_id, job)
    return job


def carry_out(tools: Capturing, document: Document, job: CaptureJob) -> CaptureJob:
    """The job after its document was judged, has acted on goods and was stored. Doing it again changes nothing."""
    proceed = job.behaviour == "proceed"
    faults = list(validate(document).faults)
    elsewhere = [fault for fault in faults if not any(_is_about(fault, placed) for placed in document.events)]
    made: list[tuple[PlacedEvent, Capturable]] = []
    notes: list[Fault] = []
    errors: list[CaptureError] = []
    stored = repeated = 0
    if not elsewhere and (proceed or not faults):
        good = _without(document.events, faults)
        made = list(zip(good, _capturables(document, good, job.created_at_ms), strict=True))
        made, more, notes = _acted(tools.goods, made, proceed=proceed)
        faults += more
        ready = [one for _, one in made]
        stored, repeated, errors = store_events(tools.store, ready, one_by_one=proceed)
    errors = [*map(_validation_error, faults), *errors]
    return msgspec.structs.replace(
        job,
        finished_at_ms=tools.clock_ms(),
        running=False,
        success=not errors,
        stored=stored,
        repeated=repeated,
        errors=tuple(errors[:_ERRORS]),
        notes=tuple(f"{note.pointer}: {note.code}: {note.words}" for note in notes[:_ERRORS]),
    )


Made = list[tuple[PlacedEvent, Capturable]]


def _acted(goods: EventActs | None, made: Made, *, proceed: bool) -> tuple[Made, list[Fault], list[Fault]]:
    """(events to store, what could not be, what does not fit) after the events have acted on goods."""
    if goods is None:
        return made, [], []
    faults = goods.check([acting(*one) for one in made])
    if faults and not proceed:
        return [], faults, []
    made = [one for one in made if not any(_is_about(fault, one[0]) for fault in faults)]
    acts = goods.act([acting(*one) for one in made], proceed=proceed)
    kept = [one for one in made if not any(_is_about(fault, one[0]) for fault in acts.faults)]
    return kept if acts.whole else [], [*faults, *acts.faults], acts.notes


def acting(placed: PlacedEvent, one: Capturable) -> Acting:
    """The event as what acts on goods."""
    return Acting(placed.pointer, one.event, one.key)


def capture_event(tools: Capturing, data: bytes) -> Capturable:
    """Captures one event at once. Raises InputError (`epcis_invalid` with its first fault), ConflictError
    (`epcis_act_refused`: what it says of goods of ours cannot be)."""
    document = read(data)
    if document.kind != "event":
        raise InputError("epcis_not_document", "one event with its @context is expected")
    faults = validate(document).faults
    if faults:
        raise InputError("epcis_invalid", faults[0].words, where=faults[0].pointer)
    [made] = _capturables(document, document.events, tools.clock_ms())
    _, refused, _ = _acted(tools.goods, [(document.events[0], made)], proceed=False)
    if refused:
        raise ConflictError("epcis_act_refused", f"{refused[0].code}: {refused[0].words}", where=refused[0].pointer)
    store_events(tools.store, [made], one_by_one=False, may_refuse=True)
    return made


def store_events(
    store: EventStore, made: Sequence[Capturable], *, one_by_one: bool, may_refuse: bool = False
) -> tuple[int, int, list[CaptureError]]:
    """(stored, known already, refused). An event that is too large refuses all, or with `one_by_one` itself alone; with
    `may_refuse` it raises InputError (`epcis_event_too_large`)."""
    distinct = {one.key: one for one in made}
    known = store.known(list(distinct))
    fresh = [one for key, one in distinct.items() if key not in known]
    repeated = len(made) - len(fresh)
    try:
        store.put(fresh)
    except InputError as error:
        if may_refuse:
            raise
        if not one_by_one:
            return 0, repeated, [_too_large(error)]
    else:
        return len(fresh), repeated, []
    errors: list[CaptureError] = []
    for one in fresh:
        try:
            store.put([one])
        except InputError as error:
            errors.append(_too_large(error))
    return len(fresh) - len(errors), repeated, errors


def read_job(store: EventStore, capture_id: str) -> CaptureJob:
    """Raises NotFoundError (`capture_unknown`)."""
    job = store.value(_JOBS, capture_id, CaptureJob)
    if job is None:
        raise NotFoundError("capture_unknown", "there is no capture job of this id", where="captureID")
    return job


def list_jobs(store: EventStore, count: int, after: str) -> tuple[list[CaptureJob], str]:
    """Jobs, the newest first, and where the next page begins ("" at the end)."""
    page = store.documents(_JOBS, count, after, newest_first=True)
    jobs = [msgspec.json.decode(doc, type=CaptureJob) for _, doc in page.rows]
    return jobs, page.rows[-1][0] if page.more and page.rows else ""


def _capturables(document: Document, placed: Sequence[PlacedEvent], recorded_ms: int) -> list[Capturable]:
    around = cast("dict[str, object]", document.value).get("@context") if document.kind != "event" else None
    return [capturable(one.value, around, recorded_ms) for one in placed]


def _without(events: Sequence[PlacedEvent], faults: Sequence[Fault]) -> list[PlacedEvent]:
    return [placed for placed in events if not any(_is_about(fault, placed) for fault in faults)]


def _is_about(fault: Fault, placed: PlacedEvent) -> bool:
    return fault.pointer == placed.pointer or fault.pointer.startswith(placed.pointer + "/")


def _validation_error(fault: Fault) -> CaptureError:
    place = fault.pointer or "the document"
    return CaptureError("epcisException:ValidationException", "Not valid", 400, f"{place}: {fault.code}: {fault.words}")


def _too_large(error: InputError) -> CaptureError:
    return CaptureError(
        "epcisException:CaptureLimitExceededException", "Too large", 413, f"{error.where}: {error.message}"
    )
