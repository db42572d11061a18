"""The entries of a closing draw on their way into the committed list, and what became of its prizes. Values (ADR 0028).

Filled by `services/enter_claims.py`, drawn from by `grant_closing.py`, kept by `adapters/closing_entries.py`.
"""

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import Protocol

import msgspec

from uncap.domain.catalog import Role
from uncap.domain.prizes import merkle
from uncap.domain.prizes.closing import TAG_BYTES, Replaced, entry_id
from uncap.domain.scans import CodeRef

CHUNK = 4_096
"""Entries of one stored item: 98 KB of the 400 KB it may have."""
_ROW = Struct(f">II{TAG_BYTES}s")
ROW_BYTES = _ROW.size


class Entering(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the walk over Scans stands: `segment` is being read from the key `start`; `count` entries are stored.

    `stack`: the Merkle tree so far, (height, hex). `until_ms`: the last claim's time that the walk counted on. `rev`
    counts the writes, each of which expects the one before.
    """

    until_ms: int
    segment: int = 0
    start: str = ""
    count: int = 0
    stack: tuple[tuple[int, str], ...] = ()
    root: str = ""
    rev: int = 0

    @property
    def is_complete(self) -> bool:
        return bool(self.root)

    @property
    def tail(self) -> int:
        """Entries in the last, unfinished chunk."""
        return self.count % CHUNK


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """`drawn`: places in the list, winners and runners-up. `given`: every prize has been granted, or passed on, once.

    `settled`: none of them is open any more, what is left of the budget is booked.
    """

    drawn: tuple[int, ...]
    replaced: tuple[Replaced, ...] = ()
    given: bool = False
    settled: bool = False
    rev: int = 0


class ClosingStore(Protocol):
    """Entries and outcomes in the Ledger. Raises ConflictError (`closing_moved`: another run is at work),
    TransientError."""

    def entering(self, campaign_id: str) -> Entering | None:
        """Where the walk stands, strongly consistent."""
        ...

    def save_entering(self, campaign_id: str, entering: Entering, chunks: Mapping[int, bytes]) -> None:
        """Revision `entering.rev` with the chunks it counts, all or nothing, if the stored one is the one before."""
        ...

    def rows(self, campaign_id: str, number: int) -> bytes:
        """One chunk's rows. PoisonError (`entries_missing`)."""
        ...

    def outcome(self, campaign_id: str) -> Outcome | None:
        """What was drawn, strongly consistent."""
        ...

    def save_outcome(self, campaign_id: str, outcome: Outcome) -> None:
        """Revision `outcome.rev`, if the stored one is the one before."""
        ...


def row_of(ref: CodeRef, tag: bytes) -> bytes:
    """A stored entry: the code's reference, which is never published, and its person's tag."""
    return _ROW.pack(ref.batch_no << 8 | int(ref.role), ref.index, tag)


def ref_of(row: bytes) -> CodeRef:
    """The code an entry stands for."""
    first, index, _ = _ROW.unpack(row)
    return CodeRef(first >> 8, index, Role(first & 0xFF))


def tag_of(row: bytes) -> bytes:
    """The entry's person."""
    return row[-TAG_BYTES:]


def split(rows: bytes) -> Iterator[bytes]:
    """Row by row."""
    return (rows[at : at + ROW_BYTES] for at in range(0, len(rows), ROW_BYTES))


def public_entry(salt: bytes, row: bytes) -> bytes:
    """The entry as it is published."""
    return entry_id(salt, ref_of(row)) + tag_of(row)


def with_rows(entering: Entering, salt: bytes, rows: bytes) -> Entering:
    """Counted and hashed into the tree, in their order."""
    stack = [(height, bytes.fromhex(value)) for height, value in entering.stack]
    leaves = (merkle.leaf_hash(entering.count + at, public_entry(salt, row)) for at, row in enumerate(split(rows)))
    stack = merkle.grown(stack, leaves)
    count = entering.count + len(rows) // ROW_BYTES
    return msgspec.structs.replace(entering, count=count, stack=tuple((height, value.hex()) for height, value in stack))


def completed(entering: Entering) -> Entering:
    """With the root of the whole list."""
    stack = [(height, bytes.fromhex(value)) for height, value in entering.stack]
    return msgspec.structs.replace(entering, root=merkle.finished(stack).hex())
