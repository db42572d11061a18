"""Element strings: identifiers with their values, as read from a barcode or as printed under it. Pure.

Used by `parsing.py`, `building.py` and the `link` command. Two forms: with brackets, as people write it,
`(01)09520123456788(21)A1`, where a bracket within a value follows a backslash; and as a scanner sends it, where FNC1
(ASCII 29) ends every value whose identifier has no predefined length.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from uncap.domain.errors import InputError
from uncap.domain.gs1.table import IDENTIFIERS, matches
from uncap.domain.gs1.values import check_value, identifier, pad_gtin

SEPARATOR: Final = "\x1d"
_ELEMENTS_LIMIT: Final = 64
_BRACKETED: Final = re.compile(r"\(([0-9]{2,4})\)((?:[^(\\]|\\\(|\\(?!\())*)")


class Element(msgspec.Struct, frozen=True):
    """One identifier and its value, checked."""

    ai: str
    value: str
    title: str


class Note(msgspec.Struct, frozen=True):
    """Something accepted that the standard advises against, or cannot be judged from one link alone."""

    code: str
    message: str
    where: str


def element(ai: str, value: str) -> Element:
    """A checked element; a GTIN of 8, 12 or 13 digits is filled up to 14. Raises InputError, see `check_value`."""
    entry = identifier(ai)
    full = pad_gtin(value) if ai == "01" else value
    check_value(entry, full)
    return Element(ai, full, entry.title)


def without_repeats(elements: Iterable[Element]) -> tuple[Element, ...]:
    """Each identifier once. Raises InputError (`gs1_ai_repeated`) if one has two values, (`gs1_too_many`) past 64."""
    found: dict[str, Element] = {}
    for one in elements:
        if found.setdefault(one.ai, one) != one:
            raise InputError(
                "gs1_ai_repeated", "this identifier is given twice, with different values", where=f"({one.ai})"
            )
    if len(found) > _ELEMENTS_LIMIT:
        raise InputError("gs1_too_many", f"more than {_ELEMENTS_LIMIT} identifiers", where="elements")
    return tuple(found.values())


def bracketed(elements: Iterable[Element]) -> str:
    """The form printed for people."""
    return "".join(f"({one.ai}){one.value.replace('(', chr(92) + '(')}" for one in elements)


def read_bracketed(text: str) -> tuple[Element, ...]:
    """Raises InputError (`element_string_malformed`, or a value's)."""
    pairs, at = [], 0
    for match in _BRACKETED.finditer(text):
        if match.start() != at or not match[2]:
            break
        pairs.append((match[1], match[2].replace("\\(", "(")))
        at = match.end()
    if at != len(text) or not pairs:
        raise InputError("element_string_malformed", "expected (AI)VALUE(AI)VALUE…", where=f"character {at + 1}")
    return without_repeats(element(ai, value) for ai, value in pairs)


def scanner_text(elements: Sequence[Element]) -> str:
    """What a scanner sends, without a symbology identifier."""
    separators = ["" if IDENTIFIERS[one.ai].predefined_length else SEPARATOR for one in elements[:-1]] + [""]
    return "".join(one.ai + one.value + end for one, end in zip(elements, separators, strict=True))


def read_scanner_text(text: str) -> tuple[Element, ...]:
    """Raises InputError (`gs1_ai_unknown`, `element_string_malformed`, or a value's)."""
    found, rest = [], text.removeprefix(SEPARATOR)
    while rest:
        ai = next((rest[:length] for length in (2, 3, 4) if rest[:length] in IDENTIFIERS), None)
        if ai is None:
            where = f"character {len(text) - len(rest) + 1}"
            raise InputError("gs1_ai_unknown", "no application identifier starts here", where=where)
        rest = rest[len(ai) :]
        if IDENTIFIERS[ai].predefined_length:
            length = sum(part.longest for part in IDENTIFIERS[ai].components)
            value, rest = rest[:length], rest[length:].removeprefix(SEPARATOR)
        else:
            value, _, rest = rest.partition(SEPARATOR)
        found.append(element(ai, value))
    if not found:
        raise InputError("element_string_malformed", "the element string is empty", where="elements")
    return without_repeats(found)


def pairing_notes(elements: Sequence[Element]) -> list[Note]:
    """Associations the General Specifications (4.13, 4.14) ask for or forbid.

    What is missing is noted, as it may stand in another mark on the item, of which one link may be only a part. What
    must not stand together is wrong already. Raises InputError (`gs1_pair_excluded`).
    """
    present = {one.ai for one in elements}
    notes = []
    for one in elements:
        entry = IDENTIFIERS[one.ai]
        for pattern in entry.excludes:
            if _among(pattern, present - {one.ai}):
                words = f"{one.title} does not go with ({pattern})"
                raise InputError("gs1_pair_excluded", words, where=f"({one.ai})")
        for group in entry.needs:
            if not any(all(_among(part, present) for part in choice.split("+")) for choice in group):
                wanted = ", ".join(f"({choice})" for choice in group)
                notes.append(Note("gs1_pair_missing", f"{one.title} goes with one of {wanted}", f"({one.ai})"))
    return notes


def _among(pattern: str, present: set[str]) -> bool:
    return any(matches(pattern, ai) for ai in present)
