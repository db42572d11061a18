"""What crosses the simulated API: the transfer request with the rail's checks, errors, times, loopback addresses."""

import datetime
import hashlib
import re
from urllib.parse import urlsplit

import msgspec

_BEIJING = datetime.timezone(datetime.timedelta(hours=8))
_MIN_MINOR = 10
_NAME_FROM_MINOR = 200_000
_NAME_NOT_BELOW_MINOR = 30
_TEXT_LIMIT = 32
_REPORTS = {"1000": {"活动名称", "奖励说明"}, "1005": {"岗位类型", "报酬说明"}}


class ApiError(Exception):
    """A refusal in the rail's form: HTTP status, machine code, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message


class ReportInfo(msgspec.Struct, frozen=True):
    info_type: str
    info_content: str


class TransferRequest(msgspec.Struct, frozen=True):
    """The body of `POST …/transfer-bills`. `user_name` is still encrypted here."""

    appid: str
    out_bill_no: str
    transfer_scene_id: str
    openid: str
    transfer_amount: int
    transfer_remark: str
    transfer_scene_report_infos: list[ReportInfo] = []
    user_name: str = ""
    user_recv_perception: str = ""
    notify_url: str | None = ""

    def check(self, appid: str) -> None:
        """ApiError as the rail would answer a request that breaks its rules."""
        if self.appid != appid:
            raise ApiError(400, "INVALID_REQUEST", "APPID不存在")
        if not re.fullmatch(r"[0-9A-Za-z]{1,32}", self.out_bill_no):
            raise ApiError(400, "PARAM_ERROR", "商户单号只能由数字、大小写字母组成")
        if not self.openid or not 0 < len(self.transfer_remark) <= _TEXT_LIMIT:
            raise ApiError(400, "PARAM_ERROR", "openid或转账备注不符合要求")
        self._check_scene()
        self._check_amount()
        if self.notify_url and not is_loopback_url(self.notify_url):
            raise ApiError(400, "PARAM_ERROR", "the simulator only calls back to http on loopback, without a query")

    def _check_scene(self) -> None:
        wanted = _REPORTS.get(self.transfer_scene_id)
        if wanted is None:
            raise ApiError(400, "INVALID_REQUEST", "你尚未获取该转账场景")
        contents = {info.info_type: info.info_content for info in self.transfer_scene_report_infos}
        if set(contents) != wanted or not all(0 < len(text) <= _TEXT_LIMIT for text in contents.values()):
            raise ApiError(400, "PARAM_ERROR", "需传入转账场景报备信息，请检查")

    def _check_amount(self) -> None:
        if self.transfer_amount < _MIN_MINOR:
            raise ApiError(400, "INVALID_REQUEST", "超过单笔转账上下限，核实产品设置是否准确")
        if self.transfer_amount >= _NAME_FROM_MINOR and not self.user_name:
            raise ApiError(400, "PARAM_ERROR", "转账金额>=2,000元时，收款用户姓名必填")
        if self.transfer_amount < _NAME_NOT_BELOW_MINOR and self.user_name:
            raise ApiError(400, "PARAM_ERROR", "转账金额<0.3元时，不允许填写收款用户姓名")

    def fingerprint(self, user_name: str) -> str:
        """Equal for requests that mean the same; the name enters decrypted, since encryption is randomised."""
        same = msgspec.structs.replace(self, user_name=user_name)
        return hashlib.sha256(msgspec.json.encode(same)).hexdigest()


def is_loopback_url(url: str, *, query: bool = False) -> bool:
    """Whether `url` is plain http to this machine (127.0.0.1, localhost, *.localhost); `query` allows a query."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    # The pattern keeps out what browsers and urlsplit read differently, a backslash before all.
    local = re.fullmatch(r"127\.0\.0\.1|([a-z0-9-]+\.)*localhost", host) is not None
    plain = not (parts.fragment or parts.username or parts.password) and (query or not parts.query)
    return parts.scheme == "http" and local and plain


def rfc3339(at_ms: int) -> str:
    """Epoch ms as the rail writes times: seconds, +08:00."""
    return datetime.datetime.fromtimestamp(at_ms // 1000, _BEIJING).isoformat()


def beijing_day(text: str) -> tuple[int, int]:
    """The epoch ms bounds of a day `YYYY-MM-DD` in Beijing. ValueError if it is none."""
    start = datetime.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=_BEIJING)
    start_ms = int(start.timestamp()) * 1000
    return start_ms, start_ms + 86_400_000


def statement_csv(rows: list[tuple[str, str, str, str, int]], balance_minor: int) -> bytes:
    """A fund-flow bill. Rows are (time, transfer_bill_no, remark, out_bill_no, amount in fen), each an outflow."""
    head = (
        "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
        "资金变更提交申请人,备注,业务凭证号"
    )
    lines = [head]
    for number, (at, transfer_no, remark, out_no, amount) in enumerate(rows, start=1):
        fields = (at, transfer_no, f"F{number:020d}", "商家转账", "商家转账", "支出", yuan(amount), yuan(balance_minor))
        lines.append(",".join(f"`{field}" for field in (*fields, "API", remark.replace("`", ""), out_no)))
    total = yuan(sum(row[4] for row in rows))
    lines.append("资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额")
    lines.append(",".join(f"`{field}" for field in (f"{len(rows)}.0", "0.0", "0.00", f"{len(rows)}.0", total)))
    return ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")


def yuan(amount_minor: int) -> str:
    """Fen as yuan with two decimals."""
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"
