"""Whoever finds a reward held finds its reason in the runbook; the reasons are read from the code, not from a list."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "layers/core/python"
DECIDE = {"_hold_reason", "_wider_reason", "_reason", "_diverted", "reason"}
"""Functions in granting, stop_money and risk whose answer is the reason."""
CARRIES = {"check_instruction", "open_payee", "encrypt_field", "_address"}
"""Functions whose refusal of an instruction or a payee makes the worker hold with `rail_` and their code."""


def modules() -> list[Path]:
    found = [CORE / "uncap/services", CORE / "uncap/domain/rewards", CORE / "uncap/adapters/rails"]
    alone = [CORE / f"uncap/domain/{name}.py" for name in ("rails", "identity", "risk")]
    return [*(path for folder in found for path in sorted(folder.glob("*.py"))), *alone]


def word(node: ast.expr | None, module: object) -> str:
    """The text of an expression: a constant, a module's constant, the beginning of an f-string with …; "" otherwise."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.BinOp):
        return f"{word(node.left, module)}…"
    if isinstance(node, ast.JoinedStr):
        parts = [one.value if isinstance(one, ast.FormattedValue) else one for one in node.values]
        known = [word(one, module) for one in parts]
        return "".join(known) if all(known) else f"{''.join(known[: known.index('')])}…"
    if isinstance(node, ast.Name):
        value = getattr(module, node.id, "")
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        value = getattr(getattr(module, node.value.id, None), node.attr, "")
    else:
        return ""
    return value if isinstance(value, str) else ""


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((one.value for one in call.keywords if one.arg == name), None)


def of_call(call: ast.Call, module: object) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    state = keyword(call, "state")
    if isinstance(state, ast.Attribute) and state.attr == "HELD":
        yield word(keyword(call, "reason"), module)
    if name in ("hold", "_hold") and len(call.args) > 1:
        yield word(call.args[1], module)
    if name == "_Stops" and call.args:
        yield word(call.args[0], module)
    if name in ("NotAccepted", "Unknown") and keyword(call, "hold") is not None:
        told = word(keyword(call, "reason"), module)
        yield f"rail_{told}" if told else ""


def of_function(function: ast.FunctionDef, path: Path, module: object) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and function.name in DECIDE and path.stem in ("granting", "stop_money", "risk"):
            yield from (word(one, module) for one in answers(node.value))
        refuses = isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("InputError", "PoisonError")
        if refuses and isinstance(node, ast.Call) and function.name in CARRIES:
            yield f"rail_{word(node.args[0], module)}"


def answers(node: ast.expr | None) -> list[ast.expr]:
    """What a returned expression may come to; not what it asks on the way."""
    if isinstance(node, ast.IfExp):
        return [*answers(node.body), *answers(node.orelse)]
    return [node] if node is not None else []


def reasons() -> list[str]:
    found: set[str] = {"frozen", "recalled"}  # a batch's `hold`, which stop_money passes on as it is
    for path in modules():
        module = importlib.import_module(".".join(path.relative_to(CORE).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                found.update(of_call(node, module))
            if isinstance(node, ast.FunctionDef):
                found.update(of_function(node, path, module))
    return sorted(found - {"", "rail_…"})


REASONS = reasons()


def rows() -> list[str]:
    table = (ROOT / "docs/operations.md").read_text().split("## Held rewards")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_its_own_row(reason: str) -> None:
    """`rail_…` is for words the rail has yet to invent, and covers none that the code knows."""
    assert reason in rows() or any(
        row.endswith("…") and row != "rail_…" and reason.startswith(row[:-1]) for row in rows()
    )


def test_the_runbook_names_only_reasons_that_exist() -> None:
    assert [row for row in rows() if row != "rail_…" and row not in REASONS] == []


def test_a_word_of_the_rail_that_nobody_knows_has_a_row() -> None:
    assert "rail_…" in rows()


def test_reasons_were_found() -> None:
    assert {"awaiting_shipment", "no_payee", "late_success", "no_rail", "rail_param_error"} <= set(REASONS)
