"""The Merkle tree against RFC 6962's recursive definition, and its inclusion proofs."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.prizes import merkle


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(index, hashlib.sha256(b"%d" % index).digest()) for index in range(count)]


def by_definition(nodes: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1 over leaf hashes: split at the largest power of two below n."""
    if not nodes:
        return hashlib.sha256(b"").digest()
    if len(nodes) == 1:
        return nodes[0]
    split = 1 << (len(nodes) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + by_definition(nodes[:split]) + by_definition(nodes[split:])).digest()


@pytest.mark.parametrize("count", [*range(20), 63, 64, 65, 100])
def test_root_is_the_standards(count: int) -> None:
    assert merkle.root(leaves(count)) == by_definition(leaves(count))


@settings(max_examples=50)
@given(count=st.integers(1, 70), data=st.data())
def test_proofs_prove_their_leaf_and_no_other(count: int, data: st.DataObject) -> None:
    tree = leaves(count)
    position = data.draw(st.integers(0, count - 1))
    root, path = merkle.root(tree), merkle.proof(tree, position)
    assert len(path) <= (count - 1).bit_length()
    assert merkle.included(root, tree[position], position, count, path)
    assert not merkle.included(root, leaves(count + 1)[-1], position, count, path)
    assert not merkle.included(root, tree[position], position, count, [*path, bytes(32)])
    assert not merkle.included(root, tree[position], count, count, path)
    if path:
        assert not merkle.included(root, tree[position], position, count, path[:-1])
        assert not merkle.included(root, tree[position], position, count, [bytes(32), *path[1:]])


def test_leaf_and_code_hashes_are_the_documented_ones() -> None:
    code = hashlib.sha256(b"uncap code v1\n09520123456788/1E5ZNQ38SXZSYYC86").digest()
    assert merkle.code_hash("09520123456788", "1E5ZNQ38SXZSYYC86") == code
    assert merkle.leaf_hash(258, code) == hashlib.sha256(b"\x00\x00\x00\x01\x02" + code).digest()
    assert merkle.code_hashes("09520123456788", ["1E5ZNQ38SXZSYYC86"] * 2) == code * 2


def test_index_and_order_matter() -> None:
    hashes = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(3))
    roots = {merkle.root_of(indices, hashes) for indices in ([0, 1, 2], [0, 1, 3], [1, 0, 2])}
    assert len(roots) == 3
    with pytest.raises(ValueError, match="argument"):
        merkle.root_of([0, 1], hashes)
    with pytest.raises(ValueError, match="32 bytes"):
        merkle.root_of([0, 1], hashes[:-1])
    with pytest.raises(ValueError, match="leaves"):
        merkle.proof(leaves(3), 3)
