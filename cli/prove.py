"""`uncap prove`: the money services under seeded faults, and bugs put into them on purpose. For engineers and the demo.

Plays what `tests/histories` holds, so it needs a checkout.
"""

from typing import Annotated

import typer

app = typer.Typer(help="Play histories of the money services under faults.", no_args_is_help=True)
_LAST_LINES = 12


@app.command()
def histories(
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 200,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
) -> None:
    """Plays seeded histories; the first that goes wrong is printed in full."""
    from tests.histories.runner import main

    raise typer.Exit(main(["--count", str(count), "--first", str(first)]))


@app.command()
def history(seed: Annotated[int, typer.Argument(min=0)]) -> None:
    """Replays one history and prints everything that happened in it."""
    from tests.histories.runner import main

    raise typer.Exit(main(["--seed", str(seed)]))


@app.command()
def mutant(
    name: Annotated[str, typer.Argument(help="One of those that `uncap prove mutants` names.")] = "new_bill_per_call",
    lines: Annotated[int, typer.Option(min=0, help="How much of its history to show.")] = _LAST_LINES,
) -> None:
    """Puts one bug in and shows the first history that catches it."""
    from tests.histories.mutants import hunt, mutants

    if name not in mutants():
        typer.echo(f"no mutant {name!r}; there are {', '.join(mutants())}", err=True)
        raise typer.Exit(2)
    caught = hunt(name)
    if caught is None:
        typer.echo(f"{name} was not caught", err=True)
        raise typer.Exit(1)
    typer.echo(f"{name}: caught by history {caught.seed}")
    for line in caught.trace[len(caught.trace) - lines :] if lines else []:
        typer.echo(f"  {line[:160]}")
    for problem in caught.wrong:
        typer.echo(f"wrong: {problem}")


@app.command("mutants")
def all_mutants() -> None:
    """Every bug and the first history that catches it."""
    from tests.histories.mutants import main

    raise typer.Exit(main([]))
