"""Which batches could have moved a thing besides its own: those of its packs, by the catalog and as packed now.

Used by `adapters/flow.py` and `adapters/shipments.py` to leave the chain alone where no pack was ever moved as such.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from uncap.adapters.catalog import Catalog
from uncap.domain.association.ports import AssociationReader, UnitRef, chain_of
from uncap.domain.channel import MAX_DEPTH, PartyOf, stands_below


@runtime_checkable
class Speaks(Protocol):
    """An AssociationReader that knows of which batches it was told anything (`adapters/association.py`)."""

    def speaks_of(self, batch_no: int) -> bool:
        """Whether a file or a hand has."""
        ...


@dataclass(frozen=True, slots=True)
class Levels:
    """The packing and the tree, as caches know them. Raises TransientError."""

    catalog: Catalog
    association: AssociationReader
    party_of: PartyOf

    def above(self, thing: UnitRef) -> set[int]:
        """Batches of boxes, cases, pallets that this thing is or may once have been in."""
        found = {pack.batch_no for pack in chain_of(self.association, thing)}
        return found.union(self.declared_above(thing.batch_no)) - {thing.batch_no}

    def declared_above(self, batch_no: int) -> list[int]:
        """The batches above this one by the catalog, nearest first."""
        found: list[int] = []
        for _ in range(MAX_DEPTH):
            view = self.catalog.batch(batch_no)
            batch_no = view.batch.case_batch_no if view else 0
            if not batch_no:
                break
            found.append(batch_no)
        return found

    def is_as_declared(self, batch_no: int) -> bool:
        """Whether its things can only be in packs of the batches above it: nobody has said anything else."""
        association = self.association
        return not (isinstance(association, Speaks) and association.speaks_of(batch_no))

    def below(self, party_id: str, above: str) -> bool:
        """See `domain.movements.Below`."""
        return stands_below(self.party_of, party_id, above)

    def first_inside(self, thing: UnitRef) -> UnitRef:
        """The first thing of the lowest level that is in this one now; itself where nothing is in it."""
        inside = thing
        for _ in range(MAX_DEPTH):
            children = self.association.children_of(inside)
            if not children:
                break
            inside = UnitRef(children[0].batch_no, children[0].start)
        return inside
