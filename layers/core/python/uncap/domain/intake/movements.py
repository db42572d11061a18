"""The columns of files of shipments, receipts and returns, and what one of their rows says. Pure.

Read by `services/take_movements.py`; examples under `examples/movements/`.
"""

from collections.abc import Mapping
from datetime import tzinfo

import msgspec

from uncap.domain.errors import InputError
from uncap.domain.intake.columns import Field
from uncap.domain.intake.times import parse_time
from uncap.domain.movements import RECEIPT, RETURN, SHIPMENT

_ID_LENGTH = 24
_ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_GOODS = (
    Field(
        "code",
        (
            "link",
            "url",
            "sscc",
            "case code",
            "pallet",
            "case",
            "unit",
            "码",
            "二维码",
            "箱码",
            "垛码",
            "托盘码",
            "瓶码",
            "产品码",
        ),
    ),
    Field("batch_no", ("batch", "码批次", "码包号")),
    Field("start", ("from index", "first", "起始序号")),
    Field("stop", ("to index", "until", "结束序号")),
)
_AT = "time,timestamp,date,时间,日期"
COLUMNS: dict[str, tuple[Field, ...]] = {
    SHIPMENT: (
        Field(
            "document",
            ("shipment id", "shipment", "order", "发货单号", "发货单", "出库单号", "单号"),
            required=True,
        ),
        Field(
            "party",
            ("to party", "to", "receiver", "收货方", "收货方编号", "经销商编号", "客户编号"),
            required=True,
        ),
        Field("at", tuple(f"shipped at,{_AT},发货时间,发货日期,出库时间".split(","))),
        Field("other", ("from party", "from", "sender", "发货方", "发货方编号")),
        *_GOODS,
    ),
    RECEIPT: (
        Field("document", ("receipt id", "receipt", "收货单号", "收货单", "入库单号", "单号"), required=True),
        Field(
            "party",
            ("by", "at party", "receiver", "收货方", "收货方编号", "门店编号", "经销商编号"),
            required=True,
        ),
        Field("at", tuple(f"received at,{_AT},收货时间,收货日期,入库时间".split(","))),
        *_GOODS,
    ),
    RETURN: (
        Field("document", ("return id", "return", "退货单号", "退货单", "单号"), required=True),
        Field("other", ("from party", "from", "退货方", "退货方编号"), required=True),
        Field("party", ("to party", "to", "接收方", "接收方编号")),
        Field("at", tuple(f"returned at,{_AT},退货时间,退货日期".split(","))),
        Field("reason", ("why", "退货原因", "原因")),
        *_GOODS,
    ),
}


class PaperRow(msgspec.Struct, frozen=True):
    """One row: some goods of one paper. `at_ms` 0: when the file was announced. Without `code` it names a range."""

    line: int
    document: str
    party: str
    other: str
    at_ms: int
    reason: str
    code: str = ""
    batch_no: int = 0
    start: int = 0
    stop: int = 0

    @property
    def paper(self) -> tuple[str, str, str, int, str]:
        """What rows of one paper share."""
        return self.document, self.party, self.other, self.at_ms, self.reason


def paper_row(kind: str, line: int, cells: Mapping[str, str], zone: tzinfo) -> PaperRow:
    """Raises InputError; `where` is the field: `cell_missing`, `id_malformed`, `number_malformed`,
    `goods_ambiguous`, a time's own."""
    row = PaperRow(
        line=line,
        document=_id(cells, "document"),
        party=_id(cells, "party", required=kind != RETURN),
        other=_id(cells, "other", required=kind == RETURN),
        at_ms=parse_time(cells.get("at", ""), zone),
        reason=cells.get("reason", ""),
        code=cells.get("code", "").strip(),
        batch_no=_number(cells, "batch_no"),
        start=_number(cells, "start"),
        stop=_number(cells, "stop"),
    )
    if bool(row.code) == bool(row.batch_no or row.stop):
        raise InputError("goods_ambiguous", "a row names a code, or a batch with start and stop", where="code")
    return row


def _id(cells: Mapping[str, str], name: str, *, required: bool = True) -> str:
    text = cells.get(name, "").strip()
    if required and not text:
        raise InputError("cell_missing", f"{name} is empty", where=name)
    if len(text) > _ID_LENGTH or not _ID_CHARACTERS.issuperset(text):
        raise InputError("id_malformed", f"an id is 1 to {_ID_LENGTH} letters, digits, _ and -", where=name)
    return text


def _number(cells: Mapping[str, str], name: str) -> int:
    text = cells.get(name, "").strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InputError("number_malformed", "a whole number of up to nine digits", where=name)
    return int(text)
