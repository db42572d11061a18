"""Shipments and the channel tree as the relay and the jobs read them (ChannelReader, ShipmentReader on PynamoDB).

The console writes both tables. Each look-up is one query of the batch's shipments and one read per step up the tree.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from uncap.adapters.dynamo_faults import translated
from uncap.adapters.models import FlowItem
from uncap.domain.catalog import Party, Shipment
from uncap.domain.rewards.ports import Channel

_OVERLAPS = 25
_CACHE_BATCHES = 256
_MAX_DEPTH = 8


class PartyReader(Protocol):
    """Keyed reads of parties (`adapters/parties.py`)."""

    def party(self, party_id: str) -> Party | None:
        """The party, or None."""
        ...


class DynamoFlow:
    """`ShipmentReader` on the Flow table. A found shipment is remembered for `max_age_ms`; absence never is.

    So a launch, where thousands claim from the same shipments, costs a query per shipment and age, not per claim.
    """

    def __init__(self, clock_ms: Callable[[], int] = lambda: 0, max_age_ms: int = 0) -> None:
        self._clock_ms = clock_ms
        self._max_age_ms = max_age_ms
        self._known: dict[int, list[tuple[int, Shipment]]] = {}

    def shipped_to(self, batch_no: int, index: int) -> str:
        """The party of the latest shipment that covers the unit, "" for none."""
        now = self._clock_ms()
        known = [one for one in self._known.get(batch_no, ()) if now - one[0] < self._max_age_ms]
        for _, shipment in known:
            if shipment.start <= index < shipment.stop:
                return shipment.to_party
        found = self._latest(batch_no, index)
        if found is None:
            return ""
        if len(self._known) >= _CACHE_BATCHES:
            self._known.clear()
        self._known[batch_no] = [(now, found), *known][:_OVERLAPS]
        return found.to_party

    def _latest(self, batch_no: int, index: int) -> Shipment | None:
        """Looks at the 25 shipments that begin closest before the unit: more would have to overlap to hide one."""
        # Every key "ship#{start}#…" with start <= index sorts below "ship#{index}$", for "$" follows "#".
        reach = FlowItem.sk.between("ship#", f"ship#{index:09d}$")
        with translated():
            rows = FlowItem.query(
                f"batch#{batch_no}", reach, scan_index_forward=False, limit=_OVERLAPS, page_size=_OVERLAPS
            )
            shipments = [msgspec.json.decode(row.doc, type=Shipment) for row in rows]
        covering = [one for one in shipments if one.start <= index < one.stop]
        return max(covering, key=lambda one: one.shipped_at_ms) if covering else None


class DynamoChannel:
    """`ChannelReader`: the unit's shipment, then the tree upwards from the party it went to."""

    def __init__(self, flow: DynamoFlow, parties: PartyReader) -> None:
        self._flow = flow
        self._parties = parties

    def channel_of(self, batch_no: int, index: int) -> Channel:
        """See `ChannelReader`. The nearest party of each role wins; a cycle in the tree ends the walk."""
        party_id = self._flow.shipped_to(batch_no, index)
        if not party_id:
            return Channel()
        roles: dict[str, str] = {}
        seen: set[str] = set()
        while party_id and party_id not in seen and len(seen) < _MAX_DEPTH:
            seen.add(party_id)
            party = self._parties.party(party_id)
            if party is None:
                break
            roles.setdefault(party.role, party.party_id)
            party_id = party.parent_id
        return Channel(
            shipped=True,
            distributor=roles.get("distributor", ""),
            outlet=roles.get("outlet", ""),
            salesperson=roles.get("salesperson", ""),
        )
