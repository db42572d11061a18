"""One value of one application identifier: checked, and said in numbers. Used by `elements.py` and the CLI.

Refusals name the identifier in brackets as their place, `(01)`.
"""

from typing import NamedTuple

from uncap.domain.errors import InputError
from uncap.domain.gs1.contents import CHARACTERS, CHECKS
from uncap.domain.gs1.table import IDENTIFIERS, Component, Identifier, matches

_GTIN_SHORT = frozenset((8, 12, 13))
_GTIN_LENGTH = 14
_MEASURED = ("31nn", "32nn", "33nn", "34nn", "35nn", "36nn", "390n", "391n", "392n", "393n", "394n", "395n")
_IN_CURRENCY = ("391n", "393n")


class Reading(NamedTuple):
    """A value with decimals: a plain decimal number, and the ISO 4217 number of its currency or ''."""

    decimal: str
    currency: str


def identifier(ai: str) -> Identifier:
    """Raises InputError (`gs1_ai_unknown`)."""
    entry = IDENTIFIERS.get(ai)
    if entry is None:
        raise InputError("gs1_ai_unknown", "there is no such application identifier", where=f"({ai})")
    return entry


def check_value(entry: Identifier, value: str) -> None:
    """Raises InputError (`gs1_value_length`, `gs1_value_characters`, or the code of a check of `contents.py`)."""
    rest = value
    for component in entry.components:
        if component.optional and not rest:
            break
        part, rest = rest[: component.longest], rest[component.longest :]
        _check_component(entry, component, part)
    if rest:
        raise _refusal(entry, "gs1_value_length", f"at most {len(value) - len(rest)} characters are allowed")


def pad_gtin(value: str) -> str:
    """A GTIN-8, -12 or -13 as 14 digits; anything else as it is."""
    short = len(value) in _GTIN_SHORT and value.isascii() and value.isdigit()
    return value.zfill(_GTIN_LENGTH) if short else value


def reading(ai: str, value: str) -> Reading | None:
    """The number a checked measure, amount or percentage stands for: its last AI digit counts the decimals."""
    if not any(matches(pattern, ai) for pattern in _MEASURED):
        return None
    currency, digits = (value[:3], value[3:]) if any(matches(p, ai) for p in _IN_CURRENCY) else ("", value)
    places = int(ai[-1])
    digits = digits.zfill(places + 1)
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :]
    return Reading(str(int(whole)) + (f".{fraction}" if fraction else ""), currency)


def _check_component(entry: Identifier, component: Component, part: str) -> None:
    odd = next((char for char in part if char not in CHARACTERS[component.alphabet]), None)
    if odd is not None:
        kind = "only digits are allowed" if component.alphabet == "N" else f"the character {odd!r} is not allowed"
        raise _refusal(entry, "gs1_value_characters", kind)
    if len(part) < component.shortest:
        raise _refusal(entry, "gs1_value_length", "the value is too short" if part else "the value is missing a part")
    for name in component.checks:
        check = CHECKS[name]
        if not check.holds(part):
            raise _refusal(entry, check.code, check.message)


def _refusal(entry: Identifier, code: str, message: str) -> InputError:
    return InputError(code, f"{entry.title}: {message}", where=f"({entry.ai})")
