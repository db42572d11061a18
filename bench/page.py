"""The scan page as a phone gets it: bytes on the wire, and when the verdict is painted on slow networks.

Chromium with CPU ÷ 4 and DevTools' "Fast 3G" and "Slow 3G" presets (latency per request; a warm connection). Painted
means the browser's own first contentful paint. The peer is the same page with its stylesheet behind a link: what a
policy of plain `style-src 'self'`, without the sheet's hash, would cost.
"""

import statistics
from collections.abc import Iterator
from typing import NamedTuple

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from bench.report import Row, row
from dev.browser import FLAGS, PHONE, browser_path
from dev.build_web import build
from dev.page_server import PageServer

_ROUNDS = 5
_CPU_SLOWDOWN = 4
_MAX_WIRE_BYTES = 8 * 1024
_FACE = "CLAIMABLE"
_PAINTED = "() => performance.getEntriesByName('first-contentful-paint').map((entry) => entry.startTime)"


class Network(NamedTuple):
    """A DevTools preset, and by when the verdict must be there."""

    name: str
    latency_ms: float
    bytes_per_s: float
    budget_ms: int


_NETWORKS = (Network("fast_3g", 562.5, 180_000, 1_200), Network("slow_3g", 2_000, 50_000, 2_600))


def scan_page() -> Iterator[Row]:
    """Transfer size in both languages; median time to the painted verdict on both networks, and with a linked sheet."""
    build()
    server = PageServer().start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
            for locale in ("zh-CN", "en"):
                yield _size(browser, server, locale)
            for network in _NETWORKS:
                yield _paint(browser, server, network)
            browser.close()
    finally:
        server.shutdown()
        server.server_close()


def _size(browser: Browser, server: PageServer, locale: str) -> Row:
    context = browser.new_context(viewport=PHONE, locale=locale)  # type: ignore[arg-type]
    page = context.new_page()
    sizes: list[float] = []
    wire = context.new_cdp_session(page)
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    wire.send("Network.enable")
    page.goto(server.page(_FACE), wait_until="networkidle")
    context.close()
    budget = f"<= {_MAX_WIRE_BYTES}"
    return row(f"scan_page.bytes.{locale}", sum(sizes), "bytes, headers included", requests=len(sizes), budget=budget)


def _paint(browser: Browser, server: PageServer, network: Network) -> Row:
    own: list[float] = []
    linked: list[float] = []
    for _ in range(_ROUNDS):
        for links_sheet, times in ((False, own), (True, linked)):
            server.links_sheet = links_sheet
            times.append(_painted_ms(browser, server, network))
    server.links_sheet = False
    ratio = statistics.median(other / mine for mine, other in zip(own, linked, strict=True))
    return row(
        f"scan_page.verdict.{network.name}",
        statistics.median(own),
        "ms",
        peer="linked stylesheet",
        peer_value=statistics.median(linked),
        ratio=ratio,
        budget=f"<= {network.budget_ms}",
    )


def _painted_ms(browser: Browser, server: PageServer, network: Network) -> float:
    """One cold visit; ms from the start of the navigation to the first contentful paint."""
    context = browser.new_context(viewport=PHONE, locale="zh-CN", reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    _slow_down(context.new_cdp_session(page), network)
    page.goto(server.page(_FACE), timeout=60_000)
    painted = _wait_for_paint(page)
    heading = page.locator("h1").bounding_box()
    if heading is None or heading["y"] + heading["height"] > PHONE["height"]:
        raise RuntimeError("the verdict is not in the first view")
    context.close()
    return painted


def _slow_down(session: CDPSession, network: Network) -> None:
    session.send("Emulation.setCPUThrottlingRate", {"rate": _CPU_SLOWDOWN})
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": network.latency_ms,
            "downloadThroughput": network.bytes_per_s,
            "uploadThroughput": network.bytes_per_s,
        },
    )


def _wait_for_paint(page: Page) -> float:
    for _ in range(100):
        times: list[float] = page.evaluate(_PAINTED)
        if times:
            return times[0]
        page.wait_for_timeout(50)
    raise RuntimeError("nothing was painted within 5 s of loading")
