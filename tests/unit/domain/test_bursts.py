"""One source's burst is told once per window; nothing grows without bound."""

from hypothesis import given
from hypothesis import strategies as st

from uncap.domain import bursts as room
from uncap.domain.bursts import LIMIT, WINDOW_MS, Bursts


def test_a_burst_is_told_once_per_window() -> None:
    bursts = Bursts()
    told = [bursts.add("203.0.113.7", 5) for _ in range(3 * LIMIT)]
    assert told == [n == LIMIT - 1 for n in range(3 * LIMIT)]
    assert sum(bursts.add("203.0.113.7", WINDOW_MS + 5) for _ in range(LIMIT)) == 1


def test_many_sources_with_a_few_each_are_no_burst() -> None:
    bursts = Bursts()
    assert not any(bursts.add(f"198.51.100.{n % 200}", 5) for n in range(200 * (LIMIT - 1)))


def test_an_ipv6_customer_is_one_source() -> None:
    bursts = Bursts()
    assert sum(bursts.add(f"2001:db8:1:2::{n:x}", 5) for n in range(LIMIT)) == 1
    assert sum(bursts.add(f"2001:db8:{n:x}::1", 5) for n in range(LIMIT)) == 0


@given(st.lists(st.text(max_size=8), max_size=80))
def test_whatever_a_source_looks_like(sources: list[str]) -> None:
    bursts = Bursts(limit=2)
    for source in sources:
        bursts.add(source, 5)
    assert len(bursts._counts) == len({source for source in sources if source})


def test_the_memory_is_bounded() -> None:
    bursts = Bursts(limit=2)
    for n in range(3 * room._SOURCES):
        bursts.add(f"s{n}", 5)
    assert len(bursts._counts) == room._SOURCES
    assert bursts.add("s1", 5)
