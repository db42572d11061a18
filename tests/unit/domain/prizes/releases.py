"""A small committed, drawn and revealed release, and its codes, for the tests of this folder."""

import hashlib

import msgspec

from uncap.domain.catalog import IndexRange, PoolShare, Release
from uncap.domain.prizes import merkle
from uncap.domain.prizes.commitment import derive_seed, seed_hash
from uncap.domain.prizes.eligible import EligibleSet
from uncap.domain.prizes.laying import prize_counts

MASTER = hashlib.sha256(b"a draw master for tests").digest()
GTIN = "09520123456788"
BEACON = "5f0c2a"
POOL = (PoolShare("grand", 1, 1000), PoolShare("second", 1, 100), PoolShare("third", 1, 5))
EXCLUDED = (IndexRange(10, 20, "line_rejected"), IndexRange(15, 31, "sample"), IndexRange(1190, 1300, "spare"))


def serial(index: int) -> str:
    return f"1{index:016d}"


def make_release(
    start: int = 0,
    stop: int = 1200,
    excluded: tuple[IndexRange, ...] = EXCLUDED,
    pool: tuple[PoolShare, ...] = POOL,
    *,
    with_root: bool = True,
) -> tuple[Release, bytes, bytes]:
    """(closed release with its seed revealed, seed, published code hashes)."""
    seed = derive_seed(MASTER, "r1")
    eligible = EligibleSet(start, stop, excluded)
    hashes = merkle.code_hashes(GTIN, map(serial, eligible)) if with_root else b""
    release = Release(
        release_id="r1",
        batch_no=7,
        campaign_id="c1",
        campaign_version=1,
        start=start,
        stop=stop,
        eligible_count=eligible.count,
        eligible_hash=eligible.digest(7),
        prize_table=prize_counts(pool, eligible.count),
        seed_hash=seed_hash(seed),
        beacon_source="https://beacon.example",
        beacon_round="4711",
        claim_until_ms=2_000_000_000_000,
        excluded=excluded,
        beacon_value=BEACON,
        merkle_root=merkle.root_of(eligible, hashes).hex() if with_root else "",
        state="closed",
        seed=seed.hex(),
    )
    return release, seed, hashes


def changed(release: Release, **fields: object) -> Release:
    return msgspec.structs.replace(release, **fields)
