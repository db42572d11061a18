"""Evidence is bounded and its counts honest; nobody is accused on one scan, one person or one case."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.diversion import evidence as room
from uncap.domain.diversion.evidence import DiversionRule, Evidence, Sighting, accumulate, person_tag, suffices

RULE = DiversionRule()


def sighting(
    person: str = "p_1", case_no: int = 0, cell: str = "87", day: str = "2026-11-22", at_ms: int = 1
) -> Sighting:
    return Sighting("s1", "party:east", "gtin", 7, "mid", "Wuhan", case_no, person, cell, day, at_ms)


def gathered(*sightings: Sighting) -> Evidence:
    evidence: Evidence | None = None
    for one in sightings:
        evidence = accumulate(evidence, one)
    if evidence is None:
        raise ValueError("no sightings")
    return evidence


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=40), st.integers(0, 400))
def test_a_case_needs_more_than_one_scan_person_and_case(pairs: list[tuple[int, int]], others: int) -> None:
    evidence = gathered(*(sighting(f"p_{person}", case_no) for person, case_no in pairs))
    people, cases = {person for person, _ in pairs}, {case_no for _, case_no in pairs}
    assert (len(evidence.people), len(evidence.cases), evidence.scans) == (len(people), len(cases), len(pairs))
    lax = DiversionRule(min_people=1, min_cases=1, travel_ppm=0)
    for rule in (RULE, lax):
        if suffices(evidence, others, rule):
            assert len(people) >= max(2, rule.min_people)
            assert len(cases) >= max(2, rule.min_cases)


def test_the_default_is_three_people_across_two_cases() -> None:
    three = [sighting("p_1", 0), sighting("p_2", 0), sighting("p_3", 1)]
    assert suffices(gathered(*three), 3, RULE)
    assert not suffices(gathered(*three[:2], sighting("p_3", 0)), 3, RULE)
    assert not suffices(gathered(*three[:2], sighting("p_1", 1)), 3, RULE)


def test_the_share_of_the_shipment_counts() -> None:
    four = gathered(*(sighting(f"p_{n}", n) for n in range(4)))
    assert suffices(four, 40, RULE)
    assert not suffices(four, 1_000, RULE), "four of a thousand is what travel explains"


def test_a_feast_with_one_whole_case_and_a_traveller_is_no_diversion() -> None:
    feast = [sighting(f"p_{n}", 5) for n in range(12)] + [sighting("p_20", 9)]
    assert not suffices(gathered(*feast), 150, RULE)
    assert suffices(gathered(*(sighting(f"p_{n}", n % 3) for n in range(13))), 150, RULE)


def test_bounds_hold_and_say_so() -> None:
    many = [sighting(f"p_{n}", n, f"cell{n}", f"day{n}", n) for n in range(150)]
    evidence = gathered(*many, *many)
    assert len(evidence.people) == room.MAX_PEOPLE
    assert len(evidence.cases) == room.MAX_CASES
    assert evidence.capped == ("cases", "people")
    assert evidence.scans == sum(evidence.cells.values()) == sum(evidence.days.values()) == 300
    assert len(evidence.cells) == room.MAX_CELLS + 1
    assert (evidence.first_at_ms, evidence.last_at_ms) == (0, 149)
    assert len(msgspec.json.encode(evidence)) < 8_000


def test_people_are_tags_that_cannot_be_linked_between_places() -> None:
    here, there = sighting("p_1"), msgspec.structs.replace(sighting("p_1"), place="h3:84")
    assert person_tag(here) == person_tag(sighting("p_1", 4))
    assert person_tag(here) != person_tag(there)
    assert b"p_1" not in msgspec.json.encode(gathered(here))


def test_the_tail_of_poisson() -> None:
    assert room._poisson_tail(0, 5.0) == 1.0
    assert abs(room._poisson_tail(1, 0.5) - (1 - 2.718281828459045**-0.5)) < 1e-12
    assert abs(room._poisson_tail(3, 0.75) - 0.040505) < 1e-5
