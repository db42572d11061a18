"""How goods are packed, as data: levels, how many go into one, and how they lie in it. Pure.

Used by `services/create_product.py` and `services/create_batch.py`. A product carries every level above it; levels may
repeat (a box in a box) but never descend, and a pallet comes last and has no GTIN.
"""

import re

from uncap.domain.catalog import Pack, Product
from uncap.domain.errors import InputError

LEVELS = ("unit", "box", "case", "pallet")
MAX_LEVELS = 8
MAX_PACK = 10_000
_LAYOUT = re.compile(r"[1-9][0-9]{0,3}(x[1-9][0-9]{0,3}){1,3}", re.ASCII)


def holds_of(layout: str) -> int:
    """How many lie in "6x4" or "4x3x2". Raises InputError (`pack_invalid`)."""
    if not _LAYOUT.fullmatch(layout):
        raise InputError("pack_invalid", 'a layout is written "6x4" or "4x3x2"', where="packs")
    count = 1
    for factor in layout.split("x"):
        count *= int(factor)
    return count


def check_pack(below: str, pack: Pack) -> Pack:
    """`pack` with `holds` filled in, if it may come next above a thing of level `below`. Raises InputError."""
    holds = pack.holds or (holds_of(pack.layout) if pack.layout else 0)
    if not 1 <= holds <= MAX_PACK or (pack.layout and holds_of(pack.layout) != holds):
        raise InputError("pack_invalid", f"one {pack.level} holds 1 to {MAX_PACK}, as its layout says", where="packs")
    if pack.level not in LEVELS[1:] or LEVELS.index(pack.level) < LEVELS.index(below) or below == "pallet":
        raise InputError("pack_invalid", f"a {below} is not packed in a {pack.level}", where="packs")
    if (pack.level == "pallet") != (not pack.gtin):
        raise InputError("pack_invalid", "boxes and cases have a GTIN, a pallet has none", where="packs")
    return Pack(pack.level, holds, pack.gtin, pack.layout)


def check_packs(level: str, packs: tuple[Pack, ...]) -> tuple[Pack, ...]:
    """The whole structure above a thing of `level`, next level first. Raises InputError (`pack_invalid`)."""
    if len(packs) > MAX_LEVELS:
        raise InputError("pack_invalid", f"at most {MAX_LEVELS} levels of packing", where="packs")
    checked: list[Pack] = []
    for pack in packs:
        checked.append(check_pack(level, pack))
        level = pack.level
    gtins = [pack.gtin for pack in checked if pack.gtin]
    if len(set(gtins)) != len(gtins):
        raise InputError("pack_invalid", "every level has a GTIN of its own", where="packs")
    return tuple(checked)


def packs_of(product: Product) -> tuple[Pack, ...]:
    """The structure above a product, also of one stored before `packs` was kept: its case then."""
    if product.packs or not product.case_gtin:
        return product.packs
    return (Pack("case", product.units_per_case, product.case_gtin),)


def units_in(packs: tuple[Pack, ...], level: int) -> int:
    """How many of the lowest things one thing of `packs[level]` holds."""
    count = 1
    for pack in packs[: level + 1]:
        count *= pack.holds
    return count
