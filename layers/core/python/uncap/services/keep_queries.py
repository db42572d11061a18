"""Named event queries: kept as they were asked, run when asked for by name. Called by `routes/console/epcis.py`."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from uncap.adapters.event_store import EventStore
from uncap.domain.epcis.query import parse
from uncap.domain.epcis.query_values import refused
from uncap.domain.errors import ConflictError, NotFoundError

_QUERIES = "queries"
_ALIASES = {"eventTypes": "eventType"}

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._~-]{1,60}$(?!\n)", max_length=60)]


class NewQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The standard's form: a name and the parameters, each with a value or a list of them."""

    name: Name
    query: dict[str, str | int | float | bool | list[str | int | float]]


class NamedQuery(msgspec.Struct, frozen=True):
    """A query as it is kept."""

    name: str
    query: dict[str, list[str]]
    by: str
    created_at_ms: int


def create_query(store: EventStore, given: NewQuery, by: str, now_ms: int) -> NamedQuery:
    """Raises InputError (`query_parameter_invalid`), ConflictError (`query_exists`)."""
    parameters = {_ALIASES.get(name, name): _values(name, value) for name, value in given.query.items()}
    parse(parameters)
    made = NamedQuery(given.name, parameters, by, now_ms)
    if not store.keep_new(_QUERIES, given.name, made):
        raise ConflictError("query_exists", "there is a query of this name", where="name")
    return made


def read_query(store: EventStore, name: str) -> NamedQuery:
    """Raises NotFoundError (`query_unknown`)."""
    found = store.value(_QUERIES, name, NamedQuery)
    if found is None:
        raise NotFoundError("query_unknown", "there is no query of this name", where="queryName")
    return found


def list_queries(store: EventStore, count: int, after: str) -> tuple[list[NamedQuery], str]:
    """Queries by name, and where the next page begins."""
    page = store.documents(_QUERIES, count, after)
    found = [msgspec.json.decode(doc, type=NamedQuery) for _, doc in page.rows]
    return found, page.rows[-1][0] if page.more and page.rows else ""


def delete_query(store: EventStore, name: str) -> None:
    """Raises NotFoundError (`query_unknown`)."""
    read_query(store, name)
    store.forget(_QUERIES, name)


def _values(name: str, value: object) -> list[str]:
    held = value if isinstance(value, list) else [value]
    if not held or not all(isinstance(one, str | int | float) for one in held):
        raise refused(name, "takes a text, a number or a list of them")
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in held]


def joined(kept: Mapping[str, list[str]], asked: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """A kept query with the paging of a request; a parameter that it has already may not be asked for again."""
    for name in asked:
        if name not in {"perPage", "nextPageToken"}:
            raise refused(name, "is not taken beside a named query")
    return {**kept, **asked}
