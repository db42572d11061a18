"""Our own GS1 Digital Links: `{scheme}://{host}/01/{gtin14}/21/{serial}` and `/00/{sscc}`, built and read strictly.

The scan path, the exporters and the console use it; foreign links are another adapter's business. Built links are
upper case without `?`, `=` or `&`, so that a QR stays in alphanumeric mode. Reading folds scheme, host and serial.
"""

import re
from typing import NamedTuple

from uncap.domain.errors import InputError

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?"
_BASE = re.compile(rf"(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?)://(?P<host>{_HOST})/?", re.ASCII)
_LINK = re.compile(
    rf"(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?)://(?P<host>{_HOST})/"
    r"(?:01/(?P<gtin>[0-9]{14})/21/(?P<serial>[0-9A-Za-z]{1,20})|00/(?P<sscc>[0-9]{18}))",
    re.ASCII,
)
_SERIAL = re.compile(r"[0-9A-Za-z]{1,20}", re.ASCII)
_LINK_LIMIT = 320
_GTIN_LENGTHS = frozenset((8, 12, 13, 14))


class CodeLink(NamedTuple):
    """One item code's link, folded: scheme and host lower case, serial upper case, GTIN 14 digits."""

    scheme: str
    host: str
    gtin: str
    serial: str


class PalletLink(NamedTuple):
    """One pallet's link: SSCC of 18 digits."""

    scheme: str
    host: str
    sscc: str


def check_digit(digits: str) -> int:
    """The modulo 10 check digit that follows `digits` (GS1 General Specifications 7.9): weights 3, 1 from the right."""
    return -sum((3 - 2 * (at % 2)) * int(char) for at, char in enumerate(reversed(digits))) % 10


def check_gtin(text: str) -> str:
    """A GTIN of 8, 12, 13 or 14 digits as 14 digits. Raises InputError (`gtin_malformed`, `gtin_check_digit`)."""
    if len(text) not in _GTIN_LENGTHS or not _is_digits(text):
        raise InputError("gtin_malformed", "a GTIN is 8, 12, 13 or 14 digits", where="gtin")
    if check_digit(text[:-1]) != int(text[-1]):
        raise InputError("gtin_check_digit", "the GTIN's check digit is wrong", where="gtin")
    return text.zfill(14)


def fold_serial(text: str) -> str:
    """A serial as typed or scanned, in upper case. Other scripts are left alone: some fold into Latin letters."""
    return text.upper() if text.isascii() else text


def check_sscc(text: str) -> str:
    """An SSCC as it is. Raises InputError (`sscc_malformed`, `sscc_check_digit`)."""
    if len(text) != 18 or not _is_digits(text):
        raise InputError("sscc_malformed", "an SSCC is 18 digits", where="sscc")
    if check_digit(text[:-1]) != int(text[-1]):
        raise InputError("sscc_check_digit", "the SSCC's check digit is wrong", where="sscc")
    return text


def code_prefix(base: str, gtin: str) -> str:
    """What comes before the serial in a printed link; `base` is `scheme://host`. Raises InputError."""
    return f"{_printed_base(base)}/01/{check_gtin(gtin)}/21/"


def build_code_link(base: str, gtin: str, serial: str) -> str:
    """The printed form, all upper case. Raises InputError (`link_base_malformed`, `serial_malformed`, GTIN's)."""
    if not _SERIAL.fullmatch(serial):
        raise InputError("serial_malformed", "a serial is 1 to 20 letters and digits", where="serial")
    return code_prefix(base, gtin) + serial.upper()


def build_pallet_link(base: str, sscc: str) -> str:
    """The printed form of a pallet's link. Raises InputError (`link_base_malformed`, SSCC's)."""
    return f"{_printed_base(base)}/00/{check_sscc(sscc)}"


def parse_code_link(link: str) -> CodeLink:
    """Raises InputError (`link_malformed`, `gtin_check_digit`). Whether the serial was issued is for `scheme.py`."""
    match = _match(link)
    if match["gtin"] is None:
        raise InputError("link_malformed", "this link names a pallet, not an item", where="link")
    gtin = check_gtin(match["gtin"])
    return CodeLink(match["scheme"].lower(), match["host"].lower(), gtin, match["serial"].upper())


def parse_pallet_link(link: str) -> PalletLink:
    """Raises InputError (`link_malformed`, `sscc_check_digit`)."""
    match = _match(link)
    if match["sscc"] is None:
        raise InputError("link_malformed", "this link names an item, not a pallet", where="link")
    return PalletLink(match["scheme"].lower(), match["host"].lower(), check_sscc(match["sscc"]))


def _match(link: str) -> re.Match[str]:
    match = _LINK.fullmatch(link) if len(link) <= _LINK_LIMIT else None
    if match is None:
        raise InputError("link_malformed", "this is not one of the brand's links", where="link")
    return match


def _printed_base(base: str) -> str:
    match = _BASE.fullmatch(base)
    if match is None:
        raise InputError("link_base_malformed", "a link base is scheme://host", where="link_base")
    return f"{match['scheme']}://{match['host']}".upper()


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
