"""Where canaries pretend to stand: inside their order's range, evenly, and nowhere anyone without the key can tell."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.catalog import CanaryRun, CodeBatch, Role
from uncap.domain.codes import canaries, crockford
from uncap.domain.codes.scheme import Keyring, encode
from uncap.domain.scans import CodeRef

GTIN = "09520123456788"
RUNS = (CanaryRun("x7-A", 0, 1_000, 5), CanaryRun("x7-B", 400, 420, 3), CanaryRun("x7-C", 999, 1_000, 4))
BATCH = CodeBatch(7, GTIN, 1_000, 1, (Role.CAP_OUTER, Role.CAP_INNER), canaries=RUNS)
KEYRING = Keyring({1: ("minting", bytes(range(32)))})


def test_runs_follow_the_batch_one_after_another() -> None:
    assert BATCH.drawn == 1_012
    found = [canaries.run_of(BATCH, index) for index in (999, 1_000, 1_004, 1_005, 1_007, 1_008, 1_011, 1_012)]
    assert [run.order if run else "" for run in found] == ["", "x7-A", "x7-A", "x7-B", "x7-B", "x7-C", "x7-C", ""]
    assert canaries.indices_of(BATCH, "x7-B") == range(1_005, 1_008)
    assert list(canaries.indices_of(BATCH, "x7-Z")) == []


@given(st.integers(0, 999), st.sampled_from(BATCH.roles))
def test_a_code_of_the_batch_stands_where_it_stands(index: int, role: Role) -> None:
    assert canaries.stands_at(BATCH, CodeRef(7, index, role), KEYRING) == index


@given(st.integers(1_000, 1_011), st.sampled_from(BATCH.roles))
def test_a_canary_stands_in_its_orders_range(index: int, role: Role) -> None:
    run = canaries.run_of(BATCH, index)
    assert run is not None
    assert run.start <= canaries.stands_at(BATCH, CodeRef(7, index, role), KEYRING) < run.stop


def test_lines_are_in_order_and_each_canary_has_one() -> None:
    cipher = KEYRING.key(1, GTIN, Role.CAP_INNER).cipher()
    placed = canaries.placed(BATCH, "x7-C", cipher)
    assert placed == [(999, index) for index in range(1_008, 1_012)], "where they share a place, by index"
    assert sorted(index for _, index in canaries.placed(BATCH, "x7-A", cipher)) == list(range(1_000, 1_005))
    assert canaries.placed(BATCH, "x7-Z", cipher) == []


def test_another_key_draws_other_places_and_they_spread_over_the_range() -> None:
    many = msgspec.structs.replace(BATCH, canaries=(CanaryRun("x7-A", 0, 1_000, 400),))
    drawn = [
        [at for at, _ in canaries.placed(many, "x7-A", KEYRING.key(1, GTIN, role).cipher())] for role in BATCH.roles
    ]
    assert drawn[0] != drawn[1]
    for places in drawn:
        tenths = [sum(at // 100 == tenth for at in places) for tenth in range(10)]
        assert min(tenths) > 15, tenths
        assert max(tenths) < 75, tenths


def test_what_places_are_drawn_from_is_no_serial() -> None:
    """Its tag is not zero: whoever tried the number behind a place as a serial would be told it was never issued."""
    key = KEYRING.key(1, GTIN, Role.CAP_INNER)
    drawn = key.cipher().encrypt((7 << 28 | 1_000) << 28 | 1)
    serial = crockford.ALPHABET[1] + crockford.encode(drawn, 16)
    assert KEYRING.identify(GTIN, serial, tuple(Role)) is None
    assert KEYRING.identify(GTIN, encode(key, 7, 1_000), tuple(Role)) is not None
