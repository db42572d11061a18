"""`uncap labels`: a file of codes, or pallets, onto label stock: PDF or SVG, read back if asked for."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.archives import DamagedError
from cli.labels import reading
from cli.labels import stock as stocks
from cli.labels.images import pngs
from cli.labels.pallets import write_pallets
from cli.labels.sheet import write_pdf, write_svg
from cli.labels.sources import links_in
from cli.labels.stock import Stock, StockError

LABELS_PER_FILE = 20_000
"""A PDF is held in memory until it is whole; longer runs become several files."""
_REFUSED, _DAMAGED = 1, 2


def labels(
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="txt, csv, an archive, or a list of SSCCs.")
    ] = None,
    layout: Annotated[str, typer.Option(help="Label stock by name, or a .json file; see --list.")] = "a4-65",
    out: Annotated[Path, typer.Option(dir_okay=False, help=".pdf; .svg: a file a page; .png: a file a code.")] = Path(
        "labels.pdf"
    ),
    verify: Annotated[bool, typer.Option("--verify", help="Draw every page and read every label back.")] = False,
    identity: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="The key file, for an archive.")
    ] = None,
    link_base: Annotated[str, typer.Option(help="scheme://host for pallets given as bare SSCCs.")] = "",
    count: Annotated[int, typer.Option(min=0, help="So many labels only; 0: all.")] = 0,
    show: Annotated[bool, typer.Option("--list", help="Which label stock there is.")] = False,
) -> None:
    """Draws labels for a file of codes. Exit status 1 for what cannot be drawn, 2 for a file or sheet that is wrong."""
    if show or file is None:
        for known in stocks.known():
            typer.echo(f"{known.name:12} {known.what}")
        raise typer.Exit(0 if show else _REFUSED)
    try:
        chosen = stocks.load(layout)
        links = links_in(file, chosen, identity or [], link_base)
        made = wrong = 0
        for path, part in _files(out, chosen, itertools.islice(links, count or None)):
            _write(path, chosen, part)
            made += len(part)
            if verify:
                wrong += _misread(path, chosen, part)
    except (StockError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_REFUSED) from error
    except DamagedError as damage:
        typer.echo(f"{file}: {damage}", err=True)
        raise typer.Exit(_DAMAGED) from damage
    except OSError as error:
        typer.echo(f"{error.filename or out}: {error.strerror}", err=True)
        raise typer.Exit(_REFUSED) from error
    _report(made, wrong, out, verify=verify)


def _report(made: int, wrong: int, out: Path, *, verify: bool) -> None:
    if wrong or not made:
        typer.echo(f"{wrong} of {made} labels do not read back" if made else "the file holds no codes", err=True)
        raise typer.Exit(_DAMAGED)
    typer.echo(f"{out}: {made} labels" + (", every one read back" if verify else ""))


def _files(out: Path, stock: Stock, links: Iterator[str]) -> Iterator[tuple[Path, Sequence[str]]]:
    """Links by file: numbered before the suffix where one file is not enough."""
    size = _labels_per_file(out, stock)
    part = list(itertools.islice(links, size))
    for number in itertools.count(1):
        following = list(itertools.islice(links, size))
        if part:
            alone = number == 1 and not following
            yield out if alone else out.with_stem(f"{out.stem}-{number:04d}"), part
        if not following:
            return
        part = following


def _labels_per_file(out: Path, stock: Stock) -> int:
    if out.suffix not in (".pdf", ".svg", ".png"):
        raise StockError(f"{out}: labels are written as .pdf, .svg or .png")
    if out.suffix != ".pdf":
        return stock.per_page if out.suffix == ".svg" else 1
    return max(LABELS_PER_FILE // stock.per_page, 1) * stock.per_page


def _write(path: Path, stock: Stock, links: Sequence[str]) -> None:
    draft = path.with_name(f"{path.name}.new")
    try:
        if path.suffix != ".pdf" and stock.kind == "pallet":
            raise StockError("pallet labels are written as .pdf")
        if path.suffix == ".svg":
            write_svg(draft, stock, links)
        elif path.suffix == ".png":
            draft.write_bytes(next(pngs(links)))
        else:
            draw = write_pallets if stock.kind == "pallet" else write_pdf
            with draft.open("wb") as out:
                draw(out, stock, links, path.stem)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _misread(path: Path, stock: Stock, links: Sequence[str]) -> int:
    if path.suffix == ".pdf":
        wrong = reading.misread_pdf(path, stock, links)
    else:
        wrong = reading.misread_svg(path, links) if path.suffix == ".svg" else reading.misread_png(path, links)
    for at in wrong[:10]:
        typer.echo(f"{path}: label {at + 1} does not read back", err=True)
    return len(wrong)
