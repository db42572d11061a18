"""Printed codes by the million, as arrays: links, bare serials and SSCCs to batch, index and role. Intake and benches.

Agrees with `scheme.Keyring.identify` code by code; FF1 runs in bulk (`bulk.py`). Never imported on the scan path.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from uncap.domain.catalog import Role

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.bytes_]

NO_ROLE = 255


class Fault(IntEnum):
    """Why a printed code names nothing. 0: it does."""

    NONE = 0
    MALFORMED = 1
    CHECK_DIGIT = 2
    NOT_ISSUED = 3
    GTIN_MISSING = 4


REASONS = {
    Fault.MALFORMED: "code_malformed",
    Fault.CHECK_DIGIT: "check_digit",
    Fault.NOT_ISSUED: "code_not_issued",
    Fault.GTIN_MISSING: "gtin_missing",
}
"""Fault → the stable reason people read (`domain/association/files.py`)."""

RolesOf = Callable[[str], Sequence[Role]]
"""The roles a GTIN-14's codes may have; empty for a product nobody knows. Asked once per GTIN and call."""

PalletOf = Callable[[Codes], tuple[I64, I64]]
"""SSCCs (S18, check digits right) to batch numbers and indices; batch -1 where nobody issued it."""


@dataclass(frozen=True, slots=True)
class ReadCodes:
    """Columns of one length. Where `fault` is not 0, `batch_no` and `index` are -1 and `role` is `NO_ROLE`.

    A pallet has no role and GTIN 0. Whether the batch exists and holds the index is for the caller to check.
    """

    batch_no: I64
    index: I64
    role: U8
    gtin: I64
    fault: U8
