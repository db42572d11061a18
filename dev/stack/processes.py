"""Background programs of the local stack: started detached, remembered by pid, stopped gently. For lifecycle.py."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dev.stack.config import StackError

_POLL_S = 0.1
# Programs this very process started: it is their parent and must collect them when they end.
_CHILDREN: dict[int, "subprocess.Popen[bytes]"] = {}


class Daemon:
    """One background program. `{name}.pid` and `{name}.log` lie in the state directory."""

    def __init__(self, name: str, state_dir: Path) -> None:
        self.name = name
        self._pid_file = state_dir / f"{name}.pid"
        self.log_file = state_dir / f"{name}.log"

    def pid(self) -> int | None:
        """The running program's pid; None if it is gone (a pid reused by another program is not taken for it)."""
        try:
            pid_text, born = self._pid_file.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        pid = int(pid_text)
        _collect(pid)
        return pid if _birth(pid) == born else None

    def start(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        """Starts it in a session of its own, so that a Ctrl-C in the terminal does not end it half-way."""
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(
                list(command),
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _CHILDREN[process.pid] = process
        self._pid_file.write_text(f"{process.pid} {_birth(process.pid)}")

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Returns when `ready` says so. Raises StackError if the program ends or the time is over."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if self.pid() is None:
                raise StackError(f"{self.name} ended while starting: {self.last_line()} (see {self.log_file})")
            if time.monotonic() > deadline:
                raise StackError(f"{self.name} did not answer within {timeout_s:.0f} s (see {self.log_file})")
            time.sleep(_POLL_S)

    def stop(self, timeout_s: float = 30.0) -> bool:
        """SIGTERM, then wait: MiniStack writes its state on the way out. SIGKILL only after the time is over.

        Returns False if it was not running.
        """
        pid = self.pid()
        if pid is None:
            self._pid_file.unlink(missing_ok=True)
            return False
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + timeout_s
        while self.pid() is not None and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        if self.pid() is not None:
            os.kill(pid, signal.SIGKILL)
            while self.pid() is not None:
                time.sleep(_POLL_S)
        self._pid_file.unlink(missing_ok=True)
        return True

    def last_line(self) -> str:
        """The last thing it said, for an error message."""
        try:
            lines = self.log_file.read_text(errors="replace").strip().splitlines()
        except FileNotFoundError:
            return "no output"
        return lines[-1][:300] if lines else "no output"


def _collect(pid: int) -> None:
    """Lets an ended child go."""
    child = _CHILDREN.get(pid)
    if child is not None and child.poll() is not None:
        del _CHILDREN[pid]


def _birth(pid: int) -> str:
    """When the process started, as the system tells it; "" if there is none or it is a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return "" if Path("/proc").is_dir() else _birth_by_ps(pid)
    return "" if stat[0] == "Z" else stat[19]


def _birth_by_ps(pid: int) -> str:
    """The same where there is no /proc (macOS)."""
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip().replace(" ", "-")


def port_is_free(port: int) -> bool:
    """True if a server could be bound to 127.0.0.1:port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
