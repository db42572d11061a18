"""Judging a document that asks (`query_messages.py`): is it a question that could be answered? Used by `validate.py`.

Source: EPCIS 2.0, 8.2.7 (parameters of the event query).
"""

from collections.abc import Mapping
from typing import Final

from uncap.domain.epcis.faults import Findings, kind_of, step
from uncap.domain.epcis.query import parse
from uncap.domain.errors import InputError

_OTHER_QUERIES: Final = frozenset({"SimpleMasterDataQuery"})


def check_query(value: Mapping[str, object], found: Findings) -> None:
    """A question of either form: named where the form asks for it, every parameter known and with a value it can have.

    Only the first parameter that cannot be is found, as when it is asked.
    """
    wrapped = isinstance(value.get("query"), dict)
    given = value["query"] if wrapped else {name: held for name, held in value.items() if name != "@context"}
    base = "/query" if wrapped else ""
    if wrapped and not (isinstance(value.get("name"), str) and value["name"]):
        found.fault("", "field_missing", "the query's name is required (`name` in JSON, `queryName` in XML)")
    parameters: dict[str, list[str]] = {}
    for name, held in (given if isinstance(given, dict) else {}).items():
        values = held if isinstance(held, list) else [held]
        wrong = next((one for one in values if not isinstance(one, str | int | float)), None)
        if not values or wrong is not None or held is None:
            words = f"must be text, a number or a list of them, is {kind_of(held)}" if values else "must not be empty"
            found.fault(step(base, name), "type_wrong", words)
        parameters["eventType" if name == "eventTypes" else name] = [_text(one) for one in values]
    if not found.all and value.get("name") not in _OTHER_QUERIES:
        _try(parameters, base, found)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _try(parameters: Mapping[str, list[str]], base: str, found: Findings) -> None:
    try:
        parse(parameters)
    except InputError as cause:
        found.fault(step(base, cause.where) if cause.where else base, cause.code, cause.message)
