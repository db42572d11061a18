"""The eligible set: one meaning however the exclusions were written down."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.catalog import IndexRange
from uncap.domain.errors import InputError
from uncap.domain.prizes.eligible import EligibleSet

gaps = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda ends: IndexRange(*ends)), max_size=8)


@given(start=st.integers(0, 30), length=st.integers(0, 40), excluded=gaps)
def test_counts_ranks_and_inverts_like_a_plain_set(start: int, length: int, excluded: list[IndexRange]) -> None:
    eligible = EligibleSet(start, start + length, excluded)
    plain = [index for index in range(start, start + length) if not any(index in gap for gap in excluded)]
    assert list(eligible) == plain
    assert eligible.count == len(plain)
    ranks = {index: rank for rank, index in enumerate(plain)}
    for index in range(-1, 80):
        assert eligible.rank(index) == ranks.get(index)
    assert [eligible.index_at(rank) for rank in range(len(plain))] == plain


@given(excluded=gaps, order=st.randoms(use_true_random=False))
def test_equal_sets_have_equal_hashes(excluded: list[IndexRange], order: object) -> None:
    eligible = EligibleSet(0, 50, excluded)
    one_by_one = [IndexRange(i, i + 1, "again") for i in range(50) if eligible.rank(i) is None]
    other = EligibleSet(0, 50, one_by_one[::-1])
    assert eligible.spans == other.spans
    assert eligible.digest(7) == other.digest(7)
    assert eligible.digest(7) != eligible.digest(8)


def test_different_sets_have_different_hashes() -> None:
    sets = [EligibleSet(0, 50), EligibleSet(0, 49), EligibleSet(1, 50), EligibleSet(0, 50, [IndexRange(7, 8)])]
    assert len({eligible.digest(7) for eligible in sets}) == len(sets)


def test_the_hash_is_over_the_documented_text() -> None:
    text = "uncap eligible v1\n7\n0 10\n20 30\n"
    assert EligibleSet(0, 30, [IndexRange(10, 20)]).digest(7) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (6, 5), (0, (1 << 28) + 1)])
def test_ranges_that_are_none(start: int, stop: int) -> None:
    with pytest.raises(InputError) as caught:
        EligibleSet(start, stop)
    assert caught.value.code == "index_range_malformed"


@pytest.mark.parametrize("rank", [-1, 5])
def test_ranks_outside(rank: int) -> None:
    with pytest.raises(ValueError, match="rank"):
        EligibleSet(0, 5).index_at(rank)
