"""A closing draw made from nothing but numbers, for the tests of this folder and of the command."""

from uncap.domain.campaigns.draws import ClosingPrize, ClosingTerms
from uncap.domain.catalog import Role
from uncap.domain.prizes.closing import (
    ENTRY_BYTES,
    ID_BYTES,
    ClosingDraw,
    Fixed,
    Replaced,
    closing_commitment,
    closing_key,
    closing_secret,
    drawn_entries,
    entries_root,
    entry_id,
    person_tag,
)
from uncap.domain.prizes.commitment import seed_hash
from uncap.domain.prizes.published_closing import PublishedClosing, publish_closing
from uncap.domain.scans import CodeRef

MASTER = bytes(range(32))
TERMS = ClosingTerms(9, (ClosingPrize("grand", 1), ClosingPrize("second", 3)), per_person=1, runners_up=4)
BEACON = "5f0c2a" * 8


def entry_rows(persons: list[str]) -> list[bytes]:
    """One entry per claim; `persons[n]` claimed code n."""
    salt = closing_secret(MASTER, "spring", "salt")
    return [
        entry_id(salt, CodeRef(7, index, Role.CAP_INNER)) + person_tag(salt, person)
        for index, person in enumerate(persons)
    ]


def drawn_closing(rows: list[bytes], terms: ClosingTerms = TERMS) -> tuple[ClosingDraw, tuple[int, ...]]:
    """The draw with its beacon value and seed, and the places drawn."""
    seed = closing_secret(MASTER, "spring", "seed")
    fixed = Fixed("spring", 3, terms, len(rows), entries_root(rows), seed_hash(seed), "drand-quicknet", "4711")
    commitment = closing_commitment(fixed)
    draw = ClosingDraw(
        "spring", fixed.seed_hash, fixed.beacon_source, 1, "drawn", fixed, commitment, 2, BEACON, seed.hex(), 3
    )
    key = closing_key(seed, commitment, BEACON)
    return draw, drawn_entries(key, len(rows), lambda place: rows[place][ID_BYTES:ENTRY_BYTES], terms)


def published(rows: list[bytes], terms: ClosingTerms = TERMS, replaced: tuple[Replaced, ...] = ()) -> PublishedClosing:
    """The document that anyone may check."""
    draw, drawn = drawn_closing(rows, terms)
    return publish_closing(draw, b"".join(rows), drawn, replaced)
