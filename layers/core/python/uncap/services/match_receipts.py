"""How much of a shipment has arrived: all of it, part of it, which part not. Called by `routes/console/shipments.py`.

A thing has arrived if it was received after it was sent, itself, in a pack, or by everything that is in it.
"""

from collections.abc import Iterator

import msgspec

from uncap.adapters.flow_rows import DOCUMENTS, EveryMovement
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.movements import SHIPMENT, Movement, MovementMap, Void, follow
from uncap.domain.whereabouts import movements_on
from uncap.services.cancel_movement import stored_parts
from uncap.services.goods_desk import GoodsDesk
from uncap.services.name_goods import BatchSpan, merged, spans_of
from uncap.services.store_movements import RememberedPacking, Tree

MAX_THINGS = 1_000
"""Things looked at one by one; of a larger paper each stretch goes by its first thing."""


class Arrival(msgspec.Struct, frozen=True):
    """`things` sent, as the paper names them: `received` whole, `part_received` in part; `missing`: those not whole.

    `state`: open | partial | complete | cancelled. `each`: every thing was looked at, not just the first of a stretch.
    """

    shipment_id: str
    to_party: str
    state: str
    things: int
    received: int
    part_received: int
    missing: list[BatchSpan]
    each: bool


def match_receipts(desk: GoodsDesk, shipment_id: str) -> Arrival:
    """Raises NotFoundError (`shipment_unknown`)."""
    parts = stored_parts(desk, SHIPMENT, shipment_id)
    things = sum(one.stop - one.start for one in parts)
    matcher = _Matcher(desk)
    counts = {"whole": 0, "part": 0}
    missing = []
    for part in parts:
        for start, stop in _stretches(part, matcher.stored, each=things <= MAX_THINGS):
            found = matcher.arrived(part, UnitRef(part.batch_no, start))
            if found != "whole":
                missing += [UnitRef(part.batch_no, index) for index in range(start, stop)][:MAX_THINGS]
            if found:
                counts[found] += stop - start
    void = desk.flow.value(f"{DOCUMENTS[SHIPMENT]}#{parts[0].movement_id}", "void", Void)
    whole, some = counts["whole"], counts["part"]
    state = "complete" if whole == things else "partial" if whole or some else "open"
    return Arrival(
        shipment_id,
        parts[0].party,
        "cancelled" if void else state,
        things,
        whole,
        some,
        [BatchSpan(one.batch_no, one.start, one.stop) for one in merged(spans_of(missing))],
        each=things <= MAX_THINGS,
    )


class _Matcher:
    def __init__(self, desk: GoodsDesk) -> None:
        self.stored = EveryMovement(desk.flow.starting)
        self._packing = RememberedPacking(desk.association)
        self._tree = Tree(desk)
        self._maps: dict[int, MovementMap] = {}

    def arrived(self, part: Movement, thing: UnitRef) -> str:
        """`whole`, `part` or nothing."""
        return "whole" if self._received(part, thing) else self._inside(part, thing)

    def _inside(self, part: Movement, pack: UnitRef) -> str:
        """The verdict on a pack that was not received itself."""
        found = {verdict for span in self._packing.children_of(pack) for verdict in self._verdicts(part, span)}
        if not any(found):
            return ""
        return "whole" if found == {"whole"} else "part"

    def _verdicts(self, part: Movement, span: UnitSpan) -> Iterator[str]:
        """Verdicts that occur among a pack's things.

        A thing nobody named on paper or scanned can only have arrived by what is in it; bottles with the same papers
        share one verdict. So a pallet costs a few questions per case, not a dozen per bottle.
        """
        scanned = self.stored.scanned(span.batch_no, span.start, span.stop)
        bottles = not self._packing.children_of(UnitRef(span.batch_no, span.start))
        for start, stop in self._map(span.batch_no).stretches(span.start, span.stop):
            named = bool(self._map(span.batch_no).covering(start))
            alone = [at for at in scanned if start <= at < stop]
            if bottles:
                if len(alone) < stop - start and not named:
                    yield ""
                looked = {start, *alone} if named else alone
                yield from ("whole" if self._received(part, UnitRef(span.batch_no, at)) else "" for at in looked)
            else:
                for at in range(start, stop):
                    thing = UnitRef(span.batch_no, at)
                    yield self.arrived(part, thing) if named or at in alone else self._inside(part, thing)

    def _map(self, batch_no: int) -> MovementMap:
        if batch_no not in self._maps:
            self._maps[batch_no] = MovementMap(self.stored.ranges(batch_no))
        return self._maps[batch_no]

    def _received(self, part: Movement, thing: UnitRef) -> bool:
        steps = follow(movements_on(thing, self._packing, self.stored), self._tree.below).steps
        sent = next((at for at, one in enumerate(steps) if one.movement_id == part.movement_id), None)
        return sent is not None and any(one.status == "received" for one in steps[sent + 1 :])


def _stretches(part: Movement, stored: EveryMovement, *, each: bool) -> list[tuple[int, int]]:
    if each:
        return [(at, at + 1) for at in range(part.start, part.stop)]
    return MovementMap(stored.ranges(part.batch_no)).stretches(part.start, part.stop)
