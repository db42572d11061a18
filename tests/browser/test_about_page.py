"""The product safety page in a browser: readable without scripts, no cookie, nothing axe objects to, policy kept."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dev.about_gallery import ABOUT
from dev.page_gallery import GTIN
from dev.page_server import PageServer
from tests.browser.test_scan_page_axe import AXE


def address(server: PageServer, name: str) -> str:
    return f"{server.origin}/about/{GTIN}/{name}"


@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "light"), ("en", "dark")])
def test_axe_finds_nothing_serious(
    server: PageServer, open_page: Callable[..., Page], locale: str, scheme: str
) -> None:
    page = open_page(locale=locale, color_scheme=scheme)
    page.add_init_script(AXE)
    found = []
    for name in ABOUT:
        page.goto(address(server, name))
        violations = page.evaluate("() => axe.run(document).then((result) => result.violations)")
        found += [(name, one["id"]) for one in violations if one["impact"] in ("serious", "critical")]
    assert found == []


def test_it_is_readable_without_scripts_and_sets_no_cookie(server: PageServer, open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(address(server, "DISTRIBUTOR"))
    expect(page.get_by_role("heading", level=1)).to_have_text("About this product")
    expect(page.get_by_text("Shipped to Chongqing Yuzhong Trading")).to_be_visible()
    expect(page.get_by_text("Went back to the brand")).to_be_visible()
    page.get_by_role("link", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("关于这件商品")
    page.get_by_role("link", name="返回扫码页").click()
    expect(page).to_have_url(f"{server.origin}/01/{GTIN}/21/CLAIMABLE?lang=zh-CN")
    assert page.context.cookies() == []
