"""`uncap epcis`: is this EPCIS document right, under which hash is each of its events known, what is it in JSON?

Exit codes: 0 fine; 1 a document with faults; 2 no document that can be read (missing, not UTF-8, not JSON, too large).
"""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer

from cli import epcis_console
from uncap.domain.epcis import document, prehash
from uncap.domain.epcis.document import Document
from uncap.domain.epcis.faults import Fault
from uncap.domain.epcis.validate import validate as judge
from uncap.domain.errors import InputError

app = typer.Typer(help="EPCIS documents: check, hash, convert, capture, export.", no_args_is_help=True)
app.command()(epcis_console.capture)
app.command()(epcis_console.export)

_File = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="An EPCIS document, 2.0 in JSON or XML or 1.x in XML; `-` reads standard input."
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def validate(
    file: _File,
    *,
    as_json: _Json = False,
    strict: Annotated[bool, typer.Option(help="Count notes as faults.")] = False,
) -> None:
    """Checks a document against the ratified schema's rules and the standard's own."""
    verdict = judge(_read(file, as_json=as_json), by_schema=True)
    valid = verdict.valid and not (strict and verdict.notes)
    if as_json:
        _print_json(
            {"valid": valid, "events": verdict.event_count, "faults": verdict.faults, "notes": verdict.notes},
        )
    else:
        for fault in verdict.faults:
            typer.echo(_line(fault))
        for note in verdict.notes:
            typer.echo(f"note: {_line(note)}", err=valid)
        if valid:
            typer.echo(f"valid: {verdict.event_count} event{'' if verdict.event_count == 1 else 's'}")
        else:
            counted = len(verdict.faults) + (len(verdict.notes) if strict else 0)
            typer.echo(f"invalid: {counted} fault{'' if counted == 1 else 's'}", err=True)
    raise typer.Exit(0 if valid else 1)


@app.command()
def convert(file: _File) -> None:
    """Prints the document as EPCIS 2.0 JSON-LD: what an XML document says the same as."""
    _print_json(_read(file, as_json=False).value)


@app.command("hash")
def hash_events(file: _File, *, as_json: _Json = False) -> None:
    """Prints the CBV 2.0 event hash ID of each event, one a line, in the document's order."""
    read = _read(file, as_json=as_json)
    if not read.events:
        for fault in judge(read).faults[:1]:
            _refuse(1, fault.code, fault.words, fault.pointer, as_json=as_json)
    try:
        hashes = prehash.hashes(read)
    except InputError as error:
        _refuse(1, error.code, error.message, error.where, as_json=as_json)
    if as_json:
        _print_json({"hashes": hashes})
    else:
        for one in hashes:
            typer.echo(one)


def _read(file: str, *, as_json: bool) -> Document:
    try:
        return document.read(_bytes(file))
    except InputError as error:
        _refuse(2, error.code, error.message, error.where, as_json=as_json)
    except OSError as error:
        _refuse(2, "file_unreadable", error.strerror or str(error), file, as_json=as_json)


def _bytes(file: str) -> bytes:
    """At most one byte more than a document may have, so that a huge file is refused without being read."""
    limit = document.MAX_BYTES + 1
    if file == "-":
        return sys.stdin.buffer.read(limit)
    with Path(file).open("rb") as source:
        return source.read(limit)


def _line(fault: Fault) -> str:
    return f"{fault.pointer or '(document)'}: {fault.code}: {fault.words}"


def _print_json(value: object) -> None:
    typer.echo(msgspec.json.encode(value).decode())


def _refuse(status: int, code: str, words: str, where: str, *, as_json: bool) -> NoReturn:
    if as_json:
        _print_json({"valid": False, "error": {"code": code, "words": words, "where": where}})
    else:
        typer.echo(f"{code}: {words}" + (f" ({where})" if where else ""), err=True)
    raise typer.Exit(status)
