"""What one case's scans raise, once, and what they do not."""

import h3  # type: ignore[import-untyped]
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.diversion.signals import (
    APART,
    MANY_MATES,
    MAX_UNITS,
    UNRECEIVED,
    CaseFile,
    Glimpse,
    Signal,
    WatchRule,
    judged,
    noted,
)

RULE = WatchRule()
DAY_MS = 86_400_000
WUHAN, XIAOGAN, SHANGHAI = (h3.latlng_to_cell(*at, 7) for at in ((30.6, 114.3), (30.9, 113.9), (31.2, 121.5)))


def glimpse(unit: int, person: str, cell: str = WUHAN, day: int = 0, **more: object) -> Glimpse:
    base = Glimpse(7, 3, unit, person, cell, day * DAY_MS, "2026-11-22", "g", "d", "R", "s1")
    return msgspec.structs.replace(base, **more)


def raised(*glimpses: Glimpse, rule: WatchRule = RULE) -> list[Signal]:
    file, found = CaseFile(), list[Signal]()
    for one in glimpses:
        file, new = judged(noted(file, one), one, rule)
        found += new
    return found


def test_a_case_in_two_places_far_apart() -> None:
    home = [glimpse(n, f"h{n}") for n in range(3)]
    away = [glimpse(10 + n, f"a{n}", SHANGHAI, 4) for n in range(2)]
    assert raised(*home, away[0]) == [], "one traveller"
    (signal,) = raised(*home, *away)
    assert (signal.kind, signal.signal_id) == (APART, "case_mates_apart.7.3")
    assert signal.figures["people"] == 2
    assert 650 < signal.figures["km"] < 720
    assert raised(*home, *away, glimpse(20, "b", SHANGHAI, 5)) == [signal], "once"


def test_not_apart() -> None:
    home = [glimpse(n, f"h{n}") for n in range(3)]
    assert raised(*home, *(glimpse(10 + n, f"a{n}", XIAOGAN) for n in range(4))) == [], "the next town"
    assert raised(*home, *(glimpse(10 + n, "a", SHANGHAI) for n in range(4))) == [], "one household that moved"
    assert raised(*home, *(glimpse(10 + n, f"a{n}", SHANGHAI, 60) for n in range(4))) == [], "two months later"
    assert raised(*home, *(glimpse(10 + n, f"a{n}", "") for n in range(4))) == [], "nobody says where"
    far = [glimpse(10 + n, f"a{n}", SHANGHAI) for n in range(2)]
    assert raised(*home, *far, rule=WatchRule(apart_km=0)) == []


def test_one_person_with_most_of_a_case() -> None:
    many = [glimpse(n, "p") for n in range(RULE.many_mates)]
    assert [one.kind for one in raised(*many)] == [MANY_MATES]
    assert raised(*many)[0].figures == {"units": RULE.many_mates}
    assert raised(*many[:-1], *many[:-1]) == [], "the same bottles again are no more bottles"
    assert raised(*many, rule=WatchRule(many_mates=0)) == []


def test_a_case_opened_that_no_outlet_was_sent() -> None:
    opened = glimpse(3, "", unreceived=True)
    assert [one.kind for one in raised(opened, opened)] == [UNRECEIVED]


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc")), max_size=60))
def test_repeating_adds_nothing(seen: list[tuple[int, str]]) -> None:
    glimpses = [glimpse(unit, person) for unit, person in seen]
    once = CaseFile()
    for one in glimpses:
        once = noted(once, one)
    twice = once
    for one in glimpses:
        twice = noted(twice, one)
    assert twice == once
    assert set(once.units) == {unit for unit, _ in seen}


def test_a_file_is_bounded_and_names_nobody() -> None:
    file = CaseFile()
    for unit in range(MAX_UNITS + 5):
        file = noted(file, glimpse(unit, "p_SECRET"))
    assert len(file.units) == MAX_UNITS
    assert b"p_SECRET" not in msgspec.json.encode(file)
    assert msgspec.json.decode(msgspec.json.encode(file), type=CaseFile) == file
    assert WUHAN.encode() not in msgspec.json.encode(file), "the spot is coarser than the scan's cell"


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_scans_does_not_matter(order: int) -> None:
    all_of_them = [glimpse(n, f"h{n}") for n in range(3)] + [glimpse(9 + n, f"a{n}", SHANGHAI, 3) for n in range(3)]
    assert [one.kind for one in raised(*all_of_them[::order])] == [APART]
