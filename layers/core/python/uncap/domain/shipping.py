"""Which shipment moved a unit last: overlapping ranges flattened once per batch, one binary search per unit. Pure."""

import bisect
import heapq
from collections.abc import Iterable

from uncap.domain.catalog import Shipment


class ShipmentMap:
    """The shipments of one batch. Where ranges overlap the latest by `shipped_at_ms` counts, then the higher id."""

    def __init__(self, shipments: Iterable[Shipment]) -> None:
        ordered = sorted((one for one in shipments if one.start < one.stop), key=lambda one: one.start)
        cuts = sorted({edge for one in ordered for edge in (one.start, one.stop)})
        self._starts: list[int] = cuts
        self._moved: list[Shipment | None] = []
        covering: list[tuple[int, int, Shipment]] = []
        latest_first = sorted(ordered, key=lambda one: (one.shipped_at_ms, one.shipment_id), reverse=True)
        ranks = {one.shipment_id: rank for rank, one in enumerate(latest_first)}
        upcoming = 0
        for cut in cuts:
            while upcoming < len(ordered) and ordered[upcoming].start <= cut:
                one = ordered[upcoming]
                heapq.heappush(covering, (ranks[one.shipment_id], upcoming, one))
                upcoming += 1
            while covering and covering[0][2].stop <= cut:
                heapq.heappop(covering)
            self._moved.append(covering[0][2] if covering else None)

    def shipment_of(self, index: int) -> Shipment | None:
        """The shipment that last moved this unit, or None."""
        at = bisect.bisect_right(self._starts, index) - 1
        return self._moved[at] if at >= 0 else None
