"""Locks: complete, hashed, without addresses or machine paths, and of one mind about versions."""

import re
import subprocess
from pathlib import Path

import pytest

from dev.stack.config import local_runtime

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements/dev.txt", "requirements/stack.txt", "requirements/sam.txt")
LAYERS = ("layers/deps_scan", "layers/deps_back", "layers/deps_console", "layers/deps_intake")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)


def pins(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for package, version in PIN.findall((ROOT / name).read_text()):
        found.setdefault(package, set()).add(version)
    return found


def wanted(name: str) -> set[str]:
    lines = (ROOT / name).read_text().splitlines()
    return {re.split(r"[<>=\[]", line)[0].strip() for line in lines if line and not line.startswith("#")}


@pytest.mark.parametrize("name", [*LOCKS, *(f"{layer}/requirements.txt" for layer in LAYERS)])
def test_every_line_is_hashed_and_names_no_place(name: str) -> None:
    text = (ROOT / name).read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert all("--hash=sha256:" in block for block in blocks if not block.startswith("#"))
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|--trusted-host|file:|@ ", text)
    assert not re.search(r"(^|[\s=])/(home|root|tmp|opt|work|Users)/", text)


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_have_exactly_what_they_list_in_the_versions_that_are_tested(layer: str) -> None:
    inside, tested = pins(f"{layer}/requirements.txt"), pins("requirements/dev.txt")
    assert set(inside) == wanted(f"{layer}/requirements.in")
    assert {name: versions for name, versions in inside.items() if tested.get(name) != versions} == {}


def test_the_scan_layer_is_a_part_of_the_back_layer() -> None:
    scan, back, console, intake = (pins(f"{layer}/requirements.txt") for layer in LAYERS)
    assert scan.items() <= back.items()
    assert set(back) - set(scan) == {"pynamodb", "pyroaring", "segno", "zstandard"}
    assert not set(console) & set(back), "the console has both layers"
    assert not set(intake) & set(back), "the intake job has both layers"


def test_boto3_is_everywhere_the_one_the_local_stack_is_pinned_to() -> None:
    for name in ("boto3", "botocore"):
        assert pins("requirements/dev.txt")[name] == pins("requirements/stack.txt")[name] == {"1.43.106"}


def test_the_local_stacks_environment_holds_what_its_lock_lists_and_no_more() -> None:
    """Lambda workers see it as their runtime."""
    folder = ROOT / ".venv-stack/lib" / f"python{local_runtime()[0]}" / "site-packages"
    found = {re.sub(r"[-_.]+", "-", path.name.split("-")[0]).lower() for path in folder.glob("*.dist-info")}
    assert found == set(pins("requirements/stack.txt"))


def test_a_stated_dependency_is_in_the_lock() -> None:
    """pyproject.toml, and the .in files, are satisfied by the locks beside them."""
    for name in ("stack", "sam"):
        assert wanted(f"requirements/{name}.in") <= set(pins(f"requirements/{name}.txt"))
    check = subprocess.run(
        [str(ROOT / ".venv/bin/python"), "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout
