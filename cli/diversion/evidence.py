"""`uncap diversion evidence`: a case's evidence pack as PDF or JSON, fetched from the console API."""

import json
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
import typer

from cli.clients import ApiProblemError, Console
from cli.diversion.paper import write_pdf

_REFUSED = 1

Base = Annotated[str, typer.Option(envvar="UNCAP_CONSOLE", help="The console API's address.")]
Login = Annotated[str, typer.Option(envvar="UNCAP_LOGIN", help="Your login.")]
Password = Annotated[
    str, typer.Option(envvar="UNCAP_PASSWORD", prompt=True, hide_input=True, help="Asked for if not given.")
]


def evidence(
    case_id: Annotated[str, typer.Argument(help="The case's 16 characters.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="FILE.pdf, or FILE.json for the pack itself.")],
    base: Base,
    login: Login,
    password: Password,
    time_zone: Annotated[str, typer.Option(help="In which times are shown.")] = "Asia/Shanghai",
) -> None:
    """Writes the evidence pack of a case. Exit status 1 if the console refuses or the file cannot be written."""
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise typer.BadParameter("no such time zone", param_hint="--time-zone") from error
    try:
        pack = Console(base.rstrip("/"), login, password).call("GET", f"/diversion/cases/{case_id}/evidence")
        if out.suffix.lower() == ".json":
            out.write_text(json.dumps(pack, ensure_ascii=False, indent=2) + "\n")
        else:
            write_pdf(pack, str(out), zone)
    except ApiProblemError as problem:
        typer.echo(f"refused: {problem}", err=True)
        raise typer.Exit(_REFUSED) from problem
    except httpx.TransportError as broken:
        typer.echo(f"the console does not answer ({broken})", err=True)
        raise typer.Exit(_REFUSED) from broken
    except OSError as error:
        typer.echo(f"{out} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(_REFUSED) from error
    typer.echo(f"{out}: case {case_id}, {pack['state']}, SHA-256 {pack['hash']}")
