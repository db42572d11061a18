"""The outlet's camera for real: Chromium films a generated QR code, and jsQR, which is loaded only then, reads it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dev.browser import FLAGS, browser_path
from tests.browser.test_channel_pages import Site, site
from tests.kits.fake_camera import film, photo
from tests.unit.routes.test_channel_events import a_sdk
from uncap.runtime.wiring_channel import build_handler
from webui import assets

__all__ = ["site"]
NO_READER = "delete window.BarcodeDetector;"
# What WeChat's script does as far as the page sees it: it believes a signature of forty digits.
WX = """
window.wx = {
  ready: (then) => { window.then = then; },
  config: (given) => {
    if (!/^[0-9a-f]{40}$/.test(given.signature) || !given.jsApiList.includes("scanQRCode")) throw given;
    document.body.dataset.signed = given.appId;
    window.then();
  },
  scanQRCode: ({ success }) => success({ resultStr: window.answer }),
};
"""
WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.50"


@pytest.fixture
def seen(site: Site, browser: Browser, tmp_path: Path) -> Iterator[tuple[str, BrowserContext]]:
    """A right's code, and a browser whose camera is held at it."""
    code = site.channel.market.win()
    path = film(tmp_path / "camera.y4m", f"https://q.example.cn/outlet?code={code}")
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    films = browser.browser_type.launch(
        executable_path=browser_path(), args=[*FLAGS, *flags, f"--use-file-for-fake-video-capture={path}"]
    )
    yield code, films.new_context(locale="en-GB", permissions=["camera"])
    films.close()


def test_jsqr_reads_what_the_camera_sees(site: Site, seen: tuple[str, BrowserContext]) -> None:
    code, context = seen
    page = context.new_page()
    page.add_init_script(NO_READER)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    site.sign_in(page, "staff")
    page.goto(site.base + "/outlet")
    expect(page.get_by_role("button", name="Scan with the camera")).to_be_visible()
    reader = site.base + assets.url("jsqr.js")
    assert reader not in fetched, "nobody pays for the reader who does not use the camera"
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.get_by_label("The customer's code")).to_have_value(code, timeout=15_000)
    expect(page.locator("#video")).to_be_hidden()
    assert reader in fetched
    assert site.channel.store.claims["o-1", "s-1"].line("09520123456788").raised == 2, "the camera redeems nothing"
    page.get_by_role("button", name="Redeem").click()
    expect(page.get_by_text("Redeemed: hand over one")).to_be_visible()


def test_jsqr_reads_a_photo(site: Site, open_page: Callable[..., Page], tmp_path: Path) -> None:
    code = site.channel.market.win()
    page = open_page()
    page.add_init_script(NO_READER)
    site.sign_in(page, "staff")
    page.goto(site.base + "/outlet")
    page.get_by_label("Or take a photo of the code").set_input_files(photo(tmp_path / "code.png", code))
    expect(page.get_by_label("The customer's code")).to_have_value(code)
    page.get_by_label("Or take a photo of the code").set_input_files(photo(tmp_path / "other.png", "https://e.cn/x"))
    expect(page.locator("#note")).to_have_text("No code found. Type it instead.")


def test_without_any_reader_one_types(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.add_init_script(NO_READER)
    page.route(
        "**/outlet", lambda route: route.fulfill(response=(got := route.fetch()), body=_without_reader(got.text()))
    )
    site.sign_in(page, "staff")
    page.goto(site.base + "/outlet")
    expect(page.locator("#camera")).to_be_hidden()
    expect(page.get_by_label("The customer's code")).to_be_visible()


def test_in_wechat_its_own_scanner_is_used(site: Site, open_page: Callable[..., Page]) -> None:
    code, channel = site.channel.market.win(), site.channel
    channel.run = build_handler(msgspec.structs.replace(channel.desk, sdk=a_sdk()), channel.observer)
    page = open_page(user_agent=WECHAT)
    answer = f"https://q.example.cn/outlet?code={code}"
    page.route("https://res.wx.qq.com/**", lambda route: route.fulfill(body=WX, content_type="text/javascript"))
    page.add_init_script(f"{NO_READER} window.answer = '{answer}';")
    site.sign_in(page, "staff")
    page.goto(site.base + "/outlet")
    expect(page.locator("body[data-signed]")).to_be_visible()
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.get_by_label("The customer's code")).to_have_value(code)


def _without_reader(html: str) -> str:
    return html.replace(assets.url("jsqr.js"), "")
