"""`python -m dev.run_tests`: the whole suite as two pytest runs side by side, for two cores. Called by make.

One run needs the deployed local stack and mostly waits for it; the other computes. Each stays serial in itself, since
moto is exact only then. The second one's output is shown when it has ended, so that the two do not mix.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
ON_THE_STACK = ("tests/e2e", "tests/browser")
COMPUTING = ("tests/unit", "tests/contract", "tests/histories", "tests/integration")


def main(extra: list[str]) -> int:
    """0 if both runs passed; `extra` arguments go to both."""
    with tempfile.TemporaryFile() as quiet:
        computing = _start(COMPUTING, extra, quiet)
        try:
            on_the_stack = _start(ON_THE_STACK, extra, None).wait()
        except BaseException:
            computing.terminate()
            raise
        computed = computing.wait()
        quiet.seek(0)
        sys.stdout.flush()
        sys.stdout.buffer.write(quiet.read())
        sys.stdout.flush()
    return 1 if on_the_stack or computed else 0


def _start(rooms: tuple[str, ...], extra: list[str], output: IO[bytes] | None) -> subprocess.Popen[bytes]:
    # Two runs must not write one cache.
    cache = f"cache_dir=.pytest_cache/{Path(rooms[0]).name}"
    command = [sys.executable, "-m", "pytest", *rooms, "-o", cache, *extra]
    return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT if output else None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
