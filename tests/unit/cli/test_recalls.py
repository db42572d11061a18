"""`uncap recall people` and `uncap code history`: parts put together, gone on with after a crash, and shown."""

import csv
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cli import codes
from cli.recalls import DamagedError, fetch

PARTS: list[dict[str, Any]] = [
    {"people": [{"person": "p_A", "codes": 2, "claimed": 1, "last_ms": 9}], "codes": 10, "next": "0.10"},
    {"people": [{"person": "p_B", "codes": 1, "claimed": 0, "last_ms": 5}], "codes": 10, "next": "0.20"},
    {"people": [{"person": "p_A", "codes": 1, "claimed": 1, "last_ms": 3}], "codes": 4, "next": ""},
]


class FakeConsole:
    """Answers the parts by cursor; breaks once at the call named."""

    def __init__(self, breaks_at: int = -1) -> None:
        self.asked: list[str] = []
        self._breaks_at = breaks_at

    def call(self, method: str, path: str, body: object | None = None, **query: object) -> Any:
        assert (method, path, query["reason"]) == ("GET", "/recalls/rc1/people", "letter")
        if len(self.asked) == self._breaks_at:
            raise ConnectionResetError
        self.asked.append(str(query.get("cursor", "")))
        return PARTS[{"": 0, "0.10": 1, "0.20": 2}[self.asked[-1]]]


def rows(file: Path) -> list[list[str]]:
    return list(csv.reader(file.read_text(encoding="utf-8").splitlines()))


def test_parts_add_up(tmp_path: Path) -> None:
    out = tmp_path / "people.csv"
    fetch(FakeConsole(), "rc1", "letter", out)  # type: ignore[arg-type]
    head = ["person", "codes", "claimed", "last_ms"]
    assert rows(out) == [head, ["p_A", "3", "2", "9"], ["p_B", "1", "0", "5"]]
    assert list(tmp_path.iterdir()) == [out]


def test_a_second_run_goes_on_where_the_first_broke(tmp_path: Path) -> None:
    out = tmp_path / "people.csv"
    with pytest.raises(ConnectionResetError):
        fetch(FakeConsole(breaks_at=2), "rc1", "letter", out)  # type: ignore[arg-type]
    part = tmp_path / "people.csv.part"
    part.write_bytes(part.read_bytes() + b'{"people": [], "co')  # the line that a crash cut off
    second = FakeConsole()
    fetch(second, "rc1", "letter", out)  # type: ignore[arg-type]
    assert second.asked == ["0.20"]
    assert rows(out)[1] == ["p_A", "3", "2", "9"]


@pytest.mark.parametrize("text", [b"not json\n", b'{"people":[],"codes":1,"next":"0.1","recall_id":"rc9"}\n'])
def test_a_part_of_something_else_is_not_gone_on_with(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "people.csv.part").write_bytes(text)
    with pytest.raises(DamagedError):
        fetch(FakeConsole(), "rc1", "letter", tmp_path / "people.csv")  # type: ignore[arg-type]


def test_a_history_in_lines() -> None:
    found = {
        "code": "7.5", "level": "unit", "sscc": "", "gtin": "09520123456788", "lot": "L1", "market": "",
        "recalls": ["rc1"], "packed_in": ["8.0", "9.0"],
        "status": [{"role": "cap_inner", "says": "recalled", "scans": 2}],
    }  # fmt: skip
    lines = codes.facts(found)
    assert "packed in   8.0 in 9.0" in lines
    assert "a scan says cap_inner recalled (2 scans)" in lines
    event = {"at_ms": 1_795_300_000_000, "what": "claimed", "level": "unit", "batch_no": 7, "index": 5}
    shown = codes.table([event], ZoneInfo("Asia/Shanghai"))
    assert [next(iter(column.cells)) for column in shown.columns][:3] == [
        "2026-11-22 06:26:40+08:00",
        "claimed",
        "unit 7.5",
    ]
