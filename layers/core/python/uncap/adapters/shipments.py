"""The shipment that answers for a thing's being where it is: batches read with one query each, kept for a bounded time.

The projector asks for every scan. The relay asks rarely and wants the newest, so it reads through `adapters/flow.py`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from uncap.adapters.flow_rows import FlowRows
from uncap.adapters.levels import Levels
from uncap.domain.association.ports import UnitRef
from uncap.domain.catalog import Shipment
from uncap.domain.movements import Movement, MovementMap, Story, follow, shipment_of
from uncap.domain.whereabouts import movements_on

_CACHE_BATCHES = 256


class _Batch(NamedTuple):
    """What is remembered of a batch: its shipments and returns, and what they alone come to, stretch by stretch."""

    read_at_ms: int
    map: MovementMap
    stories: dict[int, Story]


class CachedShipments:
    """At most `max_age_ms` old; batches without a shipment are remembered too. Also a `MovementReader`, of shipments
    and returns only: a receipt does not change who answers for the goods.

    Without `levels` a thing is moved by its own batch's shipments alone.
    """

    def __init__(self, clock_ms: Callable[[], int], max_age_ms: int, levels: Levels | None = None) -> None:
        self._clock_ms = clock_ms
        self._max_age_ms = max_age_ms
        self._levels = levels
        self._below = levels.below if levels else _nobody_below
        self._rows = FlowRows()
        self._cache: dict[int, _Batch] = {}
        self._packs: dict[int, tuple[int, bool, bool]] = {}

    def shipment_of(self, batch_no: int, index: int, at_ms: int | None = None) -> Shipment | None:
        """The shipment by which the thing is where it should be at `at_ms` (now without one), declared at any level.

        A pack whose own level says nothing goes by the first thing in it. Raises TransientError (`table_unavailable`).
        """
        story = self.story_of(UnitRef(batch_no, index), at_ms)
        place = story.place if at_ms is None else story.at(at_ms)
        return shipment_of(place.shipment) if place.shipment else None

    def story_of(self, thing: UnitRef, at_ms: int | None = None) -> Story:
        """The shipments and returns of the thing's chain, followed to the end; `at_ms`: when its packs are asked."""
        levels = self._levels
        if levels is None:
            return self._own(thing)
        story = self._told(levels, thing, at_ms)
        if len(story.steps) == 1 and (inside := levels.first_inside(thing)) != thing:
            return self._told(levels, inside, at_ms)
        return story

    def movements_of(self, thing: UnitRef) -> Sequence[Movement]:
        """See `MovementReader`."""
        return self._batch(thing.batch_no).map.covering(thing.index)

    def _told(self, levels: Levels, thing: UnitRef, at_ms: int | None) -> Story:
        as_declared, above_moved = self._packs_of(levels, thing.batch_no)
        if as_declared and not above_moved:
            return self._own(thing)
        if as_declared and not self.movements_of(thing):
            # It has only ever moved with the one pack it was always in.
            pack = levels.association.parent_of(thing, at_ms)
            return self._own(thing) if pack is None else self._told(levels, pack, at_ms)
        if not as_declared and not any(self._batch(one).map.cuts for one in levels.above(thing)):
            return self._own(thing)
        return follow(movements_on(thing, levels.association, self, at_ms), self._below)

    def _packs_of(self, levels: Levels, batch_no: int) -> tuple[bool, bool]:
        """(whether nobody has packed things of this batch otherwise than declared, whether a pack above was moved)."""
        now = self._clock_ms()
        known = self._packs.get(batch_no)
        if known is None or now - known[0] >= self._max_age_ms:
            chain = [batch_no, *levels.declared_above(batch_no)]
            moved = any(self._batch(one).map.cuts for one in chain[1:])
            known = (now, all(levels.is_as_declared(one) for one in chain), moved)
            if len(self._packs) >= _CACHE_BATCHES:
                self._packs.clear()
            self._packs[batch_no] = known
        return known[1:]

    def _own(self, thing: UnitRef) -> Story:
        batch = self._batch(thing.batch_no)
        stretch = batch.map.stretch_of(thing.index)
        story = batch.stories.get(stretch)
        if story is None:
            story = batch.stories[stretch] = follow(batch.map.covering(thing.index), self._below)
        return story

    def _batch(self, batch_no: int) -> _Batch:
        now = self._clock_ms()
        known = self._cache.get(batch_no)
        if known is None or now - known.read_at_ms >= self._max_age_ms:
            known = _Batch(now, MovementMap(self._rows.shipping(batch_no)), {})
            if len(self._cache) >= _CACHE_BATCHES:
                self._cache.clear()
            self._cache[batch_no] = known
        return known


def _nobody_below(party_id: str, above: str) -> bool:  # noqa: ARG001  # the shape of `Below`
    return False
