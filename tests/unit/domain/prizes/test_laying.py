"""Laid prizes: exact counts, bulk and single the same, and nothing laid on other groundwork than was committed."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain.prizes.releases import EXCLUDED, MASTER, POOL, changed, make_release
from uncap.domain.catalog import IndexRange, LaidPrize, PoolShare
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.prizes import laying
from uncap.domain.prizes.bulk import winners
from uncap.domain.prizes.commitment import commitment, derive_seed, draw_key, seed_hash
from uncap.domain.prizes.laying import Laying, laid_prize, prize_counts


def test_counts_are_the_exact_floor() -> None:
    assert prize_counts(POOL, 1199) == (LaidPrize("grand", 1), LaidPrize("second", 11), LaidPrize("third", 239))
    assert prize_counts(POOL, 999)[0] == LaidPrize("grand", 0)
    big = 268_435_456
    assert prize_counts([PoolShare("p", 3, 7)], big)[0].count == big * 3 // 7


@pytest.mark.parametrize(
    ("pool", "code"),
    [
        ([PoolShare("p", 1, 0)], "pool_share_malformed"),
        ([PoolShare("p", -1, 5)], "pool_share_malformed"),
        ([PoolShare("p", 6, 5)], "pool_share_malformed"),
        ([PoolShare("p", 1, 5), PoolShare("p", 1, 6)], "pool_prize_repeated"),
        ([PoolShare("p", 3, 5), PoolShare("q", 3, 5)], "pool_overfull"),
    ],
)
def test_pools_that_cannot_be(pool: list[PoolShare], code: str) -> None:
    with pytest.raises(InputError) as caught:
        prize_counts(pool, 1000)
    assert caught.value.code == code


@settings(max_examples=25)
@given(
    start=st.integers(0, 50),
    length=st.integers(0, 300),
    gap=st.tuples(st.integers(0, 200), st.integers(0, 300)),
    wins=st.lists(st.integers(0, 30), min_size=1, max_size=3),
)
def test_every_prize_is_laid_exactly_as_often_as_stated(
    start: int, length: int, gap: tuple[int, int], wins: list[int]
) -> None:
    pool = tuple(PoolShare(f"p{n}", win, 100) for n, win in enumerate(wins))
    excluded = (IndexRange(*gap),)
    release, seed, _ = make_release(start, start + length, excluded, pool, with_root=False)
    laid = Laying(release, seed)
    by_index = {index: laid.prize_of(index) for index in range(start + length + 60)}
    counts = Counter(prize for prize in by_index.values() if prize)
    assert counts == {prize.prize_id: prize.count for prize in release.prize_table if prize.count}
    assert all(index in release for index, prize in by_index.items() if prize)
    assert winners(release, seed) == [(index, prize) for index, prize in by_index.items() if prize]


def test_a_release_of_walking_size_is_exact_and_agrees() -> None:
    release, seed, _ = make_release(100, 1_100_200, EXCLUDED, POOL, with_root=False)
    laid = winners(release, seed)
    assert Counter(prize for _, prize in laid) == {prize.prize_id: prize.count for prize in release.prize_table}
    assert len({index for index, _ in laid}) == len(laid)
    truth = dict(laid)
    for index in (*range(100, 1_100_200, 9_973), *(index for index, _ in laid[::5_000])):
        assert laid_prize(release, seed, index) == truth.get(index, "")


def test_what_is_excluded_or_outside_carries_nothing() -> None:
    release, seed, _ = make_release(pool=(PoolShare("all", 1, 1),))
    assert [laid_prize(release, seed, index) for index in (9, 10, 30, 31, 1189, 1190, 1200, -1)] == [
        "all",
        "",
        "",
        "all",
        "all",
        "",
        "",
        "",
    ]


def test_nothing_is_laid_before_the_beacon_or_on_other_groundwork() -> None:
    release, seed, _ = make_release()
    other_seed = derive_seed(MASTER, "r2")
    cases = [
        (changed(release, beacon_value=""), seed, "beacon_not_known"),
        (release, other_seed, "seed_mismatch"),
        (changed(release, excluded=EXCLUDED[1:], release_id="rx"), seed, "eligible_mismatch"),
        (changed(release, eligible_count=release.eligible_count - 1, beacon_value="x"), seed, "eligible_mismatch"),
    ]
    for wrong, with_seed, code in cases:
        with pytest.raises(ConflictError) as caught:
            laid_prize(wrong, with_seed, 0)
        assert caught.value.code == code
    table = (LaidPrize("p", release.eligible_count + 1),)
    with pytest.raises(InputError, match="pool_overfull"):
        laid_prize(changed(release, prize_table=table), seed, 0)


def test_seed_and_beacon_both_decide() -> None:
    release, seed, _ = make_release()
    other = changed(release, beacon_value="5f0c2b")
    assert winners(release, seed) != winners(other, seed)
    other_seed = derive_seed(MASTER, "r2")
    assert winners(release, seed) != winners(changed(release, seed_hash=seed_hash(other_seed)), other_seed)
    assert len({derive_seed(MASTER, "r1"), derive_seed(MASTER, "r2"), derive_seed(bytes(32), "r1")}) == 3


def test_a_changed_release_is_not_answered_from_the_cache() -> None:
    release, seed, _ = make_release()
    first = [laid_prize(release, seed, index) for index in range(1200)]
    other = changed(release, beacon_value="another")
    assert [laid_prize(other, seed, index) for index in range(1200)] != first
    assert [laid_prize(release, seed, index) for index in range(1200)] == first


def test_the_cache_is_bounded_by_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laying, "_CACHE_RANKS", 2_500)
    laying._LAYINGS.clear()
    release, seed, _ = make_release()
    for beacon in "abcd":
        laid_prize(changed(release, beacon_value=beacon), seed, 0)
    assert len(laying._LAYINGS) == 2


def test_the_commitment_holds_all_that_decides_and_only_that() -> None:
    release, _, _ = make_release()
    decisive: dict[str, object] = {
        "release_id": "r2",
        "batch_no": 8,
        "eligible_count": 1,
        "eligible_hash": "0",
        "seed_hash": "0",
        "merkle_root": "0",
        "beacon_source": "x",
        "beacon_round": "1",
        "prize_table": (LaidPrize("grand", 2),),
    }
    known = {commitment(release)} | {commitment(changed(release, **{name: value})) for name, value in decisive.items()}
    assert len(known) == 1 + len(decisive)
    for name, value in {"beacon_value": "", "seed": "", "state": "committed", "activated_at_ms": 5}.items():
        assert commitment(changed(release, **{name: value})) == commitment(release)
    moved = changed(release, beacon_source="a\nb", beacon_round="")
    assert commitment(moved) != commitment(changed(release, beacon_source="a", beacon_round="b"))


def test_seeds_have_32_bytes() -> None:
    for work in (lambda: seed_hash(b"short"), lambda: draw_key(b"short", "x")):
        with pytest.raises(ValueError, match="32 bytes"):
            work()
