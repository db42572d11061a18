"""The scan page in a phone's browser: readable without a script, and with it claimed and followed without a reload."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dev.page_gallery import GALLERY
from dev.page_server import FIRST, NOT_READY, PageServer, Reply, reward_reply

OpenPage = Callable[..., Page]
MAX_WIRE_BYTES = 8 * 1024


def claim(page: Page) -> None:
    page.get_by_role("button", name="Claim and see the result").click()


def problem(status: int, code: str, **headers: str) -> Reply:
    return status, headers, {"type": "about:blank", "status": status, "code": code, "detail": ""}


def test_the_form_works_without_a_script(server: PageServer, open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(server.page("CLAIMABLE"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Genuine code, not claimed yet")
    expect(page.get_by_text("1 in 1,200")).to_be_visible()
    expect(page.locator("#place")).to_be_hidden()
    claim(page)
    expect(page.get_by_role("heading", name="Being confirmed")).to_be_visible()
    expect(page.get_by_role("link", name="Check again")).to_be_visible()
    method, path, body = server.seen[-1]
    assert (method, path) == ("POST", "/v1/scans?lang=en")
    assert re.fullmatch(rb"gtin=\d{14}&serial=CLAIMABLE&claim_id=\w+&csrf=\w+", body)


def test_claimed_and_followed_to_paid_without_a_reload(server: PageServer, open_page: OpenPage) -> None:
    server.rewards = [
        NOT_READY,
        reward_reply("PENDING"),
        reward_reply("ACCEPTED"),
        reward_reply("WAIT_USER", f"{server.origin}/pay"),
        reward_reply("PAID"),
    ]
    page = open_page()
    page.goto(server.page("CLAIMABLE"))
    page.evaluate("() => { window.kept = true; }")
    claim(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Claimed by you")
    expect(page.get_by_text("¥8.80", exact=True)).to_be_visible()
    confirm = page.get_by_role("link", name="Confirm and collect")
    expect(confirm).to_be_visible()
    back = server.page("CLAIMABLE").replace(":", "%3A").replace("/", "%2F")
    expect(confirm).to_have_attribute("href", f"{server.origin}/pay?back={back}")
    expect(page.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    expect(confirm).to_be_hidden()
    assert page.evaluate("() => window.kept")
    posted = [json.loads(body) for method, _, body in server.seen if method == "POST"]
    assert [sorted(body) for body in posted] == [["claim_id", "gtin", "serial"]]


def test_an_answer_on_a_gone_page_is_asked_for_at_once_when_the_person_returns(
    server: PageServer, open_page: OpenPage
) -> None:
    server.rewards = [reward_reply("PAID")]
    page = open_page()
    page.goto(server.page("YOURS-WAIT_USER"))
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("heading", name="Paid", exact=True)).to_be_visible(timeout=2_000)


def test_no_prize_is_said_plainly_and_asking_stops(server: PageServer, open_page: OpenPage) -> None:
    server.rewards = [reward_reply("NONE")]
    page = open_page()
    page.goto(server.page("CLAIMABLE"))
    claim(page)
    expect(page.get_by_role("heading", name="No prize this time")).to_be_visible()
    expect(page.locator(".headline")).to_be_hidden()
    page.wait_for_timeout(2_500)
    assert len([path for _, path, _ in server.seen if path.startswith("/v1/rewards/")]) == 1


def test_somebody_was_first(server: PageServer, open_page: OpenPage) -> None:
    server.scans = [(200, {}, {"outcome": "repeat", "reason": "", "claim_id": "c", "rewards": [], "scans": 2})]
    page = open_page()
    page.goto(server.page("CLAIMABLE"))
    server.faces["CLAIMABLE"] = GALLERY["CLAIMED"]
    claim(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Already claimed")
    expect(page.get_by_text("18 Nov 2026")).to_be_visible()


def test_the_persons_limit(server: PageServer, open_page: OpenPage) -> None:
    server.scans = [problem(429, "person_limit_reached", **{"Retry-After": "40000"})]
    page = open_page()
    page.goto(server.page("CLAIMABLE"))
    claim(page)
    expect(page.get_by_role("status")).to_contain_text("The code is not used up")
    expect(page.get_by_role("status")).to_contain_text("about 12 h")
    expect(page.get_by_role("button")).to_be_enabled()
    assert len([method for method, _, _ in server.seen if method == "POST"]) == 1


def test_an_expired_session_is_renewed(server: PageServer, open_page: OpenPage) -> None:
    server.scans = [problem(401, "session_expired"), FIRST]
    server.rewards = [reward_reply("PAID")]
    page = open_page()
    page.goto(server.page("CLAIMABLE"))
    claim(page)
    expect(page.get_by_role("status")).to_contain_text("tap once more")
    claim(page)
    expect(page.get_by_role("heading", name="Paid", exact=True)).to_be_visible()


def test_a_busy_server_and_a_broken_connection_are_tried_again_with_the_same_claim(
    server: PageServer, open_page: OpenPage
) -> None:
    server.scans = [problem(503, "storage_unavailable"), None, (429, {}, {"message": "Too Many Requests"}), FIRST]
    server.rewards = [reward_reply("PAID")]
    page = open_page()
    page.goto(server.page("CLAIMABLE"))
    claim(page)
    expect(page.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    bodies = {body for method, _, body in server.seen if method == "POST"}
    assert len(bodies) == 1


def test_offline_is_said_and_costs_nothing(server: PageServer, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(server.page("CLAIMABLE"))
    page.context.set_offline(True)
    claim(page)
    expect(page.get_by_role("status")).to_contain_text("No connection")
    page.context.set_offline(False)
    server.rewards = [reward_reply("PAID")]
    claim(page)
    expect(page.get_by_role("heading", name="Paid", exact=True)).to_be_visible()


def test_location_is_sent_only_when_ticked(server: PageServer, open_page: OpenPage) -> None:
    page = open_page(geolocation={"latitude": 31.230416, "longitude": 121.473701}, permissions=["geolocation"])
    page.goto(server.page("CLAIMABLE"))
    box = page.get_by_role("checkbox")
    expect(box).not_to_be_checked()
    box.check()
    claim(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Claimed by you")
    body = json.loads(next(body for method, _, body in server.seen if method == "POST"))
    assert body["place"] == {"lat": 31.23042, "lng": 121.4737, "accuracy_m": 0, "datum": "wgs84"}


def test_a_refused_location_is_no_obstacle(server: PageServer, open_page: OpenPage) -> None:
    page = open_page(permissions=[])
    page.goto(server.page("CLAIMABLE"))
    page.get_by_role("checkbox").check()
    claim(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Claimed by you")
    body = json.loads(next(body for method, _, body in server.seen if method == "POST"))
    assert "place" not in body


def test_the_language_changes_without_a_cookie(server: PageServer, open_page: OpenPage) -> None:
    page = open_page(locale="zh-CN")
    page.goto(server.page("CLAIMED"))
    expect(page.get_by_role("heading", level=1)).to_have_text("此码已被领取")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Already claimed")
    assert page.context.cookies() == []


@pytest.mark.parametrize("name", GALLERY)
@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_face_fits_a_small_phone(server: PageServer, open_page: OpenPage, name: str, locale: str) -> None:
    page = open_page(viewport={"width": 320, "height": 568}, locale=locale, java_script_enabled=True)
    page.goto(server.page(name))
    size = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert size[0] <= size[1]
    for control in page.locator("a:visible, button:visible, label:visible").all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 44, control.inner_text()


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_whole_page_is_small_on_the_wire(server: PageServer, open_page: OpenPage, locale: str) -> None:
    page = open_page(locale=locale)
    session = page.context.new_cdp_session(page)
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    session.send("Network.enable")
    page.goto(server.page("CLAIMABLE"), wait_until="networkidle")
    assert len(sizes) == 2, "the page and its script"
    assert sum(sizes) <= MAX_WIRE_BYTES


def test_no_browser_storage_and_no_words_to_others(server: PageServer, open_page: OpenPage) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.page("CLAIMABLE"))
    claim(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Claimed by you")
    assert all(url.startswith((server.origin, "data:")) for url in asked)
    assert page.evaluate("() => localStorage.length + sessionStorage.length") == 0


def test_the_sources_hold_no_address() -> None:
    root = Path(__file__).parents[2]
    for path in (root / "web/scan").iterdir():
        assert not re.search(r"https?://", path.read_text()), path.name
