"""JSON files that people write by hand (scenarios, assumptions): read strictly, every fault with its field.

Used by `uncap diversion`, `uncap risk` and `uncap campaign simulate`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import typer

from uncap.domain.errors import InputError

BAD_INPUT = 2
"""Exit status for a file that cannot be right."""

ValueT = TypeVar("ValueT")


def read_given(text: bytes, kind: type[ValueT], noun: str) -> ValueT:
    """The value in a JSON text.

    Raises InputError (`{noun}_malformed`, `{noun}_invalid`) naming the field, or line and column of broken JSON.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as cause:
        reason, _, place = str(cause).partition(" - at ")
        where = place.strip("`").removeprefix("$").removeprefix(".") or "the top level"
        raise InputError(f"{noun}_invalid", reason, where=where) from cause
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise InputError(f"{noun}_malformed", f"not JSON: {cause}", where=broken_at(text)) from cause


def broken_at(text: bytes) -> str:
    """Line and column, both from 1, where a text stops being JSON in UTF-8; "" if that cannot be told."""
    try:
        json.loads(text.decode())
    except UnicodeDecodeError as cause:
        lines = text[: cause.start].split(b"\n")
        return f"line {len(lines)}, column {len(lines[-1]) + 1}"
    except json.JSONDecodeError as cause:
        return f"line {cause.lineno}, column {cause.colno}"
    except RecursionError:
        return ""
    return ""


def schema_of(kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a file that `read_given` reads."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(kind)}


def loaded_or_exit(path: Path, load: Callable[[Path], ValueT]) -> ValueT:
    """The file's value; says what is wrong with it and ends the command with status 2 where something is."""
    try:
        return load(path)
    except InputError as error:
        where = f" at {error.where}" if error.where else ""
        typer.echo(f"{path}{where}: {error.message}", err=True)
        raise typer.Exit(BAD_INPUT) from error
    except OSError as error:
        typer.echo(f"{path} cannot be read: {error.strerror}", err=True)
        raise typer.Exit(BAD_INPUT) from error
