"""A published draw: the honest one passes, and each way to cheat is named."""

from collections.abc import Callable

import msgspec
import pytest

from tests.unit.domain.prizes.releases import EXCLUDED, MASTER, POOL, changed, make_release
from uncap.domain.catalog import IndexRange, LaidPrize, PoolShare
from uncap.domain.errors import ConflictError
from uncap.domain.prizes.commitment import commitment, derive_seed, seed_hash
from uncap.domain.prizes.published import NOTHING_NOTED, Noted, PublishedDraw, Winner, publish_draw, verify_draw

RELEASE, SEED, HASHES = make_release()
HONEST = publish_draw(RELEASE, POOL, HASHES)
LOSER = next(index for index in range(1200) if index in RELEASE and index not in {w.index for w in HONEST.winners})
Tamper = Callable[[PublishedDraw], PublishedDraw]


def with_release(**fields: object) -> Tamper:
    return lambda draw: msgspec.structs.replace(draw, release=changed(draw.release, **fields))


def with_winners(change: Callable[[list[Winner]], list[Winner]]) -> Tamper:
    return lambda draw: msgspec.structs.replace(draw, winners=tuple(change(list(draw.winners))))


def codes_of(draw: PublishedDraw, noted: Noted = NOTHING_NOTED) -> list[str]:
    return [mismatch.code for mismatch in verify_draw(draw, noted).mismatches]


def test_an_honest_draw_passes_also_from_its_json() -> None:
    sent = msgspec.json.decode(msgspec.json.encode(HONEST), type=PublishedDraw)
    report = verify_draw(sent, Noted(commitment(RELEASE).upper(), RELEASE.beacon_value))
    assert report.passed
    assert report.mismatches == ()
    assert report.prizes == {prize.prize_id: prize.count for prize in RELEASE.prize_table}
    assert [check.name for check in report.checks] == [
        "seed",
        "beacon",
        "eligible",
        "prizes",
        "codes",
        "commitment",
        "winners",
    ]


def swap_two(listed: list[Winner]) -> list[Winner]:
    first = next(winner for winner in listed if winner.prize_id == "grand")
    other = next(winner for winner in listed if winner.prize_id == "third")
    rest = [winner for winner in listed if winner not in (first, other)]
    return [Winner(first.index, other.prize_id), Winner(other.index, first.prize_id), *rest]


OTHER_SEED = derive_seed(MASTER, "r2")
TAMPERED: list[tuple[str, Tamper, list[str]]] = [
    ("seed", with_release(seed=OTHER_SEED.hex()), ["seed_mismatch"]),
    ("no seed", with_release(seed=""), ["seed_not_revealed"]),
    ("short seed", with_release(seed="00ff"), ["seed_not_revealed"]),
    ("junk seed", with_release(seed="zz" * 32), ["seed_not_revealed"]),
    ("no beacon", with_release(beacon_value=""), ["beacon_not_known"]),
    (
        "a friend excluded less",
        with_release(excluded=EXCLUDED[1:]),
        ["eligible_count_mismatch", "eligible_hash_mismatch", "leaf_count_mismatch"],
    ),
    ("the same set in other words", with_release(stop=1190), []),
    ("another batch", with_release(batch_no=8), ["eligible_hash_mismatch"]),
    ("impossible range", with_release(start=-4), ["index_range_malformed", "index_range_malformed"]),
    ("count", with_release(eligible_count=1100), ["eligible_count_mismatch", "prize_table_mismatch"]),
    ("table", with_release(prize_table=(*RELEASE.prize_table[:2], LaidPrize("third", 232))), ["prize_table_mismatch"]),
    ("table row gone", with_release(prize_table=RELEASE.prize_table[:2]), ["prize_table_mismatch"]),
    ("table too full", with_release(prize_table=(LaidPrize("grand", 5000),)), ["pool_overfull"]),
    ("root", with_release(merkle_root="00" * 32), ["merkle_root_mismatch"]),
    ("leaf missing", lambda draw: msgspec.structs.replace(draw, code_hashes=HASHES[:-32]), ["leaf_count_mismatch"]),
    ("leaves unpublished", lambda draw: msgspec.structs.replace(draw, code_hashes=b""), ["leaf_count_mismatch"]),
    (
        "leaf changed",
        lambda draw: msgspec.structs.replace(draw, code_hashes=bytes(32) + HASHES[32:]),
        ["merkle_root_mismatch"],
    ),
    (
        "leaf repeated",
        lambda draw: msgspec.structs.replace(draw, code_hashes=HASHES[32:64] + HASHES[32:]),
        ["code_repeated", "merkle_root_mismatch"],
    ),
    ("swapped winners", with_winners(swap_two), ["winner_wrong_prize", "winner_wrong_prize"]),
    ("winner dropped", with_winners(lambda listed: listed[1:]), ["winner_missing"]),
    ("winner invented", with_winners(lambda listed: [*listed, Winner(LOSER, "grand")]), ["winner_false"]),
    (
        "winner moved",
        with_winners(lambda listed: [Winner(LOSER, listed[0].prize_id), *listed[1:]]),
        ["winner_false", "winner_missing"],
    ),
    ("winner twice", with_winners(lambda listed: [*listed, listed[0]]), ["winner_repeated"]),
    ("sample wins", with_winners(lambda listed: [*listed, Winner(12, "grand")]), ["winner_not_eligible"]),
    ("outside wins", with_winners(lambda listed: [*listed, Winner(-1, "grand")]), ["winner_not_eligible"]),
    (
        "pool",
        lambda draw: msgspec.structs.replace(draw, pool=(*POOL[:2], PoolShare("third", 1, 4))),
        ["prize_table_mismatch"],
    ),
    ("no pool", lambda draw: msgspec.structs.replace(draw, pool=()), ["prize_table_mismatch"] * 3),
]


@pytest.mark.parametrize(("tamper", "codes"), [case[1:] for case in TAMPERED], ids=[case[0] for case in TAMPERED])
def test_each_tampering_is_named(tamper: Tamper, codes: list[str]) -> None:
    assert codes_of(tamper(HONEST)) == codes
    assert verify_draw(tamper(HONEST)).passed == (codes == [])


def test_another_beacon_value_shows_in_the_winners_and_against_the_one_noted() -> None:
    forged = with_release(beacon_value="5f0c2b")(HONEST)
    assert set(codes_of(forged)) <= {"winner_false", "winner_missing", "winner_wrong_prize"}
    assert len(codes_of(forged)) > 100
    assert codes_of(forged, Noted(beacon_value=RELEASE.beacon_value)) == ["beacon_mismatch"]


def test_a_whole_new_draw_is_caught_by_the_commitment_one_noted() -> None:
    """Seed, set, table, codes and winners all redone in harmony: only the note made at activation can tell."""
    seed = OTHER_SEED
    release, _, hashes = make_release(excluded=(IndexRange(0, 7),))
    redone = publish_draw(changed(release, seed_hash=seed_hash(seed), seed=seed.hex()), POOL, hashes)
    assert codes_of(redone) == []
    assert codes_of(redone, Noted(commitment=commitment(RELEASE))) == ["commitment_mismatch"]


def test_faults_of_winners_name_the_index() -> None:
    report = verify_draw(with_winners(lambda listed: [*listed, Winner(LOSER, "grand")])(HONEST))
    (fault,) = report.mismatches
    assert fault.where == str(LOSER)
    assert fault.message == f"index {LOSER} is listed with grand, it carries nothing"


def test_winners_are_not_judged_on_refuted_groundwork() -> None:
    last = verify_draw(with_release(seed=OTHER_SEED.hex())(HONEST)).checks[-1]
    assert (last.name, last.made, last.mismatches) == ("winners", False, ())


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"seed": ""}, "seed_not_revealed"),
        ({"seed": OTHER_SEED.hex()}, "seed_mismatch"),
        ({"merkle_root": "00"}, "merkle_root_mismatch"),
    ],
)
def test_a_release_that_breaks_its_word_is_not_published(fields: dict[str, object], code: str) -> None:
    with pytest.raises(ConflictError) as caught:
        publish_draw(changed(RELEASE, **fields), POOL, HASHES)
    assert caught.value.code == code
