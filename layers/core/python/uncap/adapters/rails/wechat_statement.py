"""WeChat Pay's fund-flow bill: one day's movements of the merchant's account. Used by `wechat_transfer.py`.

Format (doc/v3/merchant/4012556742): a header line, one line per movement with every field behind a backtick, a header
and a line of totals. Amounts are yuan with two decimals, times are Beijing time.
"""

import datetime
import hashlib
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from uncap.adapters.rails.wechat_answers import error_code
from uncap.adapters.rails.wechat_http import WechatHttp
from uncap.domain.errors import InputError, TransientError
from uncap.domain.rails import StatementLine

_BEIJING = datetime.timezone(datetime.timedelta(hours=8))
_MAX_STATEMENT_BYTES = 64 << 20
_FIELDS = 11
_DOWNLOAD_PATH = "/v3/billdownload/file"


class _Ticket(msgspec.Struct, frozen=True):
    download_url: str
    hash_type: str
    hash_value: str


def fetch(http: WechatHttp, date: datetime.date, account_type: str) -> Iterator[StatementLine]:
    """Ask for the day's bill, download it, prove its hash, read it. A day without movements is an empty one.

    TransientError while it is not ready or arrives damaged; InputError if the rail will not give it at all.
    """
    target = f"/v3/bill/fundflowbill?bill_date={date.isoformat()}&account_type={account_type}"
    reply = http.call("GET", target)
    if reply.status != 200:
        return _refused(error_code(reply), reply.status)
    if reply.problem:
        raise TransientError("statement_unproven", f"the reply's signature: {reply.problem}")
    try:
        ticket = msgspec.json.decode(reply.body, type=_Ticket)
    except msgspec.DecodeError as error:
        raise TransientError("statement_damaged", "the rail's ticket for the bill cannot be read") from error
    # Only path and query are followed: a reply must not make us sign requests for another host.
    url = urlsplit(ticket.download_url)
    if url.path != _DOWNLOAD_PATH:
        raise InputError("statement_address", "the download address is not the bill download's")
    download = http.call("GET", f"{url.path}?{url.query}", max_bytes=_MAX_STATEMENT_BYTES)
    # The file itself is unsigned; the signed ticket's hash stands in. SHA-1 is the rail's choice.
    digest = hashlib.sha1(download.body, usedforsecurity=False).hexdigest()
    if download.status != 200 or ticket.hash_type != "SHA1" or digest != ticket.hash_value.lower():
        raise TransientError("statement_damaged", "the downloaded bill does not have the announced hash")
    return iter(parse(download.body))


def _refused(code: str, status: int) -> Iterator[StatementLine]:
    if code == "NO_STATEMENT_EXIST":
        return iter(())
    if code in {"PARAM_ERROR", "INVALID_REQUEST", "NO_AUTH"}:
        raise InputError("statement_refused", f"the rail gives no bill for this day: {code}")
    raise TransientError("statement_not_ready", f"no bill yet: {code or status}")


def parse(data: bytes) -> tuple[StatementLine, ...]:
    """All movements of a bill. TransientError `statement_damaged` where it does not add up to its own totals."""
    lines: list[StatementLine] = []
    rows = data.decode("utf-8-sig").splitlines()
    if not rows or not rows[0].startswith("记账时间"):
        raise TransientError("statement_damaged", "the bill has no header")
    for number, row in enumerate(rows[1:], start=2):
        if not row.startswith("`"):
            _check_total(rows, number, len(lines))
            return tuple(lines)
        lines.append(_line(row, number))
    raise TransientError("statement_damaged", "the bill ends before its totals")


def _check_total(rows: list[str], number: int, count: int) -> None:
    if number >= len(rows) or not rows[number].startswith("`"):
        raise TransientError("statement_damaged", "the bill has no totals")
    total = rows[number][1:].split(",`")[0]
    if not re.fullmatch(r"[0-9]+(\.0+)?", total) or int(total.split(".")[0]) != count:
        raise TransientError("statement_damaged", f"the bill announces {total} movements and has {count}")


def _line(row: str, number: int) -> StatementLine:
    fields = row[1:].split(",`")
    if len(fields) != _FIELDS:
        raise TransientError("statement_damaged", "a movement with missing fields", where=f"line {number}")
    try:
        moment = datetime.datetime.strptime(fields[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=_BEIJING)
    except ValueError as error:
        raise TransientError("statement_damaged", "a movement without a time", where=f"line {number}") from error
    return StatementLine(
        bill_no=fields[10].strip(),
        rail_id=fields[1].strip(),
        amount_minor=_fen(fields[6], number),
        at_ms=int(moment.timestamp() * 1000),
        out=fields[5] == "支出",
    )


def _fen(yuan: str, number: int) -> int:
    match = re.fullmatch(r"([0-9]+)(?:\.([0-9]{1,2}))?", yuan)
    if match is None:
        raise TransientError("statement_damaged", "an amount that is not yuan", where=f"line {number}")
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))
