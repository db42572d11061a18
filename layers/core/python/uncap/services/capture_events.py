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
from uncap.domain.errors import InputError, NotFoundError

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
    """One document on its way. `stored` and `repeated` count its events; `errors` holds the first hundred."""

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
        return told | ({"finishedAt": iso(self.finished_at_ms)} if self.finished_at_ms else {})


class Capturing(msgspec.Struct, frozen=True):
    """What capturing needs: the store, the clock, and ids nobody can guess."""

    store: EventStore
    clock_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]


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
    job = carry_out(tools, document, job)
    tools.store.keep(_JOBS, job.capture_id, job)
    return job


def carry_out(tools: Capturing, document: Document, job: CaptureJob) -> CaptureJob:
    """The job after its document was judged and stored. Doing it again changes nothing."""
    faults = validate(document).faults
    good = [placed for placed in document.events if not any(_is_about(fault, placed) for fault in faults)]
    elsewhere = [fault for fault in faults if not any(_is_about(fault, placed) for placed in document.events)]
    errors = [_validation_error(fault) for fault in faults]
    stored = repeated = 0
    if not faults or (job.behaviour == "proceed" and not elsewhere):
        made = _capturables(document, good, job.created_at_ms)
        stored, repeated, refused = store_events(tools.store, made, one_by_one=job.behaviour == "proceed")
        errors += refused
    return msgspec.structs.replace(
        job,
        finished_at_ms=tools.clock_ms(),
        running=False,
        success=not errors,
        stored=stored,
        repeated=repeated,
        errors=tuple(errors[:_ERRORS]),
    )


def capture_event(tools: Capturing, data: bytes) -> Capturable:
    """Captures one event at once. Raises InputError (`epcis_invalid` with its first fault)."""
    document = read(data)
    if document.kind != "event":
        raise InputError("epcis_not_document", "one event with its @context is expected")
    faults = validate(document).faults
    if faults:
        raise InputError("epcis_invalid", faults[0].words, where=faults[0].pointer)
    [made] = _capturables(document, document.events, tools.clock_ms())
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


def _is_about(fault: Fault, placed: PlacedEvent) -> bool:
    return fault.pointer == placed.pointer or fault.pointer.startswith(placed.pointer + "/")


def _validation_error(fault: Fault) -> CaptureError:
    place = fault.pointer or "the document"
    return CaptureError("epcisException:ValidationException", "Not valid", 400, f"{place}: {fault.code}: {fault.words}")


def _too_large(error: InputError) -> CaptureError:
    return CaptureError(
        "epcisException:CaptureLimitExceededException", "Too large", 413, f"{error.where}: {error.message}"
    )
