"""Compressed links unpacked: a segment in base 64 holds identifiers and values in binary. Used by `parsing.py`.

Source: GS1 Digital Link: Compression (1.2, until 1.1 chapter 8 of the Digital Link standard). The URI Syntax standard
has dropped it since, so links are read and never written this way. A value is stored by its form in the table of
identifiers: digits as one binary number, text in the narrowest of five alphabets that its writer found to hold it.
"""

import math
from typing import Final, NamedTuple

from uncap.domain.gs1.table import IDENTIFIERS, Component

BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_HEX: Final = "0123456789abcdef"
# How text is stored, by the three bits before it: bits a character, and the characters; the first is a number.
_ALPHABETS: Final = {
    1: (4, _HEX),
    2: (4, _HEX.upper()),
    3: (6, BASE64),
    4: (7, "".join(map(chr, range(128)))),
}
_NUMBER: Final = 0
_OTHER: Final = 0xF
# Two hexadecimal digits of which one is a letter stand for identifiers that often go together.
_TOGETHER: Final = {
    "0A": "01 22",
    "0B": "01 10",
    "0C": "01 21",
    "0D": "01 17",
    "0E": "01 7003",
    "0F": "01 30",
    "1A": "01 10 21 17",
    "1B": "01 15",
    "1C": "01 11",
    "1D": "01 16",
    "1E": "01 91",
    "1F": "01 10 15",
    **{f"2{letter}": f"01 310{n}" for n, letter in enumerate("ABCDEF")},
    **{f"3{letter}": f"01 320{n}" for n, letter in enumerate("ABCDEF")},
    "9A": "8010 8011",
    "9B": "8017 8019",
    "9C": "8018 8019",
    "9D": "414 254",
    **{f"A{n}": f"01 392{n}" for n in range(10)},
    **{f"C{n}": f"255 390{n}" for n in range(10)},
    **{f"C{letter}": f"255 394{n}" for n, letter in enumerate("ABCD")},
}


class Unpacked(NamedTuple):
    """Identifiers with unchecked values, and foreign parameters, both in the order they were stored in."""

    pairs: tuple[tuple[str, str], ...]
    other: tuple[tuple[str, str], ...]


class _Bits:
    def __init__(self, text: str) -> None:
        self._bits = "".join(f"{BASE64.index(char):06b}" for char in text)
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._bits) - self._at

    def take(self, count: int) -> int:
        """Raises ValueError at the end."""
        if count > self.left:
            raise ValueError("cut short")
        self._at += count
        return int(self._bits[self._at - count : self._at] or "0", 2)

    def number(self, digits: int) -> str:
        """A number of so many digits, leading zeros included. Raises ValueError for one of more.

        The standard's formula gives one bit even to a number of no digits.
        """
        value = self.take(math.ceil(digits * math.log2(10) + 0.01))
        if value >= 10**digits:
            raise ValueError("too many digits")
        return str(value).zfill(digits) if digits else ""

    def text(self, longest: int, fixed: int = 0) -> str:
        """Text of at most `longest` characters, or of exactly `fixed`."""
        alphabet = self.take(3)
        length = fixed or self.take(length_bits(longest))
        if alphabet == _NUMBER:
            return self.number(length)
        if alphabet not in _ALPHABETS:
            raise ValueError("unknown alphabet")
        bits, characters = _ALPHABETS[alphabet]
        return "".join(characters[self.take(bits)] for _ in range(length))


def length_bits(longest: int) -> int:
    """Bits that hold a length up to `longest`; the standard's formula, which never comes to less than one bit."""
    return math.ceil(math.log2(longest) + 0.01)


def unpack(text: str) -> Unpacked | None:
    """What a path segment holds; None when it is nothing compressed. Values are for the caller to check."""
    if not text or not set(text) <= set(BASE64):
        return None
    bits, pairs, other = _Bits(text), [], []
    try:
        while bits.left > 8:
            first, second = bits.take(4), bits.take(4)
            if first == _OTHER:
                other.append(_foreign(bits, second))
                continue
            pairs += [(ai, _value(bits, ai)) for ai in _identifiers(bits, f"{first:X}{second:X}")]
        if bits.left > 5 or bits.take(bits.left):
            raise ValueError("not filled up with zeros")
    except ValueError:
        return None
    return Unpacked(tuple(pairs), tuple(other)) if pairs else None


def _foreign(bits: _Bits, high: int) -> tuple[str, str]:
    length = high << 3 | bits.take(3)
    name = "".join(BASE64[bits.take(6)] for _ in range(length))
    return name, bits.text(longest=127)


def _identifiers(bits: _Bits, digits: str) -> list[str]:
    if not digits.isdecimal():
        if digits not in _TOGETHER:
            raise ValueError("nothing goes together so")
        return _TOGETHER[digits].split()
    for _ in range(3):
        if digits in IDENTIFIERS:
            return [digits]
        digits += f"{bits.take(4):X}"
    raise ValueError("no identifier")


def _value(bits: _Bits, ai: str) -> str:
    return "".join(_part(bits, part) for part in stored_parts(IDENTIFIERS[ai].components))


def _part(bits: _Bits, part: "Part") -> str:
    if part.numeric:
        return bits.number(bits.take(length_bits(part.length)) if part.varies else part.length)
    return bits.text(part.length, fixed=0 if part.varies else part.length)


class Part(NamedTuple):
    """A stretch of a value as it is stored: of this length, or of at most this length."""

    numeric: bool
    varies: bool
    length: int


def stored_parts(components: tuple[Component, ...]) -> list[Part]:
    """Neighbours of one kind are stored as one, numbers of known and of unknown length apart; where something is
    optional, the part's length varies."""
    parts: list[Part] = []
    for one in components:
        part = Part(one.alphabet == "N", one.optional or one.shortest != one.longest, one.longest)
        if parts and parts[-1].numeric == part.numeric and (parts[-1].varies == part.varies or not part.numeric):
            parts[-1] = part._replace(length=parts[-1].length + part.length)
        else:
            parts.append(part)
    return parts
