"""How a benchmark speaks: one JSON object per line, peers measured in the same run, medians of interleaved rounds.

Every module of this package yields `Row`s; `__main__` prints them. Ratios above 1 mean that uncap is better.
"""

import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

Row = dict[str, object]
"""`name, value, unit, peer, peer_value, ratio` (performance budgets), and further keys where they help."""


class Pair(NamedTuple):
    """Medians in seconds of uncap's work and its peer's, and the median of the rounds' ratios peer/own."""

    own_s: float
    peer_s: float
    ratio: float


def row(
    name: str,
    value: float,
    unit: str,
    *,
    peer: str = "",
    peer_value: float | None = None,
    ratio: float | None = None,
    **more: object,
) -> Row:
    """One row with figures rounded to four digits; `peer` empty where there is nothing to compare with."""
    return {
        "name": name,
        "value": _round(value),
        "unit": unit,
        "peer": peer or None,
        "peer_value": _round(peer_value),
        "ratio": _round(ratio),
        **more,
    }


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one run with the collector quiet."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    finally:
        gc.enable()


def median_seconds(work: Callable[[], object], rounds: int = 7) -> float:
    """Median wall time after one warm-up run."""
    work()
    return statistics.median(seconds(work) for _ in range(rounds))


def paired(own: Callable[[], object], peer: Callable[[], object], *, scale: float = 1, rounds: int = 7) -> Pair:
    """Both in turn, round by round, so that a busy machine slows them alike.

    `scale`: how many times more items `own` handles than `peer` in one run; the ratio is per item.
    """
    own()
    peer()
    times = [(seconds(own), seconds(peer)) for _ in range(rounds)]
    ratio = statistics.median(peer_s * scale / own_s for own_s, peer_s in times)
    return Pair(statistics.median(o for o, _ in times), statistics.median(p for _, p in times), ratio)


def machine() -> Row:
    """The machine the figures belong to, as the first row of every run."""
    return row("machine", os.cpu_count() or 1, "cores", cpu=_cpu(), python=platform.python_version())


def emit(rows: Iterable[Row]) -> None:
    """Prints each row as it comes."""
    for one in rows:
        print(json.dumps(one, ensure_ascii=False), flush=True)


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _round(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
