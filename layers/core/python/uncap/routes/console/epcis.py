"""EPCIS 2.0 over REST: capture, events, named queries. Mounted by `table.py`, beside `epcis_lists.py`."""

from typing import Any, Final, cast

from uncap.domain.epcis.xml import CONTEXT
from uncap.domain.errors import InputError
from uncap.routes.console.endpoint import Area, RawInput, Text
from uncap.routes.console.epcis_http import (
    EMPTY,
    JSON_TYPES,
    LIMITS,
    VERSIONS,
    XML_TYPES,
    check_answer,
    check_type,
    check_versions,
    decoded,
    discovered,
    located,
    paging,
    parameters,
    reword,
    told,
)
from uncap.services.capture_events import (
    Behaviour,
    Capturing,
    capture_document,
    capture_event,
    list_jobs,
    read_job,
)
from uncap.services.desk import Actor, Desk
from uncap.services.keep_queries import (
    NamedQuery,
    NewQuery,
    create_query,
    delete_query,
    joined,
    list_queries,
    read_query,
)
from uncap.services.list_entries import cursor_of, read_cursor
from uncap.services.query_events import query_events, read_event, results

EPCIS: Final = Area("epcis", reword=reword)
Listed = list[dict[str, Any]]


@EPCIS.options("/epcis")
def options_epcis(raw: RawInput) -> Text:
    """What this server speaks: versions and limits."""
    return discovered(raw, "OPTIONS", LIMITS)


@EPCIS.options("/epcis/capture")
def options_capture(raw: RawInput) -> Text:
    """What capturing takes: versions, limits, what happens with errors."""
    return discovered(raw, "OPTIONS, GET, POST", LIMITS)


@EPCIS.options("/epcis/events")
def options_events(raw: RawInput) -> Text:
    """Which versions events are told in."""
    return discovered(raw, "OPTIONS, GET, POST")


@EPCIS.options("/epcis/queries")
def options_queries(raw: RawInput) -> Text:
    """Which versions queries are asked in."""
    return discovered(raw, "OPTIONS, GET, POST")


@EPCIS.options("/epcis/capture/{capture_id}")
def options_capture_job(raw: RawInput, capture_id: str) -> Text:  # noqa: ARG001 - any job alike
    """Which versions a job is told in."""
    return discovered(raw, "OPTIONS, GET")


@EPCIS.options("/epcis/events/{event_id}")
def options_event(raw: RawInput, event_id: str) -> Text:  # noqa: ARG001 - any event alike
    """Which versions an event is told in."""
    return discovered(raw, "OPTIONS, GET")


@EPCIS.options("/epcis/queries/{query_name}")
def options_query(raw: RawInput, query_name: str) -> Text:  # noqa: ARG001 - any query alike
    """What may be done with a query."""
    return discovered(raw, "OPTIONS, GET, DELETE")


@EPCIS.options("/epcis/queries/{query_name}/events")
def options_query_events(raw: RawInput, query_name: str) -> Text:  # noqa: ARG001 - any query alike
    """Which versions a query's events are told in."""
    return discovered(raw, "OPTIONS, GET")


@EPCIS.post("/epcis/capture", status=202, takes=(*JSON_TYPES, *XML_TYPES), media_types=())
def post_capture(desk: Desk, actor: Actor, raw: RawInput) -> Text:
    """Capture an EPCIS document; the answer says where its job is told."""
    check_versions(raw)
    check_type(raw, *JSON_TYPES, *XML_TYPES)
    behaviour = raw.headers.get("gs1-capture-error-behaviour", "rollback").strip().lower()
    if behaviour not in ("rollback", "proceed"):
        raise InputError("capture_behaviour_unknown", "takes rollback or proceed", where="GS1-Capture-Error-Behaviour")
    job = capture_document(capturing(desk, actor), raw.body, cast("Behaviour", behaviour), actor.login)
    return located(raw, job.capture_id)


@EPCIS.get("/epcis/capture", media_types=JSON_TYPES, holds=Listed)
def get_captures(desk: Desk, raw: RawInput) -> Text:
    """Capture jobs, the newest first."""
    count, token = paging(raw)
    jobs, after = list_jobs(desk.event_store(), count, read_cursor(token, "0"))
    return told([job.as_told() for job in jobs], raw, cursor_of(after))


@EPCIS.get("/epcis/capture/{capture_id}", media_types=JSON_TYPES)
def get_capture(desk: Desk, raw: RawInput, capture_id: str) -> Text:
    """One capture job."""
    check_answer(raw)
    return told(read_job(desk.event_store(), capture_id[:80]).as_told(), raw)


@EPCIS.post("/epcis/events", status=201, takes=(*JSON_TYPES, *XML_TYPES), media_types=())
def post_event(desk: Desk, actor: Actor, raw: RawInput) -> Text:
    """Capture one event at once."""
    check_versions(raw)
    check_type(raw, *JSON_TYPES, *XML_TYPES)
    return located(raw, capture_event(capturing(desk, actor), raw.body).key)


@EPCIS.get("/epcis/events", media_types=JSON_TYPES)
def get_events(desk: Desk, raw: RawInput) -> Text:
    """Events by the standard's parameters, page by page."""
    return answer(desk, raw, parameters(raw))


@EPCIS.get("/epcis/events/{event_id}", media_types=JSON_TYPES)
def get_event(desk: Desk, raw: RawInput, event_id: str) -> Text:
    """One event by its id."""
    check_answer(raw)
    event = read_event(desk.event_store(), decoded(event_id))
    return told({**event, "@context": [CONTEXT, *event.get("@context", [])]}, raw)


@EPCIS.post("/epcis/queries", status=201)
def post_query(desk: Desk, actor: Actor, raw: RawInput, body: NewQuery) -> Text:
    """Keep a query under a name."""
    made = create_query(desk.event_store(), body, actor.login, desk.clock_ms())
    return located(raw, made.name, told(_told(made), raw).body)


@EPCIS.get("/epcis/queries", media_types=JSON_TYPES, holds=Listed)
def get_queries(desk: Desk, raw: RawInput) -> Text:
    """Queries that are kept."""
    count, token = paging(raw)
    kept, after = list_queries(desk.event_store(), count, read_cursor(token, ""))
    return told([_told(one) for one in kept], raw, cursor_of(after))


@EPCIS.get("/epcis/queries/{query_name}", media_types=JSON_TYPES)
def get_query(desk: Desk, raw: RawInput, query_name: str) -> Text:
    """One query that is kept."""
    check_answer(raw)
    return told(_told(read_query(desk.event_store(), query_name)), raw)


@EPCIS.delete("/epcis/queries/{query_name}")
def delete_named_query(desk: Desk, query_name: str) -> Text:
    """Forget a query."""
    delete_query(desk.event_store(), query_name)
    return Text("", EMPTY, dict(VERSIONS))


@EPCIS.get("/epcis/queries/{query_name}/events", media_types=JSON_TYPES)
def get_query_events(desk: Desk, raw: RawInput, query_name: str) -> Text:
    """Run a query that is kept."""
    kept = read_query(desk.event_store(), query_name)
    return answer(desk, raw, joined(kept.query, parameters(raw)), kept.name)


@EPCIS.get("/epcis/queries/{query_name}/subscriptions", media_types=JSON_TYPES, holds=Listed)
def get_subscriptions(desk: Desk, raw: RawInput, query_name: str) -> Text:
    """Always an empty list: queries are polled here."""
    paging(raw)
    read_query(desk.event_store(), query_name)
    return told([], raw)


@EPCIS.post("/epcis/queries/{query_name}/subscriptions", takes=JSON_TYPES)
def post_subscription(query_name: str) -> Text:
    """Refused: ask again with GE_recordTime instead."""
    words = f"{query_name[:60]}: may be polled only; ask again with GE_recordTime"
    raise InputError("subscription_unsupported", words, where="subscriptions")


def answer(desk: Desk, raw: RawInput, asked: dict[str, list[str]], name: str = "SimpleEventQuery") -> Text:
    """One page of events as a query document."""
    check_answer(raw)
    page = query_events(desk.event_store(), asked)
    return told(results(page.events, desk.clock_ms(), name), raw, page.token)


def capturing(desk: Desk, actor: Actor) -> Capturing:
    """What the services need of the desk."""
    return Capturing(desk.event_store(), desk.clock_ms, desk.random_bytes, desk.event_goods(desk, actor))


def _told(query: NamedQuery) -> dict[str, object]:
    return {"name": query.name, "query": query.query}
