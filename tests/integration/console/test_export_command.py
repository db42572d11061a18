"""`uncap batch` and `uncap draw fetch` against the console API itself, over an in-process transport."""

import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from chalice.test import Client
from typer.testing import CliRunner, Result

from cli import exporting
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
        self.before: Callable[[], None] = lambda: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().removeprefix("/console")
        self.before()
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
    monkeypatch.setattr("cli.batches.time.time", lambda: bench.clock.now_ms / 1000)
    monkeypatch.setattr(exporting, "PAGE_CODES", 100)
    return transport


class Supplier(NamedTuple):
    key: Path
    public: str


@pytest.fixture
def supplier(tmp_path: Path) -> Supplier:
    key = tmp_path / "keys" / "printer.key"
    key.parent.mkdir()
    made = CliRunner().invoke(app, ["keys", "recipient", "--out", str(key)])
    assert made.exit_code == 0, made.output
    assert key.stat().st_mode & 0o777 == 0o600
    return Supplier(key, made.stdout.strip())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, *ACCESS])


def local(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def ordered(units: int, *more: str) -> str:
    done = run(
        "batch", "order", str(units), "--role", "cap_inner", "--for", "Cap printer", "--reason", "print run", *more
    )
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def export(order: str, out: Path) -> Result:
    return run("batch", "export", order, "--out", str(out))


def opened(archive: Path, supplier: Supplier, *more: str) -> Result:
    return local("batch", "open", str(archive), "--identity", str(supplier.key), *more)


def test_an_archive_for_a_supplier(wire: InProcess, admin: Api, supplier: Supplier, tmp_path: Path) -> None:
    units, _ = brand.batch(admin, 250)
    order = ordered(units, "--recipient", supplier.public, "--canaries", "3")
    out = tmp_path / "caps.tar"
    done = export(order, out)
    assert done.exit_code == 0, done.output
    assert (wire.pages, hashlib.sha256(out.read_bytes()).hexdigest() in done.output) == (3, True)
    with tarfile.open(out) as tar:
        assert tar.getnames() == [f"codes-00000{n}.txt.age" for n in (1, 2, 3)] + ["manifest.json"]
        said = json.loads(tar.extractfile("manifest.json").read())  # type: ignore[union-attr]  # it is a file
    assert (said["lines"], said["made_for"], said["made_by"]) == (253, "Cap printer", "anna")
    assert (said["export_id"], said["file"], said["role"], said["batch_no"]) == (order, "caps.txt", "cap_inner", units)
    assert said["expires_at_ms"] > said["made_at_ms"]
    assert local("batch", "check", str(out)).exit_code == 0
    assert opened(out, supplier).exit_code == 0
    plain = (tmp_path / "caps.txt").read_bytes()
    assert plain.count(b"\r\n") == len(set(plain.splitlines())) == 253
    assert sorted(path.name for path in tmp_path.iterdir()) == ["caps.tar", "caps.txt", "keys"]


def test_plain_text_never_lies_on_the_disk(wire: InProcess, admin: Api, supplier: Supplier, tmp_path: Path) -> None:
    """Looked for at every request of an interrupted export, which then goes on, and in what is left at the end."""
    units, _ = brand.batch(admin, 450)
    order = ordered(units, "--recipient", supplier.public)
    out = tmp_path / "caps.tar"
    seen = []

    def look() -> None:
        for path in tmp_path.rglob("*"):
            if path.is_file():
                seen.append(path.name)
                assert b"HTTPS://" not in path.read_bytes(), path

    wire.before = look
    wire.fail_after = 2
    assert export(order, out).exit_code == 1
    wire.fail_after = 10**9
    assert export(order, out).exit_code == 0
    look()
    assert {"caps.tar", "caps.tar.part", "caps.tar.part.json"} <= set(seen)


@pytest.mark.parametrize("form", ["txt", "csv"])
def test_an_interrupted_export_goes_on_where_it_was(
    wire: InProcess, admin: Api, supplier: Supplier, tmp_path: Path, form: str
) -> None:
    units, _ = brand.batch(admin, 250)
    order = ordered(units, "--recipient", supplier.public, "--format", form)
    whole, out = tmp_path / "whole.tar", tmp_path / "caps.tar"
    assert export(order, whole).exit_code == 0
    wire.pages, wire.fail_after = 0, 2
    cut = export(order, out)
    assert (cut.exit_code, "run it again to go on" in cut.output) == (1, True)
    assert not out.exists()
    with (tmp_path / "caps.tar.part").open("ab") as file:
        file.write(b"half a part")
    wire.pages, wire.fail_after = 0, 10**9
    assert export(order, out).exit_code == 0
    assert wire.pages == 1
    for archive in (whole, out):
        assert opened(archive, supplier).exit_code == 0
    text = (tmp_path / f"caps.{form}").read_bytes()
    assert text == (tmp_path / f"whole.{form}").read_bytes()
    assert text.startswith(b"\xef\xbb\xbfseq,code,url,parent\r\n" if form == "csv" else b"HTTPS://")
    assert text.count(b"\r\n") == 250 + (form == "csv")


def test_a_small_order_may_go_out_plain(wire: InProcess, admin: Api, tmp_path: Path) -> None:
    units, _ = brand.batch(admin, 60)
    out = tmp_path / "sample.csv"
    done = export(ordered(units, "--format", "csv", "--stop", "50"), out)
    assert done.exit_code == 0, done.output
    assert out.read_bytes().count(b"\r\n") == 51
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sample.csv", "sample.csv.manifest.json"]
    assert local("batch", "check", str(out)).exit_code == 0
    out.write_bytes(out.read_bytes()[:-2])
    assert local("batch", "check", str(out)).exit_code == 2


def test_the_press_leaves_the_canaries_out(
    wire: InProcess, admin: Api, second: Api, supplier: Supplier, tmp_path: Path
) -> None:
    units, _ = brand.batch(admin, 250)
    order = ordered(units, "--recipient", supplier.public, "--canaries", "9")
    out, skips = tmp_path / "caps.tar", tmp_path / "skips.age"
    assert export(order, out).exit_code == 0
    fetch = ["batch", "skips", order, "--out", str(skips), "--recipient", supplier.public]
    assert "second_person_needed" in run(*fetch).output
    assert local(*fetch, *ACCESS[:2], "--login", "bert", "--password", PASSWORD).exit_code == 0
    assert b"lines" not in skips.read_bytes()
    press = opened(out, supplier, "--skips", str(skips), "--out", "-")
    assert press.exit_code == 0, press.output
    printed = press.stdout.splitlines()
    assert len(printed) == len(set(printed)) == 250
    assert opened(out, supplier).exit_code == 0
    everything = (tmp_path / "caps.txt").read_text().splitlines()
    assert [line for line in everything if line in set(printed)] == printed
    assert len(everything) == 259
    other = ordered(units, "--recipient", supplier.public)
    assert export(other, tmp_path / "other.tar").exit_code == 0
    assert opened(tmp_path / "other.tar", supplier, "--skips", str(skips)).exit_code == 2
    typed = run("batch", "skips", order, "--out", str(skips), "--recipient", supplier.public[:-1] + "q")
    assert (typed.exit_code, "checksum" in typed.output) == (2, True)


def test_a_damaged_page_or_part_is_noticed(wire: InProcess, admin: Api, supplier: Supplier, tmp_path: Path) -> None:
    units, _ = brand.batch(admin, 250)
    order, other = (ordered(units, "--recipient", supplier.public) for _ in range(2))
    out = tmp_path / "caps.tar"
    wire.damage = True
    assert export(order, out).exit_code == 2
    wire.damage, wire.fail_after = False, wire.pages + 1
    assert export(order, out).exit_code == 1
    wire.fail_after = 10**9
    assert "of another export" in export(other, out).output
    part = tmp_path / "caps.tar.part"
    data = bytearray(part.read_bytes())
    data[700] ^= 1
    part.write_bytes(data)
    assert export(order, out).exit_code == 2
    (tmp_path / "caps.tar.part.json").write_text("{")
    assert export(order, out).exit_code == 2


def test_what_is_wrong_with_an_archive_is_said_and_nothing_is_left(
    bench: Bench, wire: InProcess, admin: Api, supplier: Supplier, tmp_path: Path
) -> None:
    units, _ = brand.batch(admin, 250)
    order = ordered(units, "--recipient", supplier.public)
    out, bad = tmp_path / "caps.tar", tmp_path / "bad.tar"
    assert export(order, out).exit_code == 0
    whole = out.read_bytes()

    def refused(data: bytes, *more: str) -> tuple[int, str]:
        bad.write_bytes(data)
        answer = opened(bad, supplier, *more)
        assert {path.name for path in tmp_path.iterdir()} == {"caps.tar", "bad.tar", "keys"}
        return answer.exit_code, answer.output

    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    assert refused(bytes(flipped))[0] == 2
    assert refused(whole[: len(whole) // 2]) == (
        2,
        f"{bad}: this is not a whole archive of uncap: its manifest is missing\n",
    )
    assert refused(b"no archive at all")[0] == 2
    assert refused(whole.replace(b'"lines": 100', b'"lines": 101', 1))[0] == 2
    assert refused(whole.replace(b"uncap-export-1", b"uncap-export-9", 1))[0] == 2
    swapped = whole.replace(b"codes-000001", b"codes-00000X").replace(b"codes-000002", b"codes-000001")
    assert refused(swapped.replace(b"codes-00000X", b"codes-000002"))[0] == 2
    stranger = tmp_path / "keys" / "stranger.key"
    assert local("keys", "recipient", "--out", str(stranger)).exit_code == 0
    wrong = local("batch", "open", str(out), "--identity", str(stranger))
    assert (wrong.exit_code, "cannot be opened with this key" in wrong.output) == (2, True)
    stranger.write_text("AGE-SECRET-KEY-1WRONG")
    wrong = local("batch", "open", str(out), "--identity", str(stranger))
    assert (wrong.exit_code, "line 1 is not an age key" in wrong.output) == (2, True)
    bench.clock.now_ms += 8 * brand.DAY_MS
    late = opened(out, supplier)
    assert late.exit_code == 1
    assert "expired on 2026-11-28" in late.output


def test_a_large_order_waits_for_somebody_else(
    wire: InProcess, admin: Api, second: Api, supplier: Supplier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uncap.domain.exports.SECOND_PERSON_LINES", 100)
    units, _ = brand.batch(admin, 250)
    order = ordered(units, "--recipient", supplier.public)
    assert "export_awaits_approval" in export(order, tmp_path / "caps.tar").output
    assert "second_person_needed" in run("batch", "approve", order).output
    assert local("batch", "approve", order, *ACCESS[:2], "--login", "bert", "--password", PASSWORD).exit_code == 0
    assert export(order, tmp_path / "caps.tar").exit_code == 0


def test_a_refusal_is_one_line(wire: InProcess, admin: Api, tmp_path: Path) -> None:
    refused = export("x9-00000000", tmp_path / "caps")
    assert refused.exit_code == 1
    assert "export_unknown" in refused.output
    nowhere = run("batch", "skips", "x9-00000000", "--out", "s.age", "--recipient", "age1short")
    assert (nowhere.exit_code, "a recipient is an age key" in nowhere.output) == (2, True)


def test_a_key_is_never_overwritten(supplier: Supplier, tmp_path: Path) -> None:
    again = local("keys", "recipient", "--out", str(supplier.key))
    assert (again.exit_code, "never overwritten" in again.output) == (1, True)
    assert local("keys", "recipient", "--out", str(tmp_path / "no" / "such.key")).exit_code == 1


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
