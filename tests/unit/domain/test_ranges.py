"""Ranges of indices against sets of indices."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.catalog import IndexRange
from uncap.domain.errors import InputError
from uncap.domain.ranges import MAX_RANGES, check_range, merged, overlapping, runs, scaled

one_range = st.tuples(st.integers(0, 60), st.integers(1, 20), st.sampled_from(["", "a", "b"])).map(
    lambda t: IndexRange(t[0], t[0] + t[1], t[2])
)
ranges = st.lists(one_range, max_size=12)


def indices(many: list[IndexRange] | tuple[IndexRange, ...]) -> set[int]:
    return {index for one in many for index in range(one.start, one.stop)}


@given(ranges)
def test_merging_keeps_every_index_once(given_ranges: list[IndexRange]) -> None:
    out = merged(given_ranges)
    assert indices(out) == indices(given_ranges)
    assert sum(one.stop - one.start for one in out) == len(indices(given_ranges))
    assert merged(out) == out
    for before, after in itertools.pairwise(out):
        assert before.stop < after.start or (before.stop == after.start and before.reason != after.reason)


@given(ranges)
def test_merging_keeps_reasons(given_ranges: list[IndexRange]) -> None:
    for one in merged(given_ranges):
        for index in range(one.start, one.stop):
            assert any(index in source and source.reason == one.reason for source in given_ranges)


@given(ranges, one_range)
def test_overlapping_agrees_with_sets(given_ranges: list[IndexRange], other: IndexRange) -> None:
    found = overlapping(given_ranges, other.start, other.stop)
    assert (found is None) == (not indices(given_ranges) & indices([other]))


@given(st.lists(st.integers(0, 80)))
def test_runs_are_the_fewest(some: list[int]) -> None:
    out = runs(some)
    assert indices(out) == set(some)
    assert all(before.stop < after.start for before, after in itertools.pairwise(out))


@given(ranges, st.integers(1, 30), st.integers(1, 900))
def test_cases_to_units(cases: list[IndexRange], pack: int, size: int) -> None:
    expected = {unit for unit in range(size) if unit // pack in indices(cases)}
    assert indices(scaled(cases, pack, size)) == expected


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (2, 2), (3, 2), (0, 11)])
def test_ranges_outside(start: int, stop: int) -> None:
    with pytest.raises(InputError, match="range_invalid"):
        check_range(start, stop, 10)


def test_ranges_are_bounded() -> None:
    with pytest.raises(InputError, match="too_many_ranges"):
        merged([IndexRange(2 * at, 2 * at + 1) for at in range(MAX_RANGES + 1)])
