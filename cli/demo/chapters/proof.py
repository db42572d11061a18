"""Chapter: a plausible bug is put into the money's code, and the fault histories find it. Used by `command.py`.

Runs the project's own harness (tests/histories) as a person would, in a process of its own.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from cli.demo.report import Line

_ROOT = Path(__file__).resolve().parents[3]
MUTANT = "new_bill_on_not_found"
HISTORIES = 200
_WITHIN_S = 120


def play() -> Iterator[Line]:
    """One mutant caught, and the unbroken code through as many histories."""
    caught = _run("tests.histories.mutants", MUTANT)
    said = " ".join(caught.stdout.split())
    yield Line(f"mutant {MUTANT}", "caught" if caught.returncode == 0 else "free", caught.returncode == 0, said)
    clean = _run("tests.histories.runner", "--count", str(HISTORIES), "--jobs", "1")
    yield Line("the code as it is", f"{HISTORIES} histories", clean.returncode == 0, "nothing wrong in any")


def _run(module: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", module, *arguments]
    where = os.pathsep.join(str(_ROOT / folder) for folder in (".", "layers/core/python", "layers/web/python"))
    environment = os.environ | {"PYTHONPATH": where}
    return subprocess.run(
        command, cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=_WITHIN_S, check=False
    )
