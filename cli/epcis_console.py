"""`uncap epcis capture | export`: documents to and from the console. The commands that need no network: `epcis.py`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer

from cli.batches import Base, Login, Password
from cli.clients import ApiProblemError, Console, send

_REFUSED = 1
_TYPES = {True: "application/xml", False: "application/json"}


def capture(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An EPCIS document, JSON or XML.")],
    base: Base,
    login: Login,
    password: Password,
    *,
    proceed: Annotated[bool, typer.Option(help="Store the right events of a document with faults.")] = False,
) -> None:
    """Sends a document and prints its capture job. Larger files go by `uncap upload`."""
    data = file.read_bytes()
    headers = {
        "Content-Type": _TYPES[data.lstrip()[:1] == b"<"],
        "GS1-Capture-Error-Behaviour": "proceed" if proceed else "rollback",
    }
    try:
        console = Console(base, login, password)
        answer = send(console.client, "POST", f"{base}/epcis/capture", content=data, headers=headers)
        job = send(console.client, "GET", str(httpx.URL(base).join(answer.headers["Location"]))).json()
    except ApiProblemError as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(_REFUSED) from problem
    typer.echo(msgspec.json.encode(job).decode())
    raise typer.Exit(0 if job["success"] else _REFUSED)


def export(
    batch: Annotated[int, typer.Option("--batch", min=1, help="The batch whose facts are told.")],
    base: Base,
    login: Login,
    password: Password,
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="The file to write, else standard output.")] = None,
) -> None:
    """Writes what uncap knows of a batch as an EPCIS 2.0 document."""
    try:
        document = _gathered(Console(base, login, password), base, batch)
    except ApiProblemError as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(_REFUSED) from problem
    text = msgspec.json.format(msgspec.json.encode(document), indent=1)
    if out is None:
        sys.stdout.buffer.write(text + b"\n")
    else:
        out.write_bytes(text)
        typer.echo(f"{len(document['epcisBody']['eventList'])} events in {out}", err=True)


def _gathered(console: Console, base: str, batch: int) -> dict[str, Any]:
    """All windows as one document."""
    url = f"{base}/epcis/batches/{batch}/events"
    whole: dict[str, Any] = {}
    while True:
        answer = send(console.client, "GET", url)
        part = answer.json()
        if whole:
            whole["epcisBody"]["eventList"] += part["epcisBody"]["eventList"]
        else:
            whole = part
        following = answer.links.get("next")
        if following is None:
            return whole
        url = str(httpx.URL(base).join(following["url"]))
