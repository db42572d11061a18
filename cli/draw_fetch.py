"""`uncap draw fetch` and `fetch-closing`: draws from the console API into files that `uncap draw verify` reads."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer

from cli.batches import Base, Login, Password
from cli.clients import ApiProblemError, Console
from uncap.domain.prizes.published import PublishedDraw, Winner
from uncap.domain.prizes.published_closing import PublishedClosing

PAGE = 20_000


def fetch(
    release_id: Annotated[str, typer.Argument()],
    out: Annotated[Path, typer.Option(dir_okay=False, help="The document to write; large draws get a second file.")],
    base: Base,
    login: Login,
    password: Password,
) -> None:
    """Writes the published draw of a closed release."""
    with _said(out):
        draw, hashes = whole_draw(Console(base.rstrip("/"), login, password), release_id)
        if hashes:
            draw = msgspec.structs.replace(draw, code_hashes_file=_beside(out, "hashes", hashes))
        out.write_bytes(msgspec.json.encode(draw))
    typer.echo(f"{out}: {draw.release.eligible_count} codes, {len(draw.winners)} winners")


def fetch_closing(
    campaign_id: Annotated[str, typer.Argument()],
    out: Annotated[Path, typer.Option(dir_okay=False, help="The document to write; long lists get a second file.")],
    base: Base,
    login: Login,
    password: Password,
) -> None:
    """Writes the published draw at a campaign's close."""
    with _said(out):
        draw, entries = whole_closing(Console(base.rstrip("/"), login, password), campaign_id)
        if entries:
            draw = msgspec.structs.replace(draw, entries_file=_beside(out, "entries", entries))
        out.write_bytes(msgspec.json.encode(draw))
    typer.echo(f"{out}: {draw.fixed.entry_count} entries, {len(draw.winners)} winners")


@contextmanager
def _said(out: Path) -> Iterator[None]:
    """What went wrong, in a line, and exit status 1."""
    try:
        yield
    except ApiProblemError as problem:
        typer.echo(f"refused: {problem}", err=True)
        raise typer.Exit(1) from problem
    except httpx.TransportError as broken:
        typer.echo(f"the console does not answer ({broken})", err=True)
        raise typer.Exit(1) from broken
    except OSError as error:
        typer.echo(f"{out} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(1) from error


def _beside(out: Path, what: str, content: bytes) -> str:
    name = f"{out.name}.{what}"
    out.with_name(name).write_bytes(content)
    return name


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


def whole_closing(console: Console, campaign_id: str) -> tuple[PublishedClosing, bytes]:
    """The document, and its entries where they do not ride in it."""
    draw = msgspec.convert(console.call("GET", f"/campaigns/{campaign_id}/closing/draw"), PublishedClosing)
    if not draw.entries_file:
        return draw, b""
    entries, at = bytearray(), 0
    while True:
        page: dict[str, Any] = console.call("GET", f"/campaigns/{campaign_id}/closing/entries", start=at, count=PAGE)
        entries += base64.b64decode(page["entries"])
        at = page["next"]
        if not at:
            return draw, bytes(entries)
