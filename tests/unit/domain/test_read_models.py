"""What a scan is counted under, and what of it is archived."""

import msgspec
import pytest

from uncap.domain import read_models as room
from uncap.domain.read_models import Observation, ScanFact, counters_of, fact_of, outcome_of
from uncap.domain.scans import Mark, ScanChange, ScanImage

BUYER = Mark("c1", 1_000, "claim", person="p_1", payee="v1.sealed", cell="87", campaign="spring@1")
STRANGER = Mark("c2", 2_000, "claim", person="p_2")
WAREHOUSE = Mark("c0", 500, "observe", person="p_0", reason="not_activated")
TOMBSTONE = Mark("t", 900, "tombstone", reason="leaked")


def change(new: Mark, first: Mark | None, old: Mark | None = None, old_first: Mark | None = None) -> ScanChange:
    before = ScanImage("7.3.1", old, 1, old_first) if old else None
    return ScanChange("e1", 5_000, before, ScanImage("7.3.1", new, 2 if old else 1, first))


@pytest.mark.parametrize(
    ("scan", "outcome"),
    [
        (change(BUYER, BUYER), "first"),
        (change(BUYER, BUYER, WAREHOUSE), "first"),
        (change(STRANGER, BUYER, BUYER, BUYER), "repeat"),
        (change(WAREHOUSE, None), "observed.not_activated"),
        (change(STRANGER, TOMBSTONE, TOMBSTONE, TOMBSTONE), "observed.decommissioned"),
        (change(msgspec.structs.replace(WAREHOUSE, reason="", intent="receive"), None), "observed.receive"),
    ],
)
def test_one_outcome_for_each_scan(scan: ScanChange, outcome: str) -> None:
    fact = fact_of(scan)
    assert fact.counted
    assert outcome_of(fact) == outcome


@pytest.mark.parametrize(
    "scan", [change(BUYER, BUYER, BUYER, BUYER), change(WAREHOUSE, None, WAREHOUSE), change(TOMBSTONE, TOMBSTONE)]
)
def test_retries_and_tombstones_are_not_counted(scan: ScanChange) -> None:
    fact = fact_of(scan)
    assert not fact.counted
    assert counters_of(fact, day="d", gtin="g", region="r", parties=("x",), signals=("signal.x",)) == ()


def test_a_claim_id_that_was_observed_before_activation_still_counts_as_the_first_claim() -> None:
    observed = Mark("c1", 500, "observe", person="p_1", reason="not_activated")
    assert outcome_of(fact_of(change(BUYER, BUYER, observed))) == "first"


def test_the_archived_form_holds_no_payee_and_no_claim_id() -> None:
    line = msgspec.json.encode(fact_of(change(BUYER, BUYER)))
    assert b"sealed" not in line
    assert b'"c1"' not in line
    assert msgspec.json.decode(line, type=ScanFact) == fact_of(change(BUYER, BUYER))


@pytest.mark.parametrize(
    ("mark", "consumer"),
    [
        (BUYER, True),
        (WAREHOUSE, True),
        (TOMBSTONE, False),
        (msgspec.structs.replace(BUYER, outlet="o1"), False),
        (msgspec.structs.replace(BUYER, intent="inspect"), False),
        (msgspec.structs.replace(BUYER, person=""), False),
    ],
)
def test_whose_scan_it_is(mark: Mark, *, consumer: bool) -> None:
    assert fact_of(change(mark, None)).is_consumer_scan is consumer


def test_counters_by_day_and_party() -> None:
    keys = counters_of(
        fact_of(change(BUYER, BUYER)),
        day="2026-11-22",
        gtin="g",
        region="Wu#han",
        parties=["d1", "o1", "d1"],
        signals=["signal.x"],
    )
    assert keys == (
        ("day#2026-11-22", "g#Wu_han#first"),
        ("day#2026-11-22", "g#Wu_han#signal.x"),
        ("party#d1", "day#2026-11-22#first"),
        ("party#d1", "day#2026-11-22#signal.x"),
        ("party#o1", "day#2026-11-22#first"),
        ("party#o1", "day#2026-11-22#signal.x"),
    )
    assert room.totals([Observation("e1", keys), Observation("e2", keys[:1])])[keys[0]] == 2
