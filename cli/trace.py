"""`uncap trace`: where a code lies, where it should be and how it came there, and what is in it, at any moment."""

import json
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
import typer

from cli.batches import Base, Login, Password
from cli.clients import ApiProblemError, Console

_REFUSED = 1
_ANY_HOST = "https://code.invalid"  # a link names its code by what follows the host


def trace(
    code: Annotated[str, typer.Argument(help="A link, an SSCC, batch.index, or with --gtin a serial.")],
    base: Base,
    login: Login,
    password: Password,
    gtin: Annotated[str, typer.Option(help="Whose serial it is, where it is not a link.")] = "",
    at: Annotated[str, typer.Option(help="As of then: 2026-11-22, 2026-11-22T08:30 or with +08:00.")] = "",
    zone: Annotated[str, typer.Option(help="The zone of times read and shown.")] = "Asia/Shanghai",
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Traces a code up to its pallet, shipment, distributor and outlet, and down to what is in it.

    Exit status 1 if the console does not know it, or does not answer.
    """
    place = _zone(zone)
    query = {"at_ms": _moment_ms(at, place)} if at else {}
    try:
        console = Console(base.rstrip("/"), login, password)
        found = console.call("GET", "/trace", code=_name(console, code, gtin), **query)
    except ApiProblemError as problem:
        typer.echo(f"refused: {problem}", err=True)
        raise typer.Exit(_REFUSED) from problem
    except httpx.TransportError as broken:
        typer.echo(f"the console does not answer ({broken})", err=True)
        raise typer.Exit(_REFUSED) from broken
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for line in lines(found, place):
        typer.echo(line)


def lines(found: dict[str, Any], zone: ZoneInfo) -> list[str]:
    """The trace as people read it."""
    out = ["packed"] + [f"  {'in ' if at else ''}{_thing(one)}" for at, one in enumerate(found["up"])]
    out.append("way")
    out += [f"  {_when(one['at_ms'], zone)}  {_leg(one)}" for one in found["path"]]
    if found["channel"]:
        out.append("channel: " + " < ".join(f"{one['party_id']} ({one['role']})" for one in found["channel"]))
    down = found["down"]
    if down["counts"]:
        out.append("holds " + ", ".join(f"{count:,} {level}" for level, count in down["counts"].items()))
        out += [f"  {level} {batch}.{start}-{stop - 1}" for level, batch, start, stop in down["spans"]]
        out += [] if down["complete"] else ["  … and more than one trace shows"]
    for one in found["findings"]:
        expected = f", expected at {one['expected']}" if one["expected"] else ""
        out.append(f"finding {one['code']}: {one['movement_id']} of {one['party'] or 'the brand'}{expected}")
    out += [f"cancelled {one['kind']} {one['movement_id']}: {one['reason']}" for one in found["cancelled"]]
    return out


def _thing(link: dict[str, Any]) -> str:
    named = f"SSCC {link['sscc']}" if link.get("sscc") else f"GTIN {link.get('gtin') or '(blank)'}"
    lot = f", lot {link['lot']}" if link.get("lot") else ""
    best = f", best before {link['best_before']}" if link.get("best_before") else ""
    return f"{link['level']} {link['code']}  {named}{lot}{best}"


def _leg(step: dict[str, Any]) -> str:
    if step["status"] == "origin":
        return "at the brand, where it was made"
    party = step["party"]
    who = f"{party['party_id']} ({party['role']})" if party else "the brand"
    words = {"shipped": "shipped to", "received": "received by", "returned": "returned to"}[step["status"]]
    return f"{words} {who}: {step['movement_id']}, as {step['by']}"


def _name(console: Console, code: str, gtin: str) -> str:
    """batch.index or an SSCC. A link goes in a body, so that no log keeps a serial."""
    link = f"{_ANY_HOST}/01/{gtin.zfill(14)}/21/{code.upper()}" if gtin else code
    if "/" not in link:
        return code
    return str(console.call("POST", "/codes/name", {"link": link})["code"])


def _when(at_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%Y-%m-%d %H:%M:%S") if at_ms else " " * 19


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as unknown:
        raise typer.BadParameter("no such time zone", param_hint="--zone") from unknown


def _moment_ms(text: str, zone: ZoneInfo) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as malformed:
        raise typer.BadParameter("a time is written 2026-11-22T08:30", param_hint="--at") from malformed
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)
