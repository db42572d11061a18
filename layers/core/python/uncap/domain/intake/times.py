"""When a row happened: epoch milliseconds or seconds, or a date and time as lines and spreadsheets write it.

`parse_time` reads one cell, `parse_times` a column of one layout at once. A time without a zone is the brand's own.
"""

import re
from datetime import UTC, datetime, tzinfo

import numpy as np
import numpy.typing as npt

from uncap.domain.errors import InputError

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000  # the years 2000 to 2099
_ISO = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
    r" ?(Z|z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_EPOCH = re.compile(r"\d{10}(\d{3})?", re.ASCII)
_SUFFIX = re.compile(r"[Zz]|([+-])(\d{2}):?(\d{2})", re.ASCII)
_LAYOUT = b"0000-00-00T00:00:00"
_FAULT = "a time is written 2026-11-22 08:30:00, with +08:00 behind it where it is not the brand's own zone"


def parse_time(text: str, zone: tzinfo) -> int:
    """Epoch milliseconds; "" is 0. Raises InputError (`time_malformed`, `time_out_of_range`)."""
    if not text:
        return 0
    if _EPOCH.fullmatch(text):
        return _checked(int(text) * (1 if len(text) > 10 else 1000))
    found = _ISO.fullmatch(text)
    if found is None:
        raise InputError("time_malformed", _FAULT, where="at")
    year, month, day, hour, minute = (int(part) for part in found.groups()[:5])
    micros = int((found[7] or "0").ljust(6, "0")[:6])
    try:
        moment = datetime(year, month, day, hour, minute, int(found[6] or 0), micros, tzinfo=_zone(found[8], zone))
        return _checked(int(moment.timestamp() * 1000))
    except (ValueError, OverflowError) as cause:
        raise InputError("time_malformed", _FAULT, where="at") from cause


def parse_times(cells: U8, zone: tzinfo) -> I64 | None:
    """A column (n, w) of cells padded with zeros, if all are written alike; None where each must be read by itself.

    Alike means `yyyy-mm-dd hh:mm:ss` (or T, or /) with one and the same rest (fraction aside), or 13 digits.
    """
    count, width = cells.shape
    if count == 0 or width == 0 or not cells.any():
        return np.zeros(count, np.int64)
    if not cells.all():
        return None
    digits = (cells >= ord("0")) & (cells <= ord("9"))
    if width == 13 and digits.all():
        return _in_range(cells.view("S13").ravel().astype(np.int64))
    if width < len(_LAYOUT) or not _is_layout(cells, digits):
        return None
    suffix = cells[:, len(_LAYOUT) :]
    if len(suffix[0]) and (suffix != suffix[0]).any():
        return None
    stamps = cells[:, : len(_LAYOUT)].copy()
    stamps[:, 4] = stamps[:, 7] = ord("-")
    stamps[:, 10] = ord("T")
    try:
        local = stamps.view("S19").ravel().astype("datetime64[ms]").astype(np.int64)
    except ValueError:
        return None
    shift = _shift(bytes(suffix[0]).decode("ascii", "replace").strip(), local, zone)
    return None if shift is None else _in_range(local - shift)


def _is_layout(cells: U8, digits: npt.NDArray[np.bool_]) -> bool:
    wanted = np.frombuffer(_LAYOUT, np.uint8) == ord("0")
    if not digits[:, : len(_LAYOUT)][:, wanted].all():
        return False
    marks = {4: b"-/.", 7: b"-/.", 10: b"T ", 13: b":", 16: b":"}
    return all(np.isin(cells[:, at], np.frombuffer(allowed, np.uint8)).all() for at, allowed in marks.items())


def _shift(suffix: str, local: I64, zone: tzinfo) -> int | None:
    """Milliseconds east of UTC that all the times share; None where they do not, or where the suffix is no zone."""
    if not suffix:
        return _steady_offset(int(local.min()), int(local.max()), zone)
    found = _SUFFIX.fullmatch(suffix)
    if found is None:
        return None
    minutes = int(found[2] or 0) * 60 + int(found[3] or 0)
    return minutes * 60_000 * (-1 if found[1] == "-" else 1)


def _steady_offset(first_ms: int, last_ms: int, zone: tzinfo) -> int | None:
    """The zone's offset if it is one and the same a day before, during and after these local times."""
    day = 86_400_000
    if not EARLIEST_MS < first_ms <= last_ms < LATEST_MS or last_ms - first_ms > 30 * day:
        return None
    days = range(first_ms - day, last_ms + 2 * day, day)
    offsets = {datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).utcoffset() for at in days}
    offset = offsets.pop()
    return None if offsets or offset is None else int(offset.total_seconds() * 1000)


def _in_range(values: I64) -> I64 | None:
    return values if values.min() >= EARLIEST_MS and values.max() < LATEST_MS else None


def _zone(text: str | None, zone: tzinfo) -> tzinfo:
    return zone if text is None else datetime.strptime(text.upper(), "%z").tzinfo or zone


def _checked(at_ms: int) -> int:
    if not EARLIEST_MS <= at_ms < LATEST_MS:
        raise InputError("time_out_of_range", "a time is in the years 2000 to 2099", where="at")
    return at_ms
