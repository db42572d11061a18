"""SSCCs by the million over numpy buffers; agrees with `sscc.py` number by number. Exports and ingest use it.

Never imported on the scan path.
"""

import numpy as np
import numpy.typing as npt

from uncap.domain.codes.sscc import BODY_DIGITS, body_of
from uncap.domain.errors import InputError

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
LENGTH = BODY_DIGITS + 1
_POWERS = 10 ** np.arange(BODY_DIGITS - 1, -1, -1, dtype=np.int64)
# GS1 General Specifications 7.9: weights 3, 1, 3, … from the digit before the check digit leftwards.
_WEIGHTS = np.where(np.arange(BODY_DIGITS) % 2 == 0, 3, 1).astype(np.int64)
_ZERO = ord("0")


def ssccs(sscc_first: str, indices: I64) -> U8:
    """Shape (n, 18), ASCII, row i the SSCC of pallet `indices[i]`. Raises InputError (`sscc_malformed`)."""
    bodies = body_of(sscc_first) + indices
    if len(bodies) and not 0 <= int(bodies.min()) <= int(bodies.max()) < 10**BODY_DIGITS:
        raise InputError("sscc_malformed", f"an SSCC's body has {BODY_DIGITS} digits", where="sscc")
    digits = bodies[:, None] // _POWERS % 10
    out = np.empty((len(bodies), LENGTH), np.uint8)
    out[:, :BODY_DIGITS] = digits + _ZERO
    out[:, BODY_DIGITS] = -(digits @ _WEIGHTS) % 10 + _ZERO
    return out


def bodies_of(rows: U8) -> I64:
    """The bodies of rows of shape (n, 18); -1 where a row is not an SSCC. Nothing is raised for bad rows."""
    if rows.ndim != 2 or rows.shape[1] != LENGTH or rows.dtype != np.uint8:
        raise ValueError("rows are bytes of shape (n, 18)")
    digits = rows.astype(np.int64) - _ZERO
    good = ((digits >= 0) & (digits <= 9)).all(axis=1)
    body = digits[:, :BODY_DIGITS]
    good &= -(body @ _WEIGHTS) % 10 == digits[:, BODY_DIGITS]
    return np.where(good, body @ _POWERS, -1)


def indices_of(sscc_first: str, size: int, rows: U8) -> I64:
    """Which pallet of the batch each row names; -1 where it is another's or none. Raises InputError on `sscc_first`."""
    bodies = bodies_of(rows)
    at = bodies - body_of(sscc_first)
    return np.where((bodies >= 0) & (at >= 0) & (at < size), at, -1)
