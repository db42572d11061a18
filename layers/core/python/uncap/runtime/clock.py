"""The one place that asks what time it is, for whoever is wired by this runtime."""

import time


def clock_ms() -> int:
    """Now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000
