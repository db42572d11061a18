"""What the association needs of a table: small conditional writes of cells (`adapters/association_cells.py`), facts of
batches, and how cells are keyed (docs/adr/0001, 0010). Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

BLOCK = 4_096
"""Children per block item."""
BIG = 1 << 20
"""Children per partition of a batch: 256 blocks and the algebraic items that begin there."""


class Cell(msgspec.Struct, frozen=True):
    """One item: `doc` JSON, `body` packed bytes, `v` its version or its file's generation."""

    pk: str
    sk: str
    doc: str
    body: bytes = b""
    v: int = 1

    @property
    def size(self) -> int:
        """Bytes as DynamoDB counts them: names and values."""
        return len("pkskdocvbody") + len(self.pk) + len(self.sk) + len(self.doc) + len(self.body) + 4


class CellStore(Protocol):
    """Strongly consistent unless said otherwise. All raise TransientError; repeating any call is safe."""

    def get(self, pk: str, sk: str) -> Cell | None:
        """The cell, or None."""
        ...

    def query(self, pk: str, low: str, high: str, *, consistent: bool = True) -> Iterator[Cell]:
        """Cells with low <= sk <= high, in order, page by page."""
        ...

    def save(self, cells: Sequence[Cell], conflict: str) -> None:
        """All or none, up to 90: each only if the stored version is v - 1 (v = 1: only if absent).

        Raises ConflictError with code `conflict`.
        """
        ...

    def put_all(self, cells: Iterable[Cell]) -> None:
        """Each on its own, only if absent or stored with a version not above v. Raises ConflictError (`file_moved`)."""
        ...

    def remove_all(self, keys: Iterable[tuple[str, str]], v: int) -> None:
        """Each only if its version is not above v; absent ones are fine."""
        ...


LEVELS = ("unit", "box", "case", "pallet")
"""Things are packed in things of a later level, so that nothing can come to be inside itself."""


class BatchFacts(msgspec.Struct, frozen=True):
    """What association asks about a batch. `pack`: how many go into one thing of the level above, 0 if unknown.

    `parent_gtin`: what it is packed in, "" if anything of a higher level will do. `parent_batch_no`: in roll order.
    """

    batch_no: int
    size: int
    gtin: str = ""
    pack: int = 0
    parent_gtin: str = ""
    parent_batch_no: int = 0
    level: str = "unit"

    def goes_into(self, parent: "BatchFacts") -> bool:
        """Whether things of this batch may be packed in things of that one."""
        if LEVELS.index(self.level) >= LEVELS.index(parent.level):
            return False
        return not self.parent_gtin or self.parent_gtin == parent.gtin


class BatchBook(Protocol):
    """Facts of batches; `services/batch_facts.py` reads them from the catalog. Raises TransientError."""

    def facts(self, batch_no: int) -> BatchFacts | None:
        """None: no such batch."""
        ...


def batch_pk(batch_no: int) -> str:
    """`head`, and the runs `z#…` that placed children of this batch, and for parents `down#…`, `in#…`."""
    return f"assoc#{batch_no}"


def part_pk(batch_no: int, index: int) -> str:
    """Partition of the batch that holds what is known about this child."""
    return f"assoc#{batch_no}#{index // BIG}"


def file_pk(file_id: str) -> str:
    """`meta`, and `issues#…`, `against#…`."""
    return f"assocfile#{file_id}"


def block_sk(index: int) -> str:
    """What the keys of everything in this child's block begin with."""
    return f"b{index % BIG // BLOCK:03d}#"


def run_sk(file_id: str, run: int) -> str:
    """How a file's run is named in keys."""
    return f"{file_id}#{run:05d}"
