"""Laid prizes: how fast the permutation runs over a whole release, and that its counts are exact while it does."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from bench.report import Row, median_seconds, row
from uncap.domain.catalog import IndexRange, PoolShare, Release
from uncap.domain.prizes.bulk import I64, BulkPermutation, winners
from uncap.domain.prizes.commitment import derive_seed, draw_key, seed_hash
from uncap.domain.prizes.eligible import EligibleSet
from uncap.domain.prizes.laying import Laying, prize_counts

_STOP = 3_000_000
_BEACON = "9a1f0c"
_POOL = (PoolShare("p1", 1, 10_000), PoolShare("p2", 1, 100), PoolShare("p3", 1, 5))


def prize_lay() -> Iterator[Row]:
    """Ranks per second through the permutation; whole releases laid; one look-up as the relay makes it."""
    seed = derive_seed(bytes(32), "r1")
    release = _release(seed)
    count = release.eligible_count
    permutation = BulkPermutation(draw_key(seed, _BEACON), count)
    ranks = np.arange(count, dtype=np.int64)
    yield row(
        "prize_lay",
        count / median_seconds(lambda: permutation.positions(ranks), rounds=5),
        "codes/s",
        budget=">= 1e6, exact",
        exact=_exact(release, seed, permutation, ranks),
    )
    drawn = sum(prize.count for prize in release.prize_table)
    yield row("prize_lay.winners", drawn / median_seconds(lambda: winners(release, seed), rounds=3), "winners/s")
    laying = Laying(release, seed)
    sample = range(0, _STOP, _STOP // 2_000)
    lookup_s = median_seconds(lambda: [laying.prize_of(index) for index in sample])
    yield row("prize_lay.one", lookup_s / len(sample) * 1e6, "us")


def _release(seed: bytes) -> Release:
    excluded = tuple(IndexRange(at, at + 3, "line_rejected") for at in range(500, _STOP, 10_000))
    eligible = EligibleSet(0, _STOP, excluded)
    return Release(
        release_id="r1",
        batch_no=7,
        campaign_id="c1",
        campaign_version=1,
        start=0,
        stop=_STOP,
        eligible_count=eligible.count,
        eligible_hash=eligible.digest(7),
        prize_table=prize_counts(_POOL, eligible.count),
        seed_hash=seed_hash(seed),
        beacon_source="bench",
        beacon_round="1",
        claim_until_ms=0,
        excluded=excluded,
        beacon_value=_BEACON,
    )


def _exact(release: Release, seed: bytes, permutation: BulkPermutation, ranks: I64) -> bool:
    """Every rank has its own position, and every prize stands on as many distinct codes as the table says."""
    bijective = bool((np.bincount(permutation.positions(ranks), minlength=len(ranks)) == 1).all())
    laid = winners(release, seed)
    counts = Counter(prize_id for _, prize_id in laid)
    as_stated = all(counts[prize.prize_id] == prize.count for prize in release.prize_table)
    return bijective and as_stated and len({index for index, _ in laid}) == len(laid)
