"""`uncap territory compile`: a file of territories to H3 cells, with areas and overlaps, before anything is set.

The file names administrative codes, GeoJSON shapes and circles; the geometry of codes comes from the customer's own
approved map, in the same file or another (examples/diversion/territories/). Borders are never kept.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from cli.given_files import broken_at
from uncap.domain.admin_areas import areas_of, check_code
from uncap.domain.errors import InputError
from uncap.domain.territories import (
    Datum,
    MultiPolygon,
    Polygon,
    Shape,
    area_km2,
    compile_cells,
    shared_cells,
    united,
)

app = typer.Typer(help="Where distributors may sell.", no_args_is_help=True)
_BAD_INPUT = 2
_MOST_BYTES = 200 << 20


class Feature(msgspec.Struct, frozen=True):
    """A GeoJSON feature whose properties hold its code as `adcode`, `code` or `gb`."""

    geometry: Polygon | MultiPolygon
    properties: dict[str, Any] = {}

    @property
    def code(self) -> str:
        """The six digits; "" if it names none."""
        found = next((self.properties[key] for key in ("adcode", "code", "gb") if key in self.properties), "")
        return str(found)[-6:]


class Areas(msgspec.Struct, frozen=True):
    """A GeoJSON FeatureCollection: the approved map. `datum`: a foreign member, as its supplier says."""

    features: tuple[Feature, ...]
    datum: Datum | None = None


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One distributor's territory: the union of codes and shapes."""

    party_id: str
    region: str
    codes: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] = ()
    datum: Datum = "wgs84"


class TerritoryFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `compile` reads. `areas`: geometry by code, unless `--areas` names a file."""

    territories: tuple[Wanted, ...]
    areas: Areas | None = None


@app.callback()
def _group() -> None:
    """Keeps `compile` a command of its own while it is the only one."""


@app.command("compile")
def compile_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The territories.")],
    areas: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A GeoJSON map of administrative codes.")
    ] = None,
    datum: Annotated[str, typer.Option(help="The map's datum if it names none: gcj02 or wgs84.")] = "gcj02",
    with_cells: Annotated[bool, typer.Option("--cells", help="Print the cells too.")] = False,
    no_overlaps: Annotated[bool, typer.Option("--no-overlaps", help="Refuse territories that overlap.")] = False,
) -> None:
    """Prints cells, areas and overlaps as JSON. Exit status 2 if a file cannot be right; the message says where."""
    if datum not in ("gcj02", "wgs84"):
        raise typer.BadParameter("gcj02 or wgs84", param_hint="--datum")
    try:
        wanted = _read(file, TerritoryFile)
        given = _read(areas, Areas) if areas else wanted.areas
        known = _compiled(given, areas or file, "gcj02" if datum == "gcj02" else "wgs84") if given else {}
        report = _report(wanted, known, with_cells=with_cells)
        if no_overlaps:
            _refuse_overlaps(report["overlaps"], str(file))
    except InputError as error:
        typer.echo(f"{error.where}: {error.message}", err=True)
        raise typer.Exit(_BAD_INPUT) from error
    typer.echo(json.dumps(report, ensure_ascii=False, indent=2))


def _read(path: Path, kind: Any) -> Any:
    if path.stat().st_size > _MOST_BYTES:
        raise InputError("file_too_large", f"at most {_MOST_BYTES >> 20} MB", where=str(path))
    try:
        text = path.read_bytes()
    except OSError as cause:
        raise InputError("file_unreadable", str(cause.strerror), where=str(path)) from cause
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as cause:
        reason, _, place = str(cause).partition(" - at ")
        raise InputError("file_invalid", reason, where=f"{path} {place.strip('`')}".strip()) from cause
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise InputError("file_malformed", f"not JSON: {cause}", where=f"{path} {broken_at(text)}".strip()) from cause


def _compiled(areas: Areas, path: Path, datum: Datum) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for number, feature in enumerate(areas.features):
        where = f"{path} features[{number}]"
        code = check_code(feature.code, where)
        try:
            found.setdefault(code, []).append(compile_cells([feature.geometry], areas.datum or datum))
        except InputError as error:
            raise InputError(error.code, error.message, where=f"{where} {error.where}") from error
    return {code: united(parts) for code, parts in found.items()}


def _report(wanted: TerritoryFile, known: dict[str, tuple[str, ...]], *, with_cells: bool) -> dict[str, Any]:
    cells: dict[str, tuple[str, ...]] = {}
    rows = []
    for number, one in enumerate(wanted.territories):
        where = f"territories[{number}]"
        if one.party_id in cells:
            raise InputError("party_repeated", f"{one.party_id} has a territory already", where=where)
        cells[one.party_id] = _cells(one, known, where)
        row: dict[str, Any] = {"party_id": one.party_id, "region": one.region, "cells": len(cells[one.party_id])}
        row["area_km2"] = round(area_km2(cells[one.party_id]), 1)
        rows.append(row | ({"h3": list(cells[one.party_id])} if with_cells else {}))
    return {"territories": rows, "overlaps": _overlaps(cells)}


def _overlaps(cells: dict[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    """Pairs that share land, by party and by entry of the file."""
    names = list(cells)
    pairs = [(one, other) for other in range(len(names)) for one in range(other)]
    shared = [(one, other, shared_cells(cells[names[one]], cells[names[other]])) for one, other in pairs]
    return [
        {
            "parties": [names[one], names[other]],
            "entries": [f"territories[{one}]", f"territories[{other}]"],
            "area_km2": round(area_km2(both), 1),
        }
        for one, other, both in shared
        if both
    ]


def _refuse_overlaps(overlaps: list[dict[str, Any]], path: str) -> None:
    if overlaps:
        first = overlaps[0]
        (one, other), (_, where) = first["parties"], first["entries"]
        more = f", and {len(overlaps) - 1} more" if len(overlaps) > 1 else ""
        message = f"{other} shares {first['area_km2']} km² with {one} ({first['entries'][0]}){more}"
        raise InputError("territories_overlap", message, where=f"{path} {where}")


def _cells(one: Wanted, known: dict[str, tuple[str, ...]], where: str) -> tuple[str, ...]:
    parts: list[tuple[str, ...]] = []
    for place, code in enumerate(one.codes):
        found = areas_of(check_code(code, f"{where}.codes[{place}]"), known)
        if not found:
            message = f"the map has no area for {code} or any part of it"
            raise InputError("area_unknown", message, where=f"{where}.codes[{place}]")
        parts += [known[each] for each in found]
    if one.shapes:
        try:
            parts.append(compile_cells(one.shapes, one.datum))
        except InputError as error:
            raise InputError(error.code, error.message, where=f"{where}.{error.where}") from error
    if not parts:
        raise InputError("territory_empty", "name codes or shapes", where=where)
    return united(parts)
