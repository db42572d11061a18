"""`uncap batch`: ordering, fetching, opening and checking the files of codes that printers get (docs/exports.md)."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli import archives
from cli.archives import DamagedError
from cli.clients import ApiProblemError, Console
from cli.exporting import fetch, manifest_of
from cli.opening import check_any, open_into, seal_skips

app = typer.Typer(help="Code batches: order, export, open and check files of codes.", no_args_is_help=True)

_REFUSED, _DAMAGED = 1, 2
_DAY_MS = 86_400_000

Base = Annotated[str, typer.Option(envvar="UNCAP_CONSOLE", help="The console API's address.")]
Login = Annotated[str, typer.Option(envvar="UNCAP_LOGIN", help="Your login.")]
Password = Annotated[
    str, typer.Option(envvar="UNCAP_PASSWORD", prompt=True, hide_input=True, help="Asked for if not given.")
]
ExportId = Annotated[str, typer.Argument(help="As `uncap batch order` printed it: x7-….")]
Identity = Annotated[
    list[Path], typer.Option("--identity", exists=True, dir_okay=False, help="Your key file; may be repeated.")
]


@contextmanager
def said(file: Path | None = None) -> Iterator[None]:
    """Whatever goes wrong becomes one line: exit status 1 for a refusal, 2 for something damaged."""
    try:
        yield
    except ApiProblemError as problem:
        typer.echo(f"refused: {problem}", err=True)
        raise typer.Exit(_REFUSED) from problem
    except httpx.TransportError as broken:
        typer.echo(f"the console does not answer ({broken}); run it again to go on", err=True)
        raise typer.Exit(_REFUSED) from broken
    except DamagedError as damage:
        typer.echo(f"{file}: {damage}" if file else str(damage), err=True)
        raise typer.Exit(_DAMAGED) from damage
    except OSError as error:
        typer.echo(f"{error.filename or file}: {error.strerror}", err=True)
        raise typer.Exit(_REFUSED) from error


@app.command()
def order(
    batch_no: Annotated[int, typer.Argument(min=1)],
    role: Annotated[str, typer.Option(help="cap_inner, cap_outer, case_outer, …: one role per supplier.")],
    made_for: Annotated[str, typer.Option("--for", help="The supplier or line.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail with your name.")],
    base: Base,
    login: Login,
    password: Password,
    recipient: Annotated[
        str, typer.Option(help="The supplier's public key (age1…); without it a small plain file.")
    ] = "",
    form: Annotated[str, typer.Option("--format", help="txt: links only, for printers; csv: for the line.")] = "txt",
    start: Annotated[int, typer.Option(min=0)] = 0,
    stop: Annotated[int, typer.Option(min=0, help="0: to the end of the batch.")] = 0,
    days: Annotated[int, typer.Option(min=1, max=92, help="Until when it may be fetched and opened.")] = 7,
    canaries: Annotated[int, typer.Option(min=0, max=100, help="Hidden codes that must not be printed.")] = 0,
) -> None:
    """Orders codes to be taken out. Large orders wait for `uncap batch approve` by someone else."""
    body: dict[str, object] = {"batch_no": batch_no, "role": role, "made_for": made_for, "reason": reason}
    body |= {"recipient": recipient, "format": form, "start": start, "stop": stop, "canaries": canaries}
    body["expires_at_ms"] = int(time.time() * 1000) + days * _DAY_MS
    with said():
        answer = Console(base.rstrip("/"), login, password).call("POST", "/exports", body)
    made = answer["order"]
    waits = "; a second person must approve it" if answer["status"] == "asked" else ""
    typer.echo(made["export_id"])
    typer.echo(f"{answer['lines']} codes of {made['role']} for {made['made_for']}{waits}", err=True)


@app.command()
def approve(export_id: ExportId, base: Base, login: Login, password: Password) -> None:
    """Approves a large order that someone else has made."""
    with said():
        answer = Console(base.rstrip("/"), login, password).call("POST", f"/exports/{export_id}/approve")
    typer.echo(f"{export_id} is {answer['status']}: {answer['lines']} codes for {answer['order']['made_for']}")


@app.command()
def export(
    export_id: ExportId,
    out: Annotated[Path, typer.Option(dir_okay=False, help="The file to write; an archive is best called ….tar.")],
    base: Base,
    login: Login,
    password: Password,
) -> None:
    """Fetches the codes of an order into an archive encrypted to its recipient (small orders without one: plain).

    Exit status 1 if the console refuses or is gone, 2 if a page or the part on disk is damaged. Run it again to go on.
    """
    with said(out):
        console = Console(base.rstrip("/"), login, password)
        shown = console.call("GET", f"/exports/{export_id}")
        manifest = manifest_of(shown["order"], shown["lines"], login, out.name, int(time.time() * 1000))
        with _progress() as bar:
            task = bar.add_task("export", total=manifest.lines, what=export_id)
            done = fetch(console, shown["order"], manifest, out, lambda codes: bar.update(task, advance=codes))
        check_any(out)
    typer.echo(f"{out}: {done.lines} codes, SHA-256 {archives.file_sha256(out)}")


@app.command()
def skips(
    export_id: ExportId,
    out: Annotated[Path, typer.Option(dir_okay=False, help="The file to write.")],
    recipient: Annotated[str, typer.Option(help="The public key of the press, not of whoever holds the file.")],
    base: Base,
    login: Login,
    password: Password,
) -> None:
    """Fetches which lines must not be printed, encrypted to the press. Refused to whoever fetched the codes."""
    with said(out):
        console = Console(base.rstrip("/"), login, password)
        sealed = seal_skips(lambda: console.call("POST", f"/exports/{export_id}/skips"), recipient)
        out.write_bytes(sealed)
    typer.echo(f"{out}: for the press only")


@app.command("open")
def open_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    identity: Identity,
    out: Annotated[
        str, typer.Option(help="The plain file to write; -: standard output, for a press that reads it.")
    ] = "",
    skip: Annotated[
        Path | None, typer.Option("--skips", exists=True, dir_okay=False, help="Leave these lines out.")
    ] = None,
) -> None:
    """Opens an archive: every part is decrypted and checked before it is written.

    Exit status 1 if the export has expired, 2 if the archive is damaged or for someone else; then nothing is left.
    """
    with said(file):
        manifest = archives.read_manifest(file)
        _refuse_expired(manifest)
        target = out or str(file.with_name(manifest.file))
        keys = [key for path in identity for key in archives.read_identities(path)]
        written = open_into(file, manifest, keys, skip, sys.stdout.buffer if target == "-" else Path(target))
    typer.echo(f"{target}: {written} codes of {manifest.role}, batch {manifest.batch_no}", err=True)


@app.command()
def check(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Checks an archive, or a plain file against the manifest beside it; needs no key. Exit status 2 if they differ."""
    with said(file):
        manifest = check_any(file)
    typer.echo(f"{file}: {manifest.lines} codes of {manifest.role}, batch {manifest.batch_no}, as exported")


def _refuse_expired(manifest: archives.Manifest) -> None:
    now_ms = int(time.time() * 1000)
    if now_ms >= manifest.expires_at_ms:
        ended = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(manifest.expires_at_ms / 1000))
        typer.echo(f"this export expired on {ended}; ask {manifest.made_by} for a new one", err=True)
        raise typer.Exit(_REFUSED)


def _progress() -> Progress:
    return Progress(TextColumn("{task.fields[what]}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
