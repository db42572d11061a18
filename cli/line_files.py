"""A packing line in miniature: which unit went into which case when, and the files lines write about it.

Used by `uncap sample-line`, by `dev/line_examples.py` and by tests. No key is known here: codes come as printed.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import groupby
from typing import NamedTuple
from xml.sax.saxutils import escape

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

BEIJING = timezone(timedelta(hours=8))
STEP_MS = 400
"""One unit every 0.4 s: 9,000 an hour."""
FORMS = ("csv", "gbk", "parquet", "epcis", "xml")
_CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


class LineRow(NamedTuple):
    """`action`: add, delete or reject; a rejected unit has no parent."""

    child: str
    parent: str
    action: str
    at_ms: int


class LineDay(msgspec.Struct, frozen=True):
    """What happens on the line. Of every `reject_each` units one is thrown out (0: none). `repeats` rows come twice.

    `spares` units at the end of the roll replace units that were packed and turned out bad: these are taken out.
    """

    pack: int
    begins_at_ms: int
    reject_each: int = 0
    spares: int = 0
    repeats: int = 0


def run_line(units: Sequence[str], cases: Sequence[str], day: LineDay) -> list[LineRow]:
    """The rows in the order they happen. The last case is short where units run out; ValueError if cases do."""
    roll, spares = units[: len(units) - day.spares], units[len(units) - day.spares :]
    rows: list[LineRow] = []
    packed = 0
    for at, unit in enumerate(roll):
        now = day.begins_at_ms + at * STEP_MS
        if day.reject_each and at % day.reject_each == day.reject_each - 1:
            rows.append(LineRow(unit, "", "reject", now))
            continue
        if packed // day.pack >= len(cases):
            raise ValueError(f"{len(cases)} cases do not hold {len(roll)} units")
        rows.append(LineRow(unit, cases[packed // day.pack], "add", now))
        packed += 1
    rows += _mended([row for row in rows if row.action == "add"], spares, day.begins_at_ms + len(roll) * STEP_MS)
    for at in range(day.repeats):
        rows.insert(2 * at * day.pack + 1, rows[2 * at * day.pack])
    return rows


def _mended(packed: Sequence[LineRow], spares: Sequence[str], now: int) -> Iterator[LineRow]:
    for at, spare in enumerate(spares):
        bad = packed[(at + 1) * len(packed) // (len(spares) + 1)]
        yield LineRow(bad.child, bad.parent, "delete", now + 2 * at * STEP_MS)
        yield LineRow(spare, bad.parent, "add", now + (2 * at + 1) * STEP_MS)


def to_bytes_by_form(rows: Sequence[LineRow], form: str) -> bytes:
    """The file. Raises ValueError for a form that is none of FORMS."""
    if form == "csv":
        return _csv(rows, "child,parent,action,at", _iso).encode("utf-8-sig")
    if form == "gbk":
        return _csv(
            rows, "瓶码,箱码,操作,关联时间", _plain, {"add": "关联", "delete": "拆箱", "reject": "剔除"}
        ).encode("gbk")
    if form == "parquet":
        return _parquet(rows)
    if form == "epcis":
        return (json.dumps(_document(rows), indent=1) + "\n").encode()
    if form == "xml":
        return _xml(rows).encode()
    raise ValueError(f"{form!r} is none of {', '.join(FORMS)}")


def _csv(rows: Sequence[LineRow], head: str, clock: "Clock", words: dict[str, str] | None = None) -> str:
    names = words or {}
    lines = [f"{row.child},{row.parent},{names.get(row.action, row.action)},{clock(row.at_ms)}" for row in rows]
    return "\r\n".join([head, *lines, ""])


class Clock:
    """How a line writes the time."""

    def __init__(self, layout: str) -> None:
        self._layout = layout

    def __call__(self, at_ms: int) -> str:
        return datetime.fromtimestamp(at_ms // 1000, BEIJING).strftime(self._layout)


_iso, _plain = Clock("%Y-%m-%dT%H:%M:%S+08:00"), Clock("%Y-%m-%d %H:%M:%S")


def _parquet(rows: Sequence[LineRow]) -> bytes:
    columns = {
        "child": pa.array([row.child for row in rows]),
        "parent": pa.array([row.parent for row in rows]),
        "action": pa.array([row.action for row in rows]),
        "at": pa.array([row.at_ms for row in rows], pa.timestamp("ms", "Asia/Shanghai")),
    }
    out = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), out, compression="zstd", row_group_size=131_072)
    return bytes(out.getvalue().to_pybytes())


class _Packing(NamedTuple):
    parent: str
    children: list[str]
    action: str
    at_ms: int


def _events(rows: Sequence[LineRow]) -> list[_Packing]:
    """Neighbouring rows of one case and action as one event, at the time of the last of them; rejects are left out."""
    packed = [row for row in rows if row.action != "reject"]
    groups = [list(group) for _, group in groupby(packed, key=lambda row: (row.parent, row.action))]
    return [
        _Packing(one[0].parent, list(dict.fromkeys(row.child for row in one)), one[0].action.upper(), one[-1].at_ms)
        for one in groups
    ]


def _document(rows: Sequence[LineRow]) -> dict[str, object]:
    events = [
        {
            "type": "AggregationEvent",
            "eventTime": _utc(one.at_ms),
            "eventTimeZoneOffset": "+08:00",
            "parentID": one.parent,
            "childEPCs": one.children,
            "action": one.action,
            "bizStep": "packing" if one.action == "ADD" else "unpacking",
        }
        for one in _events(rows)
    ]
    return {
        "@context": [_CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": _utc(rows[-1].at_ms) if rows else "",
        "epcisBody": {"eventList": events},
    }


def _xml(rows: Sequence[LineRow]) -> str:
    step = "urn:epcglobal:cbv:bizstep:"
    events = "".join(
        f"   <AggregationEvent>\n    <eventTime>{_utc(one.at_ms)}</eventTime>\n"
        f"    <eventTimeZoneOffset>+08:00</eventTimeZoneOffset>\n    <parentID>{escape(one.parent)}</parentID>\n"
        f"    <childEPCs>\n{_epcs(one.children)}    </childEPCs>\n"
        f"    <action>{one.action}</action>\n"
        f"    <bizStep>{step}{'packing' if one.action == 'ADD' else 'unpacking'}</bizStep>\n   </AggregationEvent>\n"
        for one in _events(rows)
    )
    made = _utc(rows[-1].at_ms) if rows else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0" creationDate="{made}">\n'
        f" <EPCISBody>\n  <EventList>\n{events}  </EventList>\n </EPCISBody>\n</epcis:EPCISDocument>\n"
    )


def _epcs(children: Sequence[str]) -> str:
    return "".join(f"     <epc>{escape(child)}</epc>\n" for child in children)


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
