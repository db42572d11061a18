"""Parquet, EPCIS and archives: what is read, what is refused, and that no bytes whatsoever bring a reader down."""

import contextlib
import gzip
import io
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.adapters.intake.formats import open_rows
from uncap.adapters.intake.json_events import raw_events
from uncap.adapters.intake.lines import Place
from uncap.adapters.intake.sources import BytesSource, FileSource
from uncap.adapters.intake.streams import Limits, open_stream
from uncap.domain.errors import InputError
from uncap.domain.intake.chunks import RowChunk

ZONE = ZoneInfo("Asia/Shanghai")
AT_MS = 1795307400000
CSV = b"child,parent\nA1,B1\nA2,B1\n"
SMALL = Limits(file_bytes=1 << 20, expanded_bytes=64 << 20, ratio=50)


def parquet(**columns: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, row_group_size=3)
    return out.getvalue()


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return out.getvalue()


def packing(parent: str, children: list[str], **more: object) -> dict[str, object]:
    event = {"type": "AggregationEvent", "action": "ADD", "eventTime": "2026-11-22T00:30:00Z", "parentID": parent}
    return event | {"eventTimeZoneOffset": "+08:00", "childEPCs": children} | more


def document(*events: object) -> bytes:
    head = {"@context": ["https://ref.gs1.org/x", {"eventList": "no"}], "type": "EPCISDocument", "note": '"{[\\'}
    return json.dumps(head | {"epcisBody": {"eventList": events}}).encode()


XML = b"""<?xml version="1.0"?><epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0"
 creationDate="2026-11-22T00:30:00Z"><EPCISBody><EventList><AggregationEvent><eventTime>2026-11-22T00:30:00Z</eventTime>
 <eventTimeZoneOffset>+08:00</eventTimeZoneOffset><parentID>urn:epc:id:sscc:0614141.1234567890</parentID><childEPCs>
 <epc>urn:epc:id:sgtin:0614141.107346.2017</epc></childEPCs><action>ADD</action></AggregationEvent></EventList></EPCISBody>
</epcis:EPCISDocument>"""


def read(data: bytes, form: str = "auto", limits: Limits | None = None) -> list[tuple[RowChunk, Place]]:
    reader = open_rows(BytesSource(data), ZONE, form, limits)
    return list(reader.chunks(reader.start))


def told(data: bytes) -> tuple[list[tuple[Any, ...]], list[tuple[int, str, str]]]:
    chunks = [chunk for chunk, _ in read(data)]
    rows = [
        row
        for one in chunks
        for row in zip(
            one.lines.tolist(),
            one.child.tolist(),
            one.parent.tolist(),
            one.action.tolist(),
            one.at_ms.tolist(),
            strict=True,
        )
    ]
    return rows, [(fault.line, fault.code, fault.field) for one in chunks for fault in one.faults]


TIMES = [
    pa.array([AT_MS] * 4, pa.int64()),
    pa.array([AT_MS] * 4, pa.timestamp("us", "UTC")),
    pa.array([AT_MS // 1000] * 4, pa.timestamp("s", "Asia/Shanghai")),
    [datetime(2026, 11, 22, 8, 30)] * 4,  # noqa: DTZ001 - the brand's own time, as lines write it
    ["2026-11-22 08:30:00"] * 4,
    ["2026-11-22T00:30:00Z", "2026/11/22 8:30", "1795307400", "2026-11-22T08:30:00.000+08:00"],
]


@pytest.mark.parametrize("times", TIMES, ids=str)
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())])
def test_parquet_in_every_type(times: Any, kind: pa.DataType) -> None:
    data = parquet(子码=pa.array(["A1", "A2", "A3", "A4"]).cast(kind), parent=["B"] * 4, at=times)
    rows, faults = told(data)
    assert rows == [(line, f"A{line}".encode(), b"B", 0, AT_MS) for line in (1, 2, 3, 4)]
    assert faults == []


def test_parquet_rows_are_numbered_through_and_bad_ones_named() -> None:
    data = parquet(child=["A1", None, "=1+1", "A4", "A" * 200], parent=["B", "B", "B", "", "B"])
    rows, faults = told(data)
    assert [row[0] for row in rows] == [1]
    assert faults == [
        (2, "code_missing", "child"),
        (3, "cell_is_formula", "child"),
        (4, "code_missing", "parent"),
        (5, "code_too_long", "child"),
    ]


def test_parquet_goes_on_from_any_place() -> None:
    data = parquet(child=[f"A{at}" for at in range(10)], parent=["B"] * 10)
    whole = read(data)
    assert [place for _, place in whole] == [Place(1, 4), Place(2, 7), Place(3, 10), Place(4, 11)]
    rest = list(open_rows(BytesSource(data), ZONE).chunks(whole[1][1]))
    assert [chunk.lines.tolist() for chunk, _ in rest] == [[7, 8, 9], [10]]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (parquet(child=["A"], parent=["B"])[:-6], "parquet_damaged"),
        (b"PAR1" * 9, "parquet_damaged"),
        (parquet(child=[1], parent=["B"]), "column_type"),
        (parquet(child=[["A"]], parent=["B"]), "column_type"),
        (parquet(unit=["A"], shelf=["B"]), "header_missing"),
        (parquet(child=pa.array([], pa.string()), parent=pa.array([], pa.string())), "file_empty"),
        (zipped(("a.csv", CSV), ("b.csv", CSV)), "archive_not_single"),
        (zipped(), "archive_not_single"),
        (zipped(("xl/workbook.xml", b"<x/>"), ("[Content_Types].xml", b"<x/>")), "file_is_workbook"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "file_is_workbook"),
        (b"%PDF-1.7\n", "format_unknown"),
        (zipped(("a.csv", CSV), method=zipfile.ZIP_BZIP2), "archive_method"),
        (zipped(("a.csv", CSV * 40))[:-30], "archive_damaged"),
        (gzip.compress(CSV)[:-9], "archive_truncated"),
        (gzip.compress(CSV)[:10] + b"\xff" * 60, "archive_damaged"),
        (gzip.compress(gzip.compress(CSV)), "format_unknown"),
        (document()[:-4], "document_truncated"),
        (document(packing("P", ["A"]))[:-25], "document_truncated"),
        (b'{"epcisBody": {}}', "events_missing"),
        (b'{"epcisBody": {"eventList": [1]}}', "json_malformed"),
        (b'{"epcisBody": {"eventList": [{} {}]}}', "json_malformed"),
        (b"[]", "json_malformed"),
        (b"<html>", "epcis_xml_malformed"),
        (XML.replace(b"<EPCISBody>", b"<!DOCTYPE x><EPCISBody>"), "epcis_xml_malformed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_that_are_refused_as_a_whole(data: bytes, code: str) -> None:
    with pytest.raises(InputError) as error:
        read(data)
    assert error.value.code == code or (code == "epcis_xml_malformed" and error.value.code.startswith("epcis_"))


def test_archives_are_read_like_what_is_in_them() -> None:
    noise = ("__MACOSX/._a.csv", b"\0\5\7")
    for data in (
        gzip.compress(CSV),
        gzip.compress(CSV[:20]) + gzip.compress(CSV[20:]) + b"\0" * 9,
        zipped(("x", CSV), noise),
    ):
        assert told(data) == told(CSV)
    stored = zipped(("folder/a.csv", CSV), method=zipfile.ZIP_STORED)
    assert told(stored) == told(CSV)


def test_a_zip_with_a_password_is_told_apart() -> None:
    data = bytearray(zipped(("a.csv", CSV)))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + flags] |= 1
    with pytest.raises(InputError) as error:
        read(bytes(data))
    assert error.value.code == "archive_encrypted"


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped(("a.csv", data))], ids=["gzip", "zip"])
def test_a_bomb_costs_little_and_says_what_it_is(pack: Any) -> None:
    bomb = pack(b"child,parent\n" + b"A,B\n" * (5 << 20))
    assert len(bomb) < 100_000
    with pytest.raises(InputError) as error:
        read(bomb, limits=SMALL)
    assert error.value.code == "expansion_too_large"


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as file:
        file.truncate(10 << 30)
    with pytest.raises(InputError) as error:
        open_stream(FileSource(huge))
    assert error.value.code == "file_too_large"


def test_a_stated_format_must_be_the_files() -> None:
    with pytest.raises(InputError) as error:
        read(CSV, "parquet")
    assert error.value.code == "format_differs"
    assert told(CSV)[0] == [(2, b"A1", b"B1", 0, 0), (3, b"A2", b"B1", 0, 0)]


def test_epcis_events_become_rows_by_the_number_of_their_event() -> None:
    data = document(
        packing("P1", ["A", "B"], bizStep="packing"),
        {"type": "ObjectEvent", "action": "OBSERVE"},
        packing("P2", ["C"], action="DELETE"),
        packing("P2", ["C"], action="OBSERVE"),
        packing("", ["D"]),
        packing("P3", []),
        packing("P3", ["E"], childQuantityList=[{}]),
        packing("P3", ["F"], eventTime="today"),
        packing("P3", ["=G", "", "H"]),
        packing("P3", ["I"], childEPCs="I"),
        packing("urn:epc:id:sscc:0614141.1234567890", ["urn:epc:id:sgtin:0614141.107346.2017"]),
    )
    rows, faults = told(data)
    link, pallet = b"https://id.gs1.org/01/10614141073464/21/2017", b"https://id.gs1.org/00/106141412345678908"
    assert rows == [
        (1, b"A", b"P1", 0, AT_MS),
        (1, b"B", b"P1", 0, AT_MS),
        (3, b"C", b"P2", 1, AT_MS),
        (9, b"=G", b"P3", 0, AT_MS),
        (9, b"H", b"P3", 0, AT_MS),
        (11, link, pallet, 0, AT_MS),
    ]
    assert [(line, code) for line, code, _ in faults] == [
        (5, "code_missing"),
        (6, "children_missing"),
        (7, "quantity_not_serial"),
        (8, "time_malformed"),
        (9, "code_missing"),
        (10, "event_malformed"),
    ]
    assert sum(chunk.ignored for chunk, _ in read(data)) == 2


def test_epcis_xml_is_read_as_the_json_it_says() -> None:
    assert told(XML)[0] == [
        (1, b"https://id.gs1.org/01/10614141073464/21/2017", b"https://id.gs1.org/00/106141412345678908", 0, AT_MS)
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('"\\{}[]:,eventList', max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=40)
@given(
    st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=3), max_size=6),
    JSON,
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_events_are_cut_out_as_they_stand(events: list[Any], other: Any, ascii_only: bool, indent: int | None) -> None:
    whole = {"x": other, "epcisBody": {"y": other, "eventList": events, "z": other}, "w": other}
    data = json.dumps(whole, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "replace")
    found = list(raw_events(open_stream(BytesSource(data)), Place()))
    assert [json.loads(one.data) for one in found] == json.loads(data)["epcisBody"]["eventList"]
    for one in found:
        rest = list(raw_events(open_stream(BytesSource(data), one.place.offset), one.place))
        assert [after.number for after in rest] == [after.number for after in found if after.number > one.number]


SEEDS = [
    CSV,
    "子码;箱码\nA;B\n".encode("gbk"),
    gzip.compress(CSV),
    zipped(("a.csv", CSV)),
    parquet(child=["A", "B"], parent=["C", "D"], at=[AT_MS, AT_MS]),
    document(packing("P", ["A"])),
    XML,
]


@settings(max_examples=80)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=4)), max_size=4),
    st.integers(0, 40),
)
def test_no_bytes_bring_a_reader_down(seed: bytes, changes: list[tuple[int, bytes]], cut: int) -> None:
    data = bytearray(seed[: len(seed) - cut % max(len(seed), 1)] if cut % 3 == 0 else seed)
    for at, replacement in changes:
        data[at % max(len(data), 1) : at % max(len(data), 1) + len(replacement)] = replacement
    try:
        chunks = [chunk for chunk, _ in read(bytes(data), limits=SMALL)]
    except InputError:
        return
    assert all(len(one.child) == len(one.parent) == len(one.lines) == len(one.at_ms) for one in chunks)


@settings(max_examples=40)
@given(st.binary(max_size=300))
def test_noise_is_refused_or_read(data: bytes) -> None:
    with contextlib.suppress(InputError):
        read(data, limits=SMALL)
