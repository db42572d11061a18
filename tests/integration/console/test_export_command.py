"""`uncap batch export` and `uncap draw fetch` against the console API itself, over an in-process transport."""

import hashlib
import json
from pathlib import Path

import httpx
import pytest
from chalice.test import Client
from typer.testing import CliRunner, Result

from cli import batches
from cli.main import app
from tests.integration.console import brand
from tests.integration.console.conftest import PASSWORD, Api, Bench
from uncap.services import reveal_draw

ACCESS = ["--base", "http://console.test/console", "--login", "anna", "--password", PASSWORD]


class InProcess(httpx.BaseTransport):
    """Requests to http://console.test/console go straight into the Chalice app; `damage` may spoil a reply."""

    def __init__(self, bench: Bench) -> None:
        self.http = Client(bench.app).http
        self.pages = 0
        self.fail_after = 10**9
        self.damage = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().removeprefix("/console")
        if "/codes" in path:
            self.pages += 1
            if self.pages > self.fail_after:
                raise httpx.ConnectError("the line is cut")
        reply = self.http.request(request.method, path, headers=dict(request.headers), body=request.read())
        body = reply.body[:-9] if self.damage and "/codes" in path else reply.body
        return httpx.Response(reply.status_code, headers={k: str(v) for k, v in reply.headers.items()}, content=body)


@pytest.fixture
def wire(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    transport = InProcess(bench)
    monkeypatch.setattr("cli.clients.http.client", lambda **_: httpx.Client(transport=transport))
    monkeypatch.setattr("cli.clients.time.sleep", lambda _: None)
    monkeypatch.setattr(batches, "PAGE_CODES", 100)
    return transport


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, *ACCESS])


def export(units: int, out: Path, *more: str) -> Result:
    return run("batch", "export", str(units), "--role", "cap_inner", "--reason", "print run", "--out", str(out), *more)


def test_a_file_with_its_manifest(wire: InProcess, admin: Api, tmp_path: Path) -> None:
    units, _ = brand.batch(admin, 250)
    out = tmp_path / "caps.txt"
    done = export(units, out)
    assert done.exit_code == 0, done.output
    assert wire.pages == 3
    data = out.read_bytes()
    assert data.count(b"\r\n") == len(set(data.splitlines())) == 250
    manifest = json.loads((tmp_path / "caps.txt.manifest.json").read_bytes())
    assert manifest["sha256"] == hashlib.sha256(data).hexdigest()
    assert [page["stop"] for page in manifest["pages"]] == [100, 200, 250]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["caps.txt", "caps.txt.manifest.json"]
    assert CliRunner().invoke(app, ["batch", "check", str(out)]).exit_code == 0
    out.write_bytes(data[:-2])
    assert CliRunner().invoke(app, ["batch", "check", str(out)]).exit_code == 2


@pytest.mark.parametrize("form", ["txt", "csv"])
def test_an_interrupted_export_goes_on_where_it_was(wire: InProcess, admin: Api, tmp_path: Path, form: str) -> None:
    units, _ = brand.batch(admin, 250)
    whole, out = tmp_path / "whole", tmp_path / "caps"
    assert export(units, whole, "--format", form).exit_code == 0
    wire.pages, wire.fail_after = 0, 2
    cut = export(units, out, "--format", form)
    assert (cut.exit_code, "run it again to go on" in cut.output) == (1, True)
    assert not out.exists()
    with (tmp_path / "caps.part").open("ab") as file:
        file.write(b"half a line")
    wire.pages, wire.fail_after = 0, 10
    assert export(units, out, "--format", form).exit_code == 0
    assert wire.pages == 1
    assert out.read_bytes() == whole.read_bytes()
    assert out.read_bytes().startswith(b"\xef\xbb\xbfseq," if form == "csv" else b"HTTPS://")


def test_a_damaged_page_or_part_is_noticed(wire: InProcess, admin: Api, tmp_path: Path) -> None:
    units, _ = brand.batch(admin, 250)
    out = tmp_path / "caps"
    wire.damage = True
    assert export(units, out).exit_code == 2
    wire.damage, wire.fail_after = False, wire.pages + 1
    export(units, out)
    part = tmp_path / "caps.part"
    part.write_bytes(part.read_bytes().replace(b"HTTPS", b"HTTPX", 1))
    wire.fail_after = 10**9
    assert export(units, out).exit_code == 2
    assert export(units, out, "--format", "csv").exit_code == 2, "another order does not go on with this part"


def test_a_refusal_is_one_line(wire: InProcess, admin: Api, tmp_path: Path) -> None:
    refused = export(99, tmp_path / "caps")
    assert refused.exit_code == 1
    assert "batch_unknown" in refused.output


def test_a_fetched_draw_verifies(
    bench: Bench, wire: InProcess, admin: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    units, _ = brand.batch(admin, 300)
    brand.campaign(admin)
    release_id = brand.activated(admin, units, 0, 300)["release"]["release_id"]
    bench.clock.now_ms += 61 * brand.DAY_MS
    bench.sign_in("anna", "admin").ok("POST", f"/releases/{release_id}/reveal")
    for inline, files in ((20_000, 1), (100, 2)):
        monkeypatch.setattr(reveal_draw, "INLINE", inline)
        monkeypatch.setattr("cli.draw_fetch.PAGE", 120)
        folder = tmp_path / str(inline)
        folder.mkdir()
        out = folder / "draw.json"
        done = run("draw", "fetch", release_id, "--out", str(out))
        assert done.exit_code == 0, done.output
        assert len(list(folder.iterdir())) == files
        assert CliRunner().invoke(app, ["draw", "verify", str(out)]).exit_code == 0
