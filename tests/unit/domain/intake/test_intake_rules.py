"""What rows, times, columns and uploads may be; and that nothing we print is run by a spreadsheet."""

import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.association.files import Issue
from uncap.domain.association.ports import UnitRef
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.intake.columns import ASSOCIATION, match
from uncap.domain.intake.faults import RowFault, echo, faults_csv, starts_formula
from uncap.domain.intake.issues import fault_of, reported_counts, told_once
from uncap.domain.intake.times import LATEST_MS, parse_time, parse_times
from uncap.domain.intake.uploads import Upload, announced_again, finished, leased, started, upload_id

ZONE = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), max_size=4))
def test_the_errors_file_is_safe_to_open_and_reads_back_line_by_line(texts: list[tuple[str, str]]) -> None:
    faults = [RowFault(at, field, words, field) for at, (field, words) in enumerate(texts)]
    head, *rows = csv.reader(io.StringIO(faults_csv(faults).removeprefix("\ufeff"), newline=""))
    assert head == ["line", "field", "severity", "reason", "words"]
    assert [row[0] for row in rows] == [str(fault.line) for fault in faults]
    for row in rows:
        assert not any(starts_formula(cell) for cell in row)
        assert all(cell.isprintable() for cell in row)


@given(st.text(max_size=80))
def test_an_echo_is_short_printable_and_no_formula(text: str) -> None:
    shown = echo(text)
    assert len(shown) <= 42
    assert shown.isprintable()
    assert not starts_formula(shown)


@pytest.mark.parametrize("cell", ["=1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1"])
def test_formulas_are_known_by_their_first_character(cell: str) -> None:
    assert starts_formula(cell)


@pytest.mark.parametrize("cell", ["", "A=1", "-5", "+3.25", "HTTPS://X", "1-2"])
def test_numbers_and_text_are_no_formulas(cell: str) -> None:
    assert not starts_formula(cell)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (["child", "parent"], {"child": 0, "parent": 1}),
        (["Seq", "CODE", " Url ", "Parent_Code"], {"child": 2, "parent": 3}),
        (["箱码（必填）", "子 码", "采集时间", "操作*"], {"child": 1, "parent": 0, "at": 2, "action": 3}),
        (["ｐａｒｅｎｔ", "单品码"], {"child": 1, "parent": 0}),
    ],
)
def test_columns_are_found_by_name(header: list[str], found: dict[str, int]) -> None:
    assert match(header, ASSOCIATION) == found


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("", 0),
        ("1795307400", 1795307400000),
        ("1795307400123", 1795307400123),
        ("2026-11-22 08:30:00", 1795307400000),
        ("2026/11/22 8:30", 1795307400000),
        ("2026.11.22T08:30:00.5", 1795307400500),
        ("2026-11-22T00:30:00Z", 1795307400000),
        ("2026-11-21T19:30:00-0500", 1795307400000),
        ("2026-11-22 08:30:00 +08:00", 1795307400000),
    ],
)
def test_times_as_lines_write_them(text: str, at_ms: int) -> None:
    assert parse_time(text, ZONE) == at_ms


@pytest.mark.parametrize("text", ["22.11.2026", "2026-13-01 00:00", "2026-02-30 00:00", "25:00", "now", "2026-11-22"])
def test_other_times_are_malformed(text: str) -> None:
    with pytest.raises(InputError) as error:
        parse_time(text, ZONE)
    assert error.value.code == "time_malformed"


@pytest.mark.parametrize("text", ["1999-12-31 23:59:59Z", "2100-01-02 00:00", "9999999999999"])
def test_a_clock_from_another_century_is_told(text: str) -> None:
    with pytest.raises(InputError) as error:
        parse_time(text, ZONE)
    assert error.value.code == "time_out_of_range"


@given(
    st.lists(st.integers(1_100_000_000, LATEST_MS // 1000 - 100_000), min_size=1, max_size=5),
    st.sampled_from(
        ["%Y-%m-%d %H:%M:%S", "%Y/%m/%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+08:00", "ms", "s"]
    ),
    st.sampled_from([ZONE, NEW_YORK]),
)
def test_a_column_of_times_is_read_as_each_of_them(seconds: list[int], layout: str, zone: ZoneInfo) -> None:
    texts = [
        str(at * 1000)
        if layout == "ms"
        else str(at)
        if layout == "s"
        else datetime.fromtimestamp(at, UTC).strftime(layout)
        for at in seconds
    ]
    cells = np.array([text.encode() for text in texts]).view(np.uint8).reshape(len(texts), len(texts[0]))
    found = parse_times(cells, zone)
    if found is not None:
        assert found.tolist() == [parse_time(text, zone) for text in texts]
    assert found is not None or layout == "s" or layout[-1] == "S"


def upload(**changes: object) -> Upload:
    made = Upload(
        upload_id("association", "ab" * 32), "association", "ab" * 32, 9, "a.csv", "rollback", "li", "factory", 5
    )
    return msgspec.structs.replace(made, **changes)


def test_an_upload_goes_its_way() -> None:
    queued = started(upload(), 10)
    assert (queued.state, queued.version, started(queued, 11)) == ("queued", 2, queued)
    running = leased(queued, 20, 50)
    assert running is not None
    assert leased(running, 49, 90) is None
    assert leased(running, 50, 90) is not None
    done = finished(running, "done", 60)
    assert (done.is_over, done.permille, leased(done, 99, 100)) == (True, 1000, None)


def test_the_same_bytes_are_the_same_upload_and_may_be_tried_anew_only_after_a_failure() -> None:
    asked = upload(mode="proceed", created_at_ms=99)
    assert announced_again(upload(state="done"), asked).state == "done"
    assert announced_again(upload(), upload(created_at_ms=99)).created_at_ms == 5
    changed = announced_again(upload(version=3), asked)
    assert (changed.mode, changed.run, changed.version, changed.state) == ("proceed", 1, 4, "waiting")
    anew = announced_again(upload(state="failed", version=7, counts={"x": 1}), asked)
    assert (anew.mode, anew.run, anew.version, anew.counts) == ("proceed", 2, 8, {})
    with pytest.raises(ConflictError):
        announced_again(upload(state="running"), asked)


def test_kinds_of_the_same_bytes_are_different_uploads() -> None:
    assert upload_id("association", "ab" * 32) != upload_id("epcis", "ab" * 32)


def test_issues_are_told_without_codes_and_counted_once() -> None:
    issue = Issue(7, "contradiction", UnitRef(1, 2), UnitRef(3, 4), UnitRef(3, 5), "FILE", (8, 9))
    fault = fault_of(issue)
    assert fault.words.endswith("batch 1 index 2 in batch 3 index 4, is in batch 3 index 5 (lines 8 to 9 of file FILE)")
    assert not fault_of(Issue(1, "case_short", None, UnitRef(3, 4), count=5)).grave
    assert reported_counts({"code_malformed": 5, "repeat": 2}, {"row_quotes": 3}) == {
        "code_malformed": 2,
        "repeat": 2,
        "row_quotes": 3,
    }
    bare, read, other = (
        RowFault(3, "code_malformed", "x"),
        RowFault(3, "row_quotes", "y"),
        RowFault(4, "code_malformed", "x"),
    )
    assert told_once([other, read, bare]) == [read, other]
