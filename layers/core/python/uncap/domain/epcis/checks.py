"""The small checks that EPCIS fields are made of, and how they combine. `schema.py` puts them together as data.

A check takes a value, the pointer to it and the findings to write to; it never raises for what a document holds.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from uncap.domain.epcis import formats, identifiers
from uncap.domain.epcis.faults import Findings, kind_of, step
from uncap.domain.epcis.terms import Vocabulary

Check = Callable[[object, str, Findings], None]


def _text(value: object, pointer: str, found: Findings) -> str | None:
    if isinstance(value, str):
        return value
    found.fault(pointer, "type_wrong", f"must be text, is {kind_of(value)}")
    return None


def text(value: object, pointer: str, found: Findings) -> None:
    """Any text."""
    _text(value, pointer, found)


def form(test: Callable[[str], object], code: str, words: str) -> Check:
    """Text for which `test` says yes (anything but False and None)."""

    def check(value: object, pointer: str, found: Findings) -> None:
        held = _text(value, pointer, found)
        if held is not None and test(held) in (False, None):
            found.fault(pointer, code, f"{words}: {_shown(held)}")

    return check


time: Final = form(
    formats.instant, "time_malformed", "is no date and time with an offset, such as 2026-11-22T08:30:00Z"
)
offset: Final = form(formats.is_offset, "offset_malformed", "is no offset from +00:00 to +14:00 or to -14:00")
unit: Final = form(formats.is_unit, "unit_malformed", "is no unit code of two or three capitals or digits")
version: Final = form(formats.is_version, "version_malformed", "is no version number such as 2.0")
hex_digits: Final = form(formats.is_hex, "hex_malformed", "is not hexadecimal")


def uri(value: object, pointer: str, found: Findings) -> None:
    """An address; EPC URIs and Digital Links that look mistaken are noted."""
    held = _text(value, pointer, found)
    if held is None:
        return
    if not formats.is_uri(held):
        found.fault(pointer, "uri_malformed", f"is no absolute URI: {_shown(held)}")
    elif identifiers.is_malformed_epc(held):
        found.note(pointer, "epc_malformed", f"is no EPC URI by the Tag Data Standard: {_shown(held)}")
    elif identifiers.has_wrong_check_digit(held):
        found.note(pointer, "check_digit_wrong", f"has a wrong check digit: {_shown(held)}")


def number(value: object, pointer: str, found: Findings) -> None:
    """A JSON number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        found.fault(pointer, "type_wrong", f"must be a number, is {kind_of(value)}")


def boolean(value: object, pointer: str, found: Findings) -> None:
    """`true` or `false`."""
    if not isinstance(value, bool):
        found.fault(pointer, "type_wrong", f"must be true or false, is {kind_of(value)}")


def constant(*words: str) -> Check:
    """One of these texts exactly."""

    def check(value: object, pointer: str, found: Findings) -> None:
        held = _text(value, pointer, found)
        if held is not None and held not in words:
            found.fault(pointer, "value_unknown", f"must be {' or '.join(words)}, is {_shown(held)}")

    return check


def term(vocabulary: Vocabulary) -> Check:
    """A bare word of `vocabulary`, or an address outside it."""

    def check(value: object, pointer: str, found: Findings) -> None:
        held = _text(value, pointer, found)
        if held is None or held in vocabulary.words:
            return
        if held.startswith(vocabulary.refused):
            found.fault(
                pointer, "term_not_bare", f"a standard term is written as its bare word in JSON: {_shown(held)}"
            )
        elif not formats.is_uri(held):
            found.fault(pointer, "term_unknown", f"is neither a term of the vocabulary nor a URI: {_shown(held)}")

    return check


def many(check: Check, *, at_least: int = 0, distinct: bool = False) -> Check:
    """A list of values that each pass `check`."""

    def check_list(value: object, pointer: str, found: Findings) -> None:
        if not isinstance(value, list):
            found.fault(pointer, "type_wrong", f"must be a list, is {kind_of(value)}")
            return
        if len(value) < at_least:
            found.fault(pointer, "list_empty", "must not be empty")
        seen: set[str] = set()
        for at, item in enumerate(value):
            check(item, step(pointer, at), found)
            if distinct and isinstance(item, str):
                if item in seen:
                    found.fault(step(pointer, at), "value_repeated", f"stands in this list already: {_shown(item)}")
                seen.add(item)

    return check_list


class Shape(msgspec.Struct, frozen=True):
    """What an object may hold. `others` says what else: nothing, extensions (named `prefix:name` or by a URI), or
    anything."""

    fields: Mapping[str, Check]
    required: tuple[str, ...] = ()
    others: Literal["nothing", "extensions", "anything"] = "extensions"

    def __call__(self, value: object, pointer: str, found: Findings) -> None:
        """This shape as a check."""
        if not isinstance(value, dict):
            found.fault(pointer, "type_wrong", f"must be an object, is {kind_of(value)}")
            return
        for name in self.required:
            if name not in value:
                found.fault(pointer, "field_missing", f"`{name}` is required")
        for name, held in value.items():
            check = self.fields.get(name)
            if check is not None:
                check(held, step(pointer, name), found)
            elif self.others == "nothing" or (self.others == "extensions" and not formats.is_uri(name)):
                found.fault(step(pointer, name), "field_unknown", f"is no field here, and no extension: {_shown(name)}")


def _shown(held: str) -> str:
    """A value as words may carry it: one line, short."""
    line = held if held.isprintable() else ascii(held)[1:-1]
    return f"«{line if len(line) <= 80 else line[:79] + '…'}»"
