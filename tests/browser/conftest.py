"""A headless Chromium, a page of it that fails the test on any console error, and the page server to visit."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from dev.browser import FLAGS, PHONE, browser_path
from dev.build_web import build
from dev.page_server import PageServer

OpenPage = Callable[..., Page]
expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def server() -> Iterator[PageServer]:
    build()
    started = PageServer().start()
    yield started
    started.shutdown()
    started.server_close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """`open_page(**context_options)` gives a phone-sized page; console errors are collected and must be none.

    Chromium reports every 4xx/5xx reply as a console error; those are the server's to assert, so they do not count.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            problems.append(message.text)

    def start(**options: object) -> Page:
        settings = {"viewport": PHONE, "locale": "en-GB", "reduced_motion": "reduce", "timezone_id": "Asia/Shanghai"}
        context = browser.new_context(**{**settings, **options})  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: problems.append(str(error)))
        return page

    yield start
    for context in contexts:
        context.close()
    assert problems == []
