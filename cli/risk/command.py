"""`uncap risk`: the gate judged on labelled claims, kind by kind; nothing is paid and nothing is stored."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Any
from zlib import crc32

import msgspec
import typer
from rich.console import Console as Screen
from rich.table import Table

from cli.given_files import BAD_INPUT
from cli.risk.scenario import START_MS, Attempt, RiskScenario, claims_of, load_scenario, scenario_schema
from uncap.adapters.catalog import Catalog
from uncap.domain.catalog import CodeBatch, Role
from uncap.domain.errors import InputError
from uncap.domain.risk import RiskRules, read_rules
from uncap.domain.scans import CodeRef, Mark
from uncap.services.judge_risk import RiskGate

app = typer.Typer(
    help="The risk gate: what it would hold, on made-up claims whose truth is known.", no_args_is_help=True
)


class Tally:
    """Claims and people by kind: all, and those held."""

    def __init__(self) -> None:
        self.claims: Counter[str] = Counter()
        self.held: Counter[str] = Counter()
        self.fraud: dict[str, bool] = {}
        self.people: dict[str, set[str]] = {}
        self.held_people: dict[str, set[str]] = {}
        self.signals: Counter[str] = Counter()
        self.writes = 0

    def add(self, claim: Attempt, held: bool) -> None:
        """One judged claim."""
        self.claims[claim.kind] += 1
        self.held[claim.kind] += held
        self.fraud[claim.kind] = claim.fraud
        self.people.setdefault(claim.kind, set()).add(claim.person)
        if held:
            self.held_people.setdefault(claim.kind, set()).add(claim.person)

    def report(self) -> dict[str, Any]:
        """Precision and recall in claims, honest people of whom anything was held, and each kind by itself."""
        bad = sum(self.claims[kind] for kind, fraud in self.fraud.items() if fraud)
        caught = sum(self.held[kind] for kind, fraud in self.fraud.items() if fraud)
        honest = [kind for kind, fraud in self.fraud.items() if not fraud]
        people = sum(len(self.people[kind]) for kind in honest)
        bothered = sum(len(self.held_people.get(kind, ())) for kind in honest)
        held = sum(self.held.values())
        return {
            "claims": sum(self.claims.values()),
            "precision": round(caught / held, 4) if held else 1.0,
            "recall": round(caught / bad, 4) if bad else 1.0,
            "honest_people": people,
            "honest_people_held": bothered,
            "honest_claims_held_share": round(
                sum(self.held[kind] for kind in honest) / max(1, sum(self.claims[kind] for kind in honest)), 5
            ),
            "writes_per_claim": round(self.writes / max(1, sum(self.claims.values())), 4),
            "signals": dict(self.signals.most_common()),
            "kinds": [
                {
                    "kind": kind,
                    "fraud": self.fraud[kind],
                    "claims": self.claims[kind],
                    "held": self.held[kind],
                    "people": len(self.people[kind]),
                    "people_held": len(self.held_people.get(kind, ())),
                }
                for kind in self.claims
            ],
        }


class _OneBatch:
    """A catalog of one batch that all codes are in."""

    def __init__(self, units_per_case: int) -> None:
        batch = CodeBatch(1, "09520123456788", 1 << 28, 1, (Role.CAP_INNER,), units_per_case=units_per_case)
        self._meta = [("meta", msgspec.json.encode(batch).decode())]

    def get(self, _pk: str, _sk: str, *, consistent: bool = False) -> str | None:
        return None if consistent else ""

    def query(self, _pk: str, *, consistent: bool = False) -> list[tuple[str, str]]:
        return self._meta if not consistent else list(self._meta)


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


def judge_all(scenario: RiskScenario, seed: int, rules: dict[str, RiskRules], workers: int) -> Tally:
    """The production gate, claim by claim; the stream is shared among `workers` of them by code, as shards share it."""
    catalog = Catalog(_OneBatch(scenario.units_per_case), lambda: START_MS, 1 << 40)
    shared = MemoryWindows()
    gates = [RiskGate(catalog, rules, shared) for _ in range(workers)]
    tally = Tally()
    for claim in claims_of(scenario, seed):
        ref = CodeRef(1, claim.unit, Role.CAP_INNER)
        mark = Mark(ref.key(), claim.at_ms, "claim", claim.person, outlet=claim.outlet)
        gate = gates[crc32(ref.key().encode()) % workers]
        verdict = gate.judge(ref, mark, scenario.name, shipped=claim.shipped, sent_to="o-1" if claim.shipped else "")
        tally.add(claim, verdict.held)
        tally.signals.update(name for name, _ in verdict.signals if verdict.held)
    tally.writes = shared.writes
    return tally


@app.command()
def evaluate(
    scenario: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="examples/risk/*.json; none: the default week.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another week of the same kind.")] = 1,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Relay containers that share the stream.")] = 1,
    rules: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help='Rules by campaign, {"*": {"crowd": 12}}.')
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Judges labelled claims and prints precision, recall and honest people held. Exit status 2 for a wrong file."""
    try:
        week = load_scenario(scenario) if scenario else RiskScenario()
        chosen = read_rules(rules.read_text() if rules else "")
    except (InputError, OSError, UnicodeDecodeError) as error:
        typer.echo(f"{getattr(error, 'where', '') or 'file'}: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from error
    report = {"scenario": week.name, "seed": seed, "workers": workers}
    report |= judge_all(week, seed, chosen, workers).report()
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
    else:
        _show(report)


@app.command()
def schema() -> None:
    """Prints the JSON Schema of scenario files."""
    typer.echo(json.dumps(scenario_schema(), ensure_ascii=False, indent=2))


def _show(report: dict[str, Any]) -> None:
    screen = Screen(highlight=False)
    screen.print(
        f"{report['scenario']}, seed {report['seed']}, {report['workers']} workers: "
        f"precision {report['precision']:.4f}, recall {report['recall']:.4f}, honest people held "
        f"{report['honest_people_held']} of {report['honest_people']}, {report['writes_per_claim']} writes a claim"
    )
    table = Table("who", "", "claims", "held", "people", "of whom held")
    for one in report["kinds"]:
        label = "fraud" if one["fraud"] else "honest"
        numbers = (str(one[name]) for name in ("claims", "held", "people", "people_held"))
        table.add_row(one["kind"], label, *numbers)
    screen.print(table)
    screen.print("signals: " + ", ".join(f"{name} {count}" for name, count in report["signals"].items()))
