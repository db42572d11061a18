"""`uncap draw verify FILE…`: checks published draws. For anyone: it needs no key, no account and no network.

A file is the laid prizes of a release (ADR 0003) or the draw at a campaign's close (ADR 0028).
"""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from uncap.domain.prizes import published, published_closing
from uncap.domain.prizes.published import DrawReport, Mismatch, Noted, PublishedDraw, verify_draw
from uncap.domain.prizes.published_closing import PublishedClosing, verify_closing

app = typer.Typer(help="Published prize draws.", no_args_is_help=True)

_SHOWN_PER_CODE = 10
_REFUTED, _UNREADABLE = 1, 2


@app.callback()
def _draw() -> None:
    """Published prize draws."""


@app.command()
def verify(
    files: Annotated[list[Path], typer.Argument(help="Draws as published (JSON).", exists=True, dir_okay=False)],
    commitment: Annotated[str, typer.Option(help="The commitment you noted before the draw; with one file.")] = "",
    beacon: Annotated[str, typer.Option(help="The value you read at the beacon itself; with one file.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The reports as JSON, one a line.")] = False,
) -> None:
    """Recomputes every winner; exit status 1 if anything is not as committed, 2 if a file cannot be read."""
    if len(files) > 1 and (commitment or beacon):
        typer.echo("--commitment and --beacon are for one file", err=True)
        raise typer.Exit(_UNREADABLE)
    status = 0
    for file in files:
        try:
            report = report_of(file, Noted(commitment=commitment, beacon_value=beacon))
        except (msgspec.MsgspecError, OSError, ValueError) as error:
            typer.echo(f"{file}: not a published draw: {error}", err=True)
            status = _UNREADABLE
            continue
        if as_json:
            typer.echo(msgspec.json.encode({"passed": report.passed, **msgspec.to_builtins(report)}).decode())
        else:
            show(report, Console(), noted=bool(commitment and beacon))
        status = status if report.passed else max(status, _REFUTED)
    if status:
        raise typer.Exit(status)


class _Kind(msgspec.Struct):
    format: str = published.FORMAT


def report_of(file: Path, noted: Noted) -> DrawReport:
    """What is to be said of one file. Raises as `read_draw`."""
    if msgspec.json.decode(file.read_bytes(), type=_Kind).format == published_closing.FORMAT:
        return verify_closing(read_closing(file), noted)
    return verify_draw(read_draw(file), noted)


def read_draw(file: Path) -> PublishedDraw:
    """The document with its code hashes, from the raw file beside it if it names one.

    Raises msgspec.MsgspecError, OSError, or ValueError for another format or a file name that leads elsewhere.
    """
    draw = msgspec.json.decode(file.read_bytes(), type=PublishedDraw)
    if draw.format != published.FORMAT:
        raise ValueError(f"format {draw.format!r} is not {published.FORMAT!r}")
    if not draw.code_hashes_file:
        return draw
    return msgspec.structs.replace(draw, code_hashes=_beside(file, draw.code_hashes_file, "code hashes"))


def read_closing(file: Path) -> PublishedClosing:
    """The document with its entries, from the raw file beside it if it names one. Raises as `read_draw`."""
    draw = msgspec.json.decode(file.read_bytes(), type=PublishedClosing)
    if not draw.entries_file:
        return draw
    return msgspec.structs.replace(draw, entries=_beside(file, draw.entries_file, "entries").hex())


def _beside(file: Path, name: str, what: str) -> bytes:
    if Path(name).name != name:
        raise ValueError(f"the file of {what} must lie beside the document")
    return (file.parent / name).read_bytes()


def show(report: DrawReport, console: Console, *, noted: bool) -> None:
    """The report for people: one row per check, then what is wrong, then what only the reader can compare."""
    table = Table(title=f"Draw of {report.kind} {_told(report.release_id)}", title_justify="left")
    table.add_column("check")
    table.add_column("result")
    table.add_column("seen", overflow="fold")
    for check in report.checks:
        result = "WRONG" if check.mismatches else "ok" if check.made else "not made"
        table.add_row(check.name, result, _told(check.note))
    console.print(table)
    for line in _faults(report.mismatches):
        console.print(_told(line), highlight=False)
    if not report.passed:
        console.print("This draw is NOT what was committed to.")
        return
    for prize_id, count in sorted(report.prizes.items()):
        console.print(f"  {count} x {_told(prize_id)}", highlight=False)
    what = "codes" if report.kind == "release" else "entries"
    console.print(f"Verified: {report.eligible_count} {what}, {sum(report.prizes.values())} winners, all as committed.")
    if not noted:
        console.print("Compare for yourself, or pass --commitment and --beacon:")
        console.print(f"  commitment  {report.commitment}", highlight=False)
        console.print(f"  beacon      {_told(report.beacon)}", highlight=False)


def _told(text: str) -> str:
    """Text of the document made harmless: it may come from a cheat, so no markup and no terminal escapes."""
    return escape("".join(char if char.isprintable() else "\ufffd" for char in text))


def _faults(mismatches: tuple[Mismatch, ...]) -> list[str]:
    """A line per fault, the first few of each kind, so that a thousand wrong winners stay readable."""
    lines: list[str] = []
    for code in dict.fromkeys(mismatch.code for mismatch in mismatches):
        kind = [mismatch for mismatch in mismatches if mismatch.code == code]
        lines += [f"  {code}: {mismatch.message} ({mismatch.where})" for mismatch in kind[:_SHOWN_PER_CODE]]
        if len(kind) > _SHOWN_PER_CODE:
            lines.append(f"  {code}: and {len(kind) - _SHOWN_PER_CODE} more")
    return lines
