"""Packing structures: what may stand on what, and how many lie in one."""

import pytest

from uncap.domain.catalog import Pack, Product, Role
from uncap.domain.errors import InputError
from uncap.domain.packing import check_packs, holds_of, packs_of, units_in

BOX, CASE = "09520123456795", "19520123456785"


@pytest.mark.parametrize(("layout", "holds"), [("6x4", 24), ("12x1", 12), ("24x1", 24), ("4x3x2", 24)])
def test_layouts_multiply(layout: str, holds: int) -> None:
    assert holds_of(layout) == holds
    assert check_packs("unit", (Pack("case", 0, CASE, layout),)) == (Pack("case", holds, CASE, layout),)


@pytest.mark.parametrize("layout", ["", "6", "6x", "0x4", "6x-1", "６x4", "6x4x2x1x1", "6 x 4"])
def test_what_is_no_layout(layout: str) -> None:
    with pytest.raises(InputError, match="pack_invalid"):
        holds_of(layout)


def test_six_in_a_box_four_boxes_in_a_case_sixty_cases_on_a_pallet() -> None:
    packs = check_packs("unit", (Pack("box", 6, BOX), Pack("case", 4, CASE), Pack("pallet", 60)))
    assert [units_in(packs, level) for level in range(3)] == [6, 24, 1_440]


def test_boxes_may_lie_in_boxes() -> None:
    assert len(check_packs("unit", (Pack("box", 6, BOX), Pack("box", 4, CASE)))) == 2


@pytest.mark.parametrize(
    ("level", "packs"),
    [
        ("case", (Pack("box", 6, BOX),)),  # downwards
        ("unit", (Pack("pallet", 60), Pack("case", 4, CASE))),  # on a pallet nothing stands but goods
        ("unit", (Pack("box", 6),)),  # a box without a GTIN
        ("unit", (Pack("pallet", 60, CASE),)),  # a pallet with one
        ("unit", (Pack("case", 25, CASE, "6x4"),)),  # the layout says 24
        ("unit", (Pack("case", 0, CASE),)),
        ("unit", (Pack("case", 10_001, CASE),)),
        ("unit", (Pack("crate", 6, CASE),)),
        ("unit", (Pack("box", 6, BOX), Pack("case", 4, BOX))),  # one GTIN twice
        ("unit", tuple(Pack("box", 2, f"{at:014d}") for at in range(9))),
    ],
)
def test_what_cannot_be_packed(level: str, packs: tuple[Pack, ...]) -> None:
    with pytest.raises(InputError, match="pack_invalid"):
        check_packs(level, packs)


def test_a_product_stored_before_packs_still_has_its_case() -> None:
    old = Product("09520123456788", {}, (Role.CAP_INNER,), units_per_case=24, case_gtin=CASE)
    assert packs_of(old) == (Pack("case", 24, CASE),)
    assert packs_of(Product("09520123456788", {}, (Role.CAP_INNER,))) == ()
