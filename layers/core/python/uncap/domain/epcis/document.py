"""Reading a file into a document: which of the five kinds it is, and its events with their places. Refuses what is no
EPCIS at all, with a reason a person can act on; what is wrong inside a document is for `validate.py`.
"""

import json
import math
from typing import Final, Literal, NoReturn

import msgspec

from uncap.domain.epcis import xml_tree
from uncap.domain.epcis.faults import Fault, step
from uncap.domain.epcis.query_messages import is_query
from uncap.domain.epcis.xml import from_xml
from uncap.domain.errors import InputError

MAX_BYTES: Final = 50 * 1024 * 1024
MAX_DEPTH: Final = 64
_DIGITS: Final = 400

Kind = Literal["EPCISDocument", "EPCISQueryDocument", "event", "events", "query"]

_DOCUMENT_MARKS: Final = frozenset({"epcisBody", "epcisHeader", "schemaVersion"})
_EVENT_MARKS: Final = frozenset({"eventTime", "eventTimeZoneOffset", "epcList", "childEPCs"})


class PlacedEvent(msgspec.Struct, frozen=True):
    """One element of the event list, whatever it is, and the pointer to it."""

    pointer: str
    value: object


class Document(msgspec.Struct, frozen=True):
    """A parsed file. `value` is its JSON, for XML the JSON that says the same, with `notes` on the XML itself; `events`
    is empty when there is no event list where one belongs."""

    kind: Kind
    value: object
    events: tuple[PlacedEvent, ...]
    notes: tuple[Fault, ...] = ()


def read(data: bytes) -> Document:
    """The document in `data`, UTF-8 JSON or XML. Raises InputError: `epcis_too_large`, `epcis_encoding`,
    `epcis_truncated`, `epcis_not_json` (with line and column), `epcis_key_repeated`, `epcis_too_deep`,
    `epcis_not_document`, `epcis_not_xml`, `epcis_xml_unsafe`."""
    _check_size(data)
    if xml_tree.looks_like_xml(data):
        return document_of(*from_xml(data, questions=True))
    value = _parse(_decode(data))
    _check_depth(value)
    return document_of(value)


def document_of(value: object, notes: tuple[Fault, ...] = ()) -> Document:
    """The document that parsed JSON is. Raises InputError (`epcis_not_document`)."""
    kind = _kind(value)
    if kind == "event":
        return Document(kind, value, (PlacedEvent("", value),), notes)
    if kind == "query":
        return Document(kind, value, (), notes)
    path = {
        "EPCISDocument": ("epcisBody", "eventList"),
        "EPCISQueryDocument": ("epcisBody", "queryResults", "resultsBody", "eventList"),
        "events": (),
    }[kind]
    return Document(kind, value, _events(value, path), notes)


def _events(value: object, path: tuple[str, ...]) -> tuple[PlacedEvent, ...]:
    pointer = ""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
        pointer = step(pointer, name)
    if not isinstance(value, list):
        return ()
    return tuple(PlacedEvent(step(pointer, at), event) for at, event in enumerate(value))


def _check_size(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise InputError("epcis_too_large", f"a document holds at most {MAX_BYTES >> 20} MB")


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            "epcis_encoding",
            f"not UTF-8: byte {error.start + 1} is 0x{data[error.start]:02x}; save the file as UTF-8 (GBK and UTF-16"
            " are not JSON)",
            where=f"line {line}",
        ) from error


def _parse(text: str) -> object:
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_finite, parse_int=_whole
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            raise InputError("epcis_truncated", "the file ends in the middle of the JSON", where=where) from error
        raise InputError("epcis_not_json", f"not JSON: {error.msg}", where=where) from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise InputError("epcis_not_json", f"not JSON that can be read: {error}") from error


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        name = next(name for name in names if names.count(name) > 1)
        raise InputError("epcis_key_repeated", f"an object holds {name[:80]!r} twice; which one counts is undefined")
    return made


def _finite(digits: str) -> float:
    """Python would read `1e999` as infinity, which no other reader of the document needs to do."""
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:40]} is beyond what a number may be")
    return number


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _too_deep() -> InputError:
    return InputError("epcis_too_deep", f"nested deeper than {MAX_DEPTH} levels")


def _check_depth(value: object) -> None:
    """Level by level, so that no file exhausts the stack; lone surrogates, which no UTF-8 can carry, are found here."""
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str) and not item.isascii():
                _check_text(item)
        if not below:
            return
        level = below
    raise _too_deep()


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError("epcis_encoding", "half a surrogate pair (\\ud8xx alone) is no character") from error


def _kind(value: object) -> Kind:
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return "events"
    if isinstance(value, dict):
        named = value.get("type")
        if is_query(value):
            return "query"
        if named == "EPCISDocument":
            return "EPCISDocument"
        if named == "EPCISQueryDocument":
            return "EPCISQueryDocument"
        if value.keys() & _DOCUMENT_MARKS:
            return "EPCISQueryDocument" if _holds_results(value) else "EPCISDocument"
        if value.keys() & _EVENT_MARKS or isinstance(named, str):
            return "event"
    raise InputError("epcis_not_document", "JSON, but neither an EPCIS document nor an event nor a list of events")


def _holds_results(value: dict[str, object]) -> bool:
    body = value.get("epcisBody")
    return isinstance(body, dict) and "queryResults" in body
