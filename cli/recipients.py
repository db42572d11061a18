"""`uncap keys recipient`: a key pair for a supplier. The public half goes into export orders, the other stays there."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pyrage  # type: ignore[import-untyped]  # it has stubs, but no marker that says so
import typer

_OWNER_ONLY = 0o600


def recipient(
    out: Annotated[Path, typer.Option(dir_okay=False, help="The key file to write; keep it secret.")],
) -> None:
    """Makes an age key pair: the secret key into a file, the public one to standard output.

    To be run where the codes will be opened, by whoever will open them: the secret key never travels.
    """
    identity = pyrage.x25519.Identity.generate()
    public = identity.to_public()
    made = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        # Exclusive: a key that was overwritten would leave every archive made for it shut.
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError as error:
        typer.echo(f"{out} exists; a key is never overwritten", err=True)
        raise typer.Exit(1) from error
    except OSError as error:
        typer.echo(f"{out} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(1) from error
    with os.fdopen(handle, "w") as file:
        file.write(f"# created: {made}\n# public key: {public}\n{identity}\n")
    typer.echo(str(public))
