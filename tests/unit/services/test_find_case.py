"""The case of a claim is the one in the stored packing: short cases, repacked bottles, loose ones, cases themselves."""

from collections.abc import Callable

import pytest

from tests.kits.cells import MemoryCells
from tests.kits.line_files import CASES, T0, UNITS, apply
from tests.kits.packing import Row
from uncap.adapters.association import StoredAssociation
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.catalog import CodeBatch, Role
from uncap.domain.errors import TransientError
from uncap.services.find_case import stored_case_of

BATCH = CodeBatch(UNITS, "09520123456788", 10_000, 1, (Role.CAP_INNER,), units_per_case=4, case_batch_no=CASES)
CASE_BATCH = CodeBatch(CASES, "09520123456788", 400, 1, (Role.CASE_INNER,))


class RollOfFour:
    """The default: four to a case, in order."""

    def parent_of(self, unit: UnitRef, at_ms: int | None = None) -> UnitRef | None:
        return UnitRef(CASES, unit.index // 4)

    def children_of(self, unit: UnitRef, at_ms: int | None = None) -> list[UnitSpan]:
        return [UnitSpan(UNITS, unit.index * 4, unit.index * 4 + 4)]


@pytest.fixture
def case_of() -> Callable[[CodeBatch, int, Role], str]:
    """A short case of three, a full one packed out of order, and later one bottle moved and one taken out."""
    store = MemoryCells()
    packed = [(0, 5), (1, 5), (2, 5), (3, 9), (11, 9), (7, 9), (6, 9)]
    apply(store, [Row(UnitRef(UNITS, unit), UnitRef(CASES, case), T0) for unit, case in packed], T0)
    taken_out = [Row(UnitRef(UNITS, unit), None, T0 + 1_000, delete=True) for unit in (2, 6)]
    moved = [*taken_out, Row(UnitRef(UNITS, 2), UnitRef(CASES, 10), T0 + 2_000)]
    apply(store, moved, T0 + 3_000)
    return stored_case_of(StoredAssociation(store, RollOfFour(), lambda: 0, 1))


def test_bottles_lie_where_files_say(case_of: Callable[[CodeBatch, int, Role], str]) -> None:
    found = {unit: case_of(BATCH, unit, Role.CAP_INNER) for unit in (0, 1, 2, 3, 11, 6, 8)}
    assert found == {0: "8.5", 1: "8.5", 2: "8.10", 3: "8.9", 11: "8.9", 6: "", 8: ""}
    assert case_of(BATCH, 0, Role.CAP_OUTER) == "8.5"
    assert case_of(CASE_BATCH, 5, Role.CASE_INNER) == "8.5", "a case is its own"


def test_roll_order_stands_where_no_file_and_no_hand_has_spoken() -> None:
    case_of = stored_case_of(StoredAssociation(MemoryCells(), RollOfFour(), lambda: 0, 1))
    assert [case_of(BATCH, unit, Role.CAP_INNER) for unit in (0, 3, 4)] == ["8.0", "8.0", "8.1"]


def test_a_table_that_does_not_answer_is_asked_again_by_the_stream() -> None:
    class Down(MemoryCells):
        def get(self, pk: str, sk: str) -> None:
            raise TransientError("table_unavailable", "no answer")

    with pytest.raises(TransientError):
        stored_case_of(StoredAssociation(Down(), RollOfFour(), lambda: 0, 1))(BATCH, 0, Role.CAP_INNER)
