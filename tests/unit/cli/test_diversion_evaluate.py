"""`uncap diversion evaluate`: scenario files are judged, wrong ones are refused by field, and the defaults are good."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from typer.testing import CliRunner

from cli.diversion.commands import app
from cli.diversion.docket import Docket
from cli.diversion.evaluation import Tally, Witness, check_of, evaluate, true_places, walk
from cli.diversion.market import Market
from cli.diversion.sales import scans_of
from cli.diversion.scenario import Collusion, Diverters, Scenario, Transfers, load_scenario, scenario_schema
from uncap.domain.diversion.evidence import Sighting
from uncap.domain.diversion.judgement import DiversionRule

EXAMPLES = Path(__file__).parents[3] / "examples/diversion"
SMALL = '{"name": "small", "shipments": 24, "trade": {"cases": [10, 20]}, "diverters": {"shipment_share": 0.5}}'
SCENARIOS = sorted(path for path in EXAMPLES.glob("*.json") if "schema" not in path.name)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["evaluate", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_sample_reads_and_fits_the_published_schema(path: Path) -> None:
    assert load_scenario(path).name == path.stem
    jsonschema.Draft202012Validator(scenario_schema()).validate(json.loads(path.read_text()))


def test_the_published_schema_is_the_one_that_is_read() -> None:
    published = json.loads((EXAMPLES / "scenario.schema.json").read_text())
    assert published == json.loads(json.dumps(scenario_schema()))
    assert published == json.loads(CliRunner().invoke(app, ["schema"]).stdout)


def test_the_figures_and_the_table(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text(SMALL)
    code, out, _ = run("--scenario", str(file), "--seed", "5", "--json")
    report: dict[str, Any] = json.loads(out)
    assert code == 0
    confusion = report["confusion"]
    assert sum(confusion.values()) == report["shipments"] == 24
    found, missed = confusion["diverted_found"], confusion["diverted_missed"]
    assert report["recall"] == round(found / (found + missed), 4)
    assert report["false_accusations"] == 0.0
    assert found <= report["detectable"] <= found + missed
    assert sum(report["missed_for"].values()) == missed
    assert found > 5
    assert run("--scenario", str(file), "--seed", "5", "--json")[1] == out, "the seed decides"
    assert json.loads(run("--scenario", str(file), "--seed", "6", "--json")[1]) != report
    code, table, _ = run("--scenario", str(file), "--seed", "5")
    assert code == 0
    for word in ("precision", "recall", "recall of the detectable", "false accusations", "diverted", "honest"):
        assert word in table


def test_a_miss_says_what_was_lacking() -> None:
    def seen(person: str, case_no: int, place: str = "party:b") -> Sighting:
        return Sighting("s1", place, "g", 7, "a", "R", case_no, person, "c", "d", 1)

    rule, steps = DiversionRule(), [("p1", 1), ("p2", 1), ("p3", 1), ("p3", 2)]
    witness, said = Witness(rule), []
    witness.see("party:b", None)
    witness.see("party:b", seen("p9", 9, "party:c"))  # located, but elsewhere: it tells nothing about b
    witness.see("", seen("p8", 8))  # a traveller's bottle
    said.append(witness.why_missed())
    for person, case_no in steps:
        witness.see("party:b", seen(person, case_no))
        said.append(witness.why_missed())
    assert said == [
        "never_located_outside",
        "too_few_people",
        "too_few_people",
        "too_few_cases",
        "too_little_weight",
    ]
    tally = Tally()
    for lacking in said:
        tally.add({"party:b"}, set(), lacking)
    tally.add({"party:b"}, {"party:b"})
    tally.add(set(), {"party:b"}, "never_located_outside")
    assert (tally.diverted, tally.found, tally.detectable, tally.detected) == (6, 1, 2, 1)
    assert (tally.recall_of_detectable, sum(tally.missed.values()), tally.accused) == (0.5, 5, 1)


def test_stricter_thresholds_find_less(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text(SMALL)
    strict = json.loads(run("--scenario", str(file), "--json", "--odds", "1e9", "--min-people", "30")[1])
    assert strict["rule"]["min_people"] == 30
    assert strict["recall"] < json.loads(run("--scenario", str(file), "--json")[1])["recall"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"travel": {"share": 2}}', "travel.share"),
        ('{"travel": {"share": "much"}}', "travel.share"),
        ('{"traffic": {}}', "top level"),
        ('{"trade": {"cases": []}}', "trade.cases"),
        ('{"trade": {"cases": [10, 0]}}', "trade.cases[1]"),
        ('{"diverters": {"cases_share": [0.6, 0.1]}}', "diverters.cases_share"),
        ('{"land": {"rows": 1, "columns": 1}}', "land.rows"),
        ('{"collusion": {"distributors": 20}}', "collusion.distributors"),
        ('{"collusion": {"hidden_share": 0.7, "spoofed_share": 0.7}}', "collusion.spoofed_share"),
        ('{"travel": {"share": 0.6, "festival_share": 0.5}}', "travel.share"),
        ('{"parcels": {"case_share": 0.6, "gift_case_share": 0.5}}', "parcels.gift_case_share"),
        ('{"shipments": 10000, "trade": {"cases": [100]}}', "shipments"),
        ('{"shipments": 0}', "shipments"),
        ('{"shipments": NaN}', "not JSON"),
        ("[]", "top level"),
        ('{"name": "\\ud800"}', "not JSON"),
        ("{", "not JSON"),
        ("", "not JSON"),
    ],
)
def test_a_wrong_scenario_is_refused_by_field(tmp_path: Path, text: str, where: str) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(text)
    code, out, err = run("--scenario", str(file))
    assert (code, out) == (2, "")
    assert where in err


def test_files_that_are_no_text_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "gbk.json"
    file.write_bytes('{"name": "边境"}'.encode("gbk"))
    assert run("--scenario", str(file))[0] == 2
    assert run("--scenario", str(tmp_path / "none.json"))[0] == 2


def test_nobody_is_accused_where_nobody_diverts() -> None:
    tally = evaluate(Market(Scenario(shipments=40, diverters=Diverters(shipment_share=0)), 8), DiversionRule())
    assert (tally.accused, tally.wrong, tally.diverted) == (0, 0, 0)
    assert (tally.precision, tally.recall, tally.false_accusations) == (1.0, 1.0, 0.0)


def test_the_defaults_keep_their_budgets() -> None:
    tally = evaluate(Market(Scenario(shipments=100), 77), DiversionRule())
    assert tally.precision >= 0.95
    assert tally.recall >= 0.9
    assert tally.false_accusations <= 0.01


def test_approved_goods_are_no_case_and_without_the_approval_they_are() -> None:
    scenario = Scenario(shipments=12, transfers=Transfers(shipment_share=1.0), diverters=Diverters(shipment_share=0))
    market = Market(scenario, 3)
    assert evaluate(market, DiversionRule()).accused == 0
    check = check_of(market)
    check._current_allowances = lambda: type(check._allowances)()  # type: ignore[method-assign]
    accused = 0
    for _, scans in walk(market):
        docket = Docket(DiversionRule())
        for scan in scans:
            docket.hear(check.observe(scan.fact))
        accused += bool(docket.opened)
    assert accused > 8


def test_truth_is_where_the_bottle_was_whatever_the_phone_said() -> None:
    scenario = Scenario(shipments=20, collusion=Collusion(distributors=3, hidden_share=0.3, spoofed_share=0.3))
    market = Market(scenario, 9)
    label = next(one for one in market.labels if one.colluding)
    scans = scans_of(market, label)
    assert scans == scans_of(market, label)
    assert [scan.fact.at_ms for scan in scans] == sorted(scan.fact.at_ms for scan in scans)
    diverted = [scan for scan in scans if scan.diverted_to]
    assert any(not scan.fact.cell for scan in diverted)
    home = market.regions.shape(label.distributor)
    assert any(scan.fact.cell and home.contains(scan.fact.cell) for scan in diverted)
    assert f"party:{label.distributor}" not in true_places(scans)


def test_tallies_count_places_and_shipments() -> None:
    tally = Tally()
    tally.add({"a", "b"}, {"a", "c"})
    tally.add({"a"}, set())
    tally.add(set(), {"c"})
    tally.add(set(), set())
    assert (tally.precision, tally.recall, tally.false_accusations) == (1 / 3, 0.5, 0.5)
