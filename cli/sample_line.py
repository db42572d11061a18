"""`uncap sample-line`: what a packing line would write about a roll of codes, before there is a line."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cli.line_files import FORMS, STEP_MS, LineDay, run_line, to_bytes_by_form

_FAILED = 1


def sample_line(
    units: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Exported codes of the units, one a line.")],
    cases: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Exported codes of the cases, one a line.")],
    pack: Annotated[int, typer.Option(min=1, help="Units in a case.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="The file to write.")],
    form: Annotated[str, typer.Option("--format", help=", ".join(FORMS))] = "csv",
    reject_each: Annotated[int, typer.Option(min=0, help="Of so many units one is thrown out; 0: none.")] = 50,
    spares: Annotated[int, typer.Option(min=0, help="Units at the end of the roll that replace bad ones.")] = 1,
    repeats: Annotated[int, typer.Option(min=0, help="Rows written twice.")] = 0,
) -> None:
    """Packs the units into the cases, with rejects and replacements, and writes the line's file."""
    try:
        roll, boxes = read_codes(units), read_codes(cases)
        begins = time.time_ns() // 1_000_000 - (len(roll) + 2 * spares) * STEP_MS
        rows = run_line(roll, boxes, LineDay(pack, begins, reject_each, spares, repeats))
        out.write_bytes(to_bytes_by_form(rows, form))
    except (OSError, ValueError) as error:
        typer.echo(f"no file was written: {error}", err=True)
        raise typer.Exit(_FAILED) from error
    typer.echo(f"{out}: {len(rows)} rows")


def read_codes(file: Path) -> list[str]:
    """One code a line, or the `url` column of an exported CSV."""
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    if lines and "," in lines[0]:
        head = lines[0].split(",")
        column = head.index("url") if "url" in head else 2
        return [line.split(",")[column] for line in (lines[1:] if "url" in head else lines) if line]
    return [line for line in lines if line]
