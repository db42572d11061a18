"""The textual forms EPCIS fields take: addresses (RFC 3986), instants (RFC 3339), offsets, units, versions."""

import re
from datetime import UTC, datetime
from typing import Final

_PCHAR = r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?\[\]]|%[0-9A-Fa-f]{2}"
_URI: Final = re.compile(rf"[A-Za-z][A-Za-z0-9+.\-]*:(?:{_PCHAR})*(?:#(?:{_PCHAR})*)?", re.ASCII)
_INSTANT: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[Tt](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d+))?(?P<zone>[Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_OFFSET: Final = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)", re.ASCII)
_UNIT: Final = re.compile(r"[A-Z0-9]{2,3}", re.ASCII)
_VERSION: Final = re.compile(r"\d+(?:\.\d+)*", re.ASCII)
_HEX: Final = re.compile(r"[0-9A-Fa-f]+", re.ASCII)


def is_uri(text: str) -> bool:
    """An absolute address or a `prefix:name`, by RFC 3986's alphabet."""
    return _URI.fullmatch(text) is not None


def is_offset(text: str) -> bool:
    """`+hh:mm` or `-hh:mm`, at most fourteen hours."""
    return _OFFSET.fullmatch(text) is not None


def is_unit(text: str) -> bool:
    """Two or three capitals or digits, the shape of UN/ECE Recommendation 20 codes."""
    return _UNIT.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """`2.0`, `2.0.1`."""
    return _VERSION.fullmatch(text) is not None


def is_hex(text: str) -> bool:
    """At least one hexadecimal digit."""
    return _HEX.fullmatch(text) is not None


def instant(text: str) -> datetime | None:
    """The moment an RFC 3339 text names, in UTC to the microsecond (further digits are cut off); None when it names
    none: without an offset, with a day that does not exist, or beyond the years a calendar has. A leap second counts
    as the second before it."""
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    time = found["time"]
    if time.endswith(":60"):
        time = time[:-2] + "59"
    micros = ((found["fraction"] or "") + "000000")[:6]
    zone = found["zone"].upper().replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(f"{found['date']}T{time}.{micros}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
