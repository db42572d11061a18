"""`python -m dev.run_tests`: the whole suite for a machine with two cores. Called by make.

First what computes, as two pytest runs side by side, each serial in itself since moto is exact only then; the second
one's output is shown when it has ended. Then what needs the deployed stack, alone: it measures patience in seconds.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
DEPLOYED_PAGES = "tests/browser/deployed"
SIDE_BY_SIDE = (
    ("tests/unit", "tests/contract", "tests/histories", "tests/browser", f"--ignore={DEPLOYED_PAGES}"),
    ("tests/integration",),
)
ON_THE_STACK = ("tests/e2e", DEPLOYED_PAGES)


def main(extra: list[str]) -> int:
    """0 if everything passed; `extra` arguments go to every run."""
    failed = _side_by_side(extra)
    failed |= bool(_start(ON_THE_STACK, extra, None).wait())
    return int(failed)


def _side_by_side(extra: list[str]) -> bool:
    shown, quiet = SIDE_BY_SIDE
    with tempfile.TemporaryFile() as output:
        beside = _start(quiet, extra, output)
        try:
            failed = bool(_start(shown, extra, None).wait())
        except BaseException:
            beside.terminate()
            raise
        failed |= bool(beside.wait())
        output.seek(0)
        sys.stdout.flush()
        sys.stdout.buffer.write(output.read())
        sys.stdout.flush()
    return failed


def _start(rooms: tuple[str, ...], extra: list[str], output: IO[bytes] | None) -> subprocess.Popen[bytes]:
    # Two runs must not write one cache.
    cache = f"cache_dir=.pytest_cache/{Path(rooms[0]).name}"
    command = [sys.executable, "-m", "pytest", *rooms, "-o", cache, *extra]
    return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT if output else None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
