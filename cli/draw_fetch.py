"""`uncap draw fetch`: a closed release's draw from the console API into files that `uncap draw verify` reads."""

import base64
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer

from cli.batches import Base, Login, Password
from cli.clients import ApiProblemError, Console
from uncap.domain.prizes.published import PublishedDraw, Winner

PAGE = 20_000


def fetch(
    release_id: Annotated[str, typer.Argument()],
    out: Annotated[Path, typer.Option(dir_okay=False, help="The document to write; large draws get a second file.")],
    base: Base,
    login: Login,
    password: Password,
) -> None:
    """Writes the published draw of a closed release."""
    try:
        console = Console(base.rstrip("/"), login, password)
        draw, hashes = whole_draw(console, release_id)
    except ApiProblemError as problem:
        typer.echo(f"refused: {problem}", err=True)
        raise typer.Exit(1) from problem
    except httpx.TransportError as broken:
        typer.echo(f"the console does not answer ({broken})", err=True)
        raise typer.Exit(1) from broken
    try:
        if hashes:
            name = f"{out.name}.hashes"
            out.with_name(name).write_bytes(hashes)
            draw = msgspec.structs.replace(draw, code_hashes_file=name)
        out.write_bytes(msgspec.json.encode(draw))
    except OSError as error:
        typer.echo(f"{out} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{out}: {draw.release.eligible_count} codes, {len(draw.winners)} winners")


def whole_draw(console: Console, release_id: str) -> tuple[PublishedDraw, bytes]:
    """The document, and its code hashes where they do not ride in it."""
    draw = msgspec.convert(console.call("GET", f"/releases/{release_id}/draw"), PublishedDraw)
    if not draw.code_hashes_file:
        return draw, b""
    hashes, won, at = bytearray(), list[Winner](), 0
    while True:
        page: dict[str, Any] = console.call("GET", f"/releases/{release_id}/draw/pages", start=at, count=PAGE)
        hashes += base64.b64decode(page["code_hashes"])
        won += msgspec.convert(page["winners"], list[Winner])
        at = page["next"]
        if not at:
            return msgspec.structs.replace(draw, winners=tuple(won)), bytes(hashes)
