"""`uncap diversion`: the judgement measured on labelled markets, tried on past scans; a case on paper."""

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console as Screen
from rich.table import Table

from cli.diversion import rules
from cli.diversion.backtest import backtest
from cli.diversion.evaluation import Tally, evaluate
from cli.diversion.evidence import evidence
from cli.diversion.market import Market
from cli.diversion.scenario import Scenario, load_scenario, scenario_schema
from cli.given_files import loaded_or_exit
from uncap.domain.diversion.judgement import DiversionRule

app = typer.Typer(help="Diversion: how it is judged, on made-up and on real scans.", no_args_is_help=True)
app.command()(backtest)
app.command()(evidence)


@app.command("evaluate")
def evaluate_command(
    scenario: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A scenario file (examples/diversion/); none: the default."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another market of the same kind.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    min_people: rules.MinPeople = rules.MIN_PEOPLE,
    min_cases: rules.MinCases = rules.MIN_CASES,
    travel_ppm: rules.TravelPpm = rules.TRAVEL_PPM,
    margin_m: rules.MarginM = rules.MARGIN_M,
    odds: rules.Odds = rules.ODDS,
    odds_without_top: rules.OddsWithoutTop = rules.ODDS_WITHOUT_TOP,
) -> None:
    """Judges a labelled market and prints precision, recall and false accusations.

    Exit status 2 if the scenario file cannot be right; the message names the field.
    """
    described = _scenario(scenario)
    rule = DiversionRule(margin_m, min_people, min_cases, travel_ppm, odds=odds, odds_without_top=odds_without_top)
    tally = evaluate(Market(described, seed), rule)
    report = report_of(described, seed, rule, tally)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        _print(described, seed, tally)


@app.command()
def schema() -> None:
    """Prints the JSON Schema of scenario files."""
    typer.echo(json.dumps(scenario_schema(), ensure_ascii=False, indent=2))


def report_of(scenario: Scenario, seed: int, rule: DiversionRule, tally: Tally) -> dict[str, object]:
    """What `--json` prints. Shares are of one; `confusion` counts shipments, `cases` counts cases by place.

    `detectable` shipments are those whose own bottles, located outside in one true place, reach the rule's floors.
    """
    return {
        "scenario": scenario.name,
        "seed": seed,
        "shipments": tally.diverted + tally.honest,
        "precision": round(tally.precision, 4),
        "recall": round(tally.recall, 4),
        "recall_of_detectable": round(tally.recall_of_detectable, 4),
        "false_accusations": round(tally.false_accusations, 4),
        "confusion": {
            "diverted_found": tally.found,
            "diverted_missed": tally.diverted - tally.found,
            "honest_accused": tally.accused,
            "honest_left_alone": tally.honest - tally.accused,
        },
        "detectable": tally.detectable,
        "missed_for": tally.missed,
        "cases": {"right_place": tally.right, "wrong_place": tally.wrong},
        "rule": msgspec.to_builtins(rule),
    }


def _scenario(path: Path | None) -> Scenario:
    return loaded_or_exit(path, load_scenario) if path else Scenario()


def _print(scenario: Scenario, seed: int, tally: Tally) -> None:
    screen = Screen()
    screen.print(f"scenario {scenario.name}, seed {seed}: {tally.diverted + tally.honest} shipments", highlight=False)
    figures = Table("figure", "value", "of")
    figures.add_row("precision", f"{tally.precision:.4f}", f"{tally.right + tally.wrong} cases")
    figures.add_row("recall", f"{tally.recall:.4f}", f"{tally.diverted} diverted shipments")
    detectable = f"{tally.detectable} of which enough people and cases were seen"
    figures.add_row("recall of the detectable", f"{tally.recall_of_detectable:.4f}", detectable)
    figures.add_row("false accusations", f"{tally.false_accusations:.4f}", f"{tally.honest} honest shipments")
    screen.print(figures)
    confusion = Table("shipments", "has a case", "has none")
    confusion.add_row("diverted", f"{tally.found} (in a right place)", str(tally.diverted - tally.found))
    confusion.add_row("honest", str(tally.accused), str(tally.honest - tally.accused))
    screen.print(confusion)
    if tally.missed:
        why = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in sorted(tally.missed.items()))
        screen.print(f"missed: {why}", highlight=False)
    screen.print(f"cases: {tally.right} name a right place, {tally.wrong} a wrong one", highlight=False)
