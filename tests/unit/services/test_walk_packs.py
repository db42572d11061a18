"""Walking the packing both ways, against packings drawn at random and kept item by item."""

import random
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.adapters.catalog import Catalog
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.catalog import CodeBatch
from uncap.domain.errors import InputError
from uncap.domain.ranges import runs
from uncap.services import walk_packs
from uncap.services.roll_order import RollOrder
from uncap.services.walk_packs import with_contents, with_packs

UNITS, CASES, PALLETS = 7, 8, 9


class Packed:
    """Units in cases in any order, cases on pallets of three in order."""

    def __init__(self, seed: int, units: int = 60) -> None:
        drawn = random.Random(seed)
        self.case_of = {unit: drawn.randrange(12) for unit in range(units) if drawn.random() < 0.9}

    def parent_of(self, unit: UnitRef, at_ms: int | None = None) -> UnitRef | None:
        if unit.batch_no == UNITS and unit.index in self.case_of:
            return UnitRef(CASES, self.case_of[unit.index])
        return UnitRef(PALLETS, unit.index // 3) if unit.batch_no == CASES else None

    def children_of(self, unit: UnitRef, at_ms: int | None = None) -> Sequence[UnitSpan]:
        if unit.batch_no == CASES:
            found = runs([unit_no for unit_no, case in self.case_of.items() if case == unit.index])
            return [UnitSpan(UNITS, one.start, one.stop) for one in found]
        return [UnitSpan(CASES, unit.index * 3, unit.index * 3 + 3)] if unit.batch_no == PALLETS else []


class NoDocuments:
    def get(self, pk: str, sk: str, *, consistent: bool = False) -> str | None:
        return None

    def query(self, pk: str, *, consistent: bool = False) -> Sequence[tuple[str, str]]:
        return ()


EMPTY = Catalog(NoDocuments(), lambda: 0, 0)


def things(spans: Sequence[UnitSpan]) -> set[UnitRef]:
    return {UnitRef(span.batch_no, index) for span in spans for index in range(span.start, span.stop)}


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(1, 60))
def test_packs_over_units(seed: int, start: int, length: int) -> None:
    packed, span = Packed(seed), UnitSpan(UNITS, start, min(start + length, 60))
    cases = {packed.case_of[unit] for unit in range(span.start, span.stop) if unit in packed.case_of}
    expected = things([span]) | {UnitRef(CASES, case) for case in cases} | {UnitRef(PALLETS, c // 3) for c in cases}
    assert things(with_packs(packed, EMPTY, [span])) == expected


@given(st.integers(0, 10**6), st.integers(0, 3), st.integers(1, 4))
def test_contents_of_pallets(seed: int, start: int, length: int) -> None:
    packed, span = Packed(seed), UnitSpan(PALLETS, start, min(start + length, 4))
    cases = set(range(span.start * 3, span.stop * 3))
    units = {unit for unit, case in packed.case_of.items() if case in cases}
    expected = things([span]) | {UnitRef(CASES, c) for c in cases} | {UnitRef(UNITS, unit) for unit in units}
    assert things(with_contents(packed, EMPTY, [span])) == expected


def test_bottles_are_not_asked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk_packs, "MAX_LOOKUPS", 10)
    spans = [UnitSpan(UNITS, 0, 1 << 20)]
    assert with_contents(Packed(1), EMPTY, spans) == spans
    with pytest.raises(InputError, match="range_too_wide"):
        with_contents(Packed(1), EMPTY, [UnitSpan(PALLETS, 0, 4)])


class Documents(NoDocuments):
    def __init__(self, batches: list[CodeBatch]) -> None:
        self._docs = {f"batch#{one.batch_no}": msgspec.json.encode(one).decode() for one in batches}

    def query(self, pk: str, *, consistent: bool = False) -> Sequence[tuple[str, str]]:
        return [("meta", self._docs[pk])] if pk in self._docs else []


def test_roll_order_both_ways_and_a_whole_batch_at_once() -> None:
    units = CodeBatch(UNITS, "u", 1_000_001, 1, (), units_per_case=24, case_batch_no=CASES)
    cases = CodeBatch(CASES, "c", 41_667, 1, (), level="case", unit_batch_no=UNITS)
    catalog = Catalog(Documents([units, cases]), lambda: 0, 0)
    order = RollOrder(catalog)
    assert order.parent_of(UnitRef(UNITS, 47)) == UnitRef(CASES, 1)
    assert order.parent_of(UnitRef(UNITS, 1_000_001)) is None
    assert order.parent_of(UnitRef(5, 0)) is None
    assert order.children_of(UnitRef(CASES, 41_666)) == (UnitSpan(UNITS, 999_984, 1_000_001),)
    assert order.children_of(UnitRef(CASES, 41_667)) == ()
    whole = [UnitSpan(UNITS, 0, 1_000_001), UnitSpan(CASES, 0, 41_667)]
    assert with_packs(order, catalog, whole[:1]) == whole
    assert with_contents(order, catalog, whole[1:]) == whole
    assert with_packs(order, catalog, [UnitSpan(UNITS, 20, 30)]) == [UnitSpan(UNITS, 20, 30), UnitSpan(CASES, 0, 2)]
