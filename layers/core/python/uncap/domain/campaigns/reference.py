"""What a campaign version carries of its rules: where they are, which slots they may fill, where it is paused.

Part of `domain/catalog.py`'s Campaign and so read by the scan path, which never loads the rules themselves (ADR 0017).
"""

from collections.abc import Iterable
from typing import Protocol

import msgspec


class Slot(msgspec.Struct, frozen=True, order=True, array_like=True):
    """At most one reward per claim: effect number and class of beneficiary. Reward ids are derived from it."""

    no: int
    beneficiary: str


class RuleSetRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """A campaign version's rules by reference: `parts` are digests of the Catalog's `rules#{digest}` documents.

    `slots` are those its rules may fill. `needs` names the facts that cost something to find out (`rules.NEEDS`).
    """

    parts: tuple[str, ...] = ()
    count: int = 0
    slots: tuple[Slot, ...] = ()
    needs: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.parts)


class PauseScope(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a campaign stands still: in any of these regions, for any of these distributors' or outlets' goods."""

    regions: tuple[str, ...] = ()
    distributors: tuple[str, ...] = ()
    outlets: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.regions or self.distributors or self.outlets)

    def covers(self, place: "Place | None") -> bool:
        """Whether goods that stand at this place in the channel are paused."""
        return place is not None and (
            any(region in self.regions for region in with_wider(place.region))
            or place.distributor in self.distributors
            or place.outlet in self.outlets
        )


class PayN(msgspec.Struct, frozen=True, omit_defaults=True):
    """Terms of a pay-N prize: who adds `add_minor` is given one more of product `gtin` by an outlet (ADR 0021).

    The outlet is credited a goods voucher and `fee_minor` of trade credit. `where` says which outlets: those of the
    goods' `region`, of their `distributor`, or `anywhere`. Per person and day an outlet redeems `per_day` at most.
    """

    gtin: str
    add_minor: int
    redeem_until_ms: int
    fee_minor: int = 0
    where: str = "region"
    per_day: int = 3
    excluded_outlets: tuple[str, ...] = ()


class Place(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """Where a claim's goods stand in the channel; kept in the rewards of campaigns that differ by place."""

    region: str = ""
    distributor: str = ""
    outlet: str = ""


class _Effect(Protocol):
    @property
    def no(self) -> int: ...

    @property
    def beneficiary(self) -> str: ...


def slots_of(effects: Iterable[_Effect], rule_set: RuleSetRef, beneficiary: str) -> tuple[int, ...]:
    """The slots, ascending, in which this beneficiary may win something, by an effect or by a rule."""
    own = {one.no for one in effects if one.beneficiary == beneficiary}
    return tuple(sorted(own | {slot.no for slot in rule_set.slots if slot.beneficiary == beneficiary}))


def with_wider(region: str) -> tuple[str, ...]:
    """A region and those it lies in. GB/T 2260 codes nest by their digits: 510104 lies in 510100, that in 510000."""
    if len(region) == 6 and region.isascii() and region.isdecimal():
        return tuple(dict.fromkeys((region, region[:4] + "00", region[:2] + "0000")))
    return (region,) if region else ()
