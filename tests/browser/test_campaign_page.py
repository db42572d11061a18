"""A campaign's public page in a browser: nothing axe objects to, nothing too wide or too small, no script or cookie."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dev.campaign_gallery import CAMPAIGNS
from dev.page_server import PageServer
from tests.browser.test_scan_page_axe import AXE

SMALLEST_PX = 44


@pytest.mark.parametrize(("locale", "scheme", "width"), [("zh-CN", "light", 1280), ("en", "dark", 320)])
def test_every_face_is_accessible_and_fits(
    server: PageServer, open_page: Callable[..., Page], locale: str, scheme: str, width: int
) -> None:
    page = open_page(locale=locale, color_scheme=scheme, viewport={"width": width, "height": 844})
    page.add_init_script(AXE)
    found = []
    for name in CAMPAIGNS:
        page.goto(f"{server.origin}/campaigns/{name}")
        assert page.evaluate("document.documentElement.scrollWidth") == width, name
        for target in page.query_selector_all("a, summary, button"):
            box = target.bounding_box()
            assert box is not None
            assert min(box["height"], box["width"]) >= SMALLEST_PX, target.inner_text()
        violations = page.evaluate("() => axe.run(document).then((result) => result.violations)")
        found += [(name, one["id"]) for one in violations if one["impact"] in ("serious", "critical")]
    assert found == []


def test_it_is_readable_without_scripts_and_sets_no_cookie(server: PageServer, open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"{server.origin}/campaigns/PUBLISHED")
    expect(page.get_by_role("heading", level=1)).to_have_text("Open and win in spring")
    expect(page.get_by_role("cell", name="Night packet")).to_contain_text("only for: 18:00-23:00, VIP")
    expect(page.get_by_role("cell", name="10 among 1,284,031 entries, at the close")).to_be_visible()
    page.get_by_text("Release r12-1, 720,000 codes").click()
    expect(page.get_by_text("drand-quicknet 11904520")).to_be_visible()
    page.get_by_role("link", name="中文").click()
    expect(page.get_by_role("heading", name="活动结束抽奖")).to_be_visible()
    assert page.context.cookies() == []
