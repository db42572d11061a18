"""How WeChat Pay's states and error codes read as rail outcomes: two tables and the two functions that apply them.

Used by `wechat_transfer.py`. Sources under pay.weixin.qq.com/doc/v3/merchant: 4013774966 (fail reasons), 4013778940
(questions), 4013757784 (codes added in 2025). A code not in the table holds for a human, as the rail's pages demand.
"""

import datetime
import re

import msgspec

from uncap.adapters.rails.wechat_http import Reply
from uncap.domain.rails import (
    CANCELLED,
    EXPIRED,
    Accepted,
    FailedFinal,
    NeedUser,
    NotAccepted,
    NotFound,
    Paid,
    RailOutcome,
    Unknown,
    UserAction,
)

CONFIRM_KIND = "wechat_confirm"
CONFIRM_LIFETIME_MS = 24 * 3_600_000
ALREADY_EXISTS = "ALREADY_EXISTS"

_RATE_LIMITED = NotAccepted(reason="rate_limited", retry_after_ms=1_000)
ERRORS: dict[str, NotAccepted | Unknown] = {
    "NOT_ENOUGH": NotAccepted(reason="not_enough", retry_after_ms=600_000),
    "FREQUENCY_LIMITED": _RATE_LIMITED,
    "FREQUENCY_LIMIT_EXCEED": _RATE_LIMITED,
    "RATELIMIT_EXCEED": _RATE_LIMITED,
    "RATELIMIT_EXCEEDED": _RATE_LIMITED,
    # Mostly a clock that is off: it heals, and an alarm hangs on the reason.
    "SIGN_ERROR": NotAccepted(reason="sign_error", retry_after_ms=60_000),
    "SYSTEM_ERROR": Unknown(reason="system_error"),
    # Nothing a machine may change: parameters are frozen with the attempt, permissions belong to the merchant.
    "PARAM_ERROR": NotAccepted(reason="param_error", hold=True),
    "INVALID_REQUEST": NotAccepted(reason="invalid_request", hold=True),
    "NO_AUTH": NotAccepted(reason="no_auth", hold=True),
    "USER_ERROR": NotAccepted(reason="user_error", hold=True),
    "ACCOUNTERROR": NotAccepted(reason="account_error", hold=True),
    "ACCOUNT_ERROR": NotAccepted(reason="account_error", hold=True),
}
FAIL_REASONS = {"OVERDUE_CLOSE": EXPIRED, "MCH_CANCEL": CANCELLED}
_MOVING = frozenset({"ACCEPTED", "PROCESSING", "TRANSFERING", "CANCELING"})
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,63}")


class BillDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The rail's description of a transfer, in replies and notices. `openid` stays out of `repr`."""

    out_bill_no: str
    state: str = ""
    transfer_bill_no: str = ""
    transfer_amount: int | None = None
    openid: str = ""
    mch_id: str = ""
    fail_reason: str = ""
    package_info: str = ""
    create_time: str = ""
    update_time: str = ""

    def __repr__(self) -> str:
        return f"BillDocument(out_bill_no={self.out_bill_no!r}, state={self.state!r})"


class _ErrorDocument(msgspec.Struct, frozen=True):
    code: str = ""


def time_ms(text: str) -> int:
    """RFC 3339 to epoch ms; 0 where the rail gave none or nonsense: times inform, they decide nothing."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return 0
    return int(moment.timestamp() * 1000) if moment.tzinfo else 0


def outcome_of_bill(bill: BillDocument) -> RailOutcome:
    """The outcome a proven bill document tells of."""
    rail_id = bill.transfer_bill_no
    if bill.state in _MOVING:
        return Accepted(rail_id=rail_id, state=bill.state)
    if bill.state == "WAIT_USER_CONFIRM":
        return NeedUser(rail_id=rail_id, action=_action(bill))
    if bill.state == "SUCCESS" and rail_id:
        return Paid(rail_id=rail_id, paid_at_ms=time_ms(bill.update_time), amount_minor=bill.transfer_amount)
    if bill.state == "FAIL":
        reason = FAIL_REASONS.get(bill.fail_reason, _slug(bill.fail_reason) or "no_reason_given")
        return FailedFinal(reason=reason, rail_id=rail_id)
    if bill.state == "CANCELLED":
        return FailedFinal(reason=CANCELLED, rail_id=rail_id)
    return Unknown(reason=f"state_{_slug(bill.state) or 'missing'}", hold=True)


def _action(bill: BillDocument) -> UserAction | None:
    # A query does not repeat the package; sending the same bill again does.
    if not bill.package_info:
        return None
    created_ms = time_ms(bill.create_time)
    expires_at_ms = created_ms + CONFIRM_LIFETIME_MS if created_ms else 0
    return UserAction(kind=CONFIRM_KIND, package=bill.package_info, expires_at_ms=expires_at_ms)


def error_code(reply: Reply) -> str:
    """The rail's error code, or "" where there is none that looks like one (a gateway's page, a cut-off body)."""
    try:
        code = msgspec.json.decode(reply.body, type=_ErrorDocument).code
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return code if _CODE.fullmatch(code) else ""


def outcome_of_error(reply: Reply) -> RailOutcome:
    """The outcome of a reply other than 200; needs no proven signature, for none of these frees the bill number."""
    code = error_code(reply)
    if reply.status == 404 and code == "NOT_FOUND":
        return NotFound()
    if code in ERRORS:
        return ERRORS[code]
    if code:
        return Unknown(reason=f"code_{_slug(code)}", hold=True)
    if reply.status == 429:
        return _RATE_LIMITED
    return Unknown(reason=f"http_{reply.status}", hold=reply.status < 500)


def _slug(word: str) -> str:
    # Only shapes we know are passed on, so that nothing personal in an odd reply reaches logs or tables.
    return word.lower() if _CODE.fullmatch(word) else ""
