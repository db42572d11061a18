"""The page that stands in for WeChat's confirm sheet, and says so, in Chinese and English. Used by `control_api.py`."""

import base64
import hashlib
from html import escape

from dev.rail_simulator.store import Bill
from dev.rail_simulator.wire import is_loopback_url, yuan

_STYLE = (
    "body{font:16px/1.6 system-ui,sans-serif;max-width:26rem;margin:0 auto;padding:1.5rem;color:#1a1a1a;"
    "background:#fff}"
    ".note{font-size:.875rem;color:#595959;border-left:4px solid #07733b;padding-left:.75rem}"
    ".sum{font-size:2.5rem;font-weight:700;margin:1rem 0 0}"
    "button,.back{display:block;width:100%;min-height:3rem;font:inherit;font-weight:600;border:0;border-radius:.5rem;"
    "text-align:center;line-height:3rem;text-decoration:none;box-sizing:border-box;margin-top:1rem}"
    "button{background:#07733b;color:#fff}.back{color:#07733b;border:1px solid #07733b}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_NOTE = (
    "这不是微信：本页代替微信的收款确认页，供本地演示使用，不会动用真钱。<br>"
    '<span lang="en">This is not WeChat: the page stands in for WeChat\'s confirm sheet in the local demo. '
    "No real money moves.</span>"
)
_STATES = {
    "ACCEPTED": ("处理中", "Being prepared"),
    "WAIT_USER_CONFIRM": ("待确认收款", "Waiting for you"),
    "TRANSFERING": ("转账中", "On its way"),
    "SUCCESS": ("已收款", "Received"),
    "FAIL": ("已关闭，未收款", "Closed, not received"),
    "CANCELING": ("商家撤销中", "Being withdrawn"),
    "CANCELLED": ("商家已撤销", "Withdrawn"),
}


def render(bill: Bill | None, back: str) -> str:
    """The page for one bill, or for a package nobody issued. `back` is linked only if it leads to this machine."""
    link = ""
    if is_loopback_url(back, query=True):
        link = f'<a class="back" href="{escape(back)}">返回 <span lang="en">Back</span></a>'
    body = _bill(bill, back) if bill else '<h1>无此转账 <span lang="en">No such transfer</span></h1>'
    # The transfer takes a moment after the tap; the page looks again by itself.
    refresh = '<meta http-equiv="refresh" content="1">' if bill and bill.state == "TRANSFERING" else ""
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">{refresh}'
        f"<title>收款确认（模拟） · Confirm (simulated)</title><style>{_STYLE}</style></head>"
        f'<body><main><p class="note">{_NOTE}</p>{body}{link}</main></body></html>'
    )


def _bill(bill: Bill, back: str) -> str:
    chinese, english = _STATES[bill.state]
    form = ""
    if bill.state == "WAIT_USER_CONFIRM":
        form = (
            '<form method="post" action="/confirm">'
            f'<input type="hidden" name="package" value="{escape(bill.package)}">'
            f'<input type="hidden" name="back" value="{escape(back)}">'
            '<button type="submit">确认收款 <span lang="en">Confirm and receive</span></button></form>'
        )
    return (
        f'<p class="sum">¥{yuan(bill.amount)}</p><p>{escape(bill.remark)}</p>'
        f'<h1>{chinese} <span lang="en">{english}</span></h1>{form}'
    )
