"""The main job as a person does it: a printed QR is read, the page opened, claimed, confirmed at the rail, paid."""

import io
import re
from collections.abc import Callable

import pytest
import qrcode
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect
from qrcode.constants import ERROR_CORRECT_M

from tests.kits.market import Market
from uncap.domain.catalog import Role

PAID_WITHIN_MS = 60_000


def read_from_print(link: str) -> str:
    """The link as a phone's camera gets it: drawn as a QR image, read back by an independent decoder."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4, box_size=4)
    code.add_data(link)
    drawn = io.BytesIO()
    code.make_image().save(drawn)
    (read,) = zxingcpp.read_barcodes(Image.open(drawn).convert("L"))
    return str(read.text)


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
def test_from_a_printed_code_to_paid(market: Market, open_page: Callable[..., Page], script: bool) -> None:
    page = open_page(java_script_enabled=script)
    link = read_from_print(market.link(market.next("cash")))
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("Genuine code, not claimed yet")
    page.get_by_role("button", name="Claim and see the result").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Claimed by you")
    confirm = page.get_by_role("link", name="Confirm and collect")
    wait_for(page, confirm.is_visible, script)
    confirm.click()
    page.get_by_role("button", name="Confirm and receive").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("On its way|Received"))
    page.get_by_role("link", name="Back").click()
    wait_for(page, page.get_by_role("heading", name="Paid", exact=True).is_visible, script)
    expect(page.get_by_text("¥", exact=False).first).to_be_visible()


def wait_for(page: Page, seen: Callable[[], bool], script: bool) -> None:
    """Waits as the person does: looking on while the script asks, or tapping "Check again" without one."""
    for _ in range(PAID_WITHIN_MS // 500):
        if seen():
            return
        page.wait_for_timeout(500)
        if not script:
            page.get_by_role("link", name="Check again").click()
    raise AssertionError(f"not within {PAID_WITHIN_MS} ms; the page says: {page.locator('main').inner_text()}")


def test_a_second_person_is_told_the_day_and_no_more(market: Market, open_page: Callable[..., Page]) -> None:
    link = read_from_print(market.link(market.next("")))
    for expected in ("Claimed by you", "Already claimed"):
        page = open_page()
        page.goto(link)
        if expected == "Claimed by you":
            page.get_by_role("button", name="Claim and see the result").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(expected)
    expect(page.get_by_text("Claimed on", exact=True)).to_be_visible()
    expect(page.locator(".reward")).to_have_count(0)


def test_an_outer_code_and_a_forged_one(market: Market, open_page: Callable[..., Page]) -> None:
    page = open_page()
    index = market.next("")
    page.goto(market.link(index, Role.CAP_OUTER))
    expect(page.get_by_role("heading", level=1)).to_have_text("Issued by us")
    genuine = market.link(index)
    page.goto(genuine[:-1] + ("0" if genuine[-1] != "0" else "1"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Not our code")
