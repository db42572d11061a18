"""Codes hammered with repeats are answered from this container's memory, so that one hot key cannot slow the others.

Used by `services/claim_code.py`. What is remembered can not change who won: a code's first claim is written once.
"""

from collections import OrderedDict
from collections.abc import Callable

import msgspec

from uncap.domain.scans import CodeRef, ScanImage

THRESHOLD = 20
WINDOW_MS = 60_000
CAPACITY = 512


class _Heat(msgspec.Struct):
    since_ms: int
    writes: int
    image: ScanImage


class HotCodes:
    """Counts this container's writes per code in a window that starts with the first of them.

    From `threshold` on, until the window ends, scans of that code are not written: the fraud signal is in the stream
    by then. `capacity` codes are remembered, the least recently written forgotten first.
    """

    def __init__(
        self,
        clock_ms: Callable[[], int],
        *,
        threshold: int = THRESHOLD,
        window_ms: int = WINDOW_MS,
        capacity: int = CAPACITY,
    ) -> None:
        self._clock_ms = clock_ms
        self._threshold = threshold
        self._window_ms = window_ms
        self._capacity = capacity
        self._codes: OrderedDict[CodeRef, _Heat] = OrderedDict()

    def recall(self, ref: CodeRef, form: str) -> ScanImage | None:
        """The image to answer from, or None if this scan has to be written.

        A claim is answered only where the code has been taken: while it is free, someone may still win it.
        """
        heat = self._codes.get(ref)
        if heat is None or heat.writes < self._threshold or self._clock_ms() - heat.since_ms >= self._window_ms:
            return None
        return heat.image if form == "observe" or heat.image.first is not None else None

    def note(self, ref: CodeRef, image: ScanImage) -> None:
        """Remembers what a write has just returned."""
        now_ms = self._clock_ms()
        heat = self._codes.get(ref)
        if heat is None or now_ms - heat.since_ms >= self._window_ms:
            self._codes[ref] = _Heat(now_ms, 1, image)
        else:
            heat.writes += 1
            heat.image = image
        self._codes.move_to_end(ref)
        while len(self._codes) > self._capacity:
            self._codes.popitem(last=False)
