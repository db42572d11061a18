"""Our own links: built for print, read back folded, and everything else refused with a stable code."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.codes import links
from uncap.domain.codes.crockford import ALPHABET
from uncap.domain.errors import InputError

GTIN = "09520123456788"
SERIAL = "1E5ZNQ38SXZSYYC86"
SSCC = "106141412345678908"
QR_ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
QR_VERSION_3_M = 61


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(InputError) as caught:
        work()
    return caught.value.code


def test_the_printed_link_fits_its_qr() -> None:
    link = links.build_code_link("https://brand-name.cn", "9520123456788", SERIAL.lower())
    assert link == f"HTTPS://BRAND-NAME.CN/01/{GTIN}/21/{SERIAL}"
    assert set(link) <= QR_ALPHANUMERIC
    assert len(links.build_code_link("https://fourteen-ch.cn", GTIN, SERIAL)) == QR_VERSION_3_M


@given(
    digits=st.text("0123456789", min_size=13, max_size=13),
    serial=st.text(ALPHABET, min_size=17, max_size=17),
    host=st.sampled_from(["v.uncap.cn", "abc.execute-api.localhost:4566", "127.0.0.1:80", "x"]),
    fold=st.sampled_from([str.upper, str.lower, str.swapcase]),
)
def test_build_then_parse_in_any_case(digits: str, serial: str, host: str, fold: Callable[[str], str]) -> None:
    gtin = digits + str(links.check_digit(digits))
    link = links.build_code_link(f"http://{host}", gtin, serial)
    assert links.parse_code_link(fold(link)) == ("http", host, gtin, serial)


def test_pallets() -> None:
    link = links.build_pallet_link("https://v.uncap.cn/", SSCC)
    assert link == f"HTTPS://V.UNCAP.CN/00/{SSCC}"
    assert links.parse_pallet_link(link.lower()) == ("https", "v.uncap.cn", SSCC)
    assert refusal(lambda: links.parse_code_link(link)) == "link_malformed"
    assert refusal(lambda: links.parse_pallet_link(f"https://a/01/{GTIN}/21/{SERIAL}")) == "link_malformed"
    assert refusal(lambda: links.parse_pallet_link("https://a/00/106141412345678901")) == "sscc_check_digit"
    assert refusal(lambda: links.build_pallet_link("https://a", "12")) == "sscc_malformed"


@pytest.mark.parametrize("gtin", ["96385074", "036000291452", "9520123456788", "09520123456788", "10614141000415"])
def test_gtins_of_every_length(gtin: str) -> None:
    assert links.check_gtin(gtin) == gtin.zfill(14)


@pytest.mark.parametrize(
    ("gtin", "code"),
    [
        ("09520123456789", "gtin_check_digit"),
        ("9520123456778", "gtin_check_digit"),
        ("", "gtin_malformed"),
        ("123", "gtin_malformed"),
        ("095201234567888", "gtin_malformed"),
        ("0952012345678x", "gtin_malformed"),
        ("０9520123456788", "gtin_malformed"),
        ("0952012345678²", "gtin_malformed"),
    ],
)
def test_bad_gtins(gtin: str, code: str) -> None:
    assert refusal(lambda: links.check_gtin(gtin)) == code


@pytest.mark.parametrize(
    "link",
    [
        "",
        "v.uncap.cn",
        f"ftp://v.uncap.cn/01/{GTIN}/21/{SERIAL}",
        f"https:///01/{GTIN}/21/{SERIAL}",
        f"https://user@v.uncap.cn/01/{GTIN}/21/{SERIAL}",
        f"https://v.uncap.cn/01/{GTIN}/21/{SERIAL}/",
        f"https://v.uncap.cn/01/{GTIN}/21/{SERIAL}?a=1",
        f"https://v.uncap.cn/01/{GTIN}/21/{SERIAL}#x",
        f"https://v.uncap.cn/01/{GTIN}/21/{SERIAL}\n",
        f"https://v.uncap.cn/01/{GTIN}/21/",
        f"https://v.uncap.cn/01/{GTIN}/10/L1/21/{SERIAL}",
        f"https://v.uncap.cn/01/{GTIN[1:]}/21/{SERIAL}",
        f"https://v.uncap.cn//01/{GTIN}/21/{SERIAL}",
        f"https://v.uncap.cn/gtin/{GTIN}/ser/{SERIAL}",
        f"https://v.uncap.cn:/01/{GTIN}/21/{SERIAL}",
        f"https://v.uncap.cn/01/{GTIN}/21/{'A' * 21}",
        f"https://v.uncap.cn/01/{GTIN}/21/é{SERIAL}",
        f"https://v.uncap.cn/01/{'٠' * 14}/21/{SERIAL}",
        f"https://{'a' * 400}/01/{GTIN}/21/{SERIAL}",
    ],
)
def test_other_links_are_malformed(link: str) -> None:
    assert refusal(lambda: links.parse_code_link(link)) == "link_malformed"


def test_a_wrong_check_digit_in_a_link_is_named() -> None:
    assert refusal(lambda: links.parse_code_link(f"https://a/01/09520123456789/21/{SERIAL}")) == "gtin_check_digit"


@pytest.mark.parametrize(
    "base", ["", "v.uncap.cn", "https://", "https://a/b", "https://a b", "https://a?x", "https://-a"]
)
def test_bases(base: str) -> None:
    assert refusal(lambda: links.code_prefix(base, GTIN)) == "link_base_malformed"


@pytest.mark.parametrize("serial", ["", "A" * 21, "A/B", "É"])
def test_serials_that_cannot_be_printed(serial: str) -> None:
    assert refusal(lambda: links.build_code_link("https://a", GTIN, serial)) == "serial_malformed"
