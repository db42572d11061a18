"""How the rest of uncap asks what is packed in what. Kept by `adapters/association.py`; used by trace, flow, projector.

A logistic unit is named by batch and index, without a role: a bottle's inner and outer code name the same unit, and
boxes, cases and pallets are units of batches of their own (`CodeBatch.case_batch_no` names the batch one level up).
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class UnitRef(msgspec.Struct, frozen=True, order=True):
    """One thing at any level: index `index` of batch `batch_no`."""

    batch_no: int
    index: int


class UnitSpan(msgspec.Struct, frozen=True, order=True):
    """Neighbouring things of one batch, half open."""

    batch_no: int
    start: int
    stop: int


class AssociationReader(Protocol):
    """Both ways through the packing. Cached with a bounded age; raises TransientError."""

    def parent_of(self, unit: UnitRef, at_ms: int | None = None) -> UnitRef | None:
        """What it was packed in at that moment (now without one); None where it is loose, unpacked or unknown."""
        ...

    def children_of(self, unit: UnitRef, at_ms: int | None = None) -> Sequence[UnitSpan]:
        """What was directly in it at that moment, ordered; empty for a bottle or an empty case."""
        ...


def chain_of(reader: AssociationReader, unit: UnitRef, at_ms: int | None = None) -> tuple[UnitRef, ...]:
    """The unit, then what it is in, then what that is in: bottle, case, pallet. A loop in bad data ends it."""
    chain = [unit]
    while (parent := reader.parent_of(chain[-1], at_ms)) is not None and parent not in chain:
        chain.append(parent)
    return tuple(chain)
