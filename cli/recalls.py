"""`uncap recall`: who has scanned recalled codes, put together from the console's parts into one CSV.

Resumable: parts already fetched stay in FILE.part, one JSON line each, and are not asked for (and audited) again.
"""

import csv
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
import typer

from cli.batches import Base, Login, Password
from cli.clients import ApiProblemError, Console
from cli.exporting import beside

app = typer.Typer(help="Recalls.", no_args_is_help=True)
_REFUSED, _DAMAGED = 1, 2


class Person(msgspec.Struct):
    """One person over all parts; see the console's `/recalls/{id}/people`."""

    person: str
    codes: int
    claimed: int
    last_ms: int


class Part(msgspec.Struct):
    """What one call answered, with the recall it is of."""

    people: list[Person]
    codes: int
    next: str
    recall_id: str = ""


class DamagedError(Exception):
    """The part on disk is not a beginning of this export."""


@app.callback()
def _recall() -> None:
    """Recalls."""


@app.command()
def people(
    recall_id: Annotated[str, typer.Argument(help="The recall.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail with your name.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="The CSV to write: person,codes,claimed,last_ms.")],
    base: Base,
    login: Login,
    password: Password,
) -> None:
    """Writes everyone who has scanned recalled codes, as pseudonymous keys with counts.

    Exit status 1 if the console refuses or is gone, 2 if the part on disk is another export's. Run it again to go on.
    """
    try:
        found = fetch(Console(base.rstrip("/"), login, password), recall_id, reason, out)
    except ApiProblemError as problem:
        typer.echo(f"refused: {problem}", err=True)
        raise typer.Exit(_REFUSED) from problem
    except httpx.TransportError as broken:
        typer.echo(f"the console does not answer ({broken}); run it again to go on", err=True)
        raise typer.Exit(_REFUSED) from broken
    except DamagedError as damage:
        typer.echo(f"{out}: {damage}", err=True)
        raise typer.Exit(_DAMAGED) from damage
    typer.echo(f"{out}: {len(found)} people")


def fetch(console: Console, recall_id: str, reason: str, out: Path) -> list[Person]:
    """Everyone, in order of their keys, as written to `out`. Raises ApiProblemError, DamagedError."""
    part = beside(out, "part")
    parts = _resumed(part, recall_id)
    with part.open("ab") as file:
        while not parts or parts[-1].next:
            query = {"reason": reason} | ({"cursor": parts[-1].next} if parts else {})
            answer = console.call("GET", f"/recalls/{recall_id}/people", **query)
            one = msgspec.convert({**answer, "recall_id": recall_id}, Part)
            file.write(msgspec.json.encode(one) + b"\n")
            file.flush()
            parts.append(one)
    found = together(parts)
    draft = beside(out, "new")
    with draft.open("w", newline="", encoding="utf-8") as text:
        rows = csv.writer(text)
        rows.writerow(Person.__struct_fields__)
        rows.writerows(msgspec.structs.astuple(person) for person in found)
    draft.replace(out)
    part.unlink()
    return found


def together(parts: list[Part]) -> list[Person]:
    """One row per person, counts added up."""
    found: dict[str, Person] = {}
    for part in parts:
        for one in part.people:
            sum_ = found.setdefault(one.person, Person(one.person, 0, 0, 0))
            sum_.codes += one.codes
            sum_.claimed += one.claimed
            sum_.last_ms = max(sum_.last_ms, one.last_ms)
    return sorted(found.values(), key=lambda one: one.person)


def _resumed(part: Path, recall_id: str) -> list[Part]:
    """The parts on disk; a last line that was cut off is dropped."""
    if not part.exists():
        return []
    whole, _, _ = part.read_bytes().rpartition(b"\n")
    try:
        parts = [msgspec.json.decode(line, type=Part) for line in whole.splitlines()]
    except msgspec.MsgspecError as cause:
        raise DamagedError("the unfinished file cannot be read; remove it first") from cause
    if any(one.recall_id != recall_id for one in parts):
        raise DamagedError("the unfinished file is of another recall; remove it first")
    part.write_bytes(whole + b"\n" if whole else b"")
    return parts
