"""axe finds nothing serious or critical on any face, in either language, by day or by night."""

from collections.abc import Callable
from importlib.resources import files

import pytest
from playwright.sync_api import Page

from dev.page_gallery import GALLERY
from dev.page_server import PageServer

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()


@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "light"), ("en", "dark")])
def test_axe_finds_nothing_serious(
    server: PageServer, open_page: Callable[..., Page], locale: str, scheme: str
) -> None:
    page = open_page(locale=locale, color_scheme=scheme)
    # As an init script axe is the browser's, so the page's own policy stays as strict as it is.
    page.add_init_script(AXE)
    found = []
    for name in GALLERY:
        page.goto(server.page(name))
        violations = page.evaluate("() => axe.run(document).then((result) => result.violations)")
        found += [
            (name, one["id"], one["impact"], one["nodes"][0]["html"])
            for one in violations
            if one["impact"] in ("serious", "critical")
        ]
    assert found == []
