"""The batch encoder is segno's and qrcode's equal, module by module, and leaves to segno what it does not know."""

import numpy as np
import pytest
import qrcode
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from qrcode.constants import ERROR_CORRECT_M
from qrcode.util import QRData

from cli.labels.paths import paths
from cli.labels.qr_batch import CHUNK, encode, symbols
from cli.labels.qr_tables import ALPHABET, CAPACITY, MASKS, SIZE, U8

LINK = "HTTPS://U1.EXAMPLE.CN/01/09520123456788/21/1E5ZNQ38SXZSYYC86"


def ends_with_a_codeword(length: int) -> bool:
    """Mode, length, text and terminator fill whole codewords: segno 1.6.6 then adds one of zeros, which clause
    7.4.10 does not know. Such symbols are compared with qrcode's."""
    return (4 + 9 + 11 * (length // 2) + 6 * (length % 2) + 4) % 8 == 0


LENGTHS = [length for length in range(39, CAPACITY + 1) if not ends_with_a_codeword(length)]
ALIGNED = [length for length in range(39, CAPACITY + 1) if ends_with_a_codeword(length)]


def by_segno(text: str) -> U8:
    made = segno.make(text, error="M", boost_error=False, version=3, mode="alphanumeric")
    return np.array([list(row) for row in made.matrix], np.uint8)


def by_qrcode(text: str, mask: int) -> U8:
    code = qrcode.QRCode(version=3, error_correction=ERROR_CORRECT_M, border=0, mask_pattern=mask)
    code.add_data(QRData(text, mode=2))
    code.make(fit=False)
    return np.array(code.get_matrix(), np.uint8)


def texts(lengths: list[int]) -> st.SearchStrategy[list[str]]:
    def of(length: int) -> st.SearchStrategy[list[str]]:
        return st.lists(st.text(ALPHABET, min_size=length, max_size=length), min_size=1, max_size=3)

    return st.sampled_from(lengths).flatmap(of)


@settings(max_examples=40, deadline=None)
@given(texts(LENGTHS))
def test_every_module_and_the_mask_are_segnos(links: list[str]) -> None:
    for link, symbol in zip(links, encode(links), strict=True):
        assert (symbol == by_segno(link)).all(), link


@settings(max_examples=12, deadline=None)
@given(texts([*ALIGNED, CAPACITY]))
def test_the_rest_is_qrcodes_under_one_of_the_masks(links: list[str]) -> None:
    for link, symbol in zip(links, encode(links), strict=True):
        assert any((symbol == by_qrcode(link, mask)).all() for mask in range(MASKS)), link


def test_hard_cases_for_the_penalty() -> None:
    """Texts of few different characters make long runs and patterns that look like finders."""
    hard = [pair * 30 for pair in ("00", "ZZ", "::", "0Z", "A:", "  ", "10", "8G", "-.")]
    for link, symbol in zip(hard, encode(hard), strict=True):
        assert (symbol == by_segno(link)).all(), link


def test_a_printed_link_is_version_three_and_reads_back() -> None:
    [symbol] = symbols([LINK])
    assert symbol.shape == (SIZE, SIZE) == (29, 29)
    pixels = np.pad(255 - 255 * symbol, 4, constant_values=255).repeat(4, axis=0).repeat(4, axis=1)
    found = zxingcpp.read_barcode(pixels)
    assert found is not None
    assert (found.text, found.ec_level) == (LINK, "M")


@pytest.mark.parametrize(
    "odd", ["https://lower.case/x", "HTTPS://U1.EXAMPLE.CN/00/340123450000000000", "x" * 300, "中文"]
)
def test_other_texts_are_segnos(odd: str) -> None:
    made, segnos = symbols([LINK, odd]), segno.make(odd, error="M", boost_error=False, micro=False)
    assert (made[1] == np.array([list(row) for row in segnos.matrix])).all()
    assert made[0].shape == (29, 29)


def test_a_text_too_long_for_any_symbol() -> None:
    with pytest.raises(ValueError, match="no QR code holds 9000 characters"):
        symbols(["X" * 9000])


def test_chunks_make_no_difference() -> None:
    links = [f"{LINK[:-4]}{number:04d}" for number in range(CHUNK + 3)]
    made = symbols(links)
    assert len(made) == len(links)
    assert (made[-1] == encode(links[-1:])[0]).all()
    assert symbols([]) == []


def test_paths_are_the_dark_modules() -> None:
    [symbol] = symbols([LINK])
    [pdf] = paths([symbol], "pdf")
    drawn = np.zeros_like(symbol)
    for line in pdf.splitlines():
        x, y, width, height, operator = line.split()
        assert (height, operator) == ("1", "re")
        assert not drawn[28 - int(y), int(x) : int(x) + int(width)].any(), "no module twice"
        drawn[28 - int(y), int(x) : int(x) + int(width)] = 1
    assert (drawn == symbol).all()
    assert len(paths(symbols([LINK, "SHORT"]), "svg")) == 2
    assert paths([], "pdf") == []
