"""CSV as lines really write it: the quick way and the careful way agree, and nothing is lost, guessed or run."""

import gzip
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.adapters.intake import csv_chunks
from uncap.adapters.intake.csv_chunks import Csv
from uncap.adapters.intake.csv_rows import open_table, row_blocks
from uncap.adapters.intake.lines import LINE_BYTES, split
from uncap.adapters.intake.sources import BytesSource
from uncap.domain.errors import InputError
from uncap.domain.intake.chunks import DELETE, RowChunk
from uncap.domain.intake.columns import ASSOCIATION

ZONE = ZoneInfo("Asia/Shanghai")
LINK = "HTTPS://Q.EXAMPLE.CN/01/09520123456788/21/1E5ZNQ38SXZSYYC86"


def rows_of(chunks: Sequence[RowChunk]) -> list[tuple[int, bytes, bytes, int, int]]:
    return [
        (int(line), bytes(child), bytes(parent), int(action), int(at))
        for chunk in chunks
        for line, child, parent, action, at in zip(
            chunk.lines, chunk.child, chunk.parent, chunk.action, chunk.at_ms, strict=True
        )
    ]


def read(
    data: bytes, block_bytes: int = 1 << 20
) -> tuple[list[tuple[int, bytes, bytes, int, int]], list[tuple[int, str]]]:
    reader = Csv(BytesSource(data), ZONE)
    chunks = [chunk for chunk, _ in reader.chunks(reader.start, block_bytes)]
    return rows_of(chunks), [(fault.line, fault.code) for chunk in chunks for fault in chunk.faults]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_line_file_in_every_clothing(ends: str, delimiter: str, encoding: str, quote: str) -> None:
    header = ["单品码", "箱码（外）", "时间", "操作员"]
    line = [LINK, "BOX1", "2026-11-22 08:30:00", "王"]
    text = "".join(delimiter.join(f"{quote}{cell}{quote}" for cell in row) + ends for row in (header, line, line))
    at_ms = 1795307400000
    wanted = [(2, LINK.encode(), b"BOX1", 0, at_ms), (3, LINK.encode(), b"BOX1", 0, at_ms)]
    assert read(text.encode(encoding)) == (wanted, [])
    assert read(text.rstrip(ends).encode(encoding)) == (wanted, [])


def test_every_kind_of_bad_row_is_named_and_the_others_are_taken() -> None:
    lines = [
        "child,parent,action,at",
        "A1,B1,,",
        "=cmd|' /C calc'!A0,B1,,",
        "A2,@SUM(1),,",
        'A3,"B1,,',
        "A4",
        "A5,B1,,,surplus",
        "A6,B1,fly,",
        "A7,B1,,yesterday",
        "A8,,,",
        ",B1,,",
        "A9,,解绑,2026-11-22T08:30:00+08:00",
        "",
        "A\x00,B1,,",
        "码,B1,,",
        f"{'X' * 200},B1,,",
        "A10,B1,add,1795307400",
        '"A11" ,"B1",ADD,1795307400000,,',
    ]
    rows, faults = read("\n".join(lines).encode())
    at_ms = 1795307400000
    assert rows == [
        (2, b"A1", b"B1", 0, 0),
        (12, b"A9", b"", DELETE, at_ms),
        (17, b"A10", b"B1", 0, at_ms),
        (18, b"A11", b"B1", 0, at_ms),
    ]
    codes = "cell_is_formula cell_is_formula row_quotes row_too_short row_too_long action_unknown time_malformed"
    codes += " code_missing code_missing row_has_nul code_not_ascii code_too_long"
    numbers = (3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 16)
    assert faults == list(zip(numbers, codes.split(), strict=True))


def test_a_file_cut_off_in_a_cell_says_so() -> None:
    rows, faults = read(b"seq,child,parent,at\n1,A,B,\n2,A2")
    assert [row[0] for row in rows] == [2]
    assert faults == [(3, "row_too_short")]


@pytest.mark.parametrize(
    ("data", "code", "where"),
    [
        (b"", "file_empty", ""),
        (b"\n\n", "file_empty", "line 1"),
        (b"\xef\xbb\xbf\r\nA,B", "file_empty", "line 1"),
        ("child,parent\n".encode("utf-16"), "encoding_utf16", "line 1, byte 1"),
        (b"\x00\x01\x02", "encoding_utf16", "line 1, byte 1"),
        (b"child,parent\rA,B\rC,D", "line_ends_unknown", "line 1"),
        (b"chi\xff\xffld,parent\nA,B\n", "encoding_unknown", "line 1"),
        (b"A1,B1\nA2,B2\n", "header_missing", "line 1"),
        (b"child,child,parent\n", "header_ambiguous", "line 1"),
        (b'"child,parent\nA,B', "header_quotes", "line 1"),
        (b"c" * (LINE_BYTES + 1), "line_too_long", "line 1"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole(data: bytes, code: str, where: str) -> None:
    with pytest.raises(InputError) as error:
        read(data)
    assert (error.value.code, error.value.where) == (code, where)


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    with pytest.raises(InputError) as error:
        read(b"child,parent\nA,B\n" + b"x" * (3 * LINE_BYTES), 1024)
    assert (error.value.code, error.value.where) == ("line_too_long", "line 3")


def test_an_unreadable_byte_is_named_by_line_and_byte() -> None:
    source = BytesSource(b"child,parent,who\nA,B,\xe7\x8e\x8b\nC,D,\xff\xff\n")
    (block,) = row_blocks(source, open_table(source, ASSOCIATION))
    (fault,) = block.faults
    assert (fault.line, fault.code) == (3, "encoding_unknown")
    assert "byte 5 of the line is 0xff, which is not UTF-8" in fault.words


def test_names_beside_the_codes_cost_nothing_and_must_still_be_text() -> None:
    rows, faults = read("child,parent,who\nA,B,王\n".encode() + b"C,D,\xff\n")
    assert (len(rows), faults) == (1, [(3, "encoding_unknown")])


CELL = st.text('AB1 "=+-,;é码\x00\r|', max_size=6)
PLAIN = st.text("AB12", min_size=1, max_size=5)
ROW = st.one_of(
    st.builds(",".join, st.lists(CELL, max_size=4)),
    st.builds(lambda a, b: f"{a},{b}", PLAIN, PLAIN),
    st.builds(lambda a, b: f'"{a}","{b}"', PLAIN, PLAIN),
)


@settings(max_examples=30)
@given(st.lists(ROW, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_quick_and_careful_reading_agree(lines: list[str], ends: str, last: bool) -> None:
    data = ("child,parent" + ends + ends.join(lines) + (ends if last else "")).encode()
    both = read(data)
    quick = csv_chunks.plain_chunk
    try:
        csv_chunks.plain_chunk = lambda *_: None
        assert read(data) == both
    finally:
        csv_chunks.plain_chunk = quick


@settings(max_examples=60)
@given(st.lists(ROW, max_size=40), st.integers(1, 200))
def test_every_line_is_a_row_or_a_fault_wherever_the_file_is_cut(lines: list[str], block_bytes: int) -> None:
    data = ("child,parent\n" + "".join(f"{line}\n" for line in lines)).encode()
    rows, faults = read(data)
    told = sorted([row[0] for row in rows] + [fault[0] for fault in faults])
    blank = [at + 2 for at, line in enumerate(lines) if not line.removesuffix("\r").encode().strip()]
    assert told == [at + 2 for at in range(len(lines)) if at + 2 not in blank]
    for packed in (data, gzip.compress(data)):
        assert read(packed, block_bytes) == (rows, faults)


@settings(max_examples=15)
@given(st.lists(ROW, min_size=1, max_size=60), st.integers(0, 10))
def test_going_on_from_any_place_gives_the_very_same_chunks(lines: list[str], skip: int) -> None:
    filler = "é" * 5_000  # so that 64 KB blocks, the smallest there are, hold a dozen lines
    text = "child,parent,note\n" + "".join(f"{line.replace(chr(0), '')},{filler}\n" for line in lines)
    for data in (text.encode(), gzip.compress(text.encode("gb18030", "replace"))):
        reader = Csv(BytesSource(data), ZONE)
        whole = list(reader.chunks(reader.start, 1))
        _, place = whole[min(skip, len(whole) - 1)]
        rest = list(Csv(BytesSource(data), ZONE).chunks(place, 1))
        wanted = whole[min(skip, len(whole) - 1) + 1 :]
        assert [at for _, at in rest] == [at for _, at in wanted]
        assert rows_of([one for one, _ in rest]) == rows_of([one for one, _ in wanted])


@given(st.text('a," ', max_size=12))
def test_splitting_is_the_standard_librarys_where_quotes_are_right(text: str) -> None:
    import csv

    cells = split(text, ",")
    if cells is not None and '"' not in text.replace('""', "").strip('"'):
        try:
            (standard,) = csv.reader([text], strict=True, skipinitialspace=True) if text else [[""]]
        except csv.Error:
            return
        assert cells == [cell.strip() for cell in standard]
