"""Label sheets as PDF (reportlab) and as SVG. Called by `command.py`; pallet labels are in `pallets.py`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from xml.sax.saxutils import escape

from reportlab.pdfbase.pdfmetrics import stringWidth  # type: ignore[import-untyped]  # the library has no types
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # the library has no types
from reportlab.pdfgen.pathobject import PDFPathObject  # type: ignore[import-untyped]  # the library has no types

from cli.labels.paths import paths
from cli.labels.qr_batch import symbols
from cli.labels.stock import QUIET_MODULES, Cell, Stock, cell, crop_marks, symbol_cell

FONT = "Helvetica"
_PT = 72 / 25.4
_TEXT_MARGIN_MM = 0.5
_MARK_MM = 0.1
_GROUP = 4


class Words(NamedTuple):
    """Lines under or beside a symbol: baselines in mm from the page's top left, size in mm."""

    lines: tuple[tuple[float, float, str], ...]
    size_mm: float
    centred: bool


def write_pdf(out: BinaryIO, stock: Stock, links: Sequence[str], title: str) -> None:
    """One document with a label per link. Raises StockError, ValueError (a text no symbol holds)."""
    canvas = Canvas(out, pagesize=(stock.page_mm[0] * _PT, stock.page_mm[1] * _PT), pageCompression=1, invariant=1)
    canvas.setTitle(title)
    for page in _pages(stock, links):
        _draw_marks(canvas, stock)
        drawn = symbols(page)
        for place, (link, symbol, path) in enumerate(zip(page, drawn, paths(drawn, "pdf"), strict=True)):
            where = symbol_cell(stock, place, len(symbol))
            draw_symbol(canvas, stock, where, path)
            _draw_words(canvas, stock, words_of(stock, place, where, link))
        canvas.showPage()
    canvas.save()


def draw_symbol(canvas: Any, stock: Stock, where: Cell, path: str) -> None:
    """The path of `paths.py` in its place; the quiet zone is left as it is: light."""
    module = stock.module_mm * _PT
    quiet = QUIET_MODULES * module
    canvas.saveState()
    bottom = (stock.page_mm[1] - where.top_mm - where.height_mm) * _PT
    canvas.transform(module, 0, 0, module, where.left_mm * _PT + quiet, bottom + quiet)
    canvas.drawPath(PDFPathObject([path]), stroke=0, fill=1)
    canvas.restoreState()


def write_svg(out: Path, stock: Stock, links: Sequence[str]) -> None:
    """One page, at most `stock.per_page` labels. Raises StockError, ValueError, OSError."""
    width, height = stock.page_mm
    size = f'width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}"'
    rows = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}><rect width="100%" height="100%" fill="#fff"/>']
    if stock.marks:
        rows += [
            f'<path d="M{x1:.3f} {y1:.3f}L{x2:.3f} {y2:.3f}" stroke="#000" stroke-width="{_MARK_MM}"/>'
            for x1, y1, x2, y2 in crop_marks(stock)
        ]
    drawn = symbols(links)
    for place, (link, symbol, path) in enumerate(zip(links, drawn, paths(drawn, "svg"), strict=True)):
        where = symbol_cell(stock, place, len(symbol))
        quiet = QUIET_MODULES * stock.module_mm
        left, top = where.left_mm + quiet, where.top_mm + quiet
        rows.append(f'<path transform="translate({left:.3f} {top:.3f}) scale({stock.module_mm})" d="{path}"/>')
        words = words_of(stock, place, where, link)
        anchor = ' text-anchor="middle"' if words.centred else ""
        font = f'font-family="{FONT}, Arial, sans-serif" font-size="{words.size_mm:.2f}"{anchor}'
        rows += [f'<text x="{x:.3f}" y="{y:.3f}" {font}>{escape(text)}</text>' for x, y, text in words.lines]
    out.write_text("\n".join([*rows, "</svg>\n"]), "utf-8")


def words_of(stock: Stock, place: int, where: Cell, link: str) -> Words:
    """The serial in groups, so that people can read it out; shrunk to the room there is."""
    label = cell(stock, place)
    groups = groups_of(link.rpartition("/")[2])
    if stock.text == "right":
        left = where.left_mm + where.width_mm + _TEXT_MARGIN_MM
        size = _fitting(groups, stock.text_mm, label.left_mm + label.width_mm - left - _TEXT_MARGIN_MM)
        top = label.top_mm + (label.height_mm - 1.3 * size * len(groups)) / 2
        lines = tuple((left, top + 1.3 * size * (at + 0.75), text) for at, text in enumerate(groups))
        return Words(lines, size, centred=False)
    if stock.text == "none":
        return Words((), stock.text_mm, centred=True)
    text = " ".join(groups)
    size = _fitting([text], stock.text_mm, label.width_mm - 2 * _TEXT_MARGIN_MM)
    return Words(
        ((label.left_mm + label.width_mm / 2, where.top_mm + where.height_mm + size, text),), size, centred=True
    )


def groups_of(serial: str) -> list[str]:
    """The serial's characters in fours from the right: "1 E5ZN Q38S XZSY YC86"."""
    first = len(serial) % _GROUP
    rest = [serial[at : at + _GROUP] for at in range(first, len(serial), _GROUP)]
    return [serial[:first], *rest] if first else rest


def _fitting(texts: Sequence[str], size_mm: float, room_mm: float) -> float:
    widest = max(stringWidth(text, FONT, 1) for text in texts)
    return float(min(size_mm, max(room_mm, 0.1) / widest))


def _draw_words(canvas: Any, stock: Stock, words: Words) -> None:
    canvas.setFont(FONT, words.size_mm * _PT)
    draw = canvas.drawCentredString if words.centred else canvas.drawString
    for x, y, text in words.lines:
        draw(x * _PT, (stock.page_mm[1] - y) * _PT, text)


def _draw_marks(canvas: Any, stock: Stock) -> None:
    if stock.marks:
        height = stock.page_mm[1]
        canvas.setLineWidth(_MARK_MM * _PT)
        canvas.lines(
            [(x1 * _PT, (height - y1) * _PT, x2 * _PT, (height - y2) * _PT) for x1, y1, x2, y2 in crop_marks(stock)]
        )


def _pages(stock: Stock, links: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(links), stock.per_page):
        yield links[at : at + stock.per_page]
