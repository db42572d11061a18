"""SSCCs of a file to pallets, by the million: the registry is read once per file (`PalletOf` of codes/reading)."""

import functools

import numpy as np
import numpy.typing as npt

from uncap.adapters.pallet_numbers import PalletNumbers
from uncap.domain.codes.reading import Codes, PalletOf
from uncap.domain.codes.sscc_bulk import LENGTH, bodies_of

I64 = npt.NDArray[np.int64]


def pallet_lookup(numbers: PalletNumbers) -> PalletOf:
    """For one file. The runs are read at the first pallet. Raises TransientError then."""

    @functools.cache
    def runs() -> tuple[I64, I64, I64]:
        known = numbers.runs()
        columns = ([run.first_body for run in known], [run.stop_body for run in known], [run.batch_no for run in known])
        first, stop, batch = (np.array(column, np.int64) for column in columns)
        return first, stop, batch

    def find(sscc: Codes) -> tuple[I64, I64]:
        first, stop, batch = runs()
        nothing = np.full(len(sscc), -1, np.int64)
        if not len(first):
            return nothing, nothing
        bodies = bodies_of(sscc.view(np.uint8).reshape(len(sscc), LENGTH))
        at = np.maximum(np.searchsorted(first, bodies, side="right") - 1, 0)
        hit = (bodies >= first[at]) & (bodies < stop[at])
        return np.where(hit, batch[at], -1), np.where(hit, bodies - first[at], -1)

    return find
