"""`uncap risk`: the gate judged on labelled claims, kind by kind and signal by signal; nothing is paid or stored."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any
from zlib import crc32

import msgspec
import typer
from rich.console import Console as Screen
from rich.table import Table

from cli.given_files import BAD_INPUT
from cli.risk.attempt import CASES, FIRST_LEAKED, MARKET, START_MS, Attempt
from cli.risk.scenario import RiskScenario, claims_of, load_scenario, scenario_schema
from cli.risk.tally import Tally, together
from uncap.adapters.catalog import Catalog
from uncap.domain.catalog import CodeBatch, Party, Role
from uncap.domain.errors import InputError
from uncap.domain.rewards.ports import Channel
from uncap.domain.risk import Rules, read_rules
from uncap.domain.scans import CodeRef, Mark
from uncap.services.judge_risk import Goods, RiskGate

app = typer.Typer(
    help="The risk gate: what it would hold, on made-up claims whose truth is known.", no_args_is_help=True
)
_ROLL = 20_000
"""Units of the batches that print files are leaked of."""


class _Batches:
    """A catalog of the week's batches."""

    def __init__(self, units_per_case: int) -> None:
        self._per_case = units_per_case

    def get(self, _pk: str, _sk: str, *, consistent: bool = False) -> str | None:
        return None if consistent else ""

    def query(self, pk: str, *, consistent: bool = False) -> list[tuple[str, str]]:
        number = int(pk.partition("#")[2])
        size = _ROLL if number >= FIRST_LEAKED else 1 << 28
        role, cases = (Role.CASE_INNER, 0) if number == CASES else (Role.CAP_INNER, CASES if number == MARKET else 0)
        batch = CodeBatch(
            number, "09520123456788", size, 1, (role,), units_per_case=self._per_case, case_batch_no=cases
        )
        return [] if consistent else [("meta", msgspec.json.encode(batch).decode())]


class MemoryWindows:
    """SharedWindows in memory; `writes` counts what would be paid for."""

    def __init__(self) -> None:
        self.sets: dict[str, set[str]] = {}
        self.writes = 0

    def add(self, key: str, entries: Sequence[str], expires_at_s: int) -> Collection[str]:
        """See `SharedWindows`; a week's evaluation never outlives an entry's days."""
        if expires_at_s <= 0:
            raise ValueError("an entry expires after the epoch")
        self.writes += 1
        self.sets.setdefault(key, set()).update(entries)
        return self.sets[key]


def judge_all(scenario: RiskScenario, seed: int, rules: Rules, workers: int) -> Tally:
    """The production gate, claim by claim; the stream is shared among `workers` of them by code, as shards share it."""
    catalog = Catalog(_Batches(scenario.units_per_case), lambda: START_MS, 1 << 40)
    shared, claims = MemoryWindows(), claims_of(scenario, seed)
    registered = {one.outlet: one.registered_at_ms for one in claims if one.outlet}

    def party_of(outlet: str) -> Party:
        return Party(outlet, "outlet", {}, registered_at_ms=registered[outlet])

    gates = [RiskGate(catalog, rules, shared, party_of=party_of) for _ in range(workers)]
    tally = Tally()
    for claim in claims:
        ref = CodeRef(claim.batch_no, claim.unit, Role.CASE_INNER if claim.case else Role.CAP_INNER)
        mark = Mark(ref.key(), claim.at_ms, "claim", claim.person, outlet=claim.outlet, device=claim.device)
        gate = gates[crc32(ref.key().encode()) % workers]
        tally.add(claim, gate.judge(ref, mark, scenario.name, Goods(_channel(claim))))
    tally.writes = shared.writes
    return tally


def _channel(claim: Attempt) -> Channel:
    if not claim.shipped:
        return Channel()
    return Channel(shipped=True, distributor="d-1", outlet=claim.sent_to, received=claim.received)


@app.command()
def evaluate(
    scenario: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="examples/risk/*.json; none: the default week.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another week of the same kind.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, max=1_000, help="So many weeks, from the seed on, as one.")] = 1,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Relay containers that share the stream.")] = 4,
    rules: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help='Rules by campaign, {"*": {"crowd": 12}}.')
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Judges labelled claims and prints precision, recall and honest people held, in all and for each signal.

    Exit status 2 for a wrong file.
    """
    try:
        week = load_scenario(scenario) if scenario else RiskScenario()
        chosen = read_rules(rules.read_text() if rules else "")
    except (InputError, OSError, UnicodeDecodeError) as error:
        typer.echo(f"{getattr(error, 'where', '') or 'file'}: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from error
    report = {"scenario": week.name, "seed": seed, "seeds": seeds, "workers": workers}
    report |= together([judge_all(week, seed + at, chosen, workers).report() for at in range(seeds)])
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        _show(report)


@app.command()
def schema() -> None:
    """Prints the JSON Schema of scenario files."""
    typer.echo(json.dumps(scenario_schema(), ensure_ascii=False, indent=2))


def _show(report: dict[str, Any]) -> None:
    screen, spread = Screen(highlight=False, width=120), report["spread"]
    screen.print(
        f"{report['scenario']}, {report['seeds']} seeds from {report['seed']} on, {report['workers']} workers: "
        f"{report['claims']} claims, {report['fraud']} of them fraud"
    )
    for name in ("precision", "recall", "writes_per_claim"):
        low, high = spread[name]
        screen.print(f"{name.replace('_', ' ')} {report[name]:.4f} ({low:.4f} to {high:.4f})")
    screen.print(f"honest people held {report['honest_people_held']} of {report['honest_people']}")
    kinds = Table("who", "", "claims", "held", "people", "of whom held")
    for one in report["kinds"]:
        numbers = (str(one[name]) for name in ("claims", "held", "people", "people_held"))
        kinds.add_row(one["kind"], "fraud" if one["fraud"] else "honest", *numbers)
    screen.print(kinds)
    signals = Table("signal", "spoke", "precision", "recall", "held by it alone", "honest people held")
    for one in report["signals"]:
        shares = (f"{one[name]:.4f}" if one["spoke"] else "" for name in ("precision", "recall"))
        signals.add_row(one["signal"], str(one["spoke"]), *shares, str(one["alone"]), str(one["honest_people_held"]))
    screen.print(signals)
