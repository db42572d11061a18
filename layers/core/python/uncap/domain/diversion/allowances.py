"""What the brand knows to be innocent: approved transfers of goods, and the travel it expects where and when. Pure.

Declared in the console (`services/allow_transfer.py`), kept in the Catalog, asked by `services/check_diversion.py`.
"""

from collections.abc import Sequence

import msgspec

from uncap.domain.diversion.judging import UNSTATED_ACCURACY_M, CellSet
from uncap.domain.diversion.regions import RegionMap

PARTY_PLACE, CELL_PLACE = "party:", "h3:"


class ApprovedTransfer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Goods of `party_id` may be sold in `place` ("party:{id}" or "h3:{cell}"), scans from `from_ms` to `until_ms`.

    `gtin`: one product, "" for all. `reason` and `operator`: why, and who allowed it. `revoked_at_ms` ends it early; it
    stays on record.
    """

    approval_id: str
    party_id: str
    place: str
    from_ms: int
    until_ms: int
    reason: str
    operator: str
    gtin: str = ""
    revoked_at_ms: int = 0
    version: int = 1


class ExpectedTravel(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of a shipment's scans, `share_ppm` are expected in `place` in that time: a festival, a fair, a holiday resort.

    `party_id`: of one distributor's goods only, "" for everyone's.
    """

    travel_id: str
    place: str
    share_ppm: int
    from_ms: int
    until_ms: int
    reason: str
    operator: str
    party_id: str = ""
    version: int = 1


class Allowances:
    """All of them, ready to be asked for every sighting."""

    def __init__(self, transfers: Sequence[ApprovedTransfer] = (), travel: Sequence[ExpectedTravel] = ()) -> None:
        self._transfers: dict[str, list[ApprovedTransfer]] = {}
        for one in transfers:
            self._transfers.setdefault(one.party_id, []).append(one)
        self._travel = tuple(travel)

    def approved(
        self, party_id: str, gtin: str, cell: str, at_ms: int, regions: RegionMap, *, slack_m: int, accuracy_m: int
    ) -> str:
        """The id of a transfer that explains the party's goods at this cell, or "".

        A party's place reaches as far beyond its border as a margin allows: its customers live there too.
        """
        reach_m = slack_m + (accuracy_m or UNSTATED_ACCURACY_M)
        for one in self._transfers.get(party_id, ()):
            until_ms = min(one.until_ms, one.revoked_at_ms or one.until_ms)
            if (
                one.from_ms <= at_ms < until_ms
                and one.gtin in ("", gtin)
                and _lies_in(one.place, cell, regions, reach_m)
            ):
                return one.approval_id
        return ""

    def travel_ppm(self, party_id: str, place: str, cell: str, at_ms: int, regions: RegionMap) -> int:
        """The largest share expected there and then, 0 if nothing is."""
        shares = [
            one.share_ppm
            for one in self._travel
            if one.from_ms <= at_ms < one.until_ms
            and one.party_id in ("", party_id)
            and (one.place == place or _lies_in(one.place, cell, regions, 0))
        ]
        return max(shares, default=0)


TRANSFER_SK, TRAVEL_SK = "transfer#", "travel#"


def allowances_of(rows: Sequence[tuple[str, str]]) -> Allowances:
    """From the Catalog's documents under `diversion`: (sk, doc)."""
    return Allowances(
        [msgspec.json.decode(doc, type=ApprovedTransfer) for sk, doc in rows if sk.startswith(TRANSFER_SK)],
        [msgspec.json.decode(doc, type=ExpectedTravel) for sk, doc in rows if sk.startswith(TRAVEL_SK)],
    )


def _lies_in(place: str, cell: str, regions: RegionMap, reach_m: int) -> bool:
    if place.startswith(PARTY_PLACE):
        party_id = place.removeprefix(PARTY_PLACE)
        return party_id in regions and regions.shape(party_id).distance_m(cell) <= reach_m
    return CellSet([place.removeprefix(CELL_PLACE)]).holder_of(cell) is not None
