"""`uncap prove`: a bug is shown being caught, and a clean history is called clean."""

from typer.testing import CliRunner

from cli.main import app


def test_a_mutant_is_shown_being_caught() -> None:
    shown = CliRunner().invoke(app, ["prove", "mutant", "new_bill_per_call"])
    assert shown.exit_code == 0, shown.output
    assert "caught by history" in shown.output
    assert "wrong: " in shown.output


def test_an_unknown_mutant_is_a_usage_error() -> None:
    shown = CliRunner().invoke(app, ["prove", "mutant", "nothing"])
    assert shown.exit_code == 2
    assert "new_bill_per_call" in shown.output


def test_a_history_is_printed_and_clean() -> None:
    shown = CliRunner().invoke(app, ["prove", "history", "3"])
    assert shown.exit_code == 0, shown.output
    assert "seed 3" in shown.output
