"""The rows of an association file as numpy columns: what readers of files hand over, what is applied. Intake only."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Refs:
    """Logistic units, one per row. `fault` is a `codes.reading.Fault`; the rest means something only where it is 0."""

    batch_no: I64
    index: I64
    fault: U8

    def __len__(self) -> int:
        return len(self.batch_no)

    def take(self, at: slice | I64 | Flags) -> "Refs":
        """These rows of it."""
        return Refs(self.batch_no[at], self.index[at], self.fault[at])


@dataclass(frozen=True, slots=True)
class Rows:
    """A chunk of one association file: child packed into parent at `at_ms`, or taken out of it where `delete`.

    `line` is what people find the row by (an EPCIS event's number for all of its children). A delete may leave the
    parent's `batch_no` at -1: out of whatever it is in. All columns have one length.
    """

    line: I64
    child: Refs
    parent: Refs
    delete: Flags
    at_ms: I64

    def __len__(self) -> int:
        return len(self.line)

    def take(self, at: slice | I64 | Flags) -> "Rows":
        """These rows of it."""
        return Rows(self.line[at], self.child.take(at), self.parent.take(at), self.delete[at], self.at_ms[at])


def joined(chunks: list[Rows]) -> Rows:
    """The chunks one after another; at least one."""
    return Rows(
        np.concatenate([one.line for one in chunks]),
        joined_refs([one.child for one in chunks]),
        joined_refs([one.parent for one in chunks]),
        np.concatenate([one.delete for one in chunks]),
        np.concatenate([one.at_ms for one in chunks]),
    )


def joined_refs(parts: list[Refs]) -> Refs:
    """The parts one after another; at least one."""
    return Refs(
        np.concatenate([one.batch_no for one in parts]),
        np.concatenate([one.index for one in parts]),
        np.concatenate([one.fault for one in parts]),
    )
