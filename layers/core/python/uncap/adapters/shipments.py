"""Shipments by batch, each batch read with one query and kept for a bounded time: the projector asks for every scan.

The relay asks rarely and wants the newest, so it reads through `adapters/flow.py` instead. Written by the console.
"""

from collections.abc import Callable

import msgspec

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import FlowItem
from uncap.domain.catalog import Shipment
from uncap.domain.shipping import ShipmentMap

_CACHE_BATCHES = 256


class CachedShipments:
    """At most `max_age_ms` old; batches without a shipment are remembered too."""

    def __init__(self, clock_ms: Callable[[], int], max_age_ms: int) -> None:
        self._clock_ms = clock_ms
        self._max_age_ms = max_age_ms
        self._cache: dict[int, tuple[int, ShipmentMap]] = {}

    def shipment_of(self, batch_no: int, index: int) -> Shipment | None:
        """The shipment that last moved this unit, or None. Raises TransientError (`table_unavailable`)."""
        now = self._clock_ms()
        known = self._cache.get(batch_no)
        if known is None or now - known[0] >= self._max_age_ms:
            known = (now, self._read(batch_no))
            if len(self._cache) >= _CACHE_BATCHES:
                self._cache.clear()
            self._cache[batch_no] = known
        return known[1].shipment_of(index)

    def _read(self, batch_no: int) -> ShipmentMap:
        with translated():
            rows = FlowItem.query(f"batch#{batch_no}", FlowItem.sk.startswith("ship#"))
            return ShipmentMap([msgspec.json.decode(row.doc, type=Shipment) for row in rows])
