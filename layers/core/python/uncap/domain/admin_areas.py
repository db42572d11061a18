"""Administrative codes of China (GB/T 2260) and the areas a customer has supplied approved geometry for. Pure.

No geometry ships with uncap: a border needs a map approval (审图号), which the customer's supplier has. A code is three
pairs of digits: province, prefecture, county; 00 stands for "all of it".
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from uncap.domain.errors import InputError

_REGIONS = {1: "12345", 2: "123", 3: "1234567", 4: "123456", 5: "01234", 6: "12345", 7: "1", 8: "12"}
PROVINCES = frozenset(f"{region}{digit}" for region, digits in _REGIONS.items() for digit in digits)
"""The first pairs in use, GB/T 2260-2007 table 1."""
AdminCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}$(?!\n)", max_length=6, description="GB/T 2260")]


class AdminArea(msgspec.Struct, frozen=True, omit_defaults=True):
    """An area's cells (compacted, resolution 7), from the customer's approved map `approval_no` (审图号)."""

    code: str
    name: str
    approval_no: str
    cells: tuple[str, ...]
    version: int = 1


def check_code(code: str, where: str = "code") -> str:
    """The code. Raises InputError (`admin_code_unknown`): not six digits, no such province, county of no prefecture."""
    pairs = code[:2], code[2:4], code[4:]
    well_formed = len(code) == 6 and code.isascii() and code.isdecimal()
    if not well_formed or pairs[0] not in PROVINCES or (pairs[1] == "00" and pairs[2] != "00"):
        raise InputError("admin_code_unknown", f"not a code of GB/T 2260: {code[:12]!r}", where=where)
    return code


def prefix_of(code: str) -> str:
    """What the codes of an area and all its parts begin with."""
    return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code


def covers(code: str, other: str) -> bool:
    """Is `other` the area of `code` or a part of it?"""
    return other.startswith(prefix_of(code))


def areas_of(code: str, known: Iterable[str]) -> tuple[str, ...]:
    """The known codes whose areas together make up `code`: itself if it is known, else the widest known parts of it."""
    parts = sorted({one for one in known if covers(code, one)})
    if code in parts:
        return (code,)
    return tuple(one for one in parts if not any(covers(wider, one) for wider in parts if wider != one))
