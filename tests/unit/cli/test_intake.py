"""`uncap associate` against a console and a bucket in memory; the line's files; the examples are current."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from cli import intake
from cli.intake_report import exit_status
from cli.line_files import FORMS, LineDay, run_line, to_bytes_by_form
from cli.main import app
from dev import line_examples
from dev.stack import http
from uncap.adapters.intake.formats import open_rows
from uncap.adapters.intake.sources import BytesSource
from uncap.domain.catalog import Role
from uncap.domain.codes.reading import CodeReader
from uncap.domain.codes.scheme import Keyring
from uncap.domain.intake.chunks import ADD, DELETE

RUNNER = CliRunner()
REPORT: dict[str, Any] = {
    "upload_id": "0" * 26, "name": "line.csv", "state": "queued", "permille": 0, "rows_done": 0, "counts": {},
    "result": {"packed": 0}, "reason": None, "faults": [], "touched_at_ms": 1,
}  # fmt: skip


class Service:
    """The console's four routes and the bucket. `reports` are what GET answers, in turn, the last for ever."""

    def __init__(self, *reports: dict[str, Any]) -> None:
        self.reports = [REPORT | one for one in reports]
        self.stored = b""
        self.calls: list[str] = []
        self.bucket_fails = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(f"{request.method} {request.url.path}")
        if request.url.host == "bucket":
            return self._put(request)
        if request.url.path.endswith("/sign-in"):
            return httpx.Response(200, json={"token": "t"})
        if request.url.path.endswith("/uploads"):
            self.announced = json.loads(request.content)
            put = None if self.stored else {"url": "http://bucket/x", "headers": {"Content-Length": "7"}}
            return httpx.Response(201, json={"upload": self.reports[0], "put": put})
        if request.url.path.endswith("/start"):
            return httpx.Response(202, json=self.reports[0])
        return httpx.Response(200, json=self.reports.pop(0) if len(self.reports) > 1 else self.reports[0])

    def _put(self, request: httpx.Request) -> httpx.Response:
        if self.bucket_fails:
            self.bucket_fails -= 1
            return httpx.Response(503)
        assert "authorization" not in request.headers
        self.stored = request.read()
        assert request.headers["content-length"] == str(len(self.stored))
        return httpx.Response(200)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Service], None]:
    def install(service: Service) -> None:
        def client(*_: object, **__: object) -> httpx.Client:
            return httpx.Client(transport=httpx.MockTransport(service))

        monkeypatch.setattr(http, "client", client)
        monkeypatch.setattr("cli.intake.time.sleep", lambda _: None)
        monkeypatch.setattr(intake.follow, "__defaults__", (lambda _: None,))

    return install


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "line.csv"
    path.write_bytes(b"a,b\n1,2")
    return path


def associate(file: Path, *more: str) -> Any:
    words = ["associate", str(file), "--base", "http://console", "--login", "a", "--password", "p", *more]
    return RUNNER.invoke(app, words)


def test_a_file_is_sent_started_and_followed(serve: Callable[[Service], None], file: Path) -> None:
    service = Service({}, {"state": "running"}, {"state": "done", "rows_done": 1, "result": {"packed": 1}})
    service.bucket_fails = 1
    serve(service)
    done = associate(file, "--mode", "proceed", "--kind", "csv", "--gtin", "09520123456788")
    assert done.exit_code == 0, done.output
    assert "line.csv: 1 rows read, taken" in done.output
    assert service.stored == file.read_bytes()
    assert (service.announced["mode"], service.announced["format"], service.announced["size"]) == ("proceed", "csv", 7)
    # Interrupted and run again: nothing is sent a second time.
    service.calls.clear()
    assert associate(file).exit_code == 0
    assert [call for call in service.calls if "PUT" in call] == []


def test_reports_say_what_happened_and_so_does_the_exit_status(serve: Callable[[Service], None], file: Path) -> None:
    fault = {"line": 7, "code": "code_not_issued", "words": "nobody [bold]issued it", "field": "child"}
    serve(Service({"state": "failed", "counts": {"code_not_issued": 1}, "faults": [fault] * 30}))
    done = associate(file)
    assert done.exit_code == 2
    assert "nothing of it was taken, because some are wrong" in done.output
    assert "nobody [bold]issued it" in done.output
    serve(Service({"state": "failed", "reason": {"line": 0, "code": "file_empty", "words": "the file has no rows"}}))
    assert "nothing of it was taken: the file has no rows [file_empty]" in associate(file).output
    serve(Service({"state": "done", "counts": {"code_not_issued": 1, "repeat": 2}}))
    done = associate(file, "--json")
    assert (done.exit_code, json.loads(done.stdout)["counts"]["repeat"]) == (3, 2)
    assert exit_status(REPORT | {"state": "done", "counts": {"repeat": 2, "case_short": 1}}) == 0


def test_a_refusal_and_a_silence_are_one_line(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    problem = {"status": 403, "code": "operator_not_permitted", "detail": "no"}

    def answer(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(200, json={"token": "t"})
            if "sign-in" in request.url.path
            else httpx.Response(403, json=problem)
        )

    monkeypatch.setattr(http, "client", lambda *_, **__: httpx.Client(transport=httpx.MockTransport(answer)))
    done = associate(file)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (1, "refused: 403 operator_not_permitted: no")

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone")

    monkeypatch.setattr(http, "client", lambda *_, **__: httpx.Client(transport=httpx.MockTransport(silent)))
    monkeypatch.setattr("cli.clients.time.sleep", lambda _: None)
    done = associate(file)
    assert (done.exit_code, "run it again to go on" in done.stderr) == (1, True)


@pytest.mark.parametrize("name", sorted(line_examples.files()))
def test_the_examples_are_what_the_generator_writes(name: str) -> None:
    written, made = (line_examples.FOLDER / name).read_bytes(), line_examples.files()[name]
    if name.endswith(".parquet"):
        # The container names its writer's version; what counts is what is in it.
        assert packed(written) == packed(made)
    else:
        assert written == made


def packed(data: bytes) -> Counter[tuple[int, int, int, int]]:
    """(unit index, case index, action, second) → how often; codes opened with the examples' key."""
    keys = {"epochs": {"1": {"state": "minting", "key": line_examples.MASTER.hex()}}}
    roles = {line_examples.UNIT_GTIN: (Role.CAP_OUTER, Role.CAP_INNER), line_examples.CASE_GTIN: (Role.CASE_OUTER,)}
    codes = CodeReader(Keyring.parse(json.dumps(keys)), lambda gtin: roles[gtin])
    reader = open_rows(BytesSource(data), ZoneInfo("Asia/Shanghai"))
    found: Counter[tuple[int, int, int, int]] = Counter()
    for chunk, _ in reader.chunks(reader.start):
        assert not chunk.faults
        kept = np.flatnonzero((chunk.action == ADD) | (chunk.action == DELETE))
        units, cases = codes.read(chunk.child[kept]), codes.read(chunk.parent[kept])
        assert not units.fault.any()
        assert not cases.fault.any()
        seconds = (chunk.at_ms[kept] // 1000).tolist()
        found.update(zip(units.index.tolist(), cases.index.tolist(), chunk.action[kept].tolist(), seconds, strict=True))
    return found


def test_every_form_tells_the_same_story() -> None:
    stories = {name: packed(line_examples.files()[name]) for name in line_examples.NAMES.values()}
    rows = stories["line.csv"]
    assert stories["line-gbk.csv"] == stories["line.parquet"] == rows
    # Events have the time of their last child, and a repeated row is no second child.
    bare = {(unit, case, action) for unit, case, action, _ in rows}
    for name in ("line.json", "line.xml"):
        assert {(unit, case, action) for unit, case, action, _ in stories[name]} == bare
    assert (len(bare), sum(rows.values())) == (46 + 2, 49)


def test_a_line_without_enough_cases_and_an_unknown_form_are_told() -> None:
    with pytest.raises(ValueError, match="1 cases do not hold 3 units"):
        run_line(["A", "B", "C"], ["X"], LineDay(2, 0))
    with pytest.raises(ValueError, match="is none of csv"):
        to_bytes_by_form([], "xls")


@pytest.mark.parametrize("form", FORMS)
def test_sample_line_from_exported_files(tmp_path: Path, form: str) -> None:
    units, cases, out = tmp_path / "units.csv", tmp_path / "cases.txt", tmp_path / "line"
    units.write_text("﻿seq,code,url,parent\r\n0,A,HTTPS://X/A,\r\n1,B,HTTPS://X/B,\r\n", encoding="utf-8")
    cases.write_text("HTTPS://X/C\r\n")
    words = ["sample-line", "--units", str(units), "--cases", str(cases), "--pack", "2", "--spares", "0"]
    assert RUNNER.invoke(app, [*words, "--format", form, "--out", str(out)]).exit_code == 0
    reader = open_rows(BytesSource(out.read_bytes()), ZoneInfo("Asia/Shanghai"))
    ((chunk, _),) = reader.chunks(reader.start)
    assert chunk.child.tolist() == [b"HTTPS://X/A", b"HTTPS://X/B"]
    failed = RUNNER.invoke(app, [*words, "--format", "xls", "--out", str(out)])
    assert (failed.exit_code, "no file was written" in failed.stderr) == (1, True)
