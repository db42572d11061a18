"""What `sam build` makes, unpacked as Lambda would: size, importability in isolation, no foreign binaries.

The local stack's workers run on its own interpreter and see its packages: a missing dependency would be masked there.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from dev import build_web
from dev.stack import deploy
from dev.stack.config import StackConfig, local_runtime

ROOT = Path(__file__).parents[2]
RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3")
STACK_PACKAGES = ROOT / ".venv-stack/lib" / f"python{local_runtime()[0]}" / "site-packages"
MACHINES = {"x86_64": 0x3E, "arm64": 0xB7}  # ELF e_machine
MIB = 2**20
# Unpacked, in MiB. Cold workers unpack their layers: the scan path's are held small (docs/adr/0002).
LAYER_BUDGET = {
    "CoreLayer": 6,
    "WebLayer": 2,
    "DepsScanLayer": 29,
    "DepsBackLayer": 46,
    "DepsConsoleLayer": 65,
    "DepsIntakeLayer": 165,
}
FUNCTION_BUDGET_BYTES = 64 * 1024
# Powertools imports the bare `botocore` package to name itself; its sessions and clients are what costs.
HEAVY = {"boto3", "botocore.session", "botocore.client", "pynamodb", "pydantic", "numpy", "chalice"}
TEMPLATE: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
FUNCTIONS = {n: r["Properties"] for n, r in TEMPLATE["Resources"].items() if r["Type"] == "AWS::Serverless::Function"}


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`sam build` for this machine; one folder per function and layer."""
    folder = tmp_path_factory.mktemp("bundles")
    config = StackConfig(port=1, sim_port=2, state_dir=folder)
    build_web.build()
    deploy.build(config, deploy.parameters(config, {}))
    return folder / "build"


@pytest.fixture(scope="session")
def runtime_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda's Python runtime brings: boto3 and what it needs, nothing else."""
    folder = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME_PACKAGES:
        (folder / name).symlink_to(STACK_PACKAGES / name)
    return folder


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def search_path(bundles: Path, function: str, runtime: Path) -> list[str]:
    """sys.path in the order Lambda gives it: the bundle, the layers, the runtime's own."""
    layers = [str(bundles / layer["Ref"] / "python") for layer in FUNCTIONS[function]["Layers"]]
    return [str(bundles / function), *layers, str(runtime)]


def run_isolated(path: list[str], code: str) -> subprocess.CompletedProcess[str]:
    """Without site-packages, user folders or environment: only `path` and the standard library."""
    program = f"import sys\nsys.path[:0] = {path!r}\n{code}"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error::SyntaxWarning", "-c", program],
        capture_output=True,
        text=True,
        env={"AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"},
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("layer", sorted(LAYER_BUDGET))
def test_layers_stay_within_their_size(bundles: Path, layer: str) -> None:
    assert 0 < size(bundles / layer) <= LAYER_BUDGET[layer] * MIB


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_is_its_own_folder_and_little_else(bundles: Path, function: str) -> None:
    assert 0 < size(bundles / function) <= FUNCTION_BUDGET_BYTES
    files = {path.relative_to(bundles / function).as_posix() for path in (bundles / function).rglob("*.py")}
    (folder,) = {name.split("/")[1] for name in files if name.count("/") == 2}
    assert all(name.startswith(("functions/__init__", f"functions/{folder}/")) for name in files)
    whole = size(bundles / function) + sum(size(bundles / layer["Ref"]) for layer in FUNCTIONS[function]["Layers"])
    assert whole <= 250 * MIB  # Lambda's limit


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_the_handler_imports_from_its_bundle_alone(bundles: Path, runtime_packages: Path, function: str) -> None:
    module, _, attribute = FUNCTIONS[function]["Handler"].rpartition(".")
    code = f"import importlib, json\nhandler = getattr(importlib.import_module({module!r}), {attribute!r})\n"
    code += "assert callable(handler)\nprint(json.dumps(sorted(sys.modules)))"
    done = run_isolated(search_path(bundles, function, runtime_packages), code)
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    if function == "ScanApi":
        assert not loaded & HEAVY


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_what_is_imported_later_is_in_the_bundle_too(bundles: Path, runtime_packages: Path, function: str) -> None:
    """Imports inside functions run at the first request: every third-party module they name must be there."""
    wanted = sorted(set(late_imports(bundles, function)))
    code = "import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in wanted)
    done = run_isolated(search_path(bundles, function, runtime_packages), code)
    assert done.returncode == 0, done.stderr


def late_imports(bundles: Path, function: str) -> list[str]:
    """Modules named by indented imports in the function's own files and in the wiring it imports."""
    texts = [path.read_text() for path in (bundles / function).rglob("*.py")]
    wiring = re.findall(r"^from (uncap\.runtime\.\w+) import", "\n".join(texts), re.MULTILINE)
    texts += [(bundles / "CoreLayer/python" / (name.replace(".", "/") + ".py")).read_text() for name in wiring]
    # `if TYPE_CHECKING:` blocks are indented as well, but never run.
    code = re.sub(r"^if TYPE_CHECKING:\n(?: +.*\n|\n(?= ))+", "", "\n".join(texts), flags=re.MULTILINE)
    return re.findall(r"^ +(?:from|import) ([\w.]+)", code, re.MULTILINE)


def machine(path: Path) -> int:
    return int.from_bytes(path.read_bytes()[18:20], "little")


@pytest.mark.parametrize("layer", sorted(LAYER_BUDGET))
def test_binaries_are_of_this_machine(bundles: Path, layer: str) -> None:
    wanted = MACHINES[local_runtime()[1]]
    assert [p.name for p in (bundles / layer).rglob("*.so*") if machine(p) != wanted] == []


def test_layers_ship_no_tests_tools_or_caches_of_other_pythons(bundles: Path) -> None:
    shipped = {path.name for layer in LAYER_BUDGET for path in (bundles / layer / "python").iterdir()}
    assert shipped.isdisjoint({"pip", "setuptools", "pkg_resources", "pydantic", "boto3", "botocore", "bin", "tests"})
    tag = f"cpython-{sys.version_info.major}{sys.version_info.minor}.pyc"
    for layer in LAYER_BUDGET:
        compiled = list((bundles / layer).rglob("*.pyc"))
        assert compiled
        assert all(path.name.endswith(tag) for path in compiled)
    web = bundles / "WebLayer/python"
    assert (web / "webui").is_dir()
    assert (web / "webui_built").is_dir()


def test_the_layer_that_goes_to_aws_is_for_arm64(tmp_path: Path) -> None:
    """The production default, built here whatever this machine is."""
    folder = tmp_path / "layers"
    shutil.copytree(ROOT / "layers", folder, ignore=shutil.ignore_patterns("__pycache__"))
    command = ["make", "--silent", "build-DepsScanLayer", f"ARTIFACTS_DIR={tmp_path / 'out'}"]
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UNCAP_", "PYTHON"))}
    done = subprocess.run(command, cwd=folder, env=kept | {"PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    binaries = list((tmp_path / "out").rglob("*.so*"))
    assert binaries
    assert {machine(path) for path in binaries} == {MACHINES["arm64"]}
    assert any("cpython-313-aarch64" in path.name for path in binaries)
