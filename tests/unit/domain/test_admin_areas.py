"""Administrative codes: what they may look like, and which parts make up a whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.admin_areas import PROVINCES, areas_of, check_code, covers
from uncap.domain.errors import InputError


def test_the_provinces_of_the_standard() -> None:
    assert len(PROVINCES) == 34
    assert {"11", "50", "71", "81", "82"} < PROVINCES


@pytest.mark.parametrize("code", ["510000", "510100", "510104", "110101"])
def test_codes_in_use(code: str) -> None:
    assert check_code(code) == code


@pytest.mark.parametrize("code", ["", "51", "5101000", "990100", "510004", "51010a", "５１０１００", "160000"])
def test_what_is_no_code(code: str) -> None:
    with pytest.raises(InputError, match="admin_code_unknown"):
        check_code(code, "codes[3]")


def test_parts_make_up_the_whole() -> None:
    known = ["510104", "510105", "510600", "510681", "500000"]
    assert areas_of("510000", known) == ("510104", "510105", "510600"), "a county of a known prefecture is not counted"
    assert areas_of("510100", known) == ("510104", "510105")
    assert areas_of("510600", known) == ("510600",)
    assert areas_of("510681", known) == ("510681",)
    assert areas_of("530000", known) == ()


@given(st.sampled_from(["510000", "510100", "510104"]), st.from_regex(r"[1-8][1-5][0-9]{4}", fullmatch=True))
def test_covering_is_by_pairs(code: str, other: str) -> None:
    pairs = [code[place : place + 2] for place in (0, 2, 4)]
    assert covers(code, other) == all(
        pair in ("00", other[2 * place : 2 * place + 2]) for place, pair in enumerate(pairs)
    )
