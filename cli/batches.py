"""`uncap batch`: code files for printers, fetched page by page from the console API, with a manifest to check them by.

Resumable: pages already in FILE.part are checked against FILE.part.json and not fetched (and audited) again.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.clients import ApiProblemError, Console, send

app = typer.Typer(help="Code batches.", no_args_is_help=True)

PAGE_CODES = 20_000
CSV_HEAD = b"\xef\xbb\xbfseq,code,url,parent\r\n"
_REFUSED, _DAMAGED = 1, 2

Base = Annotated[str, typer.Option(envvar="UNCAP_CONSOLE", help="The console API's address.")]
Login = Annotated[str, typer.Option(envvar="UNCAP_LOGIN", help="Your login.")]
Password = Annotated[
    str, typer.Option(envvar="UNCAP_PASSWORD", prompt=True, hide_input=True, help="Asked for if not given.")
]


class DamagedError(Exception):
    """What arrived, or what lies on the disk, is not what its hash says."""


class PageNote(msgspec.Struct, frozen=True):
    """One page as it was written: codes `start..stop`, its bytes and their SHA-256."""

    start: int
    stop: int
    size: int
    sha256: str


class Order(msgspec.Struct, frozen=True):
    """What is exported; a file begun for another order is not continued."""

    batch_no: int
    role: str
    format: str
    start: int
    stop: int


class Manifest(msgspec.Struct):
    """The file beside the export. `sha256` is over the whole file, head line included; "" until it is complete."""

    order: Order
    reason: str
    exported_by: str
    gtin: str
    pages: list[PageNote]
    bytes: int = 0
    sha256: str = ""


@app.callback()
def _batch() -> None:
    """Code batches."""


@app.command()
def export(
    batch_no: Annotated[int, typer.Argument(min=1)],
    role: Annotated[str, typer.Option(help="cap_inner, cap_outer, case_outer, …: one role per supplier.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail with your name.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="The file to write.")],
    base: Base,
    login: Login,
    password: Password,
    form: Annotated[str, typer.Option("--format", help="txt: links only, for printers; csv: for the line.")] = "txt",
    start: Annotated[int, typer.Option(min=0)] = 0,
    stop: Annotated[int, typer.Option(min=0, help="0: to the end of the batch.")] = 0,
) -> None:
    """Writes a batch's codes of one role into a file, and FILE.manifest.json with its SHA-256.

    Exit status 1 if the console refuses or is gone, 2 if a page or the part on disk is damaged. Run it again to go on.
    """
    try:
        console = Console(base.rstrip("/"), login, password)
        batch = console.call("GET", f"/batches/{batch_no}")["batch"]
        order = Order(batch_no, role, form, start, stop or batch["size"])
        _within(order, batch["size"])
        manifest = Manifest(order, reason, login, batch["gtin"], [])
        with Progress(
            TextColumn("batch {task.fields[batch]}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        ) as bar:
            task = bar.add_task("export", total=order.stop - order.start, batch=batch_no)
            done = fetch(console, manifest, out, lambda codes: bar.update(task, advance=codes))
    except ApiProblemError as problem:
        typer.echo(f"refused: {problem}", err=True)
        raise typer.Exit(_REFUSED) from problem
    except httpx.TransportError as broken:
        typer.echo(f"the console does not answer ({broken}); run it again to go on", err=True)
        raise typer.Exit(_REFUSED) from broken
    except DamagedError as damage:
        typer.echo(f"{out}: {damage}", err=True)
        raise typer.Exit(_DAMAGED) from damage
    except OSError as error:
        typer.echo(f"{out} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(_REFUSED) from error
    typer.echo(f"{out}: {order.stop - order.start} codes, {done.bytes} bytes, SHA-256 {done.sha256}")


@app.command()
def check(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Checks a code file against the manifest beside it; exit status 2 if they differ."""
    try:
        manifest = msgspec.json.decode(beside(file, "manifest.json").read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        typer.echo(f"{file}: no manifest beside it that can be read: {error}", err=True)
        raise typer.Exit(_DAMAGED) from error
    found = file_sha256(file)
    if found != manifest.sha256:
        typer.echo(f"{file}: SHA-256 is {found}, the manifest says {manifest.sha256}", err=True)
        raise typer.Exit(_DAMAGED)
    order = manifest.order
    typer.echo(f"{file}: {order.stop - order.start} codes of batch {order.batch_no}, as exported")


def _within(order: Order, size: int) -> None:
    if not order.start < order.stop <= size:
        raise typer.BadParameter(f"the batch has {size} codes", param_hint="--start, --stop")


def fetch(console: Console, manifest: Manifest, out: Path, advance: Callable[[int], None]) -> Manifest:
    """The finished export at `out` and its manifest. Raises ApiProblemError, DamagedError."""
    part, notes = beside(out, "part"), beside(out, "part.json")
    if notes.exists():
        manifest.pages = _resumed(part, notes, manifest.order)
        advance(sum(page.stop - page.start for page in manifest.pages))
    if not manifest.pages:
        part.write_bytes(CSV_HEAD if manifest.order.format == "csv" else b"")
    at = manifest.pages[-1].stop if manifest.pages else manifest.order.start
    with part.open("ab") as file:
        while at < manifest.order.stop:
            page = fetch_page(console, manifest, at)
            file.write(page)
            file.flush()
            stop = min(at + PAGE_CODES, manifest.order.stop)
            manifest.pages.append(PageNote(at, stop, len(page), hashlib.sha256(page).hexdigest()))
            _write(notes, manifest)
            advance(stop - at)
            at = stop
    manifest.bytes, manifest.sha256 = part.stat().st_size, file_sha256(part)
    _write(beside(out, "manifest.json"), manifest)
    part.replace(out)
    notes.unlink(missing_ok=True)
    return manifest


def fetch_page(console: Console, manifest: Manifest, at: int) -> bytes:
    """One page, checked against the digest it came with and for the number of its lines."""
    order = manifest.order
    count = min(PAGE_CODES, order.stop - at)
    query: dict[str, str | int] = {"role": order.role, "reason": manifest.reason, "format": order.format}
    url = f"{console.base}/batches/{order.batch_no}/codes"
    response: httpx.Response = send(console.client, "GET", url, params={**query, "start": at, "count": count})
    body = response.content
    if hashlib.sha256(body).hexdigest() != response.headers.get("x-uncap-sha256", ""):
        raise DamagedError(f"the page from code {at} on did not arrive whole")
    if body.count(b"\r\n") != count:
        raise DamagedError(f"the page from code {at} on has another number of lines than {count}")
    return body


def file_sha256(file: Path) -> str:
    """Hex SHA-256 of a file of any size."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def beside(file: Path, suffix: str) -> Path:
    """FILE.suffix."""
    return file.with_name(f"{file.name}.{suffix}")


def _resumed(part: Path, notes: Path, order: Order) -> list[PageNote]:
    """The pages already written, each read back and checked; whatever follows the last whole page is cut off."""
    before = msgspec.json.decode(notes.read_bytes(), type=Manifest)
    if before.order != order:
        raise DamagedError("the unfinished file is of another export; remove it first")
    with part.open("r+b") as file:
        if order.format == "csv" and file.read(len(CSV_HEAD)) != CSV_HEAD:
            raise DamagedError("the unfinished file has lost its head line; remove it first")
        for page in before.pages:
            if hashlib.sha256(file.read(page.size)).hexdigest() != page.sha256:
                raise DamagedError(f"the unfinished file is damaged from code {page.start} on; remove it first")
        file.truncate(file.tell())
    return before.pages


def _write(path: Path, manifest: Manifest) -> None:
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    draft.replace(path)
