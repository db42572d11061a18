"""The diversion check: scans per second of one worker, and how well the default rule judges labelled shipments.

Labels come from cli/diversion/market.py. The peer is the one-scan rule: accuse whoever's goods are seen once outside.
"""

from collections.abc import Iterator

import msgspec

from bench.report import Row, median_seconds, row
from cli.diversion.docket import Docket
from cli.diversion.evaluation import Declared, Tally, check_of, true_places, walk
from cli.diversion.market import Market, ShipmentLabel
from cli.diversion.sales import LabelledScan
from cli.diversion.scenario import Scenario
from uncap.domain.diversion.judgement import DiversionRule
from uncap.services.check_diversion import DiversionCheck

_SEED = 424_242  # not a seed that the defaults were chosen on (docs/adr/0016)
_SCENARIO = Scenario(shipments=500)
_SCANS = 20_000


def diversion_check() -> Iterator[Row]:
    """Throughput of the whole check (route, region, distance, counters), then the quality of its judgement."""
    market = Market(_SCENARIO, _SEED)
    declared = Declared(market)
    check = check_of(market, declared)
    shipments = list(walk(market))
    facts = [scan.fact for _, scans in shipments for scan in scans]
    sample = facts[:: max(1, len(facts) // _SCANS)][:_SCANS]

    def warm() -> None:
        for fact in sample:
            check.observe(fact)

    warm_s = median_seconds(warm)

    def cold() -> None:
        fresh = check_of(market, declared)
        for fact in sample:
            fresh.observe(fact)

    yield row("diversion_check", len(sample) / warm_s, "scans/s", budget=">= 20e3", territories=len(market.territories))
    yield row("diversion_check.cold", len(sample) / median_seconds(cold, 3), "scans/s", includes="building the map")
    yield from _quality(market, check, shipments)


def _quality(
    market: Market, check: DiversionCheck, shipments: list[tuple[ShipmentLabel, list[LabelledScan]]]
) -> Iterator[Row]:
    own, peer = Tally(), Tally()
    rule = DiversionRule()
    for label, scans in shipments:
        truth, docket = true_places(scans), Docket(rule)
        for scan in scans:
            docket.hear(check.observe(scan.fact))
        own.add(truth, {place for _, place in docket.opened})
        peer.add(truth, _places_seen_once(market, label, scans))
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
            **counts,
        )


def _places_seen_once(market: Market, label: ShipmentLabel, scans: list[LabelledScan]) -> set[str]:
    """The one-scan rule: any scan whose reported cell is not in the distributor's territory."""
    cells = {scan.fact.cell for scan in scans if scan.fact.cell}
    home = market.regions.shape(label.distributor)
    return {market.regions.place_of(cell) for cell in cells if not home.contains(cell)}
