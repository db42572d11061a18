"""Parties by id, cached in the container for a bounded time: the relay walks the same few trees all day.

There may be a million outlets, so the cache is bounded and nothing is ever listed. Written by the console.
"""

import threading
from collections.abc import Callable

import msgspec
from pynamodb.exceptions import DoesNotExist

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import PartyItem
from uncap.domain.catalog import Party

_CACHE_ENTRIES = 4_096


class DynamoParties:
    """Keyed reads of the Parties table, at most `max_age_ms` old."""

    def __init__(self, clock_ms: Callable[[], int], max_age_ms: int) -> None:
        self._clock_ms = clock_ms
        self._max_age_ms = max_age_ms
        self._cache: dict[str, tuple[int, Party | None]] = {}
        self._lock = threading.Lock()

    def party(self, party_id: str) -> Party | None:
        """The party, or None. Raises TransientError."""
        now = self._clock_ms()
        known = self._cache.get(party_id)
        if known and now - known[0] < self._max_age_ms:
            return known[1]
        party = self._read(party_id)
        with self._lock:
            if len(self._cache) >= _CACHE_ENTRIES:
                self._cache.clear()
            self._cache[party_id] = (now, party)
        return party

    def _read(self, party_id: str) -> Party | None:
        try:
            with translated():
                item = PartyItem.get(f"party#{party_id}", "meta")
        except DoesNotExist:
            return None
        return msgspec.json.decode(item.doc, type=Party)
