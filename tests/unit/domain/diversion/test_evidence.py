"""Evidence is bounded and its counts honest; nobody is accused on one scan, one person or one case."""

import h3  # type: ignore[import-untyped]
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.diversion import evidence as room
from uncap.domain.diversion.evidence import Evidence, Sighting, gathered, person_tag
from uncap.domain.diversion.judgement import DiversionRule, judge

RULE = DiversionRule()
SPOT = h3.latlng_to_cell(31.2, 121.5, 7)
FAR_SPOT = h3.latlng_to_cell(31.4, 121.2, 7)


def sighting(
    person: str = "p_1", case_no: int = 0, cell: str = SPOT, day: str = "2026-11-22", at_ms: int = 1, cases: int = 50
) -> Sighting:
    return Sighting(
        "s1", "party:east", "gtin", 7, "mid", "Wuhan", case_no, person, cell, day, at_ms, shipment_cases=cases
    )


def opens(evidence: Evidence, scans: int, home: dict[int, int] | None = None, rule: DiversionRule = RULE) -> bool:
    return judge(evidence, scans, home or {}, rule).opens


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=40), st.integers(0, 400))
def test_a_case_needs_more_than_one_scan_person_and_case(pairs: list[tuple[int, int]], others: int) -> None:
    evidence = gathered(sighting(f"p_{person}", case_no) for person, case_no in pairs)
    people, cases = {person for person, _ in pairs}, {case_no for _, case_no in pairs}
    assert (len(evidence.people), len(evidence.cases), evidence.scans) == (len(people), len(cases), len(pairs))
    assert sum(evidence.case_scans.values()) == len(pairs)
    lax = DiversionRule(min_people=1, min_cases=1, travel_ppm=0, odds=1.0, odds_without_top=1.0)
    for rule in (RULE, lax):
        if opens(evidence, others, rule=rule):
            assert len(people) >= max(2, rule.min_people)
            assert len(cases) >= max(2, rule.min_cases)


def test_the_default_is_three_people_across_two_cases() -> None:
    three = [sighting("p_1", 0), sighting("p_2", 0), sighting("p_3", 1)]
    assert opens(gathered(three), 3)
    assert not opens(gathered([*three[:2], sighting("p_3", 0)]), 3)
    assert not opens(gathered([*three[:2], sighting("p_1", 1)]), 3)


def test_case_mates_at_home_speak_for_travel() -> None:
    four = gathered(sighting(f"p_{n}", n, day=f"d{n}") for n in range(4))
    assert opens(four, 5), "one bottle each of four cases, and nobody has seen another bottle of these"
    assert not opens(four, 20), "a fifth of what is scanned: a festival, until case-mates are seen there too"
    assert not opens(four, 5, dict.fromkeys(range(4), 4)), "their case-mates were opened at home"
    pairs = gathered(sighting(f"p_{n}", n // 2, day=f"d{n}") for n in range(8))
    assert opens(pairs, 20)
    assert not opens(pairs, 1_000, dict.fromkeys(range(4), 5))


def test_what_happened_on_one_day_is_one_occasion_unless_the_goods_had_just_come() -> None:
    wedding = [sighting(f"p_{n}", n % 4, h3.grid_ring(SPOT, 6)[n % 30]) for n in range(14)]
    assert not opens(gathered(wedding), 100)
    assert opens(gathered(msgspec.structs.replace(one, is_fresh=True) for one in wedding), 100)
    later = [sighting(f"p_l{n}", n % 4, day="2026-12-01") for n in range(4)]
    assert opens(gathered([*wedding, *later]), 100)


def test_parts_of_a_paper_add_up() -> None:
    def of(part: str, cases: int, *numbers: int) -> list[Sighting]:
        some = [sighting(f"p_{part}{n}", n, day=f"d{n}", cases=cases) for n in numbers]
        return [msgspec.structs.replace(one, part_id=part) for one in some]

    evidence = gathered([*of("s1-1", 30, 1, 1, 2), *of("s1-2", 10, 9), *of("s1-1", 30, 3)])
    assert evidence.part_cases == {"s1-1": 30, "s1-2": 10}
    whole = msgspec.structs.replace(evidence, part_cases={}, shipment_cases=40)
    assert judge(evidence, 60, {}, RULE) == judge(whole, 60, {}, RULE)


def test_whole_cases_that_left_are_found_in_a_large_shipment() -> None:
    whole = [sighting(f"p_{case}.{n}", case, day=f"2026-11-{n + 10}") for case in range(3) for n in range(6)]
    travellers = [sighting(f"p_t{n}", 20 + n) for n in range(9)]
    home = {20 + n: 7 for n in range(9)}
    found = judge(gathered([*whole, *travellers]), 350, home, RULE)
    assert found.opens
    assert found.moved_ppm == 50_000
    assert not opens(gathered(travellers), 350, home), "nine travellers of 350"


def test_a_festival_is_travel_and_half_a_shipment_is_not() -> None:
    def loose(count: int) -> Evidence:
        return gathered(sighting(f"p_{n}", n % 40, day=f"day{n // 4}") for n in range(count))

    assert not opens(loose(24), 300, dict.fromkeys(range(40), 7)), "eight in a hundred, spread over all cases"
    assert opens(loose(120), 240, dict.fromkeys(range(40), 3)), "half of it, a few every day"


def test_what_the_brand_expects_in_a_place_is_believed() -> None:
    many = [sighting(f"p_{n}", n % 40, day=f"day{n // 4}") for n in range(120)]
    expected = [msgspec.structs.replace(one, travel_ppm=400_000) for one in many]
    assert not opens(gathered(expected), 240, dict.fromkeys(range(40), 3))


def test_near_the_border_more_is_expected() -> None:
    some = [sighting(f"p_{n}", n // 4, day=f"day{n // 3}") for n in range(12)]
    home = dict.fromkeys(range(3), 1)
    assert opens(gathered(some), 100, home)
    assert not opens(gathered(msgspec.structs.replace(one, nearness=0.8) for one in some), 100, home)


def test_a_feast_is_no_diversion_however_many_cases_it_takes() -> None:
    one_case = [sighting(f"p_{n}", 5) for n in range(12)]
    assert not opens(gathered([*one_case, sighting("p_20", 9, FAR_SPOT)]), 150, {9: 4})
    hall = h3.grid_disk(SPOT, 2)
    wedding = [sighting(f"p_{n}", n % 4, hall[n % len(hall)]) for n in range(30)]
    assert not opens(gathered(wedding), 150)
    assert opens(gathered(sighting(f"p_{n}", n % 4, day=f"2026-11-{n % 20 + 1}") for n in range(30)), 150)
    assert opens(gathered([*wedding, *(sighting(f"p_s{n}", 10 + n // 4, day=f"d{n}") for n in range(12))]), 150)


def test_one_buyer_of_ten_cases_speaks_once() -> None:
    bulk = [sighting("p_1", case, day=f"2026-11-{case + 1:02d}") for case in range(10) for _ in range(5)]
    others = [sighting("p_2", 11), sighting("p_3", 12)]
    assert not opens(gathered([*bulk, *others]), 300, {11: 6, 12: 6})


def test_bounds_hold_and_say_so() -> None:
    many = [sighting(f"p_{n}", n, f"cell{n}", f"day{n}", n) for n in range(250)]
    evidence = gathered([*many, *many])
    assert len(evidence.people) == room.MAX_PEOPLE
    assert len(evidence.cases) == len(evidence.case_scans) == room.MAX_CASES
    assert len(evidence.gatherings) == room.MAX_GATHERINGS
    assert evidence.capped == ("cases", "people")
    assert evidence.scans == sum(evidence.cells.values()) == sum(evidence.days.values()) == 500
    assert len(evidence.cells) == room.MAX_CELLS + 1
    assert (evidence.first_at_ms, evidence.last_at_ms) == (0, 249)
    assert len(msgspec.json.encode(evidence)) < 16_000


def test_a_large_gathering_outlives_the_bound() -> None:
    feast = [sighting(f"p_f{n}", 3, SPOT, "2026-10-01") for n in range(8)]
    single = [sighting(f"p_{n}", n, SPOT, f"day{n}") for n in range(100)]
    assert gathered([*feast, *single]).gatherings[f"2026-10-01|{h3.cell_to_parent(SPOT, 6)}"].people == 8


def test_people_are_tags_that_cannot_be_linked_between_places() -> None:
    here, there = sighting("p_1"), msgspec.structs.replace(sighting("p_1"), place="h3:84")
    assert person_tag(here) == person_tag(sighting("p_1", 4))
    assert person_tag(here) != person_tag(there)
    assert b"p_1" not in msgspec.json.encode(gathered([here]))


def test_evidence_of_before_still_decodes() -> None:
    """Stored before cases were weighed: it counts people and cases, and lacks what the weighing needs."""
    old = b"""{"shipment_id":"s1","place":"h3:84","gtin":"g","batch_no":7,"party_id":"d","region":"r","first_at_ms":1,
    "last_at_ms":2,"scans":3,"people":{"A":1,"B":2,"C":2},"cases":[1,2],"cells":{"x":3},"days":{"d":3}}"""
    evidence = msgspec.json.decode(old, type=Evidence)
    assert not opens(evidence, 3)
    again = gathered([sighting(f"p_{n}", n // 2, day=f"d{n}") for n in range(8)], evidence)
    assert opens(again, 11)


def test_nothing_is_no_evidence() -> None:
    with pytest.raises(ValueError, match="no sightings"):
        gathered([])
