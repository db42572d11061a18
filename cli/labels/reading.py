"""Proof of print: pages are drawn as a printer would draw them and every label is read back, each in its own place.

Called by `uncap labels --verify`, the tests and the benchmark. pypdfium2 draws, zxing-cpp reads: neither has anything
in common with what made the sheet.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pypdfium2  # type: ignore[import-untyped]  # the library has no types
import zxingcpp
from PIL import Image

from cli.labels.qr_tables import U8
from cli.labels.stock import QUIET_MODULES, Cell, Stock, cell

DPI = 300
_SVG_PX = 4  # pixels a module
_SVG_SYMBOL = re.compile(r'<path transform="[^"]*" d="([^"]*)"')
_SVG_RUN = re.compile(r"M(\d+) (\d+)h(\d+)v1h-\d+z")
_QR = zxingcpp.BarcodeFormat.QRCode
_QR_ONLY = zxingcpp.BarcodeFormats(_QR)
_BARS = zxingcpp.BarcodeFormat.Code128


def misread_pdf(file: Path, stock: Stock, links: Sequence[str], dpi: int = DPI) -> list[int]:
    """Which labels of the document do not read as their link (for pallets: bars and symbol), by number from 0."""
    wrong: list[int] = []
    document = pypdfium2.PdfDocument(file)
    try:
        pages = -(-len(links) // stock.per_page)
        if len(document) != pages:
            return list(range(len(links)))
        for page in range(pages):
            pixels = document[page].render(scale=dpi / 72, grayscale=True).to_numpy()
            first = page * stock.per_page
            for place, link in enumerate(links[first : first + stock.per_page]):
                if not _reads(
                    _cut(pixels[:, :, 0] if pixels.ndim == 3 else pixels, cell(stock, place), dpi), stock, link
                ):
                    wrong.append(first + place)
    finally:
        document.close()
    return wrong


def misread_svg(file: Path, links: Sequence[str]) -> list[int]:
    """The same for one page as SVG; its paths are filled in module by module, text and placement are not looked at."""
    found = [_SVG_RUN.findall(data) for data in _SVG_SYMBOL.findall(file.read_text("utf-8"))]
    if len(found) != len(links):
        return list(range(len(links)))
    return [at for at, (runs, link) in enumerate(zip(found, links, strict=True)) if _text(_filled(runs)) != link]


def misread_png(file: Path, links: Sequence[str]) -> list[int]:
    """The same for a single image."""
    with Image.open(file) as picture:
        return [at for at, link in enumerate(links) if _text(np.asarray(picture.convert("L"))) != link]


def _reads(pixels: U8, stock: Stock, link: str) -> bool:
    if stock.kind != "pallet":
        return _text(pixels) == link
    sscc = link.rpartition("/")[2]
    read = {(one.format, one.text) for one in zxingcpp.read_barcodes(pixels)}
    return {(_QR, link), (_BARS, f"(00){sscc}")} <= read


def _text(pixels: U8) -> str:
    found = zxingcpp.read_barcode(pixels, formats=_QR_ONLY)
    return found.text if found is not None else ""


def _cut(pixels: U8, label: Cell, dpi: int) -> U8:
    scale = dpi / 25.4
    top, left = round(label.top_mm * scale), round(label.left_mm * scale)
    part = pixels[top : round(top + label.height_mm * scale), left : round(left + label.width_mm * scale)]
    return np.ascontiguousarray(part)


def _filled(runs: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> U8:
    spans = [(int(x), int(y), int(length)) for x, y, length in runs]
    size = max((x + length for x, _, length in spans), default=0) + 2 * QUIET_MODULES
    modules = np.full((size, size), 255, np.uint8)
    for x, y, length in spans:
        modules[y + QUIET_MODULES, x + QUIET_MODULES : x + QUIET_MODULES + length] = 0
    return modules.repeat(_SVG_PX, axis=0).repeat(_SVG_PX, axis=1)
