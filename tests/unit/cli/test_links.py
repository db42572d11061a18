"""`uncap link`: JSON or a reason, and the exit status."""

import json

import pytest
from typer.testing import CliRunner

from cli.main import app

_LINK = "https://example.com/p/01/9520123456788/10/A%2FB?3932=156299&17=301200&x=1"


def test_parse_prints_json() -> None:
    result = CliRunner().invoke(app, ["link", "parse", _LINK])
    shown = json.loads(result.stdout)
    assert result.exit_code == 0
    assert shown["elements"] == {"01": "09520123456788", "10": "A/B", "3932": "156299", "17": "301200"}
    assert shown["element_string"] == "(01)09520123456788(10)A/B(3932)156299(17)301200"
    assert shown["canonical"] == "https://id.gs1.org/01/09520123456788/10/A%2FB?17=301200&3932=156299"
    assert shown["stem"] == "https://example.com/p"
    assert shown["other"] == ["x=1"]
    assert shown["attributes"][0] == {
        "ai": "3932",
        "title": "PRICE",
        "value": "156299",
        "decimal": "2.99",
        "currency": "156",
    }
    assert {note["code"] for note in shown["notes"]} == {"gtin_short", "gs1_pair_missing"}


@pytest.mark.parametrize(
    "arguments",
    [["21=X=1", "01=09520123456788", "17=301200"], ["(17)301200(01)09520123456788", "21=X=1"]],
)
def test_build_prints_json(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["link", "build", *arguments, "--base", "https://q.cn/p/"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["uri"] == "https://q.cn/p/01/09520123456788/21/X%3D1?17=301200"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["parse", "https://a/01/09520123456789"], "gs1_check_digit: GTIN: the check digit is wrong (at (01))"),
        (["parse", "https://a/01/9520123456788", "--strict"], "gtin_short"),
        (["build", "10=A"], "link_key_missing"),
        (["build", "01"], "element_malformed"),
        (["build", "89=1"], "gs1_ai_unknown"),
        (["build", "01=09520123456788", "--base", "ftp://a"], "link_scheme"),
        (["build", "01=09520123456788", "--base", "https://a?b"], "link_key_missing"),
    ],
)
def test_a_refusal_gives_its_reason_and_exits_1(arguments: list[str], reason: str) -> None:
    result = CliRunner().invoke(app, ["link", *arguments])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"refused: {reason}")
