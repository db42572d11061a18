"""The things of ours that an event names, and whose its places are; each looked up once per document.

Used by `move_by_events.py` and `pack_by_events.py`. What is not ours is none of our business; a serial under a GTIN of
ours that nobody issued is.
"""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

from uncap.adapters.catalog import Catalog
from uncap.adapters.pallet_numbers import PalletNumbers
from uncap.domain.association.ports import UnitRef
from uncap.domain.catalog import Party
from uncap.domain.codes.links import fold_serial
from uncap.domain.epcis.faults import Fault
from uncap.domain.epcis.goods import Named
from uncap.domain.epcis.identifiers import CANONICAL
from uncap.domain.errors import CodeForgedError, InputError
from uncap.services.find_code import find_code
from uncap.services.goods_desk import GoodsDesk
from uncap.services.name_place import party_of_gln


class Found(NamedTuple):
    """`ours` in the order they were named; `forged`: fields whose serial nobody issued."""

    ours: list[UnitRef]
    forged: list[str]


class Things:
    """Look-ups of one document; `catalog` is read once for it. `find` never raises for what a document says."""

    def __init__(self, desk: GoodsDesk, catalog: Catalog) -> None:
        self._desk = desk
        self._catalog = catalog
        self._things: dict[str, UnitRef | None] = {}
        self._parties: dict[str, Party | None] = {}
        self._pallets = PalletNumbers(desk.catalog_docs)

    def find(self, named: Sequence[Named]) -> Found:
        """The things among these canonical ids."""
        ours: list[UnitRef] = []
        forged: list[str] = []
        for one in named:
            try:
                thing = self._thing(one.value)
            except (CodeForgedError, InputError):
                forged.append(one.field)
                continue
            if thing is not None:
                ours.append(thing)
        return Found(ours, forged)

    def party(self, gln: str) -> Party | None:
        """Whose GLN this is."""
        if gln not in self._parties:
            party_id = party_of_gln(self._desk.parties, gln) if gln else ""
            self._parties[gln] = self._desk.party(party_id) if party_id else None
        return self._parties[gln]

    def _thing(self, canonical: str) -> UnitRef | None:
        if canonical not in self._things:
            self._things[canonical] = self._look_up(canonical)
        return self._things[canonical]

    def _look_up(self, canonical: str) -> UnitRef | None:
        parts = canonical.removeprefix(CANONICAL).split("/")
        if not canonical.startswith(CANONICAL):
            return None
        if parts[0] == "00" and len(parts) == 2:
            return self._pallets.find(parts[1])
        if parts[0] != "01" or parts[2:3] != ["21"]:
            return None
        product = self._catalog.product(parts[1])
        if product is None or not product.roles:
            return None
        serial = fold_serial(unquote(parts[3]))
        ref = find_code(self._desk.keyring(), self._catalog, parts[1], serial, self._desk.clock_ms()).ref
        return UnitRef(ref.batch_no, ref.index)


def not_issued(pointer: str, field: str) -> Fault:
    """A serial under a GTIN of ours that is none of ours."""
    return Fault(pointer + field, "code_not_issued", "nobody issued this serial for this GTIN")
