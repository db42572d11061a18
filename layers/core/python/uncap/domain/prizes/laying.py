"""Which prize a code carries: exact counts, nothing stored per code, no counter to contend for.

The relay asks `laid_prize` for every first claim; the console takes `prize_counts` when it commits a release.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from uncap.domain.catalog import LaidPrize, PoolShare, Release
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.prizes.commitment import draw_key, seed_hash
from uncap.domain.prizes.eligible import EligibleSet
from uncap.domain.prizes.permutation import WALK_FROM, permutation

_CACHE_RANKS = 4_000_000
"""Ranks kept in stored shuffles, 8 bytes each: 32 MB, which a 256 MB function can spare."""


def prize_counts(pool: Iterable[PoolShare], eligible_count: int) -> tuple[LaidPrize, ...]:
    """A release's prize table: `eligible_count * win // per` of each share, in the pool's order, zeros kept.

    Raises InputError (`pool_share_malformed`, `pool_prize_repeated`, `pool_overfull`).
    """
    table: list[LaidPrize] = []
    for share in pool:
        if share.per < 1 or not 0 <= share.win <= share.per:
            raise InputError("pool_share_malformed", f"{share.win} of {share.per} is not a share", where=share.prize_id)
        table.append(LaidPrize(share.prize_id, eligible_count * share.win // share.per))
    if len({prize.prize_id for prize in table}) != len(table):
        raise InputError("pool_prize_repeated", "a prize stands in the pool twice", where="pool")
    check_table(table, eligible_count)
    return tuple(table)


def check_table(table: Sequence[LaidPrize], eligible_count: int) -> None:
    """Raises InputError (`pool_overfull`) if the table has negative counts or more prizes than there are codes."""
    if any(prize.count < 0 for prize in table) or sum(prize.count for prize in table) > eligible_count:
        raise InputError("pool_overfull", f"the prizes do not fit on {eligible_count} codes", where="prize_table")


class Laying:
    """A release with its prizes laid. Raises as `check_committed` does, and ConflictError (`beacon_not_known`)."""

    def __init__(self, release: Release, seed: bytes) -> None:
        check_committed(release, seed)
        self.eligible = EligibleSet.of(release)
        self.table = release.prize_table
        self._ends = list(accumulate(prize.count for prize in release.prize_table))
        self.stored_ranks = self.eligible.count if self.eligible.count < WALK_FROM else 1
        self._permutation = permutation(draw_key(seed, release.beacon_value), self.eligible.count)

    def prize_of(self, index: int) -> str:
        """The prize id on this unit index, "" for none or an index that is not eligible."""
        rank = self.eligible.rank(index)
        if rank is None:
            return ""
        position = self._permutation.position(rank)
        for prize, end in zip(self.table, self._ends, strict=True):
            if position < end:
                return prize.prize_id
        return ""


def check_committed(release: Release, seed: bytes) -> None:
    """Raises ConflictError: `seed_mismatch`, `eligible_mismatch`; InputError: `pool_overfull`."""
    if seed_hash(seed) != release.seed_hash:
        raise ConflictError("seed_mismatch", "this is not the committed seed", where=release.release_id)
    eligible = EligibleSet.of(release)
    if eligible.count != release.eligible_count or eligible.digest(release.batch_no) != release.eligible_hash:
        raise ConflictError("eligible_mismatch", "the eligible set is not the committed one", where=release.release_id)
    check_table(release.prize_table, eligible.count)


_LAYINGS: dict[tuple[object, ...], Laying] = {}


def laid_prize(release: Release, seed: bytes, index: int) -> str:
    """The prize id laid on unit `index`, "" for none. `seed`: 32 bytes, `commitment.derive_seed`'s or the revealed one.

    Raises ConflictError: `beacon_not_known`, `seed_mismatch`, `eligible_mismatch`. The laying is kept per release.
    """
    key = (release.release_id, release.eligible_hash, release.prize_table, release.beacon_value, seed)
    laying = _LAYINGS.get(key)
    if laying is None:
        laying = Laying(release, seed)
        while _LAYINGS and sum(kept.stored_ranks for kept in _LAYINGS.values()) + laying.stored_ranks > _CACHE_RANKS:
            _LAYINGS.pop(next(iter(_LAYINGS)))
        _LAYINGS[key] = laying
    return laying.prize_of(release.drawn_as(index))
