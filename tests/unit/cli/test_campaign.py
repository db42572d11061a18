"""`uncap campaign`: the worked examples are valid by the published schema and come to what they say."""

import json
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from typer.testing import CliRunner

from cli.campaign import Example, loaded
from cli.main import app
from uncap.domain.campaigns.explaining import explain
from uncap.domain.campaigns.index import RuleIndex

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "examples/campaigns").glob("*.json"))
SCHEMA = Draft202012Validator(json.loads((ROOT / "docs/campaign.schema.json").read_text()))
RUN = CliRunner()
TOP_UP = str(ROOT / "examples/campaigns/regional-top-up.json")


def test_every_strategy_has_an_example() -> None:
    assert {file.stem for file in FILES} >= {
        "open-case",
        "first-open-prize",
        "streak-task",
        "linked-rebate-bb",
        "linked-rebate-bbc",
        "two-way-red-packet",
        "invited-outlet",
        "nth-opening",
        "regional-top-up",
        "happy-hours",
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_is_valid_and_comes_to_what_it_says(file: Path) -> None:
    example = msgspec.json.decode(file.read_bytes(), type=Example)
    SCHEMA.validate(json.loads(file.read_text())["campaign"])
    campaign, rules, scans = loaded(file)
    index = RuleIndex(rules)
    assert scans, example.about
    for scan in scans:
        told = explain(campaign, index, scan.facts.value())
        assert {f"{one.no}.{one.beneficiary}": one.prize_id for one in told.outcomes} == scan.expect, scan.name


def test_the_schema_refuses_what_the_api_refuses() -> None:
    body = json.loads(Path(TOP_UP).read_text())["campaign"]
    for changes in ({"rule_set": [{"no": 1, "effects": []}]}, {"surprise": 1}, {"rule_set": [{"no": 0}]}):
        assert not SCHEMA.is_valid(body | changes)
    body["rule_set"][0]["when"]["outlet"] = ["o-1"]
    assert not SCHEMA.is_valid(body)


def test_schema_is_printed() -> None:
    assert json.loads(RUN.invoke(app, ["campaign", "schema"]).stdout)["$schema"].endswith("2020-12/schema")


def test_check_says_which_field(tmp_path: Path) -> None:
    assert RUN.invoke(app, ["campaign", "check", TOP_UP]).exit_code == 0
    body = json.loads(Path(TOP_UP).read_text())["campaign"]
    body["rule_set"][0]["effects"][0]["prize_id"] = "gone"
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(body))
    done = RUN.invoke(app, ["campaign", "check", str(bad)])
    assert (done.exit_code, "rule_set[1].effects" in done.stderr) == (1, True)
    bad.write_text("{")
    assert RUN.invoke(app, ["campaign", "check", str(bad)]).exit_code == 2


def test_a_dry_run_names_winners_and_losers() -> None:
    done = RUN.invoke(app, ["campaign", "explain", "--file", TOP_UP, "--scan", "the shop itself"])
    assert "r-20 (rule 3)" in done.stdout
    assert "1.outlet lost to rule 3 (300)" in " ".join(done.stdout.split())
    facts = '{"region": "110101", "outlet": "o-9"}'
    told = RUN.invoke(app, ["campaign", "explain", "--file", TOP_UP, "--facts", facts, "--rule", "2", "--json"])
    traces = {trace["rule_no"]: trace for trace in json.loads(told.stdout)["traces"]}
    assert (traces[2]["matched"], traces[2]["missed"]) == (False, ["regions"])


@pytest.mark.parametrize("wrong", [["--facts", "{"], ["--facts", '{"shop": 1}'], ["--scan", "nowhere"]])
def test_a_dry_run_of_nothing(wrong: list[str]) -> None:
    assert RUN.invoke(app, ["campaign", "explain", "--file", TOP_UP, *wrong]).exit_code == 2
