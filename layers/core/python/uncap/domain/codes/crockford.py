"""Crockford base32 (no I, L, O, U): the alphabet of serials, reward ids and person keys. Used by the whole domain."""

from uncap.domain.errors import InputError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {char: value for value, char in enumerate(ALPHABET)} | {c.lower(): v for v, c in enumerate(ALPHABET)}


def encode(value: int, length: int) -> str:
    """`value` as exactly `length` characters, most significant first. Raises ValueError if it does not fit."""
    if not 0 <= value < 1 << (5 * length):
        raise ValueError(f"{value} does not fit in {length} base32 characters")
    return "".join(ALPHABET[(value >> shift) & 31] for shift in range(5 * (length - 1), -1, -5))


def decode(text: str) -> int:
    """Inverse of `encode`, case folded; the look-alikes I, L, O, U are refused, not guessed. Raises InputError."""
    value = 0
    for position, char in enumerate(text):
        digit = _VALUES.get(char)
        if digit is None:
            raise InputError("base32_malformed", f"character {position + 1} is not in the alphabet", where="serial")
        value = value << 5 | digit
    return value


def digest(data: bytes, length: int) -> str:
    """The first `length` characters of `data` (a hash) in base32; needs `5 * length` bits of it."""
    bits = 8 * len(data)
    if 5 * length > bits:
        raise ValueError(f"{bits} bits do not fill {length} characters")
    return encode(int.from_bytes(data, "big") >> (bits - 5 * length), length)
