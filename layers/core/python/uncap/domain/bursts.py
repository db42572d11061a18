"""Does one source ask for much in a short time? Counted in a container's memory, never stored, bounded. Pure.

Used by `runtime/wiring_scan.py` for codes that nobody issued. A source is remembered as a number that means nothing
outside the process. A container sees a part of the traffic, so a burst is counted late rather than wrongly.
"""

WINDOW_MS = 60_000
LIMIT = 30
_SOURCES = 2_048


class Bursts:
    """`add` is true once per source and window: at the moment the source reaches the limit."""

    def __init__(self, limit: int = LIMIT, window_ms: int = WINDOW_MS) -> None:
        self._limit = limit
        self._window_ms = window_ms
        self._window = 0
        self._counts: dict[int, int] = {}

    def add(self, source: str, now_ms: int) -> bool:
        """Count one. Sources beyond the bound are not counted until the next window."""
        window = now_ms // self._window_ms
        if window != self._window:
            self._window, self._counts = window, {}
        key = hash(_network(source))
        if not source or (key not in self._counts and len(self._counts) >= _SOURCES):
            return False
        self._counts[key] = self._counts.get(key, 0) + 1
        return self._counts[key] == self._limit


def _network(source: str) -> str:
    """An IPv6 customer has a whole /64; an IPv4 one, an address."""
    if ":" not in source:
        return source
    import ipaddress  # here: of no use to most containers, and starting one is timed

    try:
        return str(ipaddress.ip_network((source, 64), strict=False))
    except ValueError:
        return source
