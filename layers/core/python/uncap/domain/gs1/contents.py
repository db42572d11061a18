"""What a component of a value must say beyond its length and alphabet. Used by `values.py`.

Each check, named as in `identifiers.py`, is a predicate over text that already has the right length and alphabet, with
the refusal it leads to. The rules are section 7 of the GS1 General Specifications and the ISO standards it names.
"""

import calendar
from collections.abc import Callable
from typing import Final, NamedTuple

from uncap.domain.codes.links import check_digit
from uncap.domain.gs1.iso import COUNTRIES, COUNTRY_LETTERS, CURRENCIES

# GS1 AI encodable character sets 82, 39 and 64, in the order of their values.
CHARACTERS: Final = {
    "N": "0123456789",
    "X": "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz",
    "Y": "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "Z": "-0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz",
}
_PRIMES: Final = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)
_PAIR: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_COMPANY_PREFIX_SHORTEST: Final = 4
_BASE64: Final = CHARACTERS["Z"].replace("=", "")
_HEX: Final = frozenset("0123456789ABCDEFabcdef")
_MEDIA: Final = frozenset(f"{code:02}" for code in (*range(1, 11), *range(80, 100)))
_DECIMAL_DEGREES: Final = 10_000_000


class Check(NamedTuple):
    """A predicate, and the refusal if it does not hold."""

    holds: Callable[[str], bool]
    code: str
    message: str


def check_pair(data: str) -> str:
    """The two check characters that follow `data` in a GMN (GS1 General Specifications 7.9.5): weights are primes from
    the right, the sum modulo 1021 is written in base 32. `data` has at most 23 characters of set 82."""
    weighted = sum(CHARACTERS["X"].index(char) * prime for char, prime in zip(reversed(data), _PRIMES, strict=False))
    return _PAIR[weighted % 1021 >> 5] + _PAIR[weighted % 1021 & 31]


def _pair_holds(text: str) -> bool:
    return len(text) > len("22") and check_pair(text[:-2]) == text[-2:]


def _day(text: str, *, unknown: bool = False) -> bool:
    """YYMMDD. Two digits of a year tell leap years apart: every fourth, as 2000 was one and 1900 is out of reach."""
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    return 1 <= month <= 12 and (0 if unknown else 1) <= day <= calendar.monthrange(2000 + year, month)[1]


def _long_day(text: str) -> bool:
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    return year >= 1 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]


def _percent(text: str) -> bool:
    return all(len(rest) >= 2 and _HEX.issuperset(rest[:2]) for rest in text.split("%")[1:])


def _iban(text: str) -> bool:
    """ISO 13616: country, two check digits, account; the letters as two digits each leave 1 modulo 97."""
    if not (text[:2].isalpha() and text[2:4].isdigit() and text.isalnum() and text == text.upper() and len(text) > 4):
        return False
    return text[:2] in COUNTRY_LETTERS | {"XK"} and int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def _one_of_few(text: str) -> bool:
    """`1/3`: the first of three."""
    return text[1] == "/" and text[0] in "123456789" and text[2] in "123456789" and text[0] <= text[2]


def _piece_of_total(text: str) -> bool:
    return "00" < text[:2] <= text[2:]


def _company(text: str) -> bool:
    """Keys start with a GS1 Company Prefix, of four digits at least."""
    return len(text) >= _COMPANY_PREFIX_SHORTEST and text[:_COMPANY_PREFIX_SHORTEST].isdigit()


def _padded_only_at_end(text: str) -> bool:
    """Filling is optional; where there is some, the whole is a multiple of three, as GS1's own check has it."""
    fill = text.count("=")
    return "=" not in text.rstrip("=") and fill <= 2 and (fill == 0 or len(text) % 3 == 0)


CHECKS: Final[dict[str, Check]] = {
    "mod10": Check(lambda t: check_digit(t[:-1]) == int(t[-1]), "gs1_check_digit", "the check digit is wrong"),
    "check_pair": Check(_pair_holds, "gs1_check_characters", "the two check characters are wrong"),
    "company": Check(_company, "gs1_company_prefix", "it must start with a company prefix of four digits or more"),
    "day": Check(_day, "gs1_date", "not a day as YYMMDD"),
    "day0": Check(lambda t: _day(t, unknown=True), "gs1_date", "not a day as YYMMDD (DD may be 00)"),
    "long_day": Check(_long_day, "gs1_date", "not a day as YYYYMMDD"),
    "time": Check(lambda t: t[:2] < "24" and t[2:] < "60", "gs1_time", "not a time as HHMM"),
    "hour": Check(lambda t: t < "24", "gs1_time", "not an hour from 00 to 23"),
    "sixty": Check(lambda t: t < "60", "gs1_time", "not a minute or second from 00 to 59"),
    "country": Check(COUNTRIES.__contains__, "gs1_country", "not an ISO 3166 country number"),
    "country_or_many": Check(
        lambda t: t in COUNTRIES or t == "999", "gs1_country", "not an ISO 3166 country number, nor 999 for several"
    ),
    "country_letters": Check(COUNTRY_LETTERS.__contains__, "gs1_country", "not an ISO 3166 two-letter country"),
    "currency": Check(CURRENCIES.__contains__, "gs1_currency", "not an ISO 4217 currency number"),
    "iban": Check(_iban, "gs1_iban", "not an IBAN, or its check digits are wrong"),
    "piece_of_total": Check(
        _piece_of_total, "gs1_piece_of_total", "piece and total are from 01, piece not above total"
    ),
    "one_of_few": Check(_one_of_few, "gs1_piece_of_total", "not a position such as 1/3"),
    "zero": Check(lambda t: t == "0", "gs1_value_content", "a 0 is expected"),
    "nonzero": Check(lambda t: int(t) > 0, "gs1_value_content", "zero means nothing here"),
    "no_leading_zero": Check(lambda t: t == "0" or t[0] != "0", "gs1_value_content", "no leading zero is allowed"),
    "not_all_digits": Check(lambda t: not t.isdigit(), "gs1_value_content", "one character at least is not a digit"),
    "zero_or_one": Check(lambda t: t in "01", "gs1_value_content", "0 (no) or 1 (yes) is expected"),
    "winding": Check(lambda t: t in "019", "gs1_value_content", "the winding direction is 0, 1 or 9"),
    "sex": Check(lambda t: t in "0129", "gs1_value_content", "ISO 5218 has 0, 1, 2 and 9"),
    "media": Check(_MEDIA.__contains__, "gs1_value_content", "not a type of data carrier (01 to 10, 80 to 99)"),
    "minus": Check(lambda t: t == "-", "gs1_value_content", "only a minus sign may follow"),
    "latitude": Check(lambda t: int(t) <= 180 * _DECIMAL_DEGREES, "gs1_position", "the latitude is beyond a pole"),
    "longitude": Check(lambda t: int(t) <= 360 * _DECIMAL_DEGREES, "gs1_position", "the longitude is beyond 360°"),
    "percent": Check(_percent, "gs1_percent", "a % must be followed by two hexadecimal digits"),
    "base64": Check(_padded_only_at_end, "gs1_value_content", "= may only fill up the end, to a multiple of three"),
    "importer": Check(_BASE64.__contains__, "gs1_value_content", "not an importer index (a letter, digit, - or _)"),
}
