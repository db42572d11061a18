"""The permutation: bijective, the same one by one and over arrays, FF1 where FF1 is allowed."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.codes import ff1
from uncap.domain.prizes.bulk import BulkPermutation
from uncap.domain.prizes.permutation import (
    WALK_FROM,
    StoredShuffle,
    WalkedPermutation,
    permutation,
    sort_keys,
)

KEY = hashlib.sha256(b"a draw key for tests").digest()
keys = st.binary(min_size=32, max_size=32)


@settings(max_examples=40)
@given(key=keys, size=st.integers(0, 500))
def test_stored_shuffle_is_a_bijection_and_agrees_with_bulk(key: bytes, size: int) -> None:
    shuffle, bulk, everyone = permutation(key, size), BulkPermutation(key, size), np.arange(size, dtype=np.int64)
    positions = [shuffle.position(rank) for rank in range(size)]
    assert sorted(positions) == list(range(size))
    assert [shuffle.rank(position) for position in positions] == list(range(size))
    assert bulk.positions(everyone).tolist() == positions
    assert bulk.ranks(np.array(positions, np.int64)).tolist() == list(range(size))


@pytest.mark.parametrize("size", [WALK_FROM, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_walked_permutation_is_a_bijection_and_agrees_with_single(size: int) -> None:
    bulk = BulkPermutation(KEY, size)
    everyone = np.arange(size, dtype=np.int64)
    positions = bulk.positions(everyone)
    assert (np.bincount(positions, minlength=size) == 1).all()
    assert (bulk.ranks(positions) == everyone).all()
    single = permutation(KEY, size)
    for rank in range(0, size, size // 100):
        position = single.position(rank)
        assert position == positions[rank]
        assert single.rank(position) == rank


@settings(max_examples=40)
@given(key=keys, size=st.integers(WALK_FROM, 1 << 32), data=st.data())
def test_each_step_of_the_walk_is_ff1_on_bits(key: bytes, size: int, data: st.DataObject) -> None:
    bits = (size - 1).bit_length()
    rank = data.draw(st.integers(0, size - 1))
    value = rank
    while True:
        numerals = ff1.encrypt(key, b"", 2, [int(bit) for bit in f"{value:0{bits}b}"])
        value = int("".join(map(str, numerals)), 2)
        if value < size:
            break
    walked = WalkedPermutation(key, size)
    assert walked.position(rank) == value
    assert walked.rank(value) == rank


def test_the_shuffle_is_the_documented_one() -> None:
    """Ranks ordered by the first eight bytes of AES-256 of the rank's number as a block."""
    aes = ff1.block_encryptor(KEY)
    order = sorted(range(300), key=lambda rank: (aes.update(rank.to_bytes(16, "big"))[:8], rank))
    shuffle = StoredShuffle(KEY, 300)
    assert [shuffle.rank(position) for position in range(300)] == order
    assert len(sort_keys(KEY, 300)) == 300 * 16


def test_positions_look_uniform() -> None:
    """First ranks of many draws, in ten cells: chi-square with 9 degrees of freedom, 99.9 % bound 27.9, fixed keys."""
    for size in (1000, WALK_FROM):
        cells = np.zeros(10)
        for draw in range(1000 if size < WALK_FROM else 300):
            key = hashlib.sha256(b"%d" % draw).digest()
            cells[permutation(key, size).position(0) * 10 // size] += 1
        expected = cells.sum() / 10
        assert ((cells - expected) ** 2 / expected).sum() < 27.9


def test_other_keys_are_other_permutations() -> None:
    other = hashlib.sha256(KEY).digest()
    for size in (1000, WALK_FROM):
        ranks = np.arange(1000, dtype=np.int64)
        assert (BulkPermutation(KEY, size).positions(ranks) != BulkPermutation(other, size).positions(ranks)).any()


@pytest.mark.parametrize("size", [10, WALK_FROM])
@pytest.mark.parametrize("value", [-1, WALK_FROM])
def test_values_outside_are_refused(size: int, value: int) -> None:
    single, bulk = permutation(KEY, size), BulkPermutation(KEY, size)
    for work in (single.position, single.rank):
        with pytest.raises((ValueError, IndexError)):
            work(value)
    for bulk_work in (bulk.positions, bulk.ranks):
        with pytest.raises(ValueError, match="outside"):
            bulk_work(np.array([value], np.int64))


def test_keys_and_sizes_that_are_none() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        permutation(bytes(16), 10)
    with pytest.raises(ValueError, match="32 bytes"):
        BulkPermutation(bytes(16), 10)
    with pytest.raises(ValueError, match="walking"):
        WalkedPermutation(KEY, (1 << 32) + 1)
