"""Which language to speak, and the words in it: catalogues, days, amounts. Used by `webui.scan_page` and the routes.

Catalogues are gettext, compiled by `python -m dev.build_web`; message ids are the English texts.
"""

import gettext
from collections.abc import Mapping
from functools import lru_cache

from webui.built import BUILT

LOCALES = ("zh-CN", "en")
DEFAULT_LOCALE = LOCALES[0]
_BY_LANGUAGE = {locale.split("-")[0]: locale for locale in LOCALES}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MAX_HEADER = 200  # a browser's Accept-Language is far shorter; what is longer is not worth parsing


def locale_of(accept_language: str) -> str:
    """The best of LOCALES for an Accept-Language header (RFC 9110, 12.5.4), or for a bare tag such as `?lang=en`.

    A language we do not speak, a malformed header and none at all give zh-CN.
    """
    best, chosen = 0.0, DEFAULT_LOCALE
    for part in accept_language[:_MAX_HEADER].lower().split(","):
        tag, _, weight = part.strip().partition(";")
        locale = _BY_LANGUAGE.get(tag.strip().split("-")[0])
        if locale and (quality := _quality(weight)) > best:
            best, chosen = quality, locale
    return chosen


def _quality(weight: str) -> float:
    name, _, value = weight.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0


@lru_cache(maxsize=len(LOCALES))
def catalogue(locale: str) -> gettext.NullTranslations:
    """The words of one of LOCALES. Raises FileNotFoundError before `python -m dev.build_web` has run."""
    with (BUILT / "locales" / f"{locale}.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def text_in(texts: Mapping[str, str], locale: str) -> str:
    """The brand's own text in this language, else in the default one, else in any; "" if there is none."""
    return texts.get(locale) or texts.get(DEFAULT_LOCALE) or next(iter(texts.values()), "")


def day(value: str, locale: str) -> str:
    """An ISO day ("2026-11-22", or a time that begins so) as people write it; anything else unchanged."""
    try:
        year, month, date = (int(part) for part in value[:10].split("-"))
        return f"{year}年{month}月{date}日" if locale == "zh-CN" else f"{date} {_MONTHS[month - 1]} {year}"
    except (ValueError, IndexError):
        return value


def money(amount_minor: int, currency: str) -> str:
    """Integer minor units as an amount: 880 CNY is "¥8.80". Two decimals only, as in scan.js."""
    sign = "¥" if currency in ("", "CNY") else f"{currency} "
    return f"{sign}{amount_minor // 100:,}.{amount_minor % 100:02d}"
