"""Past scans judged again: the archive decides, nothing is written, and other thresholds change the outcome."""

import json
from typing import Any

import boto3
import msgspec
import pytest
from typer.testing import CliRunner

from cli.diversion.commands import app
from tests.integration.projector.test_scan_projector import NOW_MS, records, tools  # noqa: F401
from uncap.adapters.insights import Insights
from uncap.runtime.settings import ProjectorSettings
from uncap.services.project_scans import ProjectorTools, project_scans


@pytest.fixture
def past(tools: ProjectorTools, deployed: ProjectorSettings, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    project_scans(records("scans") + records("diverted"), tools)
    for field in msgspec.structs.fields(ProjectorSettings):
        monkeypatch.setenv(field.encode_name, str(getattr(deployed, field.name)))
    monkeypatch.setattr("cli.diversion.backtest.clock_ms", lambda: NOW_MS)


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["backtest", *arguments])
    return result.exit_code, result.stdout, result.stderr


def report(*arguments: str) -> dict[str, Any]:
    code, out, err = run("--json", *arguments)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_the_rule_in_force_finds_what_was_found(past: None) -> None:
    before = boto3.resource("dynamodb").Table("insights").scan()["Items"]
    found = report("--days", "30")
    (case,) = found["cases"]
    (stored,) = Insights().cases().cases
    assert (case["case_id"], case["state"], case["change"]) == (stored.case_id, "open", "stays")
    assert (found["scans"], found["rule"]) == (10, found["in_force"])
    assert boto3.resource("dynamodb").Table("insights").scan()["Items"] == before


def test_stricter_thresholds_close_it_and_say_so(past: None) -> None:
    (case,) = report("--min-people", "5")["cases"]
    assert (case["now"], case["then"], case["change"]) == (True, False, "closes")
    code, out, _ = run("--odds", "1e12")
    assert code == 0
    assert "would not have opened: 1" in out


def test_laxer_thresholds_open_others(past: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNCAP_DIVERSION_MIN_PEOPLE", "9")
    assert report()["cases"] == []
    (case,) = report("--min-people", "3")["cases"]
    assert case["change"] == "opens"


def test_only_the_days_asked_for_are_read(past: None) -> None:
    assert report("--days", "1")["scans"] < 10


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, aws: None) -> None:
    monkeypatch.delenv("UNCAP_CATALOG_TABLE", raising=False)
    code, _, err = run()
    assert code == 1
    assert "not begun" in err
    assert run("--min-people", "1")[0] == 2
