"""Every row of the failure matrix in docs/rewards.md names tests, and every test it names exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_LEAST_ROWS = 27


def rows() -> list[str]:
    section = (ROOT / "docs/rewards.md").read_text().partition("## The failure matrix\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| ")][2:]


@cache
def names_in(path: Path) -> frozenset[str]:
    return frozenset(node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))


def test_no_row_is_missing() -> None:
    assert len(rows()) >= _LEAST_ROWS


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[2:40])
def test_the_names_in_a_row_exist(row: str) -> None:
    named = _NAMED.findall(row.rpartition(" | ")[2])
    assert named, f"no test for: {row}"
    for path, name in named:
        assert (ROOT / path).is_file(), path
        assert name in names_in(ROOT / path), f"{path} has no {name}"
