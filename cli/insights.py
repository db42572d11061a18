"""`uncap insights rebuild`: read models and diversion evidence anew from the scan archive, into an empty table.

For people on duty (docs/operations.md). Reads the projector's settings (`uncap env scan_projector`). Run again, it goes
on where it was stopped.
"""

from typing import Annotated

import msgspec
import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.progress import Progress

from uncap.adapters.insights import Insights
from uncap.adapters.models import InsightItem, open_tables
from uncap.domain.diversion.cases import DiversionCase
from uncap.domain.errors import UncapError
from uncap.runtime.clock import clock_ms
from uncap.runtime.settings import ProjectorSettings, read
from uncap.runtime.wiring_projector import build_projector
from uncap.services.rebuild_insights import REBUILD_SEEN_TTL_S, Rebuilt, rebuild_insights

app = typer.Typer(help="Read models and diversion evidence.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `rebuild` a command of its own while it is the only one."""


@app.command()
def rebuild(into: Annotated[str, typer.Option(help="The new, empty Insights table.")]) -> None:
    """Replays the archive into another table; cases that people have decided are carried over first."""
    try:
        result = _rebuild(read(ProjectorSettings), into)
    except msgspec.ValidationError as error:
        typer.echo(f'not begun: {error}; set by eval "$(uncap env scan_projector --stage STAGE)"', err=True)
        raise typer.Exit(1) from error
    except (UncapError, BotoCoreError, ClientError) as error:
        typer.echo(f"stopped, run it again to go on: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(
        f"{result.events} events of {result.hours} hours: {result.counted} counted, {result.replayed} were already, "
        f"{len(result.opened)} cases opened"
    )


def _rebuild(settings: ProjectorSettings, into: str) -> Rebuilt:
    if into == settings.insights_table:
        raise typer.BadParameter("this is the table in use; name another one", param_hint="--into")
    decided = _decided_cases(settings.insights_table)
    target = msgspec.structs.replace(settings, insights_table=into)
    tools = build_projector(target, clock_ms, seen_ttl_s=REBUILD_SEEN_TTL_S)
    with Progress() as bar:
        task = bar.add_task("archive", total=None)

        def tell(hours: int, events: int) -> None:
            bar.update(task, description=f"{hours} hours, {events} events")

        return rebuild_insights(tools.archive.hours(), tools.observe, tools.insights, decided, tell, tools.watch)


def _decided_cases(table: str) -> list[DiversionCase]:
    """Read before the tables are bound anew: PynamoDB's models name one table at a time."""
    open_tables({InsightItem: table})
    cases: list[DiversionCase] = []
    after = ""
    while True:
        page = Insights().cases(after=after)
        cases += page.cases
        after = page.after
        if not after:
            return cases
