"""What captured events do to our goods: aggregations pack, shipping and receiving move. For REST capture and uploads.

`check` writes nothing and finds what cannot be; `act` does the rest and may be repeated: everything is known by the
hash of the event that says so (docs/epcis.md, ADR 0014).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from uncap.adapters.catalog import Catalog
from uncap.domain.association.ports import AssociationReader
from uncap.domain.epcis.faults import Fault
from uncap.domain.errors import InputError
from uncap.services.desk import Actor
from uncap.services.event_acts import Acted, Acting
from uncap.services.find_things import Things
from uncap.services.goods_desk import GoodsDesk, PaperDesk
from uncap.services.move_by_events import EventMoves
from uncap.services.pack_by_events import PackingFiles, apply_packings, packings
from uncap.services.store_movements import Tree


@dataclass(frozen=True, slots=True)
class EventTools:
    """`packing`: a reader that reads each thing once, as of then; `catalog`: read once for the document.

    `most`: how many events of a request may move goods, 0 for any number.
    """

    desk: GoodsDesk
    catalog: Catalog
    packing: Callable[[], AssociationReader]
    files: PackingFiles
    most: int = 0


class EventGoods:
    """`EventActs` by `actor`."""

    def __init__(self, tools: EventTools, actor: Actor) -> None:
        self._tools, self._actor = tools, actor
        self._things = Things(tools.desk, tools.catalog)

    def check(self, events: Sequence[Acting]) -> list[Fault]:
        """See `EventActs`."""
        moves = self._moves()
        papers, faults = moves.papers(events)
        if self._tools.most and len(papers) > self._tools.most:
            words = f"at most {self._tools.most} events of a request move goods; upload larger documents"
            raise InputError("capture_limit_exceeded", words, where="eventList")
        return [*faults, *packings(self._tools.packing(), self._things, events)[1], *moves.check(papers)]

    def pack(self, events: Sequence[Acting], *, proceed: bool) -> list[Fault]:
        """See `EventActs`."""
        packed, _ = packings(self._tools.packing(), self._things, events)
        return apply_packings(self._tools.files, packed, self._actor.login, proceed=proceed)

    def move(self, events: Sequence[Acting]) -> Acted:
        """See `EventActs`."""
        moves = self._moves()
        return Acted(*moves.record(moves.papers(events)[0]))

    def act(self, events: Sequence[Acting], *, proceed: bool) -> Acted:
        """See `EventActs`."""
        faults = self.pack(events, proceed=proceed)
        if faults and not proceed:
            return Acted(faults, [], whole=False)
        at_fault = {fault.pointer.removesuffix("/childEPCs") for fault in faults}
        moved = self.move([one for one in events if one.pointer not in at_fault])
        return Acted([*faults, *moved.faults], moved.notes)

    def _moves(self) -> EventMoves:
        """What lies in what is read anew: packing may have changed since the check."""
        desk = self._tools.desk
        reading = PaperDesk(
            catalog=self._tools.catalog,
            catalog_docs=desk.catalog_docs,
            parties=desk.parties,
            flow=desk.flow,
            writes=desk.writes,
            association=self._tools.packing(),
            clock_ms=desk.clock_ms,
            party_of=Tree(desk).party,
            keyring=desk.keyring,
        )
        return EventMoves(reading, self._actor, self._things)
