"""A party's yearly coefficient: what the year's rebates are multiplied by; every confirmed diversion lowers it. Pure.

Kept in Parties beside the party (`coefficient#{year}`), written by `services/review_case.py` with the case's decision;
`domain/books/coefficients.py` multiplies by it when a month is settled.
"""

import msgspec

from uncap.domain.errors import InputError

FULL_PPM = 1_000_000
_FIRST_YEAR, _LAST_YEAR = 2020, 2100


class Cut(msgspec.Struct, frozen=True, omit_defaults=True):
    """One lowering: when, by whom, for which case, by how much, and why. `lifted_…`: an objection was upheld later."""

    at_ms: int
    operator: str
    case_id: str
    by_ppm: int
    text: str
    lifted_at_ms: int = 0
    lifted_by: str = ""


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
    return _with(before, (*before.cuts, cut))


def lifted(before: Coefficient, case_id: str, operator: str, now_ms: int) -> Coefficient:
    """The coefficient without this case's cut, which stays on record; the same object if there is none in force."""
    cuts = tuple(
        msgspec.structs.replace(one, lifted_at_ms=now_ms, lifted_by=operator)
        if one.case_id == case_id and not one.lifted_at_ms
        else one
        for one in before.cuts
    )
    return before if cuts == before.cuts else _with(before, cuts)


def _with(before: Coefficient, cuts: tuple[Cut, ...]) -> Coefficient:
    ppm = max(0, FULL_PPM - sum(one.by_ppm for one in cuts if not one.lifted_at_ms))
    return msgspec.structs.replace(before, ppm=ppm, cuts=cuts, version=before.version + 1)


def year_of(day: str) -> int:
    """The year of a day (yyyy-mm-dd). Raises InputError (`year_out_of_range`)."""
    year = int(day[:4]) if day[:4].isdecimal() else 0
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise InputError("year_out_of_range", f"not a year of ours: {day[:10]!r}", where="year")
    return year
