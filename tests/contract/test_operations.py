"""Whoever is woken by an alarm finds it in the runbook, and the runbook names no alarm that does not exist."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs/operations.md").read_text()
NAMES = sorted(set(re.findall(r"AlarmName: !Sub uncap-\$\{Stage\}-(\w+)", (ROOT / "infra/alarms.yaml").read_text())))


def rows() -> list[str]:
    """The alarms' names in the table's first column; a trailing … stands for every alarm that begins so."""
    table = RUNBOOK.split("## Alarms")[1].split("\n## ")[0]
    cells = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[2:]
    return [name.strip() for cell in cells for name in cell.split(",")]


def covers(row: str, name: str) -> bool:
    return name.startswith(row[:-1]) if row.endswith("…") else name == row


@pytest.mark.parametrize("name", NAMES)
def test_every_alarm_is_in_the_runbook(name: str) -> None:
    assert any(covers(row, name) for row in rows())


def test_the_runbook_names_only_alarms_that_exist() -> None:
    assert [row for row in rows() if not any(covers(row, name) for name in NAMES)] == []


def test_alarms_were_found() -> None:
    assert len(NAMES) >= 25


def test_commands_in_the_runbook_exist() -> None:
    from typer.main import get_command

    from cli.main import app

    root = get_command(app)
    for words in re.findall(r"`?uncap ((?:[a-z]+ ?)+)", RUNBOOK):
        group: object = root
        for word in words.split():
            commands = getattr(group, "commands", None)
            if commands is None:
                break
            assert word in commands, f"uncap {words}"
            group = commands[word]


def test_yaml_is_what_it_seems() -> None:
    """The names above are read as text; this makes sure that the file is a template at all."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda _loader, _tag, node: str(node.value))
    document = yaml.load((ROOT / "infra/alarms.yaml").read_text(), Loader)  # noqa: S506 - a SafeLoader with tags as text
    alarms = [one for one in document["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(alarms) == len(NAMES)
