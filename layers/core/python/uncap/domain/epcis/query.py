"""An event query as the standard asks it: parameters to tests of an event, an order, limits, and which index answers.

Source: EPCIS 2.0 section 8.2.7.1 (SimpleEventQuery) and 12.8 (REST). Pure; `services/query_events.py` runs it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from uncap.domain.epcis import subjects, terms
from uncap.domain.epcis.capture import SHARDS, index_of, millis, sortable
from uncap.domain.epcis.identifiers import canonical
from uncap.domain.epcis.query_tests import Event, EventTest, test_of
from uncap.domain.epcis.query_values import refused
from uncap.domain.errors import InputError

MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 30
_MAX_PARAMETERS: Final = 40
_MAX_VALUES: Final = 200
_TIMES: Final = {"eventTime": "time", "recordTime": "rec"}
_COUNT: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
_CONTROLS: Final = frozenset(
    {"orderBy", "orderDirection", "eventCountLimit", "maxEventCount", "perPage", "nextPageToken"}
)
Bounds = tuple[int | None, int | None]


class Plan(msgspec.Struct, frozen=True):
    """Where to look: index partitions that together hold every event that can match, and how far in them.

    `low` is the first place, `high` the first beyond; `by` is the time the places are sorted by.
    """

    partitions: tuple[str, ...]
    low: str
    high: str
    by: Literal["eventTime", "recordTime"]


class EventQuery(msgspec.Struct, frozen=True):
    """A query that was understood. `limit` 0: all that match, by pages; `at_most` 0: however many."""

    plan: Plan
    tests: tuple[EventTest, ...]
    order_by: Literal["eventTime", "recordTime"] = "eventTime"
    newest_first: bool = True
    limit: int = 0
    at_most: int = 0
    page: int = DEFAULT_PAGE
    token: str = ""

    def accepts(self, event: Event) -> bool:
        """Whether every test says yes."""
        return all(test(event) for test in self.tests)


def parse(parameters: Mapping[str, Sequence[str]]) -> EventQuery:
    """The query these parameters ask; each may have several values, any of which may match.

    Raises InputError (`query_parameter_invalid`, `where` the parameter).
    """
    if len(parameters) > _MAX_PARAMETERS or sum(map(len, parameters.values())) > _MAX_VALUES:
        raise refused("", f"at most {_MAX_PARAMETERS} parameters with {_MAX_VALUES} values")
    for name, values in parameters.items():
        if not values or any(not value.strip() for value in values):
            raise refused(name, "has no value")
    bounds = {field: _bounds(parameters, field) for field in _TIMES}
    tests = tuple(
        test_of(name, values) for name, values in parameters.items() if name not in _CONTROLS and name not in _RANGES
    )
    tests += tuple(_in_time(field, *bounds[field]) for field in _TIMES if bounds[field] != (None, None))
    order_by = _word(parameters, "orderBy", ("eventTime", "recordTime"), "eventTime")
    limit, at_most = _number(parameters, "eventCountLimit"), _number(parameters, "maxEventCount")
    if limit and at_most:
        raise refused("maxEventCount", "goes without eventCountLimit")
    page = _number(parameters, "perPage") or DEFAULT_PAGE
    return EventQuery(
        plan=_plan(parameters, bounds, order_by),
        tests=tests,
        order_by="recordTime" if order_by == "recordTime" else "eventTime",
        newest_first=_word(parameters, "orderDirection", ("ASC", "DESC"), "DESC") == "DESC",
        limit=limit,
        at_most=at_most,
        page=min(page, MAX_PAGE),
        token=(_one(parameters, "nextPageToken") or ""),
    )


_RANGES: Final = frozenset(f"{operator}_{field}" for field in _TIMES for operator in ("GE", "LT"))


def _bounds(parameters: Mapping[str, Sequence[str]], field: str) -> Bounds:
    return _moment(parameters, f"GE_{field}"), _moment(parameters, f"LT_{field}")


def _moment(parameters: Mapping[str, Sequence[str]], name: str) -> int | None:
    text = _one(parameters, name)
    if text is None:
        return None
    try:
        return millis(text.replace(" ", "+"))  # a plus sign that nobody escaped
    except InputError as cause:
        raise refused(name, cause.message) from cause


def _in_time(field: str, low: int | None, high: int | None) -> EventTest:
    def test(event: Event) -> bool:
        at_ms = millis(str(event.get(field, "")))
        return (low is None or at_ms >= low) and (high is None or at_ms < high)

    return test


def _plan(parameters: Mapping[str, Sequence[str]], bounds: Mapping[str, Bounds], order_by: str) -> Plan:
    """The narrowest index that the parameters allow; without one, the time asked for or ordered by."""
    for partitions in (finder(parameters) for finder in _FINDERS):
        if partitions:
            return Plan(tuple(sorted(set(partitions))), *_span(bounds["eventTime"]), "eventTime")
    recorded = bounds["recordTime"] != (None, None) or order_by == "recordTime"
    field: Literal["eventTime", "recordTime"] = "eventTime"
    if recorded and (bounds["eventTime"] == (None, None) or order_by == "recordTime"):
        field = "recordTime"
    return Plan(tuple(f"{_TIMES[field]}#{shard}" for shard in range(SHARDS)), *_span(bounds[field]), field)


def _span(bounds: Bounds) -> tuple[str, str]:
    low, high = bounds
    return "" if low is None else sortable(low), ":" if high is None else sortable(high)


def _by_event_id(parameters: Mapping[str, Sequence[str]]) -> list[str]:
    return [index_of("id", value) for value in parameters.get("EQ_eventID", ())]


def _by_item(parameters: Mapping[str, Sequence[str]]) -> list[str]:
    for name in sorted(subjects.ITEM_PARAMETERS & parameters.keys()):
        wanted = [subjects.Wanted(value) for value in parameters[name]]
        if all(one.key or one.family for one in wanted):
            return [index_of("epc", one.key) if one.key else index_of("cls", one.family) for one in wanted]
    return []


def _by_class(parameters: Mapping[str, Sequence[str]]) -> list[str]:
    for name in sorted(subjects.CLASS_PARAMETERS & parameters.keys()):
        wanted = [subjects.Wanted(value) for value in parameters[name]]
        if all(one.key or one.family for one in wanted):
            return [index_of("cls", one.key or one.family) for one in wanted]
    return []


def _by_transaction(parameters: Mapping[str, Sequence[str]]) -> list[str]:
    for name, values in parameters.items():
        if name.startswith("EQ_bizTransaction_"):
            return [index_of("btx", canonical(value)) for value in values]
    return []


def _by_place(parameters: Mapping[str, Sequence[str]]) -> list[str]:
    for field, index in (("readPoint", "read"), ("bizLocation", "loc")):
        for operator in ("EQ", "WD"):
            if values := parameters.get(f"{operator}_{field}"):
                return [index_of(index, subjects.site_of(canonical(value))) for value in values]
    return []


def _by_step(parameters: Mapping[str, Sequence[str]]) -> list[str]:
    words = (terms.bare(terms.BIZ_STEPS, value) for value in parameters.get("EQ_bizStep", ()))
    return [f"{index_of('step', word)}#{shard}" for word in words for shard in range(SHARDS)]


_FINDERS: Final[tuple[Callable[[Mapping[str, Sequence[str]]], list[str]], ...]] = (
    _by_event_id,
    _by_item,
    _by_transaction,
    _by_class,
    _by_place,
    _by_step,
)


def _one(parameters: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = parameters.get(name)
    if values is None:
        return None
    if len(values) != 1:
        raise refused(name, "takes one value")
    return values[0]


def _number(parameters: Mapping[str, Sequence[str]], name: str) -> int:
    text = _one(parameters, name)
    if text is None:
        return 0
    if _COUNT.fullmatch(text) is None or int(text) < 1:
        raise refused(name, "takes a number from 1 to 999999")
    return int(text)


def _word(parameters: Mapping[str, Sequence[str]], name: str, words: Iterable[str], default: str) -> str:
    text = _one(parameters, name)
    if text is not None and text not in words:
        raise refused(name, f"takes {' or '.join(words)}")
    return text or default
