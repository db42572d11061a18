"""From one scan to the counters it raises: day × product × region × outcome, and per outlet and distributor. Pure.

`ScanFact` is what the projector works on and what the archive keeps, so a rebuild runs the very same rules.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from uncap.domain.diversion.evidence import Sighting
from uncap.domain.diversion.signals import Glimpse
from uncap.domain.scans import ScanChange

FIRST = "first"
REPEAT = "repeat"
OBSERVED = "observed."  # followed by the reason, or by the intent of a scan that is no consumer's
SIGNAL = "signal."  # counted beside the outcome, never instead of it
BEFORE_ACTIVATION = SIGNAL + "before_activation"
BEFORE_SHIPMENT = SIGNAL + "before_shipment"
OUTSIDE_TERRITORY = SIGNAL + "outside_territory"
APPROVED_TRANSFER = SIGNAL + "approved_transfer"
UNKNOWN_GTIN = "unknown"

CounterKey = tuple[str, str]
"""(pk, sk) of a counter in Insights (docs/adr/0001)."""


class ScanFact(msgspec.Struct, frozen=True, omit_defaults=True):
    """One stream record, flattened, without claim id and payee: safe to archive.

    `counted` is false for a client's retry; `first` is true exactly once in a code's life. `at_ms` is the scan's time.
    """

    event_id: str
    at_ms: int
    code: str  # CodeRef.key(): batch.index.role
    form: str
    counted: bool
    first: bool = False
    writes: int = 1
    person: str = ""
    cell: str = ""
    accuracy_m: int = 0
    outlet: str = ""
    intent: str = "claim"
    reason: str = ""
    release_id: str = ""
    campaign: str = ""

    @property
    def is_consumer_scan(self) -> bool:
        """A person with a bottle in hand: neither the system's tombstone nor a party receiving or inspecting."""
        return self.form in ("claim", "observe") and self.intent == "claim" and not self.outlet and bool(self.person)


class Observation(msgspec.Struct, frozen=True):
    """What one scan adds to Insights, all or nothing and once: `counters` by one each, and perhaps a sighting.

    `glimpse`: what it adds to the memory of its case (`adapters/case_watch.py`).
    """

    event_id: str
    counters: tuple[CounterKey, ...]
    sighting: Sighting | None = None
    glimpse: Glimpse | None = None


def fact_of(change: ScanChange) -> ScanFact:
    """The archived form of a stream record.

    A scan that was only observed and whose very claim id claims later (activated in between) counts both times.
    """
    last, holder = change.new.last, change.new.first
    lost_to_tombstone = last.form == "claim" and holder is not None and holder.form == "tombstone"
    return ScanFact(
        event_id=change.event_id,
        at_ms=last.at_ms,
        code=change.new.ref.key(),
        form=last.form,
        counted=last.form != "tombstone" and (change.is_first_claim or not change.is_retry),
        first=change.is_first_claim,
        writes=change.new.count,
        person=last.person,
        cell=last.cell,
        accuracy_m=last.accuracy_m,
        outlet=last.outlet,
        intent=last.intent,
        reason="decommissioned" if lost_to_tombstone else last.reason,
        release_id=last.release_id,
        campaign=last.campaign,
    )


def outcome_of(fact: ScanFact) -> str:
    """The one outcome a counted scan is counted under; outcomes add up to scans, signals do not."""
    if fact.first:
        return FIRST
    if fact.form == "claim" and not fact.reason:
        return REPEAT
    return OBSERVED + (fact.reason or fact.intent)


def counters_of(
    fact: ScanFact, *, day: str, gtin: str, region: str, parties: Iterable[str], signals: Iterable[str]
) -> tuple[CounterKey, ...]:
    """The counters one scan raises by one each; none for a retry. `parties`: outlet and distributors concerned."""
    if not fact.counted:
        return ()
    outcomes = (outcome_of(fact), *signals)
    by_day = [day_key(day, gtin, region, outcome) for outcome in outcomes]
    by_party = [party_key(party, day, outcome) for party in sorted(set(parties)) for outcome in outcomes]
    return (*by_day, *by_party)


def day_key(day: str, gtin: str, region: str, outcome: str) -> CounterKey:
    """Region names may hold any character but "#", which is replaced."""
    return f"day#{day}", f"{gtin}#{region.replace('#', '_')}#{outcome}"


def party_key(party_id: str, day: str, outcome: str) -> CounterKey:
    return f"party#{party_id}", f"day#{day}#{outcome}"


def shipment_key(shipment_id: str) -> CounterKey:
    """Placed consumer scans of one shipment: what its sightings are weighed against."""
    return f"shipment#{shipment_id}", "scans"


def canary_key(export_id: str) -> CounterKey:
    """Scans of the canaries drawn for one export order: each is a sign that its file has leaked."""
    return f"export#{export_id}", "canaries"


def home_key(shipment_id: str, case_no: int) -> CounterKey:
    """Consumer scans of one case inside its territory: what the case's sightings elsewhere are weighed against."""
    return f"shipment#{shipment_id}", f"home#{case_no}"


def totals(observations: Iterable[Observation]) -> Counter[CounterKey]:
    """What a set of observations adds to each counter."""
    return Counter(key for one in observations for key in one.counters)
