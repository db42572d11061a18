"""The house rules that a reader relies on: which way imports point, and how large a room may grow."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "layers/core/python"
SOURCES = ("layers/core/python/uncap", "layers/web/python/webui", "functions", "cli", "dev", "bench")
# Rightmost first: a module may import from its own room and from those before it.
FLOW = ("domain", "adapters", "services", "routes", "runtime")
CLOUD = {"boto3", "botocore", "pynamodb", "chalice", "aws_lambda_powertools"}
IMPURE = CLOUD | {"urllib", "urllib3", "http", "socket", "os", "time", "random", "secrets", "requests", "httpx", "uuid"}
MAX_FUNCTION_LINES, MAX_FILE_LINES = 40, 300


def python_files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    """Every absolute module name that the file imports at any depth."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "uncap" and len(parts) > 1 and parts[1] in FLOW else None


@pytest.mark.parametrize("room", FLOW)
def test_nothing_imports_against_the_flow(room: str) -> None:
    allowed = FLOW[: FLOW.index(room) + 1]
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in python_files(f"layers/core/python/uncap/{room}")
        for module in imported(path)
        if (target := room_of(module)) and target not in allowed
    ]
    assert wrong == []


def test_the_domain_is_pure() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in python_files("layers/core/python/uncap/domain")
        for module in imported(path)
        if module.split(".")[0] in IMPURE
    ]
    assert wrong == []


def test_functions_are_only_imported_by_nobody_below() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in python_files("layers/core/python/uncap", "layers/web/python/webui")
        for module in imported(path)
        if module.split(".")[0] in {"functions", "cli", "dev", "bench", "tests"}
    ]
    assert wrong == []


def reads_environment(path: Path) -> bool:
    """`os.environ` or `os.getenv` anywhere in the file."""
    return any(
        isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"} and ast.unparse(node.value) == "os"
        for node in ast.walk(ast.parse(path.read_text()))
    )


def test_only_settings_reads_the_environment() -> None:
    found = [path for path in python_files("layers/core/python/uncap", "functions") if reads_environment(path)]
    # The wire client reads AWS's own variables (credentials, endpoint), as any SDK does.
    assert found == [CORE / "uncap/adapters/wire/credentials.py", CORE / "uncap/runtime/settings.py"]


def test_scan_path_imports_nothing_heavy() -> None:
    """Follows the imports of functions/scan_api through our own modules, lazily imported ones included."""
    heavy = {"boto3", "botocore", "pynamodb", "pydantic", "numpy", "chalice"}
    todo, seen, wrong = [ROOT / "functions/scan_api/handler.py"], set(), []
    while todo:
        path = todo.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        for module in imported(path):
            if module.split(".")[0] in heavy:
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
            if module.split(".")[0] in {"uncap", "webui"}:
                base = (CORE if module.startswith("uncap") else ROOT / "layers/web/python") / module.replace(".", "/")
                todo += [base.with_suffix(".py"), base / "__init__.py"]
    assert wrong == []
    assert len(seen) > 15, "the walk found suspiciously few modules; has the handler moved?"


def test_rooms_stay_small() -> None:
    wrong = []
    for path in python_files(*SOURCES):
        text = path.read_text()
        lines = text.count("\n") + 1
        if lines > MAX_FILE_LINES + 1:
            wrong.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines")
    assert wrong == []


def test_every_module_says_what_it_owns() -> None:
    missing = [
        str(path.relative_to(ROOT))
        for path in python_files(*SOURCES)
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert missing == []


def test_runs_on_a_supported_python() -> None:
    assert (3, 11) <= sys.version_info[:2] <= (3, 13)
