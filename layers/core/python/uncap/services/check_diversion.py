"""One scan against the goods' path: code → case → shipment → distributor → territory. Decides what it is counted under.

Called by `services/project_scans.py` for every stream record and by the rebuild for every archived one. Reads cached
values only; gives an Observation, which `adapters/insights_writer.py` stores.
"""

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Protocol

import msgspec

from uncap.adapters.catalog import Catalog
from uncap.domain.association.ports import AssociationReader, UnitRef
from uncap.domain.catalog import CodeBatch, Party, Role, Shipment, Territory
from uncap.domain.days import day_of
from uncap.domain.diversion.allowances import Allowances, allowances_of
from uncap.domain.diversion.evidence import CASE_BITS, Sighting
from uncap.domain.diversion.judging import beyond_m, check_cell, nearness
from uncap.domain.diversion.regions import RegionMap
from uncap.domain.diversion.signals import Glimpse
from uncap.domain.lifecycle import product_of
from uncap.domain.read_models import (
    APPROVED_TRANSFER,
    BEFORE_ACTIVATION,
    BEFORE_SHIPMENT,
    OUTSIDE_TERRITORY,
    UNKNOWN_GTIN,
    CounterKey,
    Observation,
    ScanFact,
    counters_of,
    home_key,
    shipment_key,
)
from uncap.domain.scans import CodeRef

_TREE_DEPTH = 8
_FRESH_MS = 3 * 86_400_000
_OUTLETS = ("outlet", "outlet_staff")


class ShipmentFinder(Protocol):
    """Shipments, cached with a bounded age (`adapters/shipments.py`)."""

    def shipment_of(self, batch_no: int, index: int, at_ms: int | None = None) -> Shipment | None:
        """The shipment by which this thing, of any level, is where it should be then. Raises TransientError."""


class PartyFinder(Protocol):
    """Parties, cached with a bounded age (`adapters/parties.py`)."""

    def party(self, party_id: str) -> Party | None:
        """The party, or None. Raises TransientError."""


class _Route(msgspec.Struct, frozen=True):
    """How the goods went, as far as it is known. `distributor`: the one with a territory, or ""."""

    gtin: str = UNKNOWN_GTIN
    batch_no: int = 0
    case_no: int = 0
    shipment: Shipment | None = None
    distributor: str = ""
    shipment_cases: int = 0
    in_cases: bool = False

    @property
    def paper(self) -> str:
        """The shipment, or the paper that it is a part of: what is judged as a whole. "" without one."""
        return (self.shipment.document or self.shipment.shipment_id) if self.shipment else ""

    @property
    def case_key(self) -> int:
        """The case among all of the paper: its parts may be of several batches, whose cases bear the same numbers."""
        return self.case_no | self.batch_no << CASE_BITS if self.shipment and self.shipment.document else self.case_no


class DiversionCheck:
    """Judges scans; keeps the territories' map between calls and renews it when one of them changes."""

    def __init__(
        self,
        catalog: Catalog,
        shipments: ShipmentFinder,
        parties: PartyFinder,
        zone: tzinfo,
        margin_m: int,
        association: AssociationReader | None = None,
    ) -> None:
        self._association = association
        self._catalog = catalog
        self._shipments = shipments
        self._parties = parties
        self._zone = zone
        self._margin_m = margin_m
        self._territories: tuple[Territory, ...] = ()
        self._regions = RegionMap(())
        self._allowed: Sequence[tuple[str, str]] = ()
        self._allowances = Allowances()

    def observe(self, fact: ScanFact) -> Observation:
        """What this scan adds to the read models. Raises PoisonError (`cell_malformed`, `scan_key_malformed`)."""
        if not fact.counted:
            return Observation(fact.event_id, ())
        regions = self._current_regions()
        if fact.cell:
            check_cell(fact.cell)
        route = self._route(CodeRef.from_key(fact.code), fact.at_ms, regions)
        shipped = route.shipment is not None
        day = day_of(fact.at_ms, self._zone)
        sighting, approved = self._sighting(fact, route, regions, day) if shipped else (None, False)
        signals = _signals(fact, shipped=shipped, outside=sighting is not None, approved=approved)
        parties = {fact.outlet, route.distributor, route.shipment.to_party if route.shipment else ""} - {""}
        region = regions.region_of(fact.cell)
        counters = counters_of(fact, day=day, gtin=route.gtin, region=region, parties=parties, signals=signals)
        if shipped and route.shipment and fact.is_consumer_scan and fact.cell:
            counters += self._weighed_against(fact, route, regions)
        return Observation(fact.event_id, counters, sighting, self._glimpse(fact, route, day, regions))

    def _glimpse(self, fact: ScanFact, route: _Route, day: str, regions: RegionMap) -> Glimpse | None:
        """What the scan says about the case it is of; None where it says nothing."""
        ref, receiver = CodeRef.from_key(fact.code), route.shipment.to_party if route.shipment else ""
        opened = ref.role in (Role.CASE_INNER, Role.BOX_INNER)
        if not opened and not (route.in_cases and fact.is_consumer_scan):
            return None
        party = self._parties.party(receiver) if opened and receiver else None
        return Glimpse(
            batch_no=ref.batch_no,
            case_no=route.case_no,
            unit=ref.index,
            person="" if opened else fact.person,
            cell=fact.cell,
            at_ms=fact.at_ms,
            day=day,
            gtin=route.gtin,
            party_id=route.distributor or receiver,
            region=regions.territories[route.distributor].region if route.distributor else "",
            shipment_id=route.shipment.shipment_id if route.shipment else "",
            unreceived=party is not None and party.role not in _OUTLETS,
        )

    def _sighting(self, fact: ScanFact, route: _Route, regions: RegionMap, day: str) -> tuple[Sighting | None, bool]:
        """The sighting, or that it is none because the brand has approved of the goods' being there."""
        if not (route.distributor and route.shipment and fact.cell and fact.is_consumer_scan):
            return None, False
        shape = regions.shape(route.distributor)
        beyond = beyond_m(shape, fact.cell, fact.accuracy_m, self._margin_m)
        if not beyond:
            return None, False
        allowed, place, party_id = self._current_allowances(), regions.place_of(fact.cell), route.distributor
        if allowed.approved(
            party_id, route.gtin, fact.cell, fact.at_ms, regions, slack_m=self._margin_m, accuracy_m=fact.accuracy_m
        ):
            return None, True
        sighting = Sighting(
            shipment_id=route.paper,
            place=place,
            gtin=route.gtin,
            batch_no=route.shipment.batch_no,
            party_id=party_id,
            region=regions.territories[party_id].region,
            case_no=route.case_key,
            person=fact.person,
            cell=fact.cell,
            day=day,
            at_ms=fact.at_ms,
            shipment_cases=route.shipment_cases,
            nearness=nearness(beyond, shape.horizon_m - self._margin_m),
            travel_ppm=allowed.travel_ppm(party_id, place, fact.cell, fact.at_ms, regions),
            unit_batch_no=CodeRef.from_key(fact.code).batch_no,
            part_id=route.shipment.shipment_id if route.shipment.document else "",
            is_fresh=fact.at_ms - route.shipment.shipped_at_ms < _FRESH_MS,
        )
        return sighting, False

    def _weighed_against(self, fact: ScanFact, route: _Route, regions: RegionMap) -> tuple[CounterKey, ...]:
        """What sightings of this shipment, and of this case, are weighed against."""
        at_home = route.distributor and not regions.shape(route.distributor).distance_m(fact.cell)
        home = (home_key(route.paper, route.case_key),) if at_home else ()
        return (shipment_key(route.paper), *home)

    def _route(self, ref: CodeRef, at_ms: int, regions: RegionMap) -> _Route:
        view = self._catalog.batch(ref.batch_no)
        if view is None:
            return _Route()
        release = view.release_of(ref.index)
        # A spare that stands in for a spoilt code lies where that one lay.
        index = release.drawn_as(ref.index) if release and release.replaced else ref.index
        shipment = self._shipments.shipment_of(ref.batch_no, index, at_ms)
        distributor = self._distributor(shipment.to_party, regions) if shipment else ""
        case_no = self._case_no(view.batch, index, at_ms)
        gtin = product_of(view.batch, ref.index) or view.batch.gtin
        in_cases = not view.batch.unit_batch_no and view.batch.units_per_case > 1
        units_no = view.batch.unit_batch_no or ref.batch_no
        return _Route(gtin, units_no, case_no, shipment, distributor, _cases_in(shipment, ref, view.batch), in_cases)

    def _case_no(self, batch: CodeBatch, index: int, at_ms: int) -> int:
        """What it is packed in, as a number; a pack's code stands for itself, a loose unit is its own case."""
        if batch.unit_batch_no:
            return index
        if self._association and batch.case_batch_no:
            pack = self._association.parent_of(UnitRef(batch.batch_no, index), at_ms)
            if pack is not None:
                return pack.index
        return index // max(1, batch.units_per_case)

    def _distributor(self, party_id: str, regions: RegionMap) -> str:
        """The receiving party, or the nearest one above it in the channel tree, that has a territory; "" if none."""
        for _ in range(_TREE_DEPTH):
            if not party_id or party_id in regions:
                return party_id
            party = self._parties.party(party_id)
            party_id = party.parent_id if party else ""
        return ""

    def _current_regions(self) -> RegionMap:
        territories = self._catalog.territories()
        if territories is not self._territories:
            editions = tuple(sorted((territory.party_id, territory.version) for territory in territories))
            if editions != self._regions.edition:
                self._regions = RegionMap(territories, self._regions)
            self._territories = territories
        return self._regions

    def _current_allowances(self) -> Allowances:
        rows = self._catalog.allowances()
        if rows is not self._allowed:
            self._allowances, self._allowed = allowances_of(rows), rows
        return self._allowances


Observer = Callable[[ScanFact], Observation]


def _cases_in(shipment: Shipment | None, ref: CodeRef, batch: CodeBatch) -> int:
    """How many cases were shipped; a shipment of a batch of cases counts them itself."""
    if shipment is None:
        return 0
    per_case = max(1, batch.units_per_case) if shipment.batch_no == ref.batch_no and not batch.unit_batch_no else 1
    return -(-(shipment.stop - shipment.start) // per_case)


def _signals(fact: ScanFact, *, shipped: bool, outside: bool, approved: bool) -> list[str]:
    raised = {
        BEFORE_ACTIVATION: fact.reason == "not_activated",
        BEFORE_SHIPMENT: not shipped,
        OUTSIDE_TERRITORY: outside,
        APPROVED_TRANSFER: approved,
    }
    return [signal for signal, is_raised in raised.items() if is_raised]
