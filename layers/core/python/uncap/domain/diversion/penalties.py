"""A party's yearly coefficient: what the year's rebates are multiplied by; every confirmed diversion lowers it. Pure.

Kept in Parties beside the party (`coefficient#{year}`), written by `services/review_case.py` with the case's decision.
"""

import msgspec

from uncap.domain.errors import InputError

FULL_PPM = 1_000_000
_FIRST_YEAR, _LAST_YEAR = 2020, 2100


class Cut(msgspec.Struct, frozen=True):
    """One lowering: when, by whom, for which case, by how much, and why."""

    at_ms: int
    operator: str
    case_id: str
    by_ppm: int
    text: str


class Coefficient(msgspec.Struct, frozen=True, omit_defaults=True):
    """`ppm` millionths, 1 000 000 where nothing happened; never below 0."""

    party_id: str
    year: int
    ppm: int = FULL_PPM
    cuts: tuple[Cut, ...] = ()
    version: int = 0


def lowered(before: Coefficient, cut: Cut) -> Coefficient:
    """The coefficient after one more cut; a case cuts once, however often it is confirmed."""
    if any(one.case_id == cut.case_id for one in before.cuts):
        return before
    return msgspec.structs.replace(
        before, ppm=max(0, before.ppm - cut.by_ppm), cuts=(*before.cuts, cut), version=before.version + 1
    )


def year_of(day: str) -> int:
    """The year of a day (yyyy-mm-dd). Raises InputError (`year_out_of_range`)."""
    year = int(day[:4]) if day[:4].isdecimal() else 0
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise InputError("year_out_of_range", f"not a year of ours: {day[:10]!r}", where="year")
    return year
