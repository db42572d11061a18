"""Where a thing should be, by its whole chain: its own movements and those of all it was packed in at the time. Pure.

The one "expected place" of uncap: the relay's channel, the diversion check, the trace and the receipts' findings all
come from `story_of`. A pallet's shipment moves the bottles that were on it then, whatever has become of it since.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from uncap.domain.association.ports import AssociationReader, UnitRef, chain_of
from uncap.domain.movements import Below, Movement, Story, follow

BEGINNING_MS = 0


class Timed(Protocol):
    """Something with a moment."""

    @property
    def at_ms(self) -> int: ...


@runtime_checkable
class PackingHistory(Protocol):
    """An AssociationReader that also knows when a thing was packed anew (`adapters/association.py`)."""

    def history_of(self, unit: UnitRef) -> Sequence[Timed]:
        """All that was ever said of what it is packed in."""
        ...


class MovementReader(Protocol):
    """Movements by the thing they were declared on. Raises TransientError."""

    def movements_of(self, thing: UnitRef) -> Sequence[Movement]:
        """Every movement whose range holds this thing, at its own level, in any order; cancelled ones included."""
        ...


def movements_on(
    thing: UnitRef, association: AssociationReader, reader: MovementReader, at_ms: int | None = None
) -> list[Movement]:
    """Every movement that moved this thing, at any level.

    What it was packed in is asked as of each movement found, as of `at_ms` (now without one), as of the beginning and
    as of every moment at which the association's history has it, or one of its packs, packed anew.
    """
    history = association if isinstance(association, PackingHistory) else None
    chains: dict[int | None, frozenset[UnitRef]] = {}
    declared: dict[UnitRef, Sequence[Movement]] = {}
    moments: list[int | None] = [at_ms, BEGINNING_MS]
    while moments:
        moment = moments.pop()
        if moment in chains:
            continue
        chains[moment] = frozenset(chain_of(association, thing, moment))
        for pack in chains[moment].difference(declared):
            declared[pack] = reader.movements_of(pack)
            moments += [one.at_ms for one in history.history_of(pack)] if history else []
            moments += [one.at_ms for one in declared[pack] if pack != thing]
    return [
        one for pack, movements in declared.items() for one in movements if pack == thing or pack in chains[one.at_ms]
    ]


def story_of(
    thing: UnitRef, association: AssociationReader, reader: MovementReader, below: Below, at_ms: int | None = None
) -> Story:
    """Where the thing should be at `at_ms` (now without one), how it came there, and what does not fit."""
    return follow(movements_on(thing, association, reader, at_ms), below, at_ms)
