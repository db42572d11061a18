"""The page behind a code: from the scan path's facts to HTML. Called by `routes/scan_pages.py` with a ScanPageView.

All choosing of words happens here; the templates only lay them out. Nothing here decides anything about a claim.
"""

from urllib.parse import urlsplit

import msgspec
from markupsafe import Markup

from webui import assets
from webui.i18n import LOCALES, catalogue, day, money, text_in
from webui.render import environment
from webui.texts import (
    ADVICE,
    CLIENT,
    ERROR_ALIASES,
    ERRORS,
    LIMIT_HOURS,
    REWARDS,
    VERDICTS,
    WAIT_ELSEWHERE,
    reward_key,
)
from webui.views import PrizeOdds, RewardView, ScanPageView

_LANGUAGE_NAMES = {"zh-CN": "中文", "en": "English"}
# Nobody who should not drink a bottle wants to read what its cap could have won.
_NO_PROMOTION = ("not_issued", "line_rejected", "decommissioned", "recalled")
_CASH_KINDS = ("cash", "trade_credit")


class _Reward(msgspec.Struct, frozen=True):
    """A reward's panel, in words. `action` is an address or empty."""

    id: str = ""
    state: str = ""
    title: str = ""
    headline: str = ""
    prize: str = ""
    body: str = ""
    step: int = 0
    final: bool = False
    action: str = ""


class _Page(msgspec.Struct, frozen=True):
    """What the template lays out besides the view itself."""

    locale: str
    other: str
    other_name: str
    style: Markup
    script: str
    key: str
    tone: str
    title: str
    body: str
    advice: tuple[str, ...]
    product: str
    facts: tuple[tuple[str, str], ...]
    rewards: tuple[_Reward, ...]
    error: str
    campaign: str
    rules: str
    odds: tuple[tuple[str, str], ...]
    claim_until: str


def render(view: ScanPageView, locale: str) -> str:
    """The whole page as HTML in `locale` (one of i18n.LOCALES). Pure but for the files of the web layer."""
    page = _page(view, locale)
    return environment(locale).get_template("scan/page.html").render(view=view, page=page, blank=_Reward())


def verdict_key(view: ScanPageView) -> str:
    """The entry of texts.VERDICTS that speaks for this view; a status or reason unknown here gives "issued"."""
    if view.verdict != "issued":
        return "not_issued"
    key = view.reason if view.status == "observed" else view.status
    if key == "outer_code" and view.clone_warning:
        key = "outer_clone"
    return key if key in VERDICTS else "issued"


def _page(view: ScanPageView, locale: str) -> _Page:
    say = catalogue(locale).gettext
    key = verdict_key(view)
    verdict = VERDICTS[key]
    other = next(one for one in LOCALES if one != locale)
    rewards = _rewards(view, locale) if key == "claimed_by_you" else ()
    follows = key == "claimable" or any(not one.final for one in rewards)
    return _Page(
        locale=locale,
        other=other,
        other_name=_LANGUAGE_NAMES[other],
        style=Markup(assets.style("scan.css")[0]),  # noqa: S704 -- our own stylesheet, hashed at build
        script=assets.url(f"scan.{locale}.js") if follows else "",
        key=key,
        tone=verdict.tone,
        title=say(verdict.title),
        body=text_in(view.notice, locale) or say(verdict.body),
        advice=tuple(say(line) for line in ADVICE.get(key, ())),
        product=text_in(view.product, locale),
        facts=_facts(view, key, locale),
        rewards=rewards,
        error=_error(view, locale),
        campaign="" if key in _NO_PROMOTION else text_in(view.campaign, locale),
        rules=text_in(view.rules, locale),
        odds=tuple(_odds(one, locale) for one in view.odds),
        claim_until=day(view.claim_until, locale),
    )


def _facts(view: ScanPageView, key: str, locale: str) -> tuple[tuple[str, str], ...]:
    """Label and value of what is known about the item; unknown ones are left out."""
    words = catalogue(locale)
    say = words.gettext
    times = words.ngettext("%(n)d time", "%(n)d times", view.scans) % {"n": view.scans}
    counted = view.scans and key not in ("claimable", "claimed_by_you")
    rows = (
        (say("Claimed on"), day(view.first_scan_on, locale)),
        (say("Scanned"), times if counted else ""),
        (say("Lot"), view.lot),
        (say("Produced on"), day(view.produced_on, locale)),
        (say("Best before"), day(view.best_before, locale)),
    )
    return tuple(row for row in rows if row[1])


def _odds(odds: PrizeOdds, locale: str) -> tuple[str, str]:
    chance = catalogue(locale).gettext("%(win)s in %(per)s")
    return text_in(odds.name, locale), chance % {"win": f"{odds.win:,}", "per": f"{odds.per:,}"}


def _error(view: ScanPageView, locale: str) -> str:
    """Why a posted form was refused, and for a limit when to come back; "" if it was not."""
    if not view.error:
        return ""
    say = catalogue(locale).gettext
    code = ERROR_ALIASES.get(view.error, view.error)
    text = say(ERRORS.get(code, ERRORS[""]))
    if code == "person_limit_reached" and view.retry_after_s > 0:
        text += say(LIMIT_HOURS).replace("{hours}", str(-(-view.retry_after_s // 3600)))
    return text


def _rewards(view: ScanPageView, locale: str) -> tuple[_Reward, ...]:
    """The person's rewards as panels: no blank beside a prize, and "being confirmed" where none is known yet."""
    won = [one for one in view.rewards if one.state != "NONE"] or list(view.rewards[:1])
    return tuple(_reward(one, locale) for one in won or [RewardView("", "")])


def _reward(reward: RewardView, locale: str) -> _Reward:
    say = catalogue(locale).gettext
    text = REWARDS[reward_key(reward.state, reward.reason)]
    action = _web_address(reward.confirm_url)
    elsewhere = reward.state == "WAIT_USER" and not action
    shown = reward.state not in ("", "NONE")
    prize = text_in(reward.prize, locale) if shown else ""
    headline = (_amount(reward, locale) if shown else "") or prize
    return _Reward(
        id=reward.reward_id,
        state=reward.state,
        title=say(text.title),
        headline=headline,
        prize=prize if prize != headline else "",
        body=say(WAIT_ELSEWHERE if elsewhere else text.body),
        step=text.step,
        final=text.final,
        action=action,
    )


def _amount(reward: RewardView, locale: str) -> str:
    if reward.amount_minor <= 0:
        return ""
    if reward.kind in _CASH_KINDS:
        return money(reward.amount_minor, reward.currency)
    if reward.kind == "points":
        text = CLIENT["points"]
        return catalogue(locale).gettext(text).replace("{points}", f"{reward.amount_minor:,}")
    return ""


def _web_address(url: str) -> str:
    """The address if it is one on the web; "" for any other scheme, so that no link can run a script."""
    return url if urlsplit(url).scheme in ("http", "https") else ""
