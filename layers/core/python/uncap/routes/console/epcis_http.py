"""What EPCIS 2.0's REST binding adds to HTTP: its headers, its exceptions as problem types, its way of giving lists.

Source: EPCIS 2.0 chapter 12 and its OpenAPI document. Used by `epcis.py` and `epcis_lists.py`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode

import msgspec

from uncap.domain.epcis.query_values import refused
from uncap.domain.errors import InputError
from uncap.routes.console.endpoint import MAX_BODY_BYTES, RawInput, Text
from uncap.routes.problems import Problem
from uncap.services.capture_events import MAX_EVENTS

XML_TYPES: Final = ("application/xml", "text/xml")
JSON_TYPES: Final = ("application/json", "application/ld+json")
EMPTY: Final = "text/plain"
# What is told is as it was captured: identifiers and words are never put into another form.
_AS_CAPTURED: Final = "Never_Translates"
VERSIONS: Final = {
    **{f"GS1-{standard}-{bound}": "2.0.0" for standard in ("EPCIS", "CBV") for bound in ("Version", "Min", "Max")},
    "GS1-EPC-Format": _AS_CAPTURED,
    "GS1-CBV-XML-Format": _AS_CAPTURED,
}
LIMITS: Final = {
    "GS1-EPCIS-Capture-Limit": str(MAX_EVENTS),
    "GS1-EPCIS-Capture-File-Size-Limit": str(MAX_BODY_BYTES),
    "GS1-Capture-Error-Behaviour": "rollback",
}
_EXCEPTIONS: Final = {
    "query_parameter_invalid": "QueryParameterException",
    "query_too_large": "QueryTooLargeException",
    "query_too_complex": "QueryTooComplexException",
    "resource_unlisted": "QueryTooLargeException",
    "subscription_unsupported": "SubscribeNotPermittedException",
    "query_exists": "DuplicateNameException",
    "query_unknown": "NoSuchNameException",
    "capture_limit_exceeded": "CaptureLimitExceededException",
    "body_too_large": "CaptureLimitExceededException",
    "epcis_event_too_large": "CaptureLimitExceededException",
}
_BY_STATUS: Final = {
    400: "ValidationException",
    401: "SecurityException",
    403: "SecurityException",
    404: "NoSuchResourceException",
    406: "NotAcceptableException",
    413: "CaptureLimitExceededException",
    415: "UnsupportedMediaTypeException",
    500: "ImplementationException",
    503: "ImplementationException",
}
_ENCODED: Final = re.compile(r"(?:https?|urn|ni|geo|[a-z]+)%3A", re.IGNORECASE | re.ASCII)
_VERSION: Final = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,3}", re.ASCII)
_WORDS: Final = frozenset({"eventType", "EQ_action", "EQ_bizStep", "EQ_disposition"})
_VALUE_CHARACTERS: Final = 2_000


def reword(problem: Problem) -> Problem:
    """A problem with the type and title of the exception that the standard has for it."""
    name = _EXCEPTIONS.get(problem.code) or _BY_STATUS.get(problem.status)
    if name is None:
        return problem
    return msgspec.structs.replace(problem, type=f"epcisException:{name}", title=name)


def check_versions(raw: RawInput) -> None:
    """Raises InputError (`version_not_acceptable`) where the client will only take what we do not speak."""
    for standard in ("EPCIS", "CBV"):
        lowest, highest, named = (_version(raw, f"gs1-{standard.lower()}-{one}") for one in ("min", "max", "version"))
        if (named and named[0] != 2) or (lowest and lowest > (2, 0, 0)) or (highest and highest < (2,)):
            words = f"{standard} 2.0 is spoken here"
            raise InputError("version_not_acceptable", words, where=f"GS1-{standard}-Version")


def _version(raw: RawInput, name: str) -> tuple[int, ...]:
    """A header's version number; () where there is none. Raises InputError (`version_not_acceptable`)."""
    text = raw.headers.get(name, "").strip()
    if text and not _VERSION.fullmatch(text):
        raise InputError("version_not_acceptable", "is no version number such as 2.0.0", where=name)
    return tuple(int(part) for part in text.split(".") if part)


def check_answer(raw: RawInput) -> None:
    """Before an answer with content. Raises InputError (`version_not_acceptable`), also where the client asks for
    another form than what is told in: XML, or identifiers translated."""
    check_versions(raw)
    accept = raw.headers.get("accept", "")
    if accept and not any(one in accept for one in ("json", "*/*", "application/*")):
        raise InputError("version_not_acceptable", "answers are JSON", where="Accept")
    wanted = raw.headers.get("gs1-epc-format", "").strip().lower()
    if wanted not in ("", "no_preference", _AS_CAPTURED.lower()):
        raise InputError("version_not_acceptable", "identifiers are told as they were captured", where="GS1-EPC-Format")


def check_type(raw: RawInput, *taken: str) -> None:
    """Raises InputError (`media_type_unsupported`)."""
    named = raw.headers.get("content-type", "").partition(";")[0].strip().lower()
    if named not in taken:
        raise InputError("media_type_unsupported", f"send {' or '.join(taken)}", where="Content-Type")


def parameters(raw: RawInput) -> dict[str, list[str]]:
    """The query string: a list is one parameter again and again, or its values with `|` between them; words of the
    vocabulary may have commas instead."""
    return {
        name: [part.strip() for value in values for part in _parts(name, value)] for name, values in raw.query.items()
    }


def _parts(name: str, value: str) -> list[str]:
    if len(value) > _VALUE_CHARACTERS * 10:
        raise refused(name, "is too long")
    separator = "," if name in _WORDS and "|" not in value and ":" not in value else "|"
    return value.split(separator)


def decoded(value: str) -> str:
    """A path's value that may be an address: gateways differ in whether they undo its escapes."""
    value = unquote(value) if _ENCODED.match(value) else value
    if len(value) > _VALUE_CHARACTERS:
        raise InputError("path_malformed", "is too long")
    return value


def told(value: object, raw: RawInput, token: str = "", **headers: str) -> Text:
    """A JSON answer; with a `token`, the address of the next page."""
    more = {**VERSIONS, **headers}
    if token:
        given: dict[str, Any] = {name: held for name, held in raw.query.items() if name != "nextPageToken"}
        query = urlencode({**given, "nextPageToken": token}, doseq=True)
        more["Link"] = f'<{raw.address}?{query}>; rel="next"'
        more["GS1-Next-Page-Token-Expires"] = "9999-12-31T23:59:59Z"
    wanted = raw.headers.get("accept", "")
    media_type = JSON_TYPES["application/ld+json" in wanted and "application/json" not in wanted]
    return Text(msgspec.json.encode(value).decode(), media_type, more)


def located(raw: RawInput, name: str, body: str = "") -> Text:
    """An answer that says where what was made is now."""
    place = f"{raw.address.rstrip('/')}/{quote(name, safe='')}"
    return Text(body, JSON_TYPES[0] if body else EMPTY, {**VERSIONS, **LIMITS, "Location": place})


def discovered(raw: RawInput, allow: str, more: Mapping[str, str] = MappingProxyType({})) -> Text:
    """The answer to OPTIONS: headers only."""
    check_versions(raw)
    return Text("", EMPTY, {**VERSIONS, **more, "Allow": allow})


def paging(raw: RawInput) -> tuple[int, str]:
    """(count, token) of a list. Raises InputError (`query_parameter_invalid`, and what `check_answer` raises)."""
    check_answer(raw)
    given = parameters(raw)
    for name in given.keys() - {"perPage", "nextPageToken"}:
        raise refused(name, "is no parameter of this list")
    count = _single(given, "perPage") or "30"
    if not re.fullmatch(r"[1-9][0-9]{0,2}", count, re.ASCII):
        raise refused("perPage", "takes a number from 1 to 999")
    return min(int(count), 100), _single(given, "nextPageToken")


def _single(given: Mapping[str, list[str]], name: str) -> str:
    values = given.get(name, [""])
    if len(values) != 1:
        raise refused(name, "takes one value")
    return values[0]
