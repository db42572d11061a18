"""The wallet and the workspace in a browser: readable by all, whole without script, the camera fills the code in."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect

from dev.build_web import build
from tests.unit.routes.test_channel_api import Channel, cash, key, waiting_for_a_name
from uncap.domain.rails import UserAction
from uncap.domain.rewards.reward import State
from uncap.domain.sessions import seal
from webui import assets

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
CAMERA = """
window.BarcodeDetector = class { async detect() { return [{ rawValue: window.seen }]; } };
Object.defineProperty(navigator, "mediaDevices", { value: { getUserMedia: async () => {
  const canvas = document.createElement("canvas");
  canvas.getContext("2d").fillRect(0, 0, 9, 9);
  return canvas.captureStream(10);
} } });
"""


class Site:
    """The channel API behind a port; `base` is its address."""

    def __init__(self) -> None:
        self.channel = Channel()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def sign_in(self, page: Page, name: str) -> None:
        token = seal(self.channel.world.keys, self.channel.world.session(name))
        page.context.add_cookies([{"name": "uncap_session", "value": token, "url": self.base}])

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        channel = self.channel

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                if address.path.startswith("/static/"):
                    found = assets.asset(address.path.rpartition("/")[2])
                    return self._send(200, found.body, {"Content-Type": found.content_type})
                return self._run("GET", "")

            def do_POST(self) -> None:
                self._run("POST", self.rfile.read(int(self.headers["Content-Length"])).decode())

            def _run(self, method: str, body: str) -> None:
                address = urlsplit(self.path)
                event = {
                    "version": "2.0",
                    "rawPath": address.path,
                    "queryStringParameters": dict(parse_qsl(address.query)),
                    "headers": {name.lower(): value for name, value in self.headers.items()} | {"accept-encoding": ""},
                    "requestContext": {"http": {"method": method, "path": address.path}, "stage": "$default"},
                    "body": body,
                    "isBase64Encoded": False,
                }
                reply = channel.run(event, None)
                headers = dict(reply["headers"])
                if reply.get("cookies"):
                    headers["Set-Cookie"] = reply["cookies"][0]
                self._send(reply["statusCode"], reply["body"].encode(), headers)

            def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in (headers | {"Content-Length": str(len(body))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    build()
    opened = Site()
    channel = opened.channel
    channel.join("staff", "o-1")
    channel.join("boss", "s-1")
    channel.market.win(channel.person("ann"))
    cash(channel, State.CLAIMABLE, "A" * 26)
    channel.market.win(channel.person("ann"))
    cash(channel, State.WAIT_USER, "B" * 26, action=UserAction(kind="confirm", package="pkg"), due_at_ms=1)
    waiting_for_a_name(channel)
    for _ in range(2):
        channel.post("/v1/redemptions", "staff", {"code": channel.market.win(), "key": key()})
    act = {"claimant": "o-1", "gtin": "09520123456788", "pieces": "1"}
    channel.form("/outlet/claims", "boss", kind="approve", key=key(), **act)
    yield opened
    opened.close()


@pytest.mark.parametrize(("locale", "scheme", "width"), [("zh-CN", "light", 390), ("en", "dark", 1280)])
def test_axe_finds_nothing_serious(
    site: Site, open_page: Callable[..., Page], locale: str, scheme: str, width: int
) -> None:
    page = open_page(locale=locale, color_scheme=scheme, viewport={"width": width, "height": 844})
    page.add_init_script(AXE)
    found = []
    for name, path in (
        ("ann", "/wallet"),
        ("zoe", "/wallet"),
        ("staff", "/outlet"),
        ("boss", "/outlet"),
        ("zoe", "/outlet"),
    ):
        site.sign_in(page, name)
        page.goto(site.base + path)
        violations = page.evaluate("() => axe.run(document).then((result) => result.violations)")
        found += [
            (name, path, one["id"], one["nodes"][0]["html"])
            for one in violations
            if one["impact"] in ("serious", "critical")
        ]
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), (name, path)
    assert found == []


def test_redeeming_without_script(site: Site, open_page: Callable[..., Page]) -> None:
    code = site.channel.market.win()
    page = open_page(java_script_enabled=False)
    site.sign_in(page, "staff")
    page.goto(site.base + "/outlet")
    expect(page.locator("#camera")).to_be_hidden()
    page.get_by_label("The customer's code").fill(code.lower())
    page.get_by_role("button", name="Redeem").click()
    expect(page.get_by_text("Redeemed: hand over one")).to_be_visible()
    expect(page.locator("#vouchers")).to_have_text("3")


def test_the_camera_fills_the_code_in_and_redeems_nothing(site: Site, open_page: Callable[..., Page]) -> None:
    code = site.channel.market.win()
    page = open_page()
    page.add_init_script(CAMERA + f'window.seen = "https://q.example.cn/outlet?code={code}";')
    site.sign_in(page, "staff")
    page.goto(site.base + "/outlet")
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.get_by_label("The customer's code")).to_have_value(code)
    assert site.channel.store.claims["o-1", "s-1"].line("09520123456788").raised == 2


def test_the_wallet_shows_a_code_and_a_way_to_collect(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page()
    site.sign_in(page, "ann")
    page.goto(site.base + "/wallet")
    expect(page.locator("svg.qr").first).to_be_visible()
    expect(page.get_by_role("button", name="Collect again")).to_be_visible()
    expect(page.get_by_role("link", name="Confirm and collect")).to_be_visible()
