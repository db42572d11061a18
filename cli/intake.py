"""`uncap associate` and `uncap upload`: a file from a line or a warehouse is hashed, uploaded, followed and reported.

Run again after an interruption it goes on where it was: the same bytes are the same upload. Exit status 0: taken whole;
1: the console or the file could not be reached; 2: nothing of the file was taken; 3: taken, rows of it left out.
"""

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer
from rich.console import Console as Terminal
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cli.batches import Base, Login, Password
from cli.clients import ApiProblemError, Console, problem_of
from cli.intake_report import exit_status, print_report
from dev.stack import http

_UNREACHED = 1
_BLOCK = 1 << 20
_PUT_TRIES = 4
_POLL_S = 1.0

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file to send.")]
Mode = Annotated[
    str, typer.Option(help="rollback: one wrong row and nothing is taken. proceed: wrong rows are left out.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON and no progress.")]


class Order(msgspec.Struct, frozen=True):
    """What is sent, and as what."""

    file: Path
    kind: str
    mode: str
    form: str = "auto"
    gtin: str = ""


def associate(
    file: File,
    base: Base,
    login: Login,
    password: Password,
    form: Annotated[str, typer.Option("--kind", help="auto, csv, parquet or epcis.")] = "auto",
    mode: Mode = "rollback",
    gtin: Annotated[str, typer.Option(help="Whose codes serials without a link are.")] = "",
    as_json: AsJson = False,
) -> None:
    """Sends a line's association file (CSV, Parquet, EPCIS 2.0; plain, gzip or zip) and prints its report."""
    run_order(Order(file, "association", mode, form, gtin), base, login, password, as_json=as_json)


def upload(
    file: File,
    base: Base,
    login: Login,
    password: Password,
    kind: Annotated[str, typer.Option("--as", help="epcis, shipments, receipts or returns.")],
    mode: Mode = "rollback",
    as_json: AsJson = False,
) -> None:
    """Sends a file of another kind and prints its report."""
    run_order(Order(file, kind, mode), base, login, password, as_json=as_json)


def run_order(order: Order, base: str, login: str, password: str, *, as_json: bool) -> None:
    """Sends, follows, reports, and ends the command with its exit status."""
    try:
        console = Console(base.rstrip("/"), login, password)
        session = contextlib.closing(console.client)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
        )
        with session, Progress(*columns, console=Terminal(stderr=True), disable=as_json) as bar:
            report = send(console, order, bar)
    except ApiProblemError as problem:
        typer.echo(f"refused: {problem}", err=True)
        raise typer.Exit(_UNREACHED) from problem
    except httpx.TransportError as broken:
        typer.echo(f"no answer ({broken}); run it again to go on", err=True)
        raise typer.Exit(_UNREACHED) from broken
    except OSError as error:
        typer.echo(f"{order.file} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(_UNREACHED) from error
    print_report(report, as_json=as_json)
    raise typer.Exit(exit_status(report))


def send(console: Console, order: Order, bar: Progress) -> dict[str, Any]:
    """The finished upload's report. Raises ApiProblemError, httpx.TransportError, OSError."""
    size = order.file.stat().st_size
    announced = announce(console, order, size, file_sha256(order.file))
    if announced["put"]:
        task = bar.add_task("uploading", total=size, note=f"{size >> 20} MB")
        _put(order, announced, lambda count: bar.update(task, advance=count), lambda: bar.update(task, completed=0))
    report = announced["upload"]
    if report["state"] in ("done", "failed"):
        return dict(report)
    console.call("POST", f"/uploads/{report['upload_id']}/start")
    return follow(console, report["upload_id"], bar)


def file_sha256(file: Path) -> str:
    """Hex SHA-256 of a file of any size."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def announce(console: Console, order: Order, size: int, sha256: str) -> dict[str, Any]:
    """The upload as the console knows it, and where to put the bytes if they are not there yet."""
    body = {
        "kind": order.kind,
        "name": order.file.name,
        "size": size,
        "sha256": sha256,
        "mode": order.mode,
        "format": order.form,
        "gtin": order.gtin,
    }
    answer: dict[str, Any] = console.call("POST", "/uploads", body)
    return answer


def follow(
    console: Console, upload_id: str, bar: Progress, pause: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """Waits for the upload's end. A turn that was lost is asked for anew after a minute without a step."""
    task = bar.add_task("associating", total=1000, note="")
    asked_at = time.monotonic()
    touched = 0
    while True:
        report: dict[str, Any] = console.call("GET", f"/uploads/{upload_id}")
        note = f"{report['rows_done']:,} rows, {sum(report['counts'].values()):,} remarks"
        bar.update(task, completed=report["permille"], note=note)
        if report["state"] in ("done", "failed"):
            return report
        if report["touched_at_ms"] != touched:
            touched, asked_at = report["touched_at_ms"], time.monotonic()
        elif time.monotonic() - asked_at > 60:
            console.call("POST", f"/uploads/{upload_id}/start")
            asked_at = time.monotonic()
        pause(_POLL_S)


def _put(order: Order, announced: dict[str, Any], advance: Callable[[int], None], again: Callable[[], None]) -> None:
    """The bytes into the bucket, from the beginning after a broken connection."""
    put = announced["put"]
    with http.client(timeout_s=120) as client:
        for attempt in range(1, _PUT_TRIES + 1):
            again()
            try:
                response = client.put(put["url"], headers=put["headers"], content=_blocks(order.file, advance))
            except httpx.TransportError:
                if attempt == _PUT_TRIES:
                    raise
                time.sleep(attempt)
                continue
            if response.is_success:
                return
            if response.status_code < httpx.codes.INTERNAL_SERVER_ERROR or attempt == _PUT_TRIES:
                raise problem_of(response)
            time.sleep(attempt)


def _blocks(file: Path, advance: Callable[[int], None]) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block
            advance(len(block))
