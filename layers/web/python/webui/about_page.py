"""The product safety page: what anyone may know about a product in hand. Called by `routes/about_page.py`.

A page of its own, so that the scan page stays as small as it is; it needs no script and sets no cookie.
"""

import base64
import hashlib

import msgspec
from markupsafe import Markup

from webui import assets
from webui.i18n import LOCALES, catalogue, day, text_in
from webui.render import environment
from webui.texts import VERDICTS

# Beside the scan page's own sheet, which every scan pays for and which therefore has none of this.
_SHEET = (
    ".card h2{margin-bottom:.625rem}.card dl{padding:0}.card dt{white-space:nowrap}"
    ".card dl div:last-child{border:0;padding-bottom:0}"
)
LANGUAGE_NAMES = {"zh-CN": "中文", "en": "English"}


class WayStep(msgspec.Struct, frozen=True):
    """One leg: `out` into the trade, or `back`. `place` is empty where goods went back to the brand."""

    kind: str  # out | back
    on: str  # a day
    place: dict[str, str]


class AboutView(msgspec.Struct, frozen=True, omit_defaults=True):
    """The page's facts; also the answer to programs. `back` is the code's own page, `path` this one's."""

    issued: bool
    path: str
    back: str = ""
    gtin: str = ""
    product: dict[str, str] = {}
    lot: str = ""
    produced_on: str = ""
    best_before: str = ""
    recalled: bool = False
    notice: dict[str, str] = {}
    way: tuple[WayStep, ...] = ()


class _Page(msgspec.Struct, frozen=True):
    """What the template lays out besides the view."""

    locale: str
    other: str
    other_name: str
    style: Markup
    tone: str
    title: str
    body: str
    product: str
    notice: str
    facts: tuple[tuple[str, str], ...]
    way: tuple[tuple[str, str], ...]


def render(view: AboutView, locale: str) -> str:
    """The whole page as HTML in `locale` (one of i18n.LOCALES)."""
    return environment(locale).get_template("about/page.html").render(view=view, page=_page(view, locale))


def style_source() -> str:
    """The CSP source of the page's stylesheet."""
    text = assets.style("scan.css")[0] + _SHEET
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _page(view: AboutView, locale: str) -> _Page:
    say = catalogue(locale).gettext
    other = next(one for one in LOCALES if one != locale)
    tone, title, body = _verdict(view, locale)
    return _Page(
        locale=locale,
        other=other,
        other_name=LANGUAGE_NAMES[other],
        style=Markup(assets.style("scan.css")[0] + _SHEET),  # noqa: S704 -- our own stylesheets
        tone=tone,
        title=title,
        body=body,
        product=text_in(view.product, locale),
        notice=text_in(view.notice, locale),
        facts=tuple(
            (label, value)
            for label, value in (
                ("GTIN", view.gtin),
                (say("Lot"), view.lot),
                (say("Produced on"), day(view.produced_on, locale)),
                (say("Best before"), day(view.best_before, locale)),
            )
            if value
        ),
        way=tuple(_leg(step, locale) for step in view.way),
    )


def _verdict(view: AboutView, locale: str) -> tuple[str, str, str]:
    say = catalogue(locale).gettext
    known = "" if view.issued and not view.recalled else "recalled" if view.issued else "not_issued"
    if known:
        verdict = VERDICTS[known]
        return verdict.tone, say(verdict.title), say(verdict.body)
    return (
        "info",
        say("About this product"),
        say("What we know about the item with this code. It says where it should be, not that it is genuine."),
    )


def _leg(step: WayStep, locale: str) -> tuple[str, str]:
    say = catalogue(locale).gettext
    place = text_in(step.place, locale)
    if step.kind == "back":
        words = say("Went back to %(place)s") % {"place": place} if place else say("Went back to the brand")
    else:
        words = say("Shipped to %(place)s") % {"place": place}
    return day(step.on, locale), words
