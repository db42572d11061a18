"""The Merkle tree over (index, hash of the code) of a release's eligible units, hashed as in RFC 6962 section 2.1.

The console commits to the root; `published.py` recomputes it; a proof shows one holder that their code was in the draw.
Publishing the hashes gives no code away: a serial is 80 unguessable bits.
"""

import hashlib
from collections.abc import Iterable, Sequence

HASH_BYTES = 32


def code_hash(gtin: str, serial: str) -> bytes:
    """SHA-256 of "uncap code v1" LF, GTIN of 14 digits, "/", upper-case serial. The serial of the hidden inner code."""
    return hashlib.sha256(f"uncap code v1\n{gtin}/{serial}".encode()).digest()


def code_hashes(gtin: str, serials: Iterable[str]) -> bytes:
    """The hashes of many codes, 32 bytes each, one after the other: the form that is published."""
    return b"".join(code_hash(gtin, serial) for serial in serials)


def leaf_hash(index: int, hashed_code: bytes) -> bytes:
    """SHA-256 of 00, the unit index as 4 bytes (big-endian), the code's hash."""
    return hashlib.sha256(b"\x00" + index.to_bytes(4, "big") + hashed_code).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(indices: Iterable[int], hashes: bytes) -> bytes:
    """The root over the n-th index with the n-th 32 bytes of `hashes`. Raises ValueError if there are not as many."""
    if len(hashes) % HASH_BYTES:
        raise ValueError("code hashes are 32 bytes each")
    pieces = (hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))
    return root(leaf_hash(index, piece) for index, piece in zip(indices, pieces, strict=True))


Stack = list[tuple[int, bytes]]
"""The unfinished tree over the leaves so far: (height, hash) of its whole subtrees, the largest first."""


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, in memory for one hash per level. No leaves: SHA-256 of nothing."""
    return finished(grown([], leaves))


def grown(stack: Stack, leaves: Iterable[bytes]) -> Stack:
    """The tree with more leaves, from a stack that may have been stored in between; the given one is used up."""
    for leaf in leaves:
        height, value = 0, leaf
        while stack and stack[-1][0] == height:
            value = _node(stack.pop()[1], value)
            height += 1
        stack.append((height, value))
    return stack


def finished(stack: Stack) -> bytes:
    """The root of a tree that gets no more leaves."""
    if not stack:
        return hashlib.sha256().digest()
    *rest, (_, value) = stack
    for _, left in reversed(rest):
        value = _node(left, value)
    return value


def proof(leaves: Sequence[bytes], position: int) -> list[bytes]:
    """The audit path of leaf number `position`, from the leaf's sibling up."""
    if not 0 <= position < len(leaves):
        raise ValueError(f"there are {len(leaves)} leaves, no number {position}")
    path: list[bytes] = []
    level = list(leaves)
    while len(level) > 1:
        sibling = position ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level = [_node(*level[at : at + 2]) if at + 1 < len(level) else level[at] for at in range(0, len(level), 2)]
        position //= 2
    return path


def included(root_hash: bytes, leaf: bytes, position: int, size: int, path: Sequence[bytes]) -> bool:
    """Whether `path` proves that `leaf` is number `position` of the `size` leaves under `root_hash`."""
    if not 0 <= position < size:
        return False
    value, rest = leaf, list(reversed(path))
    while size > 1:
        if position ^ 1 < size:
            if not rest:
                return False
            sibling = rest.pop()
            value = _node(sibling, value) if position % 2 else _node(value, sibling)
        position, size = position // 2, (size + 1) // 2
    return not rest and value == root_hash
