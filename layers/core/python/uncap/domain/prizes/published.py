"""A finished draw as the brand publishes it, and the check that anyone can make of it without a key.

`publish_draw` is called when a release is closed and its seed revealed; `verify_draw` by `uncap draw verify`.
"""

from collections import Counter
from collections.abc import Callable

import msgspec

from uncap.domain.catalog import LaidPrize, PoolShare, Release
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.prizes import merkle
from uncap.domain.prizes.bulk import winners
from uncap.domain.prizes.commitment import SEED_BYTES, commitment, seed_hash
from uncap.domain.prizes.eligible import EligibleSet
from uncap.domain.prizes.laying import check_table, prize_counts

FORMAT = "uncap-draw-1"


class Winner(msgspec.Struct, frozen=True, array_like=True):
    """`[index, prize_id]` in the published list."""

    index: int
    prize_id: str


class PublishedDraw(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The whole of a closed release's draw as one JSON document.

    `winners` lists every laid prize, claimed or not. `code_hashes` holds 32 bytes per eligible index in rising order
    (base64 in JSON); a long list goes into a file of raw bytes beside the document, named in `code_hashes_file`.
    """

    release: Release
    pool: tuple[PoolShare, ...]
    winners: tuple[Winner, ...]
    code_hashes: bytes = b""
    code_hashes_file: str = ""
    format: str = FORMAT


class Mismatch(msgspec.Struct, frozen=True):
    """One thing that is not as it should be: a stable code, a sentence, and the index or field it concerns."""

    code: str
    message: str
    where: str = ""


class Check(msgspec.Struct, frozen=True):
    """One step of the verification. It passed if it was `made` and found no mismatches; `note` says what was seen."""

    name: str  # seed | beacon | eligible | prizes | codes | commitment | winners
    note: str
    mismatches: tuple[Mismatch, ...] = ()
    made: bool = True


class DrawReport(msgspec.Struct, frozen=True):
    """Every check in order; `prizes` counts the winners that were recomputed."""

    release_id: str
    commitment: str
    beacon: str
    eligible_count: int
    prizes: dict[str, int]
    checks: tuple[Check, ...]
    kind: str = "release"  # whose draw: of a release, or of a campaign's close (`release_id` is the campaign's then)

    @property
    def passed(self) -> bool:
        """Whether the draw is exactly what was committed to."""
        return all(check.made and not check.mismatches for check in self.checks)

    @property
    def mismatches(self) -> tuple[Mismatch, ...]:
        """All of them, in the order of the checks."""
        return tuple(mismatch for check in self.checks for mismatch in check.mismatches)


class Noted(msgspec.Struct, frozen=True):
    """What the reader learned elsewhere: the commitment noted at activation, the value read at the beacon itself."""

    commitment: str = ""
    beacon_value: str = ""


NOTHING_NOTED = Noted()


def publish_draw(release: Release, pool: tuple[PoolShare, ...], code_hashes: bytes) -> PublishedDraw:
    """The document for a closed release. Raises ConflictError if the release does not keep to its own commitment."""
    draw = PublishedDraw(release, pool, (), code_hashes)
    seed = _revealed_seed(release)
    if seed is None:
        raise ConflictError("seed_not_revealed", "a draw is published with its seed", where=release.release_id)
    draw = msgspec.structs.replace(draw, winners=tuple(Winner(*winner) for winner in winners(release, seed)))
    report = verify_draw(draw)
    if not report.passed:
        first = report.mismatches[0]
        raise ConflictError(first.code, first.message, where=first.where)
    return draw


def verify_draw(draw: PublishedDraw, noted: Noted = NOTHING_NOTED) -> DrawReport:
    """Recomputes all of a published draw, without a key. `code_hashes` must be filled in. Faults are not raised."""
    release = draw.release
    claimed = commitment(release)
    groundwork = (
        _check("seed", f"seed hash {release.seed_hash}", lambda: _seed_faults(release)),
        _check("beacon", f"{release.beacon_source} {release.beacon_round}", lambda: _beacon_faults(release, noted)),
        _check("eligible", f"{release.eligible_count} codes", lambda: _eligible_faults(release)),
        _check("prizes", f"{sum(p.count for p in release.prize_table)} prizes", lambda: _prize_faults(draw)),
        _check("codes", f"Merkle root {release.merkle_root}", lambda: _code_faults(draw)),
        _check("commitment", claimed, lambda: _commitment_faults(claimed, noted)),
    )
    laid: list[tuple[int, str]] = []
    # On wrong groundwork every winner would look wrong; the true fault is the one already named.
    if any(check.mismatches for check in groundwork if check.name in ("seed", "beacon", "eligible", "prizes")):
        note = "not recomputed, since what it is computed from is already refuted"
        last = Check("winners", note, made=False)
    else:
        laid = winners(release, bytes.fromhex(release.seed))
        last = Check("winners", f"{len(laid)} recomputed", tuple(_winner_faults(draw, laid)))
    return DrawReport(
        release_id=release.release_id,
        commitment=claimed,
        beacon=f"{release.beacon_source} {release.beacon_round}: {release.beacon_value}",
        eligible_count=release.eligible_count,
        prizes=dict(Counter(prize_id for _, prize_id in laid)),
        checks=(*groundwork, last),
    )


def _check(name: str, note: str, faults: Callable[[], list[Mismatch]]) -> Check:
    try:
        return Check(name, note, tuple(faults()))
    except InputError as error:
        return Check(name, note, (Mismatch(error.code, error.message, error.where),))


def _revealed_seed(release: Release) -> bytes | None:
    try:
        seed = bytes.fromhex(release.seed)
    except ValueError:
        return None
    return seed if len(seed) == SEED_BYTES else None


def _seed_faults(release: Release) -> list[Mismatch]:
    seed = _revealed_seed(release)
    if seed is None:
        return [Mismatch("seed_not_revealed", "there is no seed of 64 hexadecimal digits", "release.seed")]
    if seed_hash(seed) != release.seed_hash:
        return [Mismatch("seed_mismatch", "the revealed seed does not have the committed hash", "release.seed")]
    return []


def _beacon_faults(release: Release, noted: Noted) -> list[Mismatch]:
    if not release.beacon_value:
        return [Mismatch("beacon_not_known", "the beacon value is missing", "release.beacon_value")]
    if noted.beacon_value and noted.beacon_value != release.beacon_value:
        return [Mismatch("beacon_mismatch", "the beacon value is not the one noted", "release.beacon_value")]
    return []


def _eligible_faults(release: Release) -> list[Mismatch]:
    eligible = EligibleSet.of(release)
    faults: list[Mismatch] = []
    if eligible.count != release.eligible_count:
        message = f"{release.eligible_count} codes are claimed, {eligible.count} are eligible"
        faults.append(Mismatch("eligible_count_mismatch", message, "release.eligible_count"))
    if eligible.digest(release.batch_no) != release.eligible_hash:
        message = "the eligible indices do not have the committed hash"
        faults.append(Mismatch("eligible_hash_mismatch", message, "release.eligible_hash"))
    return faults


def _prize_faults(draw: PublishedDraw) -> list[Mismatch]:
    release = draw.release
    check_table(release.prize_table, release.eligible_count)
    expected = prize_counts(draw.pool, release.eligible_count)
    if expected == release.prize_table:
        return []
    return [
        Mismatch("prize_table_mismatch", f"the pool gives {_row(want)}, the table has {_row(have)}", f"row {at}")
        for at, (want, have) in enumerate(_pairs(expected, release.prize_table))
        if want != have
    ]


def _pairs(
    left: tuple[LaidPrize, ...], right: tuple[LaidPrize, ...]
) -> list[tuple[LaidPrize | None, LaidPrize | None]]:
    length = max(len(left), len(right))
    return [(left[at] if at < len(left) else None, right[at] if at < len(right) else None) for at in range(length)]


def _row(prize: LaidPrize | None) -> str:
    return "nothing" if prize is None else f"{prize.count} x {prize.prize_id}"


def _code_faults(draw: PublishedDraw) -> list[Mismatch]:
    eligible, hashes = EligibleSet.of(draw.release), draw.code_hashes
    if len(hashes) != eligible.count * merkle.HASH_BYTES:
        message = f"{eligible.count} code hashes of 32 bytes are due, {len(hashes)} bytes are there"
        return [Mismatch("leaf_count_mismatch", message, "code_hashes")]
    faults: list[Mismatch] = []
    size = merkle.HASH_BYTES
    if len({hashes[at : at + size] for at in range(0, len(hashes), size)}) != eligible.count:
        faults.append(Mismatch("code_repeated", "two indices have the same code", "code_hashes"))
    if merkle.root_of(eligible, hashes).hex() != draw.release.merkle_root:
        faults.append(Mismatch("merkle_root_mismatch", "the code hashes do not have the committed root", "code_hashes"))
    return faults


def _commitment_faults(claimed: str, noted: Noted) -> list[Mismatch]:
    if noted.commitment and noted.commitment.lower() != claimed:
        return [Mismatch("commitment_mismatch", f"noted at activation: {noted.commitment}", "release")]
    return []


def _winner_faults(draw: PublishedDraw, laid: list[tuple[int, str]]) -> list[Mismatch]:
    truth, eligible, listed = dict(laid), EligibleSet.of(draw.release), Counter(w.index for w in draw.winners)
    faults = [
        Mismatch("winner_repeated", f"index {index} is listed {count} times", str(index))
        for index, count in listed.items()
        if count > 1
    ]
    for winner in draw.winners:
        due = truth.get(winner.index, "")
        if eligible.rank(winner.index) is None:
            faults.append(Mismatch("winner_not_eligible", f"index {winner.index} took no part", str(winner.index)))
        elif not due:
            message = f"index {winner.index} is listed with {winner.prize_id}, it carries nothing"
            faults.append(Mismatch("winner_false", message, str(winner.index)))
        elif due != winner.prize_id:
            message = f"index {winner.index} is listed with {winner.prize_id}, it carries {due}"
            faults.append(Mismatch("winner_wrong_prize", message, str(winner.index)))
    faults += [
        Mismatch("winner_missing", f"index {index} carries {prize_id} and is not listed", str(index))
        for index, prize_id in laid
        if index not in listed
    ]
    return faults
