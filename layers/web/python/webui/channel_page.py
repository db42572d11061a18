"""The wallet, and the workspace of outlets and distributors: from facts to HTML. Called by `routes/channel_routes.py`.

The pages are whole without script; `web/channel/channel.js` adds the camera. A right's QR code says its code, no more.
"""

import base64
import hashlib

import msgspec
import segno
from markupsafe import Markup

from webui import assets
from webui.channel_texts import DONE, ERRORS, SECTIONS, SHIPMENTS, STATES, STEPS
from webui.channel_views import ClaimLine, WalletEntry, WalletView, WorkspaceView
from webui.i18n import LOCALES, catalogue, day, money, text_in
from webui.render import environment

# Beside the scan page's own sheet, which every scan pays for and which therefore has none of this.
_SHEET = (
    ".card h2{margin-bottom:.625rem}.card+.card{margin-top:0}.qr{display:block;width:12rem;max-width:100%;height:auto;"
    "margin:1rem auto;background:#fff;border-radius:.5rem}.code{font:700 1.75rem/1.3 ui-monospace,monospace;"
    "text-align:center;letter-spacing:.04em;white-space:nowrap}.entry{border-bottom:1px solid var(--line);"
    "padding:.75rem 0}.entry:last-child{border:0;padding-bottom:0}.big{font-size:1.5rem;font-weight:700}"
    ".field{display:block;width:100%;height:3.25rem;margin-top:.375rem;padding:0 .875rem;font:inherit;"
    "font-size:1.125rem;border:1px solid var(--soft);border-radius:.75rem;background:var(--card);color:var(--ink)}"
    "label.text{display:block;margin-top:.75rem}form .button,p .button{margin-top:1rem}"
    ".quiet{background:none;color:var(--ink);border:2px solid var(--act)}"
    "video{width:100%;border-radius:1rem;background:#000}.tiles{display:grid;"
    "grid-template-columns:1fr 1fr;gap:.75rem}.tiles p{color:var(--soft);font-size:.875rem}details{margin-top:.75rem}"
    "summary{padding:.75rem 0;cursor:pointer;text-decoration:underline}.done{border:2px solid var(--tone)}"
    "#camera{display:grid;gap:.75rem;margin-top:1rem}select.field{padding:0 .5rem}"
    "[type=file].field{padding:.625rem .875rem}"
)
WECHAT_SCRIPT = "https://res.wx.qq.com/open/js/jweixin-1.6.0.js"  # WeChat's own; it works from there only
_LANGUAGE_NAMES = {"zh-CN": "中文", "en": "English"}


class _Frame(msgspec.Struct, frozen=True):
    """What both pages share."""

    locale: str
    other: str
    other_name: str
    style: Markup
    title: str
    body: str
    path: str
    error: str
    done: str


class _Entry(msgspec.Struct, frozen=True):
    """One reward in words."""

    id: str
    headline: str
    prize: str
    note: str
    url: str
    code: str
    qr: Markup
    can_collect: bool
    wants_name: bool
    wants_address: bool
    corrects: bool
    notice: str


class _Line(msgspec.Struct, frozen=True):
    """One product's line in words."""

    view: ClaimLine
    who: str
    product: str
    state: str


def wallet(view: WalletView, locale: str, outlet_address: str) -> str:
    """The wallet page. `outlet_address`: where an outlet's camera is led by a right's QR code."""
    say = catalogue(locale).gettext
    grouped = [
        (say(title), [_entry(one, locale, outlet_address) for one in view.entries if one.section == section])
        for section, title in SECTIONS.items()
    ]
    frame = _frame(locale, "/wallet", say("Your wallet"), say("What you have won, and what is left to do."), view)
    sections = [(title, entries) for title, entries in grouped if entries]
    return environment(locale).get_template("channel/wallet.html").render(page=frame, view=view, sections=sections)


def workspace(view: WorkspaceView, locale: str) -> str:
    """The page of a party's people, or the way to become one of them."""
    say = catalogue(locale).gettext
    name = text_in(view.name, locale) or view.party
    title = name if view.party else say("Work for an outlet")
    body = _purpose(view, locale)
    receipt = view.receipt
    credited = receipt is not None and bool(receipt.fee_minor)
    return (
        environment(locale)
        .get_template("channel/workspace.html")
        .render(
            page=_frame(locale, "/outlet", title, body, view),
            view=view,
            owed=[_line(one, locale, upwards=True) for one in view.owed],
            asked=[_line(one, locale, upwards=False) for one in view.asked],
            steps=[
                (day(one.on, locale), say(STEPS[one.kind]), one.pieces, text_in(one.product, locale), one.reference)
                for one in view.steps
            ],
            credit=money(view.credit_minor, view.currency),
            collect=money(receipt.collect_minor, "") if receipt else "",
            fee=money(receipt.fee_minor, receipt.currency) if receipt and credited else "",
            product=text_in(receipt.product, locale) if receipt else "",
            script=assets.url("channel.js") if view.redeems else "",
            reader=assets.url("jsqr.js") if assets.has("jsqr.js") else "",
            wechat_script=WECHAT_SCRIPT,
        )
    )


def style_source() -> str:
    """The CSP source of the pages' stylesheet."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()}'"


def qr(text: str) -> Markup:
    """A QR code as inline SVG, without styles or scripts; the code beside it says the same."""
    drawn = segno.make(text, error="m", micro=False).svg_inline(
        scale=4, border=3, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True
    )
    return Markup(drawn.replace("<svg ", '<svg aria-hidden="true" ', 1))  # noqa: S704 -- made of our own code


def _style() -> str:
    return assets.style("scan.css")[0] + _SHEET


def _frame(locale: str, path: str, title: str, body: str, view: WalletView | WorkspaceView) -> _Frame:
    say = catalogue(locale).gettext
    other = next(one for one in LOCALES if one != locale)
    return _Frame(
        locale=locale,
        other=other,
        other_name=_LANGUAGE_NAMES[other],
        style=Markup(_style()),  # noqa: S704 -- our own stylesheets
        title=title,
        body=body,
        path=path,
        error=say(ERRORS.get(view.error, ERRORS[""])) if view.error else "",
        done=say(DONE[view.done]) if view.done else "",
    )


def _purpose(view: WorkspaceView, locale: str) -> str:
    say = catalogue(locale).gettext
    if not view.party:
        return say("Enter the code of the invitation you were given.")
    if view.redeems:
        return say("Redeem prizes, and see what you are owed for them.")
    return say("Claims of your outlets, and your own.")


def _entry(one: WalletEntry, locale: str, outlet_address: str) -> _Entry:
    say = catalogue(locale).gettext
    prize, amount, note = text_in(one.prize, locale), "", ""
    if one.kind in ("cash", "trade_credit") and one.amount_minor:
        amount = money(one.amount_minor, one.currency)
    elif one.kind == "points":
        amount = say("{points} points").replace("{points}", f"{one.amount_minor:,}")
    if one.section == "right":
        note = say("Show this to an outlet, add %(amount)s, and get one more. Valid until %(day)s.") % {
            "amount": money(one.add_minor, ""),
            "day": day(one.until, locale),
        }
    elif one.section == "again":
        note = say("It was not confirmed in time. Collect it again until %(day)s.") % {"day": day(one.until, locale)}
    elif one.section == "name":
        note = say(
            "From ¥2,000 WeChat Pay asks for your real name. It is encrypted at once, used for this payout only, and "
            "then deleted. Give it until %(day)s."
        ) % {"day": day(one.until, locale)}
    elif one.section == "address" or (one.shipment and one.section in ("earned", "paid")):
        note = _parcel(one, locale)
    elif one.section == "waiting" and not one.url:
        note = say("Open this page in WeChat to collect it.")
    elif one.section == "paid":
        note = day(one.on, locale)
    return _Entry(
        id=one.reward_id,
        headline=amount or prize,
        prize=prize if amount else "",
        note=note,
        url=one.url,
        code=one.code,
        qr=qr(f"{outlet_address}?code={one.code}") if one.code else Markup(""),
        can_collect=one.section == "again",
        wants_name=one.section == "name",
        wants_address=one.wants_address,
        corrects=one.shipment == "to_send",
        notice=text_in(one.notice, locale),
    )


def _parcel(one: WalletEntry, locale: str) -> str:
    """What is to be done about a prize that is sent, or where it is."""
    until = day(one.until, locale) if one.until else ""
    values = {"carrier": one.carrier, "number": one.tracking_no, "day": until}
    return catalogue(locale).gettext(SHIPMENTS[one.shipment]) % values


def _line(one: ClaimLine, locale: str, *, upwards: bool) -> _Line:
    say = catalogue(locale).gettext
    who = one.upstream_name if upwards else one.claimant_name
    return _Line(one, text_in(who, locale), text_in(one.product, locale), say(STATES[one.state]))
