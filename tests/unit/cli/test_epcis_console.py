"""`uncap epcis capture` and `export` against a console that answers as the real one does."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.epcis import app
from dev.stack import http

BASE = "http://console.invalid/console"
LOGIN = ["--base", BASE, "--login", "erp", "--password", "x"]
DOCUMENT: dict[str, Any] = {"type": "EPCISDocument", "epcisBody": {"eventList": [{"n": 1}]}}


class Console:
    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.job = {"captureID": "7", "success": True, "errors": []}

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path
        if path.endswith("/sign-in"):
            return httpx.Response(200, json={"token": "t"})
        if path.endswith("/epcis/capture"):
            return httpx.Response(202, headers={"Location": "/console/epcis/capture/7"})
        if path.endswith("/epcis/capture/7"):
            return httpx.Response(200, json=self.job)
        if path.endswith("/batches/7/events") and "start" not in request.url.params:
            link = '</console/epcis/batches/7/events?start=1000>; rel="next"'
            return httpx.Response(200, json=DOCUMENT, headers={"Link": link})
        if path.endswith("/batches/7/events"):
            return httpx.Response(200, json=DOCUMENT)
        return httpx.Response(404, json={"code": "batch_unknown", "detail": "none"})


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    made = Console()

    def build(**_: object) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(made.answer))

    monkeypatch.setattr(http, "client", build)
    return made


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments, *LOGIN])


def test_capture_sends_the_file_as_what_it_is(console: Console, tmp_path: Path) -> None:
    for name, text, kind in (("a.json", "{}", "application/json"), ("a.xml", " <x/>", "application/xml")):
        (tmp_path / name).write_text(text)
        done = run("capture", str(tmp_path / name), "--proceed")
        assert (done.exit_code, json.loads(done.stdout)["captureID"]) == (0, "7")
        sent = console.requests[-2]
        assert (sent.headers["Content-Type"], sent.headers["GS1-Capture-Error-Behaviour"]) == (kind, "proceed")
    console.job["success"] = False
    assert run("capture", str(tmp_path / "a.json")).exit_code == 1


def test_export_joins_the_windows(console: Console, tmp_path: Path) -> None:
    out = tmp_path / "batch.json"
    assert run("export", "--batch", "7", "--out", str(out)).exit_code == 0
    assert len(json.loads(out.read_text())["epcisBody"]["eventList"]) == 2
    assert json.loads(run("export", "--batch", "7").stdout)["type"] == "EPCISDocument"
    refused = run("export", "--batch", "8")
    assert (refused.exit_code, "batch_unknown" in refused.output) == (1, True)
