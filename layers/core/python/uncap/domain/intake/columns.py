"""Which column is what: header names in English and Chinese, matched to the fields a kind of file has.

Used by every tabular reader. A kind of file declares its `Field`s; `match` finds their columns or says what is missing.
Names are compared after NFKC, without case, spaces, `_`, `-` and the unit in brackets behind them.
"""

import re
import unicodedata
from collections.abc import Sequence

import msgspec

from uncap.domain.errors import InputError
from uncap.domain.intake.faults import echo


class Field(msgspec.Struct, frozen=True):
    """One field: its name in our words, the other names it goes by, best first, and whether a file must have it."""

    name: str
    names: tuple[str, ...] = ()
    required: bool = False


_CHILD = (
    "url,link,code,unit,item,bottle,child code,unit code,"
    "子码,子级码,下级码,瓶码,单品码,产品码,物品码,盒码,盖内码,盖外码,小码"
)
_PARENT = "case,box,carton,pallet,parent code,case code,父码,父级码,上级码,箱码,箱外码,外箱码,包装码,垛码,托盘码,大码"
_ACTION = "op,operation,操作,动作,操作类型,动作类型"
_AT = "time,timestamp,at ms,date time,event time,packed at,时间,关联时间,采集时间,扫描时间,操作时间,生产时间,装箱时间"
ASSOCIATION = (
    Field("child", tuple(_CHILD.split(",")), required=True),
    Field("parent", tuple(_PARENT.split(",")), required=True),
    Field("action", tuple(_ACTION.split(","))),
    Field("at", tuple(_AT.split(","))),
)
"""The columns of an association file."""


def match(header: Sequence[str], fields: Sequence[Field], where: str = "line 1") -> dict[str, int]:
    """Field name → column. Of two columns for one field the better name wins; the same name twice is refused.

    Raises InputError (`header_ambiguous`, `header_missing`) at `where`.
    """
    cells = [fold(cell) for cell in header]
    found: dict[str, int] = {}
    for field in fields:
        for name in (field.name, *field.names):
            count = cells.count(fold(name))
            if count > 1:
                raise InputError("header_ambiguous", f"two columns are called {echo(name)!r}", where=where)
            if count:
                found[field.name] = cells.index(fold(name))
                break
    missing = [field.name for field in fields if field.required and field.name not in found]
    if missing:
        shown = ", ".join(echo(cell) for cell in header[:8])
        raise InputError(
            "header_missing",
            f"{where} must name the columns; no {' and no '.join(missing)} among: {shown}",
            where=where,
        )
    return found


def fold(name: str) -> str:
    """A header cell as it is compared."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\s_\-]+|\([^()]*\)$|\*$", "", text.strip())
