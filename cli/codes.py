"""`uncap code`: one code's life, as the console tells it. The link goes in a body, so that no log keeps a serial."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import httpx
import typer
from rich.console import Console as Screen
from rich.table import Table

from cli.batches import Base, Login, Password
from cli.clients import ApiProblemError, Console

app = typer.Typer(help="Single codes.", no_args_is_help=True)
_REFUSED = 1


@app.callback()
def _code() -> None:
    """Single codes."""


@app.command()
def history(
    code: Annotated[str, typer.Argument(help="A link as printed, an SSCC, or batch.index.")],
    base: Base,
    login: Login,
    password: Password,
    zone: Annotated[str, typer.Option(help="The time zone times are shown in.")] = "Asia/Shanghai",
) -> None:
    """Everything that happened to a code and to the packs it lies in, and what a scan says now.

    Exit status 1 if the console does not know it, or does not answer.
    """
    try:
        console = Console(base.rstrip("/"), login, password)
        name = console.call("POST", "/codes/name", {"link": code})["code"] if "/" in code else code
        found = console.call("GET", f"/codes/{name}/history")
    except ApiProblemError as problem:
        typer.echo(f"refused: {problem}", err=True)
        raise typer.Exit(_REFUSED) from problem
    except httpx.TransportError as broken:
        typer.echo(f"the console does not answer ({broken})", err=True)
        raise typer.Exit(_REFUSED) from broken
    for line in facts(found):
        typer.echo(line)
    Screen(soft_wrap=True).print(table(found["events"], ZoneInfo(zone)))


def facts(found: dict[str, Any]) -> list[str]:
    """What it is and where it stands, a line each."""
    said = ", ".join(f"{one['role']} {one['says']} ({one['scans']} scans)" for one in found["status"])
    rows = (
        ("code", found["sscc"] or found["code"]),
        ("level", found["level"]),
        ("product", found["gtin"]),
        ("lot", found["lot"]),
        ("market", found["market"]),
        ("packed in", " in ".join(found["packed_in"])),
        ("recalled by", ", ".join(found["recalls"])),
        ("a scan says", said),
    )
    return [f"{label:12}{value}" for label, value in rows if value]


def table(events: list[dict[str, Any]], zone: ZoneInfo) -> Table:
    """The events, oldest first."""
    out = Table("when", "what", "of", "who", "detail")
    for event in events:
        when = datetime.fromtimestamp(event["at_ms"] / 1000, zone).isoformat(" ", "seconds")
        of = f"{event['level']} {event['batch_no']}.{event['index']}"
        detail = "; ".join(text for text in (event.get("detail", ""), event.get("reason", "")) if text)
        out.add_row(when, event["what"], of, event.get("who", ""), detail)
    return out
