"""`uncap demo`: makes its own world, plays 300 scans, waits for the money, prints the table. Exit code 1 on failure."""

import random
import time
from collections.abc import Iterator, Sequence

import typer
from rich.console import Console as Terminal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from cli.clients import Console
from cli.demo import books, plan, report, world
from cli.demo.chapters import channel, diversion, goods, proof, redemption
from cli.demo.chapters.actors import Cast
from cli.demo.run import Played, Players
from dev.seed.operators import caller_of, console, ensure_operators
from dev.stack import lifecycle
from dev.stack.config import StackError, from_environment
from dev.stack.outputs import StackOutputs, load
from uncap.adapters.catalog import BatchView

FINAL_WITHIN_S = 180.0
BOOKS_WITHIN_S = 60.0
CATALOG_AGE_S = 5.5  # the catalog's bounded age (runtime/settings.py) and a little: then every container has the news

terminal = Terminal(highlight=False)


def demo(seed: int = typer.Option(0, help="Replay a run's story; 0 draws one.")) -> None:
    """300 scans by 60 people, through the public endpoints, with every sum checked."""
    outputs = _running_stack()
    chosen = seed or random.SystemRandom().randrange(1, 1 << 32)
    terminal.print(f"seed {chosen}")
    if not play(outputs, chosen):
        terminal.print("[red]✗ it does not add up[/red]")
        raise typer.Exit(1)
    terminal.print("[green]✓ everything adds up[/green]")


def play(outputs: StackOutputs, seed: int) -> bool:
    """One whole run; True if everything added up."""
    ensure_operators(outputs)
    desk = console(outputs)
    story = plan.draw_up(seed, world.scene())
    with caller_of(outputs), _bar() as bar:
        task = bar.add_task("a product, a campaign, a batch shipped to two distributors", total=story.scans)
        made = world.make(desk, world.next_run(outputs), story)
        players = Players(outputs, made, world.view(desk, made), seed)
        auditor = books.Auditor(outputs, desk, made)
        with books.Tapper(auditor, players):
            played = _waves(bar, task, desk, made, players, story)
            _settle(bar, task, auditor, played)
        lines = _settled_books(auditor, played)
        terminal.print(report.table_of("the market: 300 scans by 60 people", lines))
        for title, chapter in _chapters(Cast(outputs, desk, made), story, players.batch, auditor):
            bar.update(task, description=title)
            told = list(chapter)
            terminal.print(report.table_of(title, told))
            lines += told
    return report.adds_up(lines)


def _chapters(
    cast: Cast, story: plan.Plan, batch: BatchView, auditor: books.Auditor
) -> Iterator[tuple[str, Iterator[report.Line]]]:
    """What follows the market, in the order it is told."""
    yield "goods: line, pallet, door", goods.play(cast)
    yield "the diverted shipment", diversion.play(cast, story, batch, auditor)
    yield "one case and one bottle pay the chain", channel.play(cast)
    yield "add ¥1 for one more", redemption.play(cast)
    yield "proof", proof.play()
    yield "the books after everything", _closing(auditor)


def _closing(auditor: books.Auditor) -> Iterator[report.Line]:
    """All chapters' money together."""
    trial = auditor.trial()
    sound = trial.is_balanced and not trial.overdrawn()
    yield report.Line("trial balance of everything", str(trial.totals), sound, "no budget overdrawn")


def _running_stack() -> StackOutputs:
    """The local stack that runs here, started if need be."""
    try:
        config = from_environment()
        return load(config) if lifecycle.is_up(config) else lifecycle.up(config, terminal.print)[0]
    except StackError as error:
        terminal.print(f"[red]✗[/red] {error}")
        raise typer.Exit(1) from error


def _waves(
    bar: Progress, task: TaskID, desk: Console, made: world.World, players: Players, story: plan.Plan
) -> list[Played]:
    """Warehouse, then the activation of the rest, then the market, then repeats and retries."""

    def tick(count: int) -> None:
        bar.advance(task, count)

    time.sleep(CATALOG_AGE_S)
    bar.update(task, description="warehouse: scanned before activation")
    played = players.play(story.warehouse, tick)
    world.activate_rest(desk, made)
    time.sleep(CATALOG_AGE_S)
    bar.update(task, description="market: claims, forgeries, two at once")
    played += players.play(story.market, tick)
    bar.update(task, description="afterwards: repeats and retries")
    return played + players.play(story.after, tick)


def _settle(bar: Progress, task: TaskID, auditor: books.Auditor, played: Sequence[Played]) -> None:
    """Every first claim owes one reward to the consumer and one to the distributor."""
    claims = sum(one.answer == "first" and one.visit.kind != "retry" for one in played)

    def tell(text: str) -> None:
        bar.update(task, description=text)

    books.wait_until_final(auditor, 2 * claims, timeout_s=FINAL_WITHIN_S, tell=tell)


def _settled_books(auditor: books.Auditor, played: Sequence[Played]) -> list[report.Line]:
    """The report once the read models have caught up with the stream, or as it stands when time is up."""
    deadline = time.monotonic() + BOOKS_WITHIN_S
    while True:
        lines = report.lines_of(played, auditor.read())
        if report.adds_up(lines) or time.monotonic() > deadline:
            return lines
        time.sleep(2.0)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=terminal)
