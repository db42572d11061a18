"""`uncap risk`: several weeks as one, by kind and by signal; the samples fit their schema; wrong files are named."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from typer.testing import CliRunner

from cli.main import app

EXAMPLES = Path(__file__).parents[3] / "examples/risk"
SMALL = {
    "name": "small",
    "buyers": {"count": 60},
    "parties": [{"count": 1, "bottles": 24}],
    "waiters": {"count": 1},
    "recyclers": [{"count": 1}],
    "packages": [{"codes": 80, "phones": 6}],
    "insiders": [],
    "outlets": {"count": 5, "new": 2},
}


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["risk", *arguments])
    return done.exit_code, done.output


@pytest.fixture
def small(tmp_path: Path) -> str:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(SMALL))
    return str(path)


def test_several_weeks_are_added_up_and_spread(small: str) -> None:
    weeks = [json.loads(run("evaluate", "--scenario", small, "--seed", str(seed), "--json")[1]) for seed in (3, 4)]
    both = json.loads(run("evaluate", "--scenario", small, "--seed", "3", "--seeds", "2", "--json")[1])
    for name in ("claims", "fraud", "honest_people", "honest_people_held"):
        assert both[name] == sum(week[name] for week in weeks)
    assert both["recall"] == pytest.approx(sum(week["recall"] for week in weeks) / 2, abs=1e-4)
    assert both["spread"]["recall"] == sorted(week["recall"] for week in weeks)
    held = {one["kind"]: one["held"] for one in both["kinds"]}
    assert held == {kind: sum(_kind(week, kind) for week in weeks) for kind in held}
    assert sum(held.values()) > 0


def _kind(week: dict[str, Any], kind: str) -> int:
    return next(int(one["held"]) for one in week["kinds"] if one["kind"] == kind)


def test_every_signal_is_told_and_only_those_that_spoke_have_shares(small: str) -> None:
    code, told = run("evaluate", "--scenario", small, "--workers", "1")
    assert code == 0
    for name in ("scattered", "new_outlet", "honest people held", "leaked package, in order"):
        assert name in told


def test_rules_of_a_file_decide(small: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('{"*": "off"}')
    report = json.loads(run("evaluate", "--scenario", small, "--rules", str(rules), "--json")[1])
    assert (report["recall"], report["writes_per_claim"]) == (0.0, 0.0)
    rules.write_text('{"small": {"fast": 0}}')
    assert run("evaluate", "--scenario", small, "--rules", str(rules))[0] == 2


@pytest.mark.parametrize(
    ("text", "told"), [('{"ghosts": {"count": -1}}', "ghosts"), ("[", "scenario"), ('{"x": 1}', "x")]
)
def test_a_wrong_scenario_is_refused_with_its_field(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    code, output = run("evaluate", "--scenario", str(path))
    assert code == 2
    assert told in output


def test_the_samples_fit_the_published_schema() -> None:
    schema = json.loads((EXAMPLES / "scenario.schema.json").read_text())
    assert schema == json.loads(run("schema")[1])
    for path in EXAMPLES.glob("*.json"):
        if path.name != "scenario.schema.json":
            jsonschema.validate(json.loads(path.read_text()), schema)
