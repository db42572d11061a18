"""GS1 logistic labels for pallets: the SSCC as GS1-128 bars, as a Digital Link QR code and in figures.

GS1 General Specifications: element string (00), X-dimension 0.495 to 0.94 mm, bars at least 31.75 mm high, quiet zones
of ten modules. Called by `command.py` for stock of kind "pallet".
"""

from collections.abc import Sequence
from typing import Any, BinaryIO

from reportlab.graphics.barcode.code128 import Code128  # type: ignore[import-untyped]  # the library has no types
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # the library has no types

from cli.labels.paths import paths
from cli.labels.qr_batch import symbols
from cli.labels.sheet import FONT, draw_symbol
from cli.labels.stock import QUIET_MODULES, Cell, Stock, StockError
from uncap.domain.codes.links import build_pallet_link, check_sscc, parse_pallet_link

BAR_MM = 0.5
_BAR_HEIGHT_MM = 32
_MARGIN_MM = 5
_QUIET_BARS = 10
_FNC1 = "\xf1"  # reportlab's sign for it
_PT = 72 / 25.4


def pallet_link(line: str, link_base: str) -> str:
    """A line of the input, an SSCC or a pallet's link, as the printed link. Raises InputError."""
    if "/" in line:
        parsed = parse_pallet_link(line)
        return build_pallet_link(f"{parsed.scheme}://{parsed.host}", parsed.sscc)
    return build_pallet_link(link_base, check_sscc(line))


def write_pallets(out: BinaryIO, stock: Stock, links: Sequence[str], title: str) -> None:
    """One page for each pallet's link. Raises StockError."""
    width, height = stock.page_mm
    canvas = Canvas(out, pagesize=(width * _PT, height * _PT), pageCompression=1, invariant=1)
    canvas.setTitle(title)
    drawn = symbols(links)
    for link, symbol, path in zip(links, drawn, paths(drawn, "pdf"), strict=True):
        side = (len(symbol) + 2 * QUIET_MODULES) * stock.module_mm
        bars = _bars(link.rpartition("/")[2])
        if bars.width > width * _PT or side + _BAR_HEIGHT_MM + 5 * stock.text_mm + 3 * _MARGIN_MM > height:
            raise StockError(f"{stock.name}: a logistic label needs at least {bars.width / _PT:.0f} x 120 mm")
        _draw(canvas, stock, link, Cell((width - side) / 2, _MARGIN_MM + 2 * stock.text_mm, side, side), path, bars)
        canvas.showPage()
    canvas.save()


def readable(sscc: str) -> str:
    """The element string as people read it: "(00) 3 4012345 123456789 7" without assuming the prefix's length."""
    return f"(00) {sscc[0]} {sscc[1:8]} {sscc[8:17]} {sscc[17]}"


def _draw(canvas: Any, stock: Stock, link: str, where: Cell, path: str, bars: Any) -> None:
    width, height = stock.page_mm
    sscc = link.rpartition("/")[2]
    canvas.setFont(FONT, stock.text_mm * _PT)
    canvas.drawString(_MARGIN_MM * _PT, (height - _MARGIN_MM - stock.text_mm) * _PT, "SSCC")
    draw_symbol(canvas, stock, where, path)
    canvas.setFont(FONT, stock.text_mm * 1.4 * _PT)
    bottom = _MARGIN_MM + 2 * stock.text_mm
    canvas.drawCentredString(width / 2 * _PT, (bottom - 1.5 * stock.text_mm) * _PT, readable(sscc))
    bars.drawOn(canvas, (width * _PT - bars.width) / 2, bottom * _PT)


def _bars(sscc: str) -> Any:
    return Code128(
        f"{_FNC1}00{sscc}",
        barWidth=BAR_MM * _PT,
        barHeight=_BAR_HEIGHT_MM * _PT,
        quiet=1,
        lquiet=_QUIET_BARS * BAR_MM * _PT,
        rquiet=_QUIET_BARS * BAR_MM * _PT,
        humanReadable=0,
    )
