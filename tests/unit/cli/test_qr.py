"""The printed symbol keeps its size promise and reads back exactly, by a decoder that shares no code with ours."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image
from typer.testing import CliRunner

from cli import qr
from cli.main import app

PRODUCTION_LINK = "HTTPS://U1.EXAMPLE.CN/01/09520123456788/21/1E5ZNQ38SXZSYYC86"
LOCAL_LINK = "http://abcdef1234.execute-api.localhost:4566/01/09520123456788/21/1E5ZNQ38SXZSYYC86"


def test_production_link_is_version_three() -> None:
    assert len(PRODUCTION_LINK) <= 61
    assert qr.symbol(PRODUCTION_LINK).version == 3


@pytest.mark.parametrize("link", [PRODUCTION_LINK, LOCAL_LINK])
def test_png_reads_back(link: str) -> None:
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(qr.png(link))))
    assert found.text == link


def test_terminal_symbol_reads_back() -> None:
    lines = qr.terminal(PRODUCTION_LINK).split("\n")
    light = {"█": (255, 255), "▀": (255, 0), "▄": (0, 255), " ": (0, 0)}
    image = Image.new("L", (len(lines[0]), 2 * len(lines)))
    for y, line in enumerate(lines):
        for x, glyph in enumerate(line):
            image.putpixel((x, 2 * y), light[glyph][0])
            image.putpixel((x, 2 * y + 1), light[glyph][1])
    [found] = zxingcpp.read_barcodes(image.resize((image.width * 4, image.height * 4), Image.Resampling.NEAREST))
    assert found.text == PRODUCTION_LINK


def test_svg_is_one_path_of_the_same_modules(tmp_path: Path) -> None:
    out = tmp_path / "code.svg"
    assert CliRunner().invoke(app, ["qr", PRODUCTION_LINK, "--out", str(out)]).exit_code == 0
    text = out.read_text("utf-8")
    assert text.count("<path") == 1
    matrix = np.full((37, 37), 255, np.uint8)
    for x, y in re.findall(r"M(\d+),(\d+)H", text):
        matrix[int(y), int(x)] = 0
    [found] = zxingcpp.read_barcodes(matrix.repeat(4, axis=0).repeat(4, axis=1))
    assert found.text == PRODUCTION_LINK
