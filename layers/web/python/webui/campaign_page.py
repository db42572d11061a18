"""A campaign's public page: rules, period, prizes with odds, commitments. Called by `routes/campaign_page.py`.

Like the product safety page it needs no script and sets no cookie; it shares the scan page's sheet and adds a little.
"""

import base64
import hashlib
from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from webui import assets
from webui.about_page import LANGUAGE_NAMES
from webui.i18n import LOCALES, catalogue, day, money, text_in
from webui.render import environment
from webui.texts import msg

_SHEET = (
    ".card h2{margin-bottom:.625rem}.card dl{padding:0}.card dl div:last-child{border:0;padding-bottom:0}"
    ".card p+dl,.card p+ol,.card p+p{margin-top:.875rem}"
    ".card td{vertical-align:top}.card td+td{white-space:normal;text-wrap:balance;width:50%}"
    ".card tr:last-child td{border:0;padding-bottom:0}.card dt{flex:none;max-width:60%}"
    ".card td .small{display:block;margin:0;padding:0}"
    ".seal div{display:block}.seal dd{text-align:left}"
    ".seal dd,code{font:.8125rem/1.5 ui-monospace,monospace;word-break:break-all}"
    "summary{min-height:2.75rem;display:flex;align-items:center;cursor:pointer;font-weight:600}"
    'summary::after{content:"+";margin-left:auto}[open] summary::after{content:"–"}'
    "details+details{border-top:1px solid var(--line)}details dl{margin-bottom:1rem}"
    "ol{margin:0;padding-left:1.25rem}li{margin-top:.375rem}"
)


class PrizeLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One way to win: of every `per` codes (`laid`) or claims (`drawn`) `win` do, `total` at most (0: no limit).

    `every`: each claim wins. `closing`: `total` are drawn at the end. `by_rule`: only claims that a rule is for.
    """

    name: dict[str, str]
    kind: str
    amount_minor: int
    how: str  # laid | every | drawn | closing
    win: int
    per: int
    total: int = 0
    by_rule: bool = False
    rules: tuple[str, ...] = ()


class Seal(msgspec.Struct, frozen=True, omit_defaults=True):
    """A release's laid prizes, sealed before anyone could know them; `seed` once the draw is revealed."""

    release_id: str
    codes: int
    commitment: str
    beacon: str
    beacon_value: str = ""
    seed: str = ""


class Closing(msgspec.Struct, frozen=True, omit_defaults=True):
    """The draw at the close: its terms, and of its steps what is public by now. State "" before it is planned."""

    per_person: int
    runners_up: int
    take_days: int
    state: str = ""  # planned | committed | drawn | published
    seed_hash: str = ""
    beacon: str = ""
    entries: int = 0
    entries_root: str = ""
    commitment: str = ""
    beacon_value: str = ""
    seed: str = ""
    result: str = ""


class CampaignView(msgspec.Struct, frozen=True, omit_defaults=True):
    """The page's facts; also the answer to programs. Days are the brand's, the last ones included."""

    campaign_id: str
    version: int
    path: str
    state: str  # upcoming | open | claims | paused | over
    name: dict[str, str]
    rules: dict[str, str]
    starts_on: str
    ends_on: str
    claim_until: str
    currency: str
    prizes: tuple[PrizeLine, ...]
    products: tuple[dict[str, str], ...] = ()
    per_day: int = 0
    per_campaign: int = 0
    closing: Closing | None = None
    seals: tuple[Seal, ...] = ()


class _Row(msgspec.Struct, frozen=True):
    name: str
    value: str
    note: str
    chance: str


class _Page(msgspec.Struct, frozen=True):
    """What the template lays out besides the view."""

    locale: str
    other: str
    other_name: str
    style: Markup
    name: str
    body: str
    rules: str
    facts: tuple[tuple[str, str], ...]
    rows: tuple[_Row, ...]
    closing: str
    closing_terms: str
    sealed: tuple[tuple[str, str], ...]
    seals: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


STATES = {
    "upcoming": msg("It has not begun yet."),
    "open": msg("Open now."),
    "claims": msg("It has ended; what was won can still be claimed."),
    "paused": msg("It rests at the moment."),
    "over": msg("It is over."),
}
CLOSINGS = {
    "": msg("After the last claim, all claims take part. Everyone can check how it was drawn."),
    "planned": msg("The seed is sealed. After the last claim the list of entries is fixed and published."),
    "committed": msg("The list of entries is fixed. A round of the public beacon that nobody knows yet decides."),
    "drawn": msg("The beacon has spoken: the winners are settled and being told."),
    "published": msg("Drawn and published. Everyone can check it."),
}


def render(view: CampaignView, locale: str) -> str:
    """The whole page as HTML in `locale` (one of i18n.LOCALES)."""
    return environment(locale).get_template("campaign/page.html").render(view=view, page=_page(view, locale))


def style_source() -> str:
    """The CSP source of the page's stylesheet."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()}'"


def _style() -> str:
    return assets.style("scan.css")[0] + _SHEET


def _page(view: CampaignView, locale: str) -> _Page:
    say = catalogue(locale).gettext
    other = next(one for one in LOCALES if one != locale)
    closing = view.closing
    return _Page(
        locale=locale,
        other=other,
        other_name=LANGUAGE_NAMES[other],
        style=Markup(_style()),  # noqa: S704 -- our own stylesheets
        name=text_in(view.name, locale),
        body=say(STATES[view.state]),
        rules=text_in(view.rules, locale),
        facts=_facts(view, locale),
        rows=tuple(_row(view, one, locale) for one in view.prizes),
        closing=say(CLOSINGS[closing.state]) if closing else "",
        closing_terms=_terms(closing, locale) if closing else "",
        sealed=_sealed(closing, locale) if closing else (),
        seals=tuple((_title(one, locale), _seal(one, locale)) for one in view.seals),
    )


def _facts(view: CampaignView, locale: str) -> tuple[tuple[str, str], ...]:
    say = catalogue(locale).gettext
    rows = (
        (say("From"), day(view.starts_on, locale)),
        (say("Until and including"), day(view.ends_on, locale)),
        (say("Claims until and including"), day(view.claim_until, locale)),
        (say("Products"), _listed([text_in(one, locale) for one in view.products], locale)),
        (say("Claims per person and day"), f"{view.per_day:,}" if view.per_day else ""),
        (say("Claims per person"), f"{view.per_campaign:,}" if view.per_campaign else ""),
    )
    return tuple((label, value) for label, value in rows if value)


def _listed(words: Sequence[str], locale: str) -> str:
    return ("、" if locale == "zh-CN" else ", ").join(words)


def _row(view: CampaignView, line: PrizeLine, locale: str) -> _Row:
    say = catalogue(locale).gettext
    worth = money(line.amount_minor, view.currency) if line.kind in ("cash", "trade_credit", "physical") else ""
    note = ""
    if line.by_rule:
        names = _listed(line.rules, locale)
        note = say("only for: %(rules)s") % {"rules": names} if names else say("only for some claims, see the rules")
    return _Row(text_in(line.name, locale), worth, note, _chance(view, line, locale))


def _chance(view: CampaignView, line: PrizeLine, locale: str) -> str:
    say = catalogue(locale).gettext
    numbers = {"win": f"{line.win:,}", "per": f"{line.per:,}", "total": f"{line.total:,}"}
    if line.how == "every":
        return say("every claim")
    if line.how == "drawn":
        return say("%(win)s in %(per)s claims, %(total)s in all") % numbers
    if line.how == "laid":
        return say("%(win)s in %(per)s") % numbers
    if view.closing and view.closing.entries:
        entries = {"total": numbers["total"], "entries": f"{view.closing.entries:,}"}
        return say("%(total)s among %(entries)s entries, at the close") % entries
    return say("%(total)s among all claims, at the close") % numbers


def _terms(closing: Closing, locale: str) -> str:
    say = catalogue(locale).gettext
    sentences = []
    if closing.per_person:
        sentences.append(say("Each person can win %(n)s of these prizes.") % {"n": closing.per_person})
    if closing.runners_up:
        words = say("%(n)s runners-up follow in order where a winner cannot take the prize.")
        sentences.append(words % {"n": f"{closing.runners_up:,}"})
    sentences.append(say("A prize waits %(n)s days for its winner.") % {"n": closing.take_days})
    return ("" if locale == "zh-CN" else " ").join(sentences)


def _sealed(closing: Closing, locale: str) -> tuple[tuple[str, str], ...]:
    say = catalogue(locale).gettext
    rows = (
        (say("Hash of the seed"), closing.seed_hash),
        (say("Entries"), f"{closing.entries:,}" if closing.commitment else ""),
        (say("Root of the list of entries"), closing.entries_root),
        (say("Commitment"), closing.commitment),
        (say("Public beacon"), closing.beacon),
        (say("Value of the beacon"), closing.beacon_value),
        (say("Seed"), closing.seed),
        (say("Result"), closing.result),
    )
    return tuple((label, value) for label, value in rows if value)


def _title(seal: Seal, locale: str) -> str:
    numbers = {"name": seal.release_id, "n": f"{seal.codes:,}"}
    return catalogue(locale).gettext("Release %(name)s, %(n)s codes") % numbers


def _seal(seal: Seal, locale: str) -> tuple[tuple[str, str], ...]:
    say = catalogue(locale).gettext
    rows = (
        (say("Commitment"), seal.commitment),
        (say("Public beacon"), seal.beacon),
        (say("Value of the beacon"), seal.beacon_value),
        (say("Seed"), seal.seed),
    )
    return tuple((label, value) for label, value in rows if value)
