"""Languages, days, amounts and the catalogues' completeness."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev import messages
from webui.i18n import LOCALES, catalogue, day, locale_of, money, text_in


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("", "zh-CN"),
        ("zh", "zh-CN"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en-GB,en;q=0.9", "en"),
        ("EN", "en"),
        ("fr,en;q=0.4,zh;q=0.3", "en"),
        ("en;q=0.4, zh-Hans;q=0.9", "zh-CN"),
        ("en;q=0", "zh-CN"),
        ("de", "zh-CN"),
        ("*", "zh-CN"),
        ("en;q=high", "zh-CN"),
        (",,;;", "zh-CN"),
    ],
)
def test_the_language_a_browser_asks_for(header: str, locale: str) -> None:
    assert locale_of(header) == locale


@given(st.text(max_size=400))
def test_any_header_gives_a_language_we_speak(header: str) -> None:
    assert locale_of(header) in LOCALES


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_translated_and_none_is_left_over(locale: str) -> None:
    wanted = {message.id for message in messages.extracted() if message.id}
    there = {message.id: message.string for message in messages.read_catalogue(locale) if message.id}
    assert set(there) == wanted
    assert all(all(text) if isinstance(text, tuple | list) else text for text in there.values())


def test_translations_keep_their_placeholders() -> None:
    placeholder = re.compile(r"%\(\w+\)\w|\{\w+\}")
    for message in messages.read_catalogue("zh-CN"):
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        for text in strings:
            assert sorted(placeholder.findall(str(text))) == sorted(placeholder.findall(str(ids[0])))


def test_chinese_is_chinese() -> None:
    untouched = [
        message.id
        for message in messages.read_catalogue("zh-CN")
        if message.id and not re.search(r"[\u4e00-\u9fff]", str(message.string))
    ]
    assert untouched == []


def test_the_compiled_catalogue_speaks() -> None:
    assert catalogue("zh-CN").gettext("Paid") == "已到账"
    assert catalogue("en").gettext("Paid") == "Paid"


@pytest.mark.parametrize(
    ("value", "locale", "text"),
    [
        ("2026-11-22", "zh-CN", "2026年11月22日"),
        ("2026-01-02T09:00:00+08:00", "en", "2 Jan 2026"),
        ("soon", "en", "soon"),
        ("2026-13-01", "en", "2026-13-01"),
        ("", "en", ""),
    ],
)
def test_days(value: str, locale: str, text: str) -> None:
    assert day(value, locale) == text


@given(st.integers(min_value=0, max_value=10**12))
def test_money_loses_no_fen(minor: int) -> None:
    shown = money(minor, "CNY")
    assert int(re.sub(r"\D", "", shown)) == minor
    assert re.fullmatch(r"¥\d{1,3}(,\d{3})*\.\d\d", shown)


def test_the_brands_own_text_in_a_language() -> None:
    assert text_in({}, "en") == ""
    assert text_in({"zh-CN": "一", "en": "one"}, "en") == "one"
    assert text_in({"zh-CN": "一", "fr": "un"}, "en") == "一"
    assert text_in({"fr": "un"}, "en") == "un"
