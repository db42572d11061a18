"""EPCIS 2.0's top-level resources: which event types, steps, places and dispositions there are, and the events of each.

Mounted by `table.py`.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from uncap.domain.epcis import schema
from uncap.domain.epcis.query_values import refused
from uncap.domain.epcis.xml import CONTEXT
from uncap.domain.errors import InputError
from uncap.routes.console.endpoint import Area, RawInput, Text
from uncap.routes.console.epcis import answer
from uncap.routes.console.epcis_http import (
    JSON_TYPES,
    check_answer,
    decoded,
    discovered,
    paging,
    parameters,
    reword,
    told,
)
from uncap.services.desk import Desk
from uncap.services.list_entries import cursor_of, read_cursor
from uncap.services.query_events import values_of

EPCIS_LISTS: Final = Area("epcis", reword=reword)


class Resource(NamedTuple):
    """A list and the query parameter that its values stand for; `words` for the API's document."""

    name: str
    parameter: str
    words: str


RESOURCES: Final = (
    Resource("eventTypes", "eventType", "event types"),
    Resource("epcs", "MATCH_anyEPC", "things"),
    Resource("bizSteps", "EQ_bizStep", "business steps"),
    Resource("bizLocations", "EQ_bizLocation", "business locations"),
    Resource("readPoints", "EQ_readPoint", "read points"),
    Resource("dispositions", "EQ_disposition", "dispositions"),
)


def _collection(raw: RawInput, members: list[str], token: str = "") -> Text:
    return told({"@context": CONTEXT, "type": "Collection", "member": members}, raw, token)


def _list(resource: Resource) -> Callable[..., Text]:
    def values(desk: Desk, raw: RawInput) -> Text:
        count, token = paging(raw)
        if resource.name == "eventTypes":
            return _collection(raw, list(schema.EVENTS))
        if resource.name == "epcs":
            raise InputError(
                "resource_unlisted",
                "there are more things than one answer may list; ask for the events of one, or of a class",
                where="epcs",
            )
        held, after = values_of(desk.event_store(), resource.name, count, read_cursor(token, ""))
        return _collection(raw, held, cursor_of(after))

    values.__name__ = f"get_{resource.name}"
    values.__doc__ = f"The {resource.words} in use."
    return values


def _options(resource: Resource) -> Callable[..., Text]:
    def options(raw: RawInput) -> Text:
        return discovered(raw, "OPTIONS, GET")

    options.__name__ = f"options_{resource.name}"
    options.__doc__ = f"Which versions the {resource.words} are told in."
    return options


def _one(resource: Resource) -> Callable[..., Text]:
    def member(raw: RawInput, value: str) -> Text:
        check_answer(raw)
        decoded(value)
        return _collection(raw, ["events"])

    member.__name__ = f"get_{resource.name}_value"
    member.__doc__ = f"What there is of one of the {resource.words}."
    return member


def _events(resource: Resource) -> Callable[..., Text]:
    def events(desk: Desk, raw: RawInput, value: str) -> Text:
        asked = parameters(raw)
        if resource.parameter in asked:
            raise refused(resource.parameter, "is said by the path already")
        return answer(desk, raw, {**asked, resource.parameter: [decoded(value)]})

    events.__name__ = f"get_{resource.name}_events"
    events.__doc__ = f"The events of one of the {resource.words}."
    return events


for _resource in RESOURCES:
    EPCIS_LISTS.options(f"/epcis/{_resource.name}")(_options(_resource))
    EPCIS_LISTS.get(f"/epcis/{_resource.name}", media_types=JSON_TYPES)(_list(_resource))
    EPCIS_LISTS.get(f"/epcis/{_resource.name}/{{value}}", media_types=JSON_TYPES)(_one(_resource))
    EPCIS_LISTS.get(f"/epcis/{_resource.name}/{{value}}/events", media_types=JSON_TYPES)(_events(_resource))
