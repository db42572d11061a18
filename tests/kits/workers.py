"""The processes that serve the deployed functions, for tests that end them at bad moments."""

import os
import signal
from pathlib import Path

from dev.stack import lifecycle
from dev.stack.config import StackConfig


def worker_pids(config: StackConfig, function: str) -> list[int]:
    """Processes of the stack's emulator that serve this function: its descendants whose environment names it."""
    emulator = lifecycle.gateway(config).pid()
    marker = f"AWS_LAMBDA_FUNCTION_NAME={function}\0".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            environment = (entry / "environ").read_bytes() + b"\0"
            parents = ancestors(int(entry.name))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended while we looked
        if marker in environment and emulator in parents:
            found.append(int(entry.name))
    return found


def ancestors(pid: int) -> list[int]:
    """Parents of a process, nearest first."""
    chain: list[int] = []
    while pid > 1:
        # Field 4 of /proc/PID/stat, counted after the command's closing bracket (proc(5)).
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        chain.append(pid)
    return chain


def kill(pid: int) -> bool:
    """SIGKILL; False if it had ended before."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
