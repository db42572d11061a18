"""The diversion check: scans per second of one worker, and how well the default rule judges labelled shipments.

Labels come from bench/diversion_market.py. The peer is the one-scan rule: accuse whoever's goods are seen once outside.
"""

from collections.abc import Iterator
from datetime import UTC

import msgspec

from bench.diversion_market import HOUR_MS, Market, ShipmentLabel
from bench.report import Row, median_seconds, row
from uncap.adapters.catalog import Catalog
from uncap.domain.catalog import CodeBatch, Party, Role, Shipment, Territory
from uncap.domain.diversion.evidence import DiversionRule, Evidence, accumulate, suffices
from uncap.domain.read_models import Observation, ScanFact
from uncap.domain.shipping import ShipmentMap
from uncap.services.check_diversion import DiversionCheck

_SEED = 424_242  # not a seed that the defaults were chosen on (docs/adr/0006)
_SHIPMENTS = 1_000
_SCANS = 20_000


class _Declared:
    """The market's catalog, shipments and parties, as the projector's caches hold them."""

    def __init__(self, market: Market) -> None:
        held: dict[str, list[tuple[str, str]]] = {
            "territories": [(one.party_id, _text(one)) for one in market.territories]
        }
        self._shipments: dict[int, ShipmentMap] = {}
        for label in market.labels:
            batch = CodeBatch(label.batch_no, "gtin", label.units, 1, (Role.CAP_INNER,), units_per_case=24)
            held[f"batch#{label.batch_no}"] = [("meta", _text(batch))]
            shipment = Shipment(f"s{label.batch_no}", label.batch_no, 0, label.units, label.distributor, 0)
            self._shipments[label.batch_no] = ShipmentMap([shipment])
        self._held = held

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> str | None:  # noqa: ARG002
        return None

    def query(self, pk: str, *, consistent: bool = False) -> list[tuple[str, str]]:  # noqa: ARG002
        return self._held.get(pk, [])

    def shipment_of(self, batch_no: int, index: int) -> Shipment | None:
        return self._shipments[batch_no].shipment_of(index)

    def party(self, party_id: str) -> Party | None:  # noqa: ARG002
        return None


def diversion_check() -> Iterator[Row]:
    """Throughput of the whole check (route, region, distance, counters), then the quality of its judgement."""
    market = Market(_SEED, _SHIPMENTS)
    check, declared = _check(market)
    facts = [fact for label in market.labels for fact in market.scans(label)]
    sample = facts[:: max(1, len(facts) // _SCANS)][:_SCANS]

    def warm() -> None:
        for fact in sample:
            check.observe(fact)

    warm_s = median_seconds(warm)

    def cold() -> None:
        fresh, _ = _check(market, declared)
        for fact in sample:
            fresh.observe(fact)

    yield row("diversion_check", len(sample) / warm_s, "scans/s", budget=">= 20e3", territories=len(market.territories))
    yield row("diversion_check.cold", len(sample) / median_seconds(cold, 3), "scans/s", includes="building the map")
    yield from _quality(market, check)


def _quality(market: Market, check: DiversionCheck) -> Iterator[Row]:
    own, peer, floors = _Tally(), _Tally(), _Tally()
    rule = DiversionRule()
    floors_only = DiversionRule(travel_ppm=0)  # three people across two cases and nothing else
    for label in market.labels:
        truth = market.true_places(label)
        facts = market.scans(label)
        observations = [check.observe(fact) for fact in facts]
        own.add(truth, _opened_places(observations, rule))
        floors.add(truth, _opened_places(observations, floors_only))
        peer.add(truth, _places_seen_once(market, label, facts))
    counts = {"diverted": own.diverted, "honest": own.honest, "rule": msgspec.to_builtins(rule)}
    for name, budget, ratio in (
        ("precision", ">= 0.95", own.precision / peer.precision),
        ("recall", ">= 0.9", own.recall / peer.recall),
        ("false_accusations", "<= 0.01", peer.false_accusations / max(own.false_accusations, 1 / own.honest)),
    ):
        value, peer_value = getattr(own, name), getattr(peer, name)
        yield row(
            f"diversion_check.{name}",
            value,
            "share",
            peer="one-scan rule",
            peer_value=peer_value,
            ratio=ratio,
            budget=budget,
            floors_only=round(getattr(floors, name), 4),
            **counts,
        )


class _Tally:
    """Cases by shipment and place: right where diverted goods truly were; one right place finds the shipment."""

    def __init__(self) -> None:
        self.diverted = self.found = self.right = self.wrong = self.honest = self.wronged = 0

    def add(self, truth: set[str], accused: set[str]) -> None:
        self.diverted += bool(truth)
        self.found += bool(truth & accused)
        self.right += len(truth & accused)
        self.wrong += len(accused - truth)
        self.honest += not truth
        self.wronged += bool(accused) and not truth

    @property
    def precision(self) -> float:
        """The share of cases that name a place where diverted goods truly were."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """The share of diverted shipments that are found in a right place."""
        return self.found / max(1, self.diverted)

    @property
    def false_accusations(self) -> float:
        """The share of honest shipments that are accused."""
        return self.wronged / max(1, self.honest)


def _opened_places(observations: list[Observation], rule: DiversionRule) -> set[str]:
    """Places for which the projector would have opened a case at some moment, scan after scan."""
    evidence: dict[str, Evidence] = {}
    opened: set[str] = set()
    placed = 0
    for one in observations:
        placed += any(pk.startswith("shipment#") for pk, _ in one.counters)
        if one.sighting:
            place = one.sighting.place
            evidence[place] = accumulate(evidence.get(place), one.sighting)
            if place not in opened and suffices(evidence[place], placed, rule):
                opened.add(place)
    return opened


def _places_seen_once(market: Market, label: ShipmentLabel, facts: list[ScanFact]) -> set[str]:
    """The one-scan rule: any scan whose reported cell is not in the distributor's territory."""
    cells = {fact.cell for fact in facts if fact.cell}
    home = market.regions.shape(label.distributor)
    return {market.regions.place_of(cell) for cell in cells if not home.contains(cell)}


def _check(market: Market, declared: _Declared | None = None) -> tuple[DiversionCheck, _Declared]:
    source = declared or _Declared(market)
    catalog = Catalog(source, lambda: 0, HOUR_MS)
    return DiversionCheck(catalog, source, source, UTC, DiversionRule().margin_m), source


def _text(value: Territory | CodeBatch) -> str:
    return msgspec.json.encode(value).decode()
