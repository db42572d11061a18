"""The scan page's HTML: every face in both languages, nothing inline but the hashed sheet, nothing unescaped."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dev.page_gallery import CLAIMABLE, GALLERY, REASONS, STATES, reward
from uncap.domain.rewards.reward import State
from webui import assets, scan_page
from webui.i18n import LOCALES
from webui.texts import ADVICE, ERRORS, REWARDS, VERDICTS
from webui.views import PrizeOdds, RewardView, ScanPageView

VOID = {"meta", "link", "input", "br"}
FACES = pytest.mark.parametrize("name", GALLERY)
LANGUAGES = pytest.mark.parametrize("locale", LOCALES)


class Outline(HTMLParser):
    """Checks nesting; collects elements, attributes and the text of each element class that matters."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data.strip()))

    def text(self, tag: str) -> list[str]:
        return [text for where, text in self.texts if where == tag]

    def find(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [
            found
            for name, found in self.elements
            if name == tag and all(found.get(key) == value for key, value in attributes.items())
        ]


def shown(view: ScanPageView, locale: str = "en") -> Outline:
    return Outline(scan_page.render(view, locale))


@FACES
@LANGUAGES
def test_every_face_is_whole_and_has_one_verdict(name: str, locale: str) -> None:
    html = scan_page.render(GALLERY[name], locale)
    page = Outline(html)
    assert html.startswith("<!doctype html>")
    assert page.open == []
    assert len(page.text("h1")) == 1
    assert page.find("html", lang=locale)
    identities = [found["id"] for _, found in page.elements if "id" in found]
    assert len(identities) == len(set(identities))


@FACES
@LANGUAGES
def test_nothing_inline_but_the_hashed_sheet(name: str, locale: str) -> None:
    html = scan_page.render(GALLERY[name], locale)
    page = Outline(html)
    assert all("style" not in found for _, found in page.elements)
    assert not [key for _, found in page.elements for key in found if key.startswith("on")]
    assert page.text("script") == []
    (sheet,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    assert assets.style("scan.css")[1] == f"'sha256-{digest}'"


@FACES
def test_nothing_comes_from_elsewhere(name: str) -> None:
    page = shown(GALLERY[name])
    sources = [str(found.get("src") or found.get("href") or "") for _, found in page.elements]
    outside = [one for one in sources if re.match(r"(?i)(\w+:)?//", one)]
    assert set(outside) <= {"https://pay.example.test/confirm/1"}
    assert all(one.startswith("/static/") for one in sources if one.endswith(".js"))


def test_every_reason_and_state_has_its_own_text() -> None:
    assert {*REASONS, "not_issued", "claimable", "claimed", "claimed_by_you"} <= set(VERDICTS)
    assert set(STATES) == {str(state) for state in State} == set(STATES)
    assert set(STATES) <= set(REWARDS)
    assert len({text.body for key, text in VERDICTS.items()}) == len(VERDICTS)
    assert set(ADVICE) <= set(VERDICTS)


@pytest.mark.parametrize("reason", REASONS)
@LANGUAGES
def test_a_reason_is_told_in_its_own_words(reason: str, locale: str) -> None:
    page = shown(GALLERY[f"OBSERVED-{reason.upper()}"], locale)
    others = [shown(GALLERY[f"OBSERVED-{other.upper()}"], locale) for other in REASONS if other != reason]
    told = page.text("h1") + page.text("p")[:1]
    assert all(told != other.text("h1") + other.text("p")[:1] for other in others)
    assert not page.find("form")


def test_an_outer_code_is_never_called_genuine() -> None:
    for name in ("OBSERVED-OUTER_CODE", "OUTER-CLONE"):
        assert "genuine" not in scan_page.render(GALLERY[name], "en").lower()
        assert "正品" not in scan_page.render(GALLERY[name], "zh-CN")
    assert shown(GALLERY["OBSERVED-OUTER_CODE"]).text("h1") == ["Issued by us"]


def test_only_an_unclaimed_inner_code_is_called_genuine() -> None:
    told = {name for name in GALLERY if "Genuine" in shown(GALLERY[name]).text("h1")[0]}
    assert told == {name for name, view in GALLERY.items() if view.status == "claimable"}


def test_a_clone_warning_counts_the_scans() -> None:
    page = shown(GALLERY["OUTER-CLONE"])
    assert page.find("main", **{"class": "warn"})
    assert "37 times" in page.text("dd")


def test_a_recall_shows_no_promotion() -> None:
    page = shown(GALLERY["OBSERVED-RECALLED"])
    assert not page.find("table")
    assert "Recalled: do not drink" in page.text("h1")


def test_the_form_carries_what_the_api_asks_for() -> None:
    page = shown(CLAIMABLE, "en")
    fields = {found["name"]: found["value"] for found in page.find("input", type="hidden")}
    assert fields == {
        "gtin": CLAIMABLE.gtin,
        "serial": CLAIMABLE.serial,
        "claim_id": CLAIMABLE.claim_id,
        "csrf": CLAIMABLE.csrf,
    }
    assert page.find("form", method="post", action="/v1/scans?lang=en")


def test_location_is_a_separate_unticked_choice_outside_the_forms_fields() -> None:
    (box,) = shown(CLAIMABLE).find("input", type="checkbox")
    assert "checked" not in box
    assert "name" not in box
    assert "required" not in box


def test_odds_are_published() -> None:
    page = shown(CLAIMABLE)
    assert page.text("td") == ["Red packet ¥88.00", "1 in 1,200", "Red packet ¥8.80", "1 in 40", "20 points", "1 in 4"]
    assert any("31 Dec 2026" in text for text in page.text("p"))


@pytest.mark.parametrize(
    ("one", "headline"),
    [
        (RewardView("r", "PAID", "cash", 880, "CNY", {"en": "Cap prize"}), "¥8.80"),
        (RewardView("r", "PAID", "cash", 123_456_705, "CNY"), "¥1,234,567.05"),
        (RewardView("r", "PAID", "trade_credit", 500, "EUR"), "EUR 5.00"),
        (RewardView("r", "PAID", "points", 1200, ""), "1,200 points"),
        (RewardView("r", "PENDING", "goods_voucher", 900, "CNY", {"en": "One more"}), "One more"),
    ],
)
def test_amounts(one: RewardView, headline: str) -> None:
    view = replace(CLAIMABLE, status="claimed_by_you", rewards=(one,))
    html = scan_page.render(view, "en")
    assert f'<p class="headline">{headline}</p>' in html


def test_a_prize_hides_the_blank_beside_it() -> None:
    view = replace(CLAIMABLE, status="claimed_by_you", rewards=(RewardView("a", "NONE"), reward("PAID")))
    titles = shown(view).text("h2")
    assert "Paid" in titles
    assert "No prize this time" not in titles
    blanks = shown(replace(view, rewards=(RewardView("a", "NONE"), RewardView("b", "NONE"))))
    assert blanks.text("h2").count("No prize this time") == 1


def test_confirming_where_it_can_be_done_and_otherwise_where() -> None:
    page = shown(GALLERY["YOURS-WAIT_USER"])
    assert page.find("a", href="https://pay.example.test/confirm/1")
    elsewhere = shown(GALLERY["YOURS-ELSEWHERE"])
    assert not [found for found in elsewhere.find("a", **{"class": "button"}) if "hidden" not in found]
    assert any("WeChat" in text for text in elsewhere.text("p"))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.test/x", "vbscript:x"])
def test_a_confirm_address_of_another_kind_is_not_linked(url: str) -> None:
    view = replace(CLAIMABLE, status="claimed_by_you", rewards=(replace(reward("WAIT_USER"), confirm_url=url),))
    assert url not in scan_page.render(view, "en")


def test_a_released_prize_says_why() -> None:
    late, refused = shown(GALLERY["YOURS-RELEASED"]), shown(GALLERY["YOURS-REFUSED"])
    assert "No longer available" in late.text("h2")
    assert "Not paid out" in refused.text("h2")


@pytest.mark.parametrize("code", [*ERRORS, "csrf_invalid", "something_new"])
def test_a_refusal_is_told_and_the_claim_stays_open(code: str) -> None:
    page = shown(replace(CLAIMABLE, error=code or "x"))
    assert page.find("p", role="alert")
    assert page.find("form")


def test_a_limit_says_when_to_come_back() -> None:
    page = shown(replace(CLAIMABLE, error="person_limit_reached", retry_after_s=40_000))
    assert any("about 12 h" in text for text in page.text("p"))


def test_final_faces_need_no_script() -> None:
    scripted = {name for name in GALLERY if shown(GALLERY[name]).find("script")}
    final = {"YOURS-NONE", "YOURS-PAID", "YOURS-RELEASED", "YOURS-REFUSED", "YOURS-POINTS"}
    assert not scripted & final
    assert not [name for name in scripted if name.startswith(("OBSERVED", "OUTER", "NOT", "CLAIMED"))]
    assert {"CLAIMABLE", "YOURS-PENDING", "YOURS-WAIT_USER", "YOURS-HELD"} <= scripted


def test_unknown_words_from_a_newer_scan_path_still_make_a_page() -> None:
    assert shown(replace(CLAIMABLE, status="observed", reason="brand_new")).text("h1") == ["Issued by us"]
    view = replace(CLAIMABLE, status="claimed_by_you", rewards=(RewardView("r", "BRAND_NEW"),))
    assert "Being confirmed" in shown(view).text("h2")


def test_texts_fall_back_to_the_language_there_is() -> None:
    view = replace(CLAIMABLE, product={"zh-CN": "云溪"}, campaign={"fr": "Jeu"}, rules={})
    page = shown(view, "en")
    assert "云溪" in page.text("a")
    assert "Jeu" in page.text("h2")


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="<>&\"'/=;{}%()\u2028 ax", min_size=3, max_size=30))
def test_whatever_the_brand_writes_stays_text(text: str) -> None:
    texts = {"en": text}
    odds = (PrizeOdds(texts, 1, 2),)
    view = replace(
        CLAIMABLE, product=texts, lot=text, campaign=texts, rules=texts, odds=odds, serial=text, claim_id=text
    )
    plain = shown(replace(view, product={"en": "p"}, lot="l", campaign={"en": "c"}, rules={"en": "r"}))
    page = shown(view)
    assert page.open == []
    names = [tag for tag, _ in page.elements]
    assert names == [tag for tag, _ in plain.elements] or not text.strip()
    assert page.find("input", name="serial")[0]["value"] == text
