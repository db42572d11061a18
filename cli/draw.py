"""`uncap draw verify FILE`: checks a published draw. For anyone: it needs no key, no account and no network."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from uncap.domain.prizes.published import FORMAT, DrawReport, Mismatch, Noted, PublishedDraw, verify_draw

app = typer.Typer(help="Published prize draws.", no_args_is_help=True)

_SHOWN_PER_CODE = 10
_REFUTED, _UNREADABLE = 1, 2


@app.callback()
def _draw() -> None:
    """Published prize draws."""


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The draw as published (JSON).", exists=True, dir_okay=False)],
    commitment: Annotated[str, typer.Option(help="The commitment you noted at activation.")] = "",
    beacon: Annotated[str, typer.Option(help="The value you read at the beacon itself.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Recomputes every winner; exit status 1 if anything is not as committed, 2 if the file cannot be read."""
    try:
        draw = read_draw(file)
    except (msgspec.MsgspecError, OSError, ValueError) as error:
        typer.echo(f"{file}: not a published draw: {error}", err=True)
        raise typer.Exit(_UNREADABLE) from error
    report = verify_draw(draw, Noted(commitment=commitment, beacon_value=beacon))
    if as_json:
        typer.echo(msgspec.json.encode({"passed": report.passed, **msgspec.to_builtins(report)}).decode())
    else:
        show(report, Console(), noted=bool(commitment and beacon))
    if not report.passed:
        raise typer.Exit(_REFUTED)


def read_draw(file: Path) -> PublishedDraw:
    """The document with its code hashes, from the raw file beside it if it names one.

    Raises msgspec.MsgspecError, OSError, or ValueError for another format or a file name that leads elsewhere.
    """
    draw = msgspec.json.decode(file.read_bytes(), type=PublishedDraw)
    if draw.format != FORMAT:
        raise ValueError(f"format {draw.format!r} is not {FORMAT!r}")
    if not draw.code_hashes_file:
        return draw
    if Path(draw.code_hashes_file).name != draw.code_hashes_file:
        raise ValueError("the file of code hashes must lie beside the document")
    hashes = (file.parent / draw.code_hashes_file).read_bytes()
    return msgspec.structs.replace(draw, code_hashes=hashes)


def show(report: DrawReport, console: Console, *, noted: bool) -> None:
    """The report for people: one row per check, then what is wrong, then what only the reader can compare."""
    table = Table(title=f"Draw of release {_told(report.release_id)}", title_justify="left")
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
    console.print(f"Verified: {report.eligible_count} codes, {sum(report.prizes.values())} winners, all as committed.")
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
