"""SSCCs of a file against the registry's runs: the same answer as one by one, and one reading for a whole file."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.adapters.intake.pallets import pallet_lookup
from uncap.adapters.pallet_numbers import PalletNumbers, PalletRun
from uncap.domain.codes.links import check_digit


class Registry(PalletNumbers):
    def __init__(self, runs: list[PalletRun]) -> None:
        self.known, self.readings = runs, 0

    def runs(self) -> list[PalletRun]:
        self.readings += 1
        return self.known


def sscc(body: int) -> bytes:
    return f"{body:017d}{check_digit(f'{body:017d}')}".encode()


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 9)), max_size=4),
    st.lists(st.integers(0, 150), min_size=1, max_size=20),
)
def test_pallets_are_found_as_one_by_one(steps: list[tuple[int, int]], bodies: list[int]) -> None:
    runs, at = [], 0
    for number, (gap, size) in enumerate(steps):
        at += gap
        runs.append(PalletRun(number + 5, at, size))
        at += size
    registry = Registry(runs)
    find = pallet_lookup(registry)
    for _ in range(2):
        batches, indices = find(np.array([sscc(body) for body in bodies]))
    wanted = [
        next(
            ((run.batch_no, body - run.first_body) for run in runs if run.first_body <= body < run.stop_body), (-1, -1)
        )
        for body in bodies
    ]
    assert list(zip(batches.tolist(), indices.tolist(), strict=True)) == wanted
    assert registry.readings == 1
