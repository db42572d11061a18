"""How well the diversion judgement does on a labelled market: precision, recall and false accusations, with the table.

Used by `uncap diversion evaluate` and bench/diversion.py. What is judged is the production check, fed scan by scan.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC

import msgspec

from cli.diversion.docket import Docket
from cli.diversion.market import START_MS, Market, ShipmentLabel
from cli.diversion.sales import LabelledScan, scans_of
from uncap.adapters.catalog import Catalog
from uncap.domain.catalog import CodeBatch, Party, Role, Shipment
from uncap.domain.diversion.allowances import TRANSFER_SK, ApprovedTransfer
from uncap.domain.diversion.evidence import Sighting
from uncap.domain.diversion.judgement import DiversionRule
from uncap.services.check_diversion import DiversionCheck

HOUR_MS = 3_600_000
_YEARS_MS = 10 * 366 * 86_400_000


class Declared:
    """The market's catalog, shipments and parties, as the projector's caches hold them."""

    def __init__(self, market: Market) -> None:
        held: dict[str, list[tuple[str, object]]] = {
            "territories": [(one.party_id, one) for one in market.territories],
            "diversion": [
                (f"{TRANSFER_SK}{label.shipment_id}", _transfer(label)) for label in market.labels if label.moved_to
            ],
        }
        self._shipments: dict[int, Shipment] = {}
        for label in market.labels:
            batch = CodeBatch(
                label.batch_no, _gtin(label), label.units, 1, (Role.CAP_INNER,), units_per_case=label.units_per_case
            )
            held[f"batch#{label.batch_no}"] = [("meta", batch)]
            self._shipments[label.batch_no] = Shipment(
                label.shipment_id, label.batch_no, 0, label.units, label.distributor, 0
            )
        self._held = held

    def get(self, pk: str, sk: str, *, consistent: bool = False) -> str | None:  # noqa: ARG002
        """Nothing: the check reads partitions."""
        return None

    def query(self, pk: str, *, consistent: bool = False) -> list[tuple[str, str]]:  # noqa: ARG002
        """As `adapters/catalog.py` wants its source."""
        return [(sk, msgspec.json.encode(value).decode()) for sk, value in self._held.get(pk, [])]

    def shipment_of(self, batch_no: int, index: int, at_ms: int | None = None) -> Shipment | None:  # noqa: ARG002
        """Everything of a batch went out in one shipment."""
        return self._shipments[batch_no]

    def party(self, party_id: str) -> Party | None:  # noqa: ARG002
        """Nobody stands above a distributor here."""
        return None


def _gtin(label: ShipmentLabel) -> str:
    """A product of its own for every shipment, so that an approval is for this shipment alone."""
    return f"{label.batch_no:014d}"


def _transfer(label: ShipmentLabel) -> ApprovedTransfer:
    return ApprovedTransfer(
        label.shipment_id,
        label.distributor,
        f"party:{label.moved_to}",
        START_MS,
        START_MS + _YEARS_MS,
        "agreed between the two",
        "brand",
        gtin=_gtin(label),
    )


UNSEEN, ALONE, ONE_CASE, LIGHT = "never_located_outside", "too_few_people", "too_few_cases", "too_little_weight"


class Witness:
    """What a shipment's diverted bottles themselves showed: of scans that were located outside, in their true place.

    A shipment is *detectable* if these reach the rule's floors in one place: so many people of so many cases. Below
    them no rule may accuse, however it weighs.
    """

    def __init__(self, rule: DiversionRule) -> None:
        self._floors = max(2, rule.min_people), max(2, rule.min_cases)
        self._people: dict[str, set[str]] = {}
        self._cases: dict[str, set[int]] = {}

    def see(self, diverted_to: str, sighting: Sighting | None) -> None:
        """One scan: where its bottle truly was ("" if it was not diverted), and what the check made of it."""
        if sighting is not None and diverted_to == sighting.place:
            self._people.setdefault(diverted_to, set()).add(sighting.person)
            self._cases.setdefault(diverted_to, set()).add(sighting.case_no)

    def why_missed(self) -> str:
        """What a shipment that was diverted and has no case lacks, by its best place; LIGHT if it was detectable."""
        people, cases = self._floors
        best = max(
            ((len(seen) >= people, len(self._cases[at]) >= cases) for at, seen in self._people.items()), default=None
        )
        if best is None:
            return UNSEEN
        return LIGHT if all(best) else ONE_CASE if best[0] else ALONE


class Tally(msgspec.Struct):
    """Cases by shipment and place: right where diverted goods truly were; one right place finds the shipment.

    `detectable`: see Witness; `detected` of them were found. `missed`: by what was lacking.
    """

    diverted: int = 0
    found: int = 0
    right: int = 0
    wrong: int = 0
    honest: int = 0
    accused: int = 0
    detectable: int = 0
    detected: int = 0
    missed: dict[str, int] = {}

    def add(self, truth: set[str], accused: set[str], lacking: str = LIGHT) -> None:
        """One shipment: where its diverted bottles truly were, where it has cases, and `Witness.why_missed`."""
        self.diverted += bool(truth)
        self.found += bool(truth & accused)
        if truth and lacking == LIGHT:
            self.detectable += 1
            self.detected += bool(truth & accused)
        if truth and not truth & accused:
            self.missed[lacking] = self.missed.get(lacking, 0) + 1
        self.right += len(truth & accused)
        self.wrong += len(accused - truth)
        self.honest += not truth
        self.accused += bool(accused) and not truth

    @property
    def precision(self) -> float:
        """The share of cases that name a place where diverted goods truly were; 1 if there is no case."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """The share of diverted shipments that are found in a right place; 1 if none was diverted."""
        return self.found / self.diverted if self.diverted else 1.0

    @property
    def recall_of_detectable(self) -> float:
        """The same, of those shipments whose own bottles reached the rule's floors; 1 if none did."""
        return self.detected / self.detectable if self.detectable else 1.0

    @property
    def false_accusations(self) -> float:
        """The share of honest shipments that are accused."""
        return self.accused / self.honest if self.honest else 0.0


def check_of(market: Market, declared: Declared | None = None, rule: DiversionRule | None = None) -> DiversionCheck:
    """The production check over a market."""
    source = declared or Declared(market)
    margin_m = (rule or DiversionRule()).margin_m
    return DiversionCheck(Catalog(source, lambda: 0, HOUR_MS), source, source, UTC, margin_m)


def evaluate(market: Market, rule: DiversionRule) -> Tally:
    """Judge every shipment of the market."""
    tally, check = Tally(), check_of(market, rule=rule)
    for _, scans in walk(market):
        docket, witness = Docket(rule), Witness(rule)
        for scan in scans:
            observation = check.observe(scan.fact)
            docket.hear(observation)
            witness.see(scan.diverted_to, observation.sighting)
        tally.add(true_places(scans), {place for _, place in docket.opened}, witness.why_missed())
    return tally


def walk(market: Market) -> Iterator[tuple[ShipmentLabel, list[LabelledScan]]]:
    """Each shipment with its scans."""
    for label in market.labels:
        yield label, scans_of(market, label)


def true_places(scans: Iterable[LabelledScan]) -> set[str]:
    """Where diverted bottles were scanned, named as a diversion case names places."""
    return {scan.diverted_to for scan in scans if scan.diverted_to}
