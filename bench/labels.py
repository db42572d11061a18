"""Label sheets and QR images, each label read back; against reportlab's QR widget, qrcode and segno in the same run."""

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import qrcode
import segno
import zxingcpp
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.pil import PilImage
from reportlab.graphics import renderPDF  # type: ignore[import-untyped]  # the library has no types
from reportlab.graphics.barcode.qr import QrCodeWidget  # type: ignore[import-untyped]  # the library has no types
from reportlab.graphics.shapes import Drawing  # type: ignore[import-untyped]  # the library has no types
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # the library has no types

from bench.report import Row, paired, row
from cli.labels import stock
from cli.labels.images import pngs
from cli.labels.qr_batch import symbols
from cli.labels.reading import misread_pdf
from cli.labels.sheet import groups_of, write_pdf
from cli.labels.stock import Stock, cell
from uncap.domain.catalog import Role
from uncap.domain.codes import bulk, links
from uncap.domain.codes.scheme import CodeKey

_STOCK = "a4-65"
_OWN, _PEER = 1_300, 26
_ROUNDS = 5
_MODULE_PX = 4
_PT = 72 / 25.4


def label_pdf() -> Iterator[Row]:
    """Labels per second onto A4 sheets, from link to finished document; the peer draws the same with its own widget."""
    chosen, printed = stock.load(_STOCK), _links()
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "sheet.pdf"
        with sheet.open("wb") as out:
            write_pdf(out, chosen, printed, "labels")
        read_back = len(printed) - len(misread_pdf(sheet, chosen, printed))
        size = sheet.stat().st_size
    pair = paired(
        lambda: write_pdf(io.BytesIO(), chosen, printed, "labels"),
        lambda: _by_widget(chosen, printed[:_PEER]),
        scale=_OWN / _PEER,
        rounds=_ROUNDS,
    )
    yield row(
        "label_pdf",
        _OWN / pair.own_s,
        "labels/s",
        peer="reportlab QrCodeWidget",
        peer_value=_PEER / pair.peer_s,
        ratio=pair.ratio,
        budget="ratio >= 5",
        read_back_percent=100 * read_back / len(printed),
        bytes_per_label=size / len(printed),
    )


def qr_image() -> Iterator[Row]:
    """Symbols per second, bare and as one-bit PNG images, on one core."""
    printed = _links()
    read = (zxingcpp.read_barcode(Image.open(io.BytesIO(png)).convert("L")) for png in pngs(printed, _MODULE_PX))
    right = sum(found is not None and found.text == link for found, link in zip(read, printed, strict=True))
    for peer, draw in (("qrcode", _png_by_qrcode), ("segno", _png_by_segno)):
        pair = paired(
            lambda: sum(map(len, pngs(printed, _MODULE_PX))),
            lambda draw=draw: [draw(link) for link in printed[:_PEER]],  # type: ignore[misc]  # mypy loses the default
            scale=_OWN / _PEER,
            rounds=_ROUNDS,
        )
        name = "qr_image" if peer == "qrcode" else f"qr_image.{peer}"
        yield row(
            name,
            _OWN / pair.own_s,
            "images/s",
            peer=peer,
            peer_value=_PEER / pair.peer_s,
            ratio=pair.ratio,
            read_back_percent=100 * right / len(printed),
        )
    pair = paired(lambda: symbols(printed), lambda: _by_segno(printed[:_PEER]), scale=_OWN / _PEER, rounds=_ROUNDS)
    yield row(
        "qr_image.symbols",
        _OWN / pair.own_s,
        "symbols/s",
        peer="segno",
        peer_value=_PEER / pair.peer_s,
        ratio=pair.ratio,
    )


def _links() -> list[str]:
    key = CodeKey.derive(bytes(range(32)), 1, "09520123456788", Role.CAP_INNER)
    prefix = links.code_prefix("https://v.uncap.cn", "09520123456788")
    return [prefix + serial for serial in bulk.texts_of(bulk.serials(key, 7, range(_OWN)))]


def _by_widget(chosen: Stock, printed: list[str]) -> None:
    """One page: the widget's symbol and the text in each label's place."""
    canvas = Canvas(io.BytesIO(), pagesize=(chosen.page_mm[0] * _PT, chosen.page_mm[1] * _PT), pageCompression=1)
    canvas.setFont("Helvetica", chosen.text_mm * _PT)
    side = 37 * chosen.module_mm * _PT
    for place, link in enumerate(printed):
        where = cell(chosen, place)
        left, bottom = where.left_mm * _PT, (chosen.page_mm[1] - where.top_mm - where.height_mm) * _PT
        drawing = Drawing(side, side)
        drawing.add(QrCodeWidget(link, barLevel="M", barWidth=side, barHeight=side, barBorder=4))
        renderPDF.draw(drawing, canvas, left, bottom + chosen.text_mm * _PT)
        canvas.drawString(left, bottom, " ".join(groups_of(link.rpartition("/")[2])))
    canvas.showPage()
    canvas.save()


def _by_segno(printed: list[str]) -> list[segno.QRCode]:
    return [segno.make(link, error="M", boost_error=False, version=3) for link in printed]


def _png_by_segno(link: str) -> bytes:
    out = io.BytesIO()
    _by_segno([link])[0].save(out, kind="png", scale=_MODULE_PX, border=4)
    return out.getvalue()


def _png_by_qrcode(link: str) -> bytes:
    code = qrcode.QRCode(
        version=3, error_correction=ERROR_CORRECT_M, box_size=_MODULE_PX, border=4, image_factory=PilImage
    )
    code.add_data(link, optimize=0)
    code.make(fit=True)
    out = io.BytesIO()
    code.make_image().get_image().convert("1").save(out, format="PNG")
    return out.getvalue()
