"""Which region and whose territory a cell lies in. Read models are keyed by region, diversion cases by place.

Built by the projector from the Catalog's territories; one map is shared by all batches until a territory changes.
"""

from collections.abc import Sequence

import h3  # type: ignore[import-untyped]

from uncap.domain.catalog import Territory
from uncap.domain.diversion.judging import CellSet, TerritoryShape

UNPLACED = "unplaced"  # the scan came without a location
ELSEWHERE = "elsewhere"  # located, but in nobody's territory
PLACE_RESOLUTION = 3
_MEMO_CELLS = 200_000


class RegionMap:
    """Cell → territory for all territories at once; where two overlap, the first by party id is named.

    A territory without cells is none: nothing can be outside of it.
    `before`: the map this one replaces; the shapes of unchanged territories are taken over with what they remember.
    """

    def __init__(self, territories: Sequence[Territory], before: "RegionMap | None" = None) -> None:
        ordered = sorted(territories, key=lambda territory: territory.party_id)
        self.territories = {territory.party_id: territory for territory in ordered if territory.cells}
        self.edition = tuple((territory.party_id, territory.version) for territory in ordered)
        self._shapes: dict[str, TerritoryShape] = {}
        for party_id, territory in self.territories.items():
            kept = before is not None and before.territories.get(party_id) == territory
            self._shapes[party_id] = before.shape(party_id) if before and kept else TerritoryShape(territory.cells)
        self._owner = {cell: territory.party_id for territory in reversed(ordered) for cell in territory.cells}
        self._set = CellSet(self._owner)
        self._memo: dict[str, str] = {}

    def __contains__(self, party_id: str) -> bool:
        return party_id in self.territories

    def shape(self, party_id: str) -> TerritoryShape:
        """The territory of a party that has one; KeyError otherwise."""
        return self._shapes[party_id]

    def party_at(self, cell: str) -> str:
        """The party in whose territory the cell's centre lies, or ""."""
        known = self._memo.get(cell)
        if known is None:
            holder = self._set.holder_of(cell)
            known = self._owner[holder] if holder else ""
            if len(self._memo) >= _MEMO_CELLS:
                self._memo.clear()
            self._memo[cell] = known
        return known

    def region_of(self, cell: str) -> str:
        """The region a scan is counted under; `cell` may be ""."""
        if not cell:
            return UNPLACED
        party_id = self.party_at(cell)
        return self.territories[party_id].region if party_id else ELSEWHERE

    def place_of(self, cell: str) -> str:
        """What a diversion case is about: "party:{id}" of the territory, else "h3:{parent at resolution 3}"."""
        party_id = self.party_at(cell)
        if party_id:
            return f"party:{party_id}"
        resolution = h3.get_resolution(cell)
        return "h3:" + (h3.cell_to_parent(cell, PLACE_RESOLUTION) if resolution > PLACE_RESOLUTION else cell)
