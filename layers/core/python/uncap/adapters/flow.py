"""Where goods are, as the relay and the jobs read it (ChannelReader, ShipmentReader on the Flow and Parties tables).

A unit shipped by its own batch costs one query, and none while that shipment is remembered. Where a pack above it was
moved as such, or receipts and returns are there, the whole chain is followed (`domain/whereabouts.py`).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from uncap.adapters.flow_rows import BACK, PREFIXES, RECEIVED, RECEIVED_ONE, SHIP, FlowRows
from uncap.adapters.levels import Levels
from uncap.domain.association.ports import UnitRef
from uncap.domain.catalog import Party
from uncap.domain.channel import upwards
from uncap.domain.movements import Movement, Story, follow
from uncap.domain.rewards.ports import Channel
from uncap.domain.whereabouts import story_of

_REMEMBERED = 25
_CACHE_BATCHES = 256
_BRAND = "brand"


class PartyReader(Protocol):
    """Keyed reads of parties (`adapters/parties.py`)."""

    def party(self, party_id: str) -> Party | None:
        """The party, or None."""
        ...


class Whereabouts(NamedTuple):
    """The party a unit is to be at, "" for none, whether a shipment answers for its being there, and whether it was
    received there (None: there are no receipts of its batch or its packs)."""

    party: str = ""
    shipped: bool = False
    received: bool | None = None


class DynamoFlow:
    """`ShipmentReader` on the Flow table. A found shipment is remembered for `max_age_ms`; absence never is.

    So a launch, where thousands claim from the same shipments, costs a query per shipment and age, not per claim.
    Without `levels` a unit is moved by its own batch's shipments alone.
    """

    def __init__(
        self, clock_ms: Callable[[], int] = lambda: 0, max_age_ms: int = 0, levels: Levels | None = None
    ) -> None:
        self._clock_ms = clock_ms
        self._max_age_ms = max_age_ms
        self._levels = levels
        self._rows = FlowRows()
        self._known: dict[int, list[tuple[int, Movement]]] = {}
        self._marks: dict[int, tuple[int, frozenset[str]]] = {}

    def shipped_to(self, batch_no: int, index: int) -> str:
        """The party the unit is to be at, "" while no shipment answers for that."""
        found = self.whereabouts(batch_no, index)
        return found.party if found.shipped else ""

    def whereabouts(self, batch_no: int, index: int) -> Whereabouts:
        """Where the unit should be now, by everything declared about it and what it was packed in.

        A case nobody ever named is where its first bottle is: paper often counts bottles.
        """
        unit = UnitRef(batch_no, index)
        if self._levels is None:
            return self._simple(unit)
        found = self._declared(unit, self._levels)
        if not found.shipped and (inside := self._levels.first_inside(unit)) != unit:
            return self._declared(inside, self._levels)
        return found

    def _declared(self, unit: UnitRef, levels: Levels) -> Whereabouts:
        above = levels.above(unit)
        if not self._complex(unit.batch_no, above, self._max_age_ms):
            found = self._simple(unit)
            if found.shipped or not self._complex(unit.batch_no, above, 0):
                return found
        story = self._told(unit, levels, self._max_age_ms)
        if not story.shipped and self._max_age_ms:
            story = self._told(unit, levels, 0)
        return Whereabouts(story.place.party, story.shipped, self._received(unit, above, story))

    def story_of(self, unit: UnitRef) -> Story:
        """The unit's whole way, in a bounded number of queries however much its batch has moved. Needs `levels`."""
        if self._levels is None:
            return follow(self._rows.nearest(SHIP, unit), lambda _party, _above: False)
        return self._told(unit, self._levels, self._max_age_ms)

    def _told(self, unit: UnitRef, levels: Levels, max_age_ms: int) -> Story:
        reader = _Chain(self._rows, lambda one: self._marks_of(one, max_age_ms))
        return story_of(unit, levels.association, reader, levels.below)

    def _simple(self, unit: UnitRef) -> Whereabouts:
        now = self._clock_ms()
        known = [one for one in self._known.get(unit.batch_no, ()) if now - one[0] < self._max_age_ms]
        for _, shipment in known:
            if shipment.start <= unit.index < shipment.stop:
                return Whereabouts(shipment.party, shipped=True)
        holding = self._rows.nearest(SHIP, unit)
        if not holding:
            return Whereabouts()
        found = max(holding, key=lambda one: one.at_ms)
        if len(self._known) >= _CACHE_BATCHES:
            self._known.clear()
        self._known[unit.batch_no] = [(now, found), *known][:_REMEMBERED]
        return Whereabouts(found.party, shipped=True)

    def _received(self, unit: UnitRef, above: set[int], story: Story) -> bool | None:
        batches = {unit.batch_no, *above}
        if not any(self._marks_of(one, self._max_age_ms) & {RECEIVED, RECEIVED_ONE} for one in batches):
            return None
        return story.place.status == "received"

    def _complex(self, batch_no: int, above: set[int], max_age_ms: int) -> bool:
        """Is there more to follow than the batch's own shipments?"""
        if not self._marks_of(batch_no, max_age_ms) <= {SHIP}:
            return True
        return any(self._marks_of(one, max_age_ms) for one in above)

    def _marks_of(self, batch_no: int, max_age_ms: int) -> frozenset[str]:
        now = self._clock_ms()
        known = self._marks.get(batch_no)
        if known is None or now - known[0] >= max_age_ms:
            known = (now, self._rows.marks(batch_no))
            if len(self._marks) >= _CACHE_BATCHES:
                self._marks.clear()
            self._marks[batch_no] = known
        return known[1]


class _Chain:
    """`MovementReader` for one look-up: each kind that a batch has, by the queries that are made for one thing."""

    def __init__(self, rows: FlowRows, marks: Callable[[int], frozenset[str]]) -> None:
        self._rows = rows
        self._marks = marks

    def movements_of(self, thing: UnitRef) -> Sequence[Movement]:
        """See `MovementReader`; what `FlowRows.nearest` does not look for is not in it."""
        marks = self._marks(thing.batch_no)
        found: list[Movement] = []
        for prefix in PREFIXES:
            if prefix == RECEIVED_ONE and prefix in marks:
                found += self._rows.single(thing)
            elif prefix == SHIP or (prefix in (BACK, RECEIVED) and prefix in marks):
                found += self._rows.nearest(prefix, thing)
        return found


class DynamoChannel:
    """`ChannelReader` and `TreeReader`: where the unit should be, then the tree upwards from there."""

    def __init__(self, flow: DynamoFlow, parties: PartyReader) -> None:
        self._flow = flow
        self._parties = parties

    def channel_of(self, batch_no: int, index: int) -> Channel:
        """See `ChannelReader`. The nearest party of each role wins; goods that went back to the brand are nobody's."""
        place = self._flow.whereabouts(batch_no, index)
        if not place.party or not place.shipped:
            return Channel()
        channel = self.tree_of(place.party)
        return channel if place.received is None else msgspec.structs.replace(channel, received=place.received)

    def tree_of(self, party_id: str) -> Channel:
        """See `TreeReader`."""
        nearest: dict[str, Party] = {}
        for party in upwards(self._parties.party, party_id):
            nearest.setdefault(party.role, party)
        ids = {role: party.party_id for role, party in nearest.items()}
        outlet = nearest.get("outlet")
        return Channel(
            shipped=ids.get(_BRAND) != party_id,
            distributor=ids.get("distributor", ""),
            outlet=ids.get("outlet", ""),
            salesperson=ids.get("salesperson", ""),
            sub_distributor=ids.get("sub_distributor", ""),
            outlet_staff=ids.get("outlet_staff", ""),
            inviter=outlet.invited_by if outlet else "",
        )
