"""`uncap diversion backtest`: past scans judged again under other thresholds, and which cases that would open or not.

Reads the settings of scan_projector (`uncap env`), the archive, and the catalog as it is now; writes nothing.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console as Screen
from rich.progress import Progress
from rich.table import Table

from cli.diversion.docket import Docket
from uncap.adapters.insights import Insights
from uncap.domain.diversion.cases import case_id_of
from uncap.domain.diversion.judgement import DiversionRule, Judgement
from uncap.domain.errors import NotFoundError, PoisonError, UncapError
from uncap.domain.read_models import ScanFact
from uncap.runtime.clock import clock_ms
from uncap.runtime.settings import ProjectorSettings, read
from uncap.runtime.wiring_projector import build_projector, rule_of
from uncap.services.check_diversion import Observer

_DAY_MS = 86_400_000


class Verdict(msgspec.Struct, frozen=True):
    """One shipment and place: has it a case under the rule in force, and would it have one under the other?"""

    case_id: str
    shipment_id: str
    place: str
    now: bool
    then: bool
    state: str  # of the stored case, "" if there is none
    people: int
    cases: int
    odds_ln: float

    @property
    def change(self) -> str:
        """opens | closes | stays."""
        return "stays" if self.now == self.then else "opens" if self.then else "closes"


def backtest(
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How far back scans are read.")] = 90,
    min_people: Annotated[int | None, typer.Option(min=2, max=100)] = None,
    min_cases: Annotated[int | None, typer.Option(min=2, max=100)] = None,
    travel_ppm: Annotated[int | None, typer.Option(min=1, max=500_000)] = None,
    margin_m: Annotated[int | None, typer.Option(min=0, max=20_000)] = None,
    odds: Annotated[float | None, typer.Option(min=1)] = None,
    odds_without_top: Annotated[float | None, typer.Option(min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Judges archived scans under other thresholds and prints which cases would open or close.

    What is not given stays as it is in force. Exit status 1 if the archive or a table cannot be read.
    """
    given = {
        "min_people": min_people,
        "min_cases": min_cases,
        "travel_ppm": travel_ppm,
        "margin_m": margin_m,
        "odds": odds,
        "odds_without_top": odds_without_top,
    }
    try:
        settings = read(ProjectorSettings)
        other = msgspec.structs.replace(rule_of(settings), **{k: v for k, v in given.items() if v is not None})
        verdicts, scans = _run(settings, other, days)
    except msgspec.ValidationError as error:
        typer.echo(f'not begun: {error}; set by eval "$(uncap env scan_projector --stage STAGE)"', err=True)
        raise typer.Exit(1) from error
    except (UncapError, BotoCoreError, ClientError) as error:
        typer.echo(f"stopped: {error}", err=True)
        raise typer.Exit(1) from error
    report = {"days": days, "scans": scans, "rule": msgspec.to_builtins(other), "in_force": _builtin(settings)}
    cases = [msgspec.to_builtins(one) | {"change": one.change} for one in verdicts]
    if as_json:
        typer.echo(json.dumps(report | {"cases": cases}, ensure_ascii=False))
    else:
        _print(verdicts, scans, days)


def compare(
    hours: Iterable[Sequence[ScanFact]], observers: tuple[Observer, Observer], dockets: tuple[Docket, Docket]
) -> int:
    """Every scan before both judges; the number of scans. What can never be judged was parked when it came."""
    scans = 0
    for facts in hours:
        for fact in facts:
            scans += 1
            for observe, docket in zip(observers, dockets, strict=True):
                try:
                    docket.hear(observe(fact))
                except PoisonError:
                    break
    return scans


def verdicts_of(now: Docket, then: Docket) -> list[Verdict]:
    """One for each case that either judge opens, those that change first."""
    found = []
    for shipment_id, place in sorted({*now.opened, *then.opened}):
        key = shipment_id, place
        best: Judgement = then.opened.get(key) or now.opened[key]
        case_id = case_id_of(shipment_id, place)
        state = _state(case_id)
        found.append(
            Verdict(
                case_id,
                shipment_id,
                place,
                key in now.opened,
                key in then.opened,
                state,
                best.people,
                best.cases,
                best.odds_ln,
            )
        )
    return sorted(found, key=lambda one: (one.change == "stays", one.change, -one.odds_ln))


def _run(settings: ProjectorSettings, other: DiversionRule, days: int) -> tuple[list[Verdict], int]:
    in_force = build_projector(settings, clock_ms)
    moved = build_projector(msgspec.structs.replace(settings, diversion_margin_m=other.margin_m), clock_ms)
    now, then = Docket(rule_of(settings)), Docket(other)
    with Progress(transient=True, console=Screen(stderr=True)) as bar:
        bar.add_task("archive", total=None)
        hours = in_force.archive.hours(clock_ms() - days * _DAY_MS)
        scans = compare(hours, (in_force.observe, moved.observe), (now, then))
    return verdicts_of(now, then), scans


def _state(case_id: str) -> str:
    try:
        return Insights().case(case_id).state
    except NotFoundError:
        return ""


def _builtin(settings: ProjectorSettings) -> object:
    return msgspec.to_builtins(rule_of(settings))


def _print(verdicts: Sequence[Verdict], scans: int, days: int) -> None:
    screen = Screen()
    screen.print(f"{scans} scans of {days} days", highlight=False)
    table = Table("change", "case", "shipment", "place", "stored as", "people", "cases", "ln odds")
    for one in verdicts:
        table.add_row(
            one.change,
            one.case_id,
            one.shipment_id,
            one.place,
            one.state or "-",
            str(one.people),
            str(one.cases),
            f"{one.odds_ln:.1f}",
        )
    screen.print(table)
    counts = {kind: sum(one.change == kind for one in verdicts) for kind in ("opens", "closes", "stays")}
    screen.print(
        f"would open: {counts['opens']}, would not have opened: {counts['closes']}, unchanged: {counts['stays']}",
        highlight=False,
    )
