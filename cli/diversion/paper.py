"""A case's evidence pack as a PDF that can be handed to the distributor or a court: A4, Chinese and English.

Called by `uncap diversion evidence` with the pack as the console API gives it. Chinese is set in a CID font that every
PDF reader has or substitutes; the map is vector hexagons.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from reportlab.graphics.shapes import Circle, Drawing, Group, Line, Polygon, Rect, String  # type: ignore[import-untyped]
from reportlab.lib import colors  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # type: ignore[import-untyped]
from reportlab.platypus import (  # type: ignore[import-untyped]
    Flowable,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from cli.diversion.sketch import Hexagon, Sketch, draw_up, round_length_km

FONT = "STSong-Light"
_PANEL = 84 * mm
_HOME, _EDGE, _SEEN = colors.HexColor("#dfe7ef"), colors.HexColor("#8aa0b5"), colors.HexColor("#c0392b")
_STATES = {"open": "待查", "investigating": "调查中", "confirmed": "已确认", "dismissed": "已撤销"}
_MOST_DAYS = 31


def write_pdf(pack: dict[str, Any], out: str, zone: ZoneInfo) -> None:
    """One PDF file. Times are shown in `zone`. Raises OSError if it cannot be written."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
        title=f"Diversion evidence {pack['case_id']}",
        author="uncap",
        invariant=True,
    )
    story = [
        *_head(pack, zone),
        *_path(pack, zone),
        *_maps(pack),
        *_days(pack),
        *_judgement(pack),
        *_record(pack, zone),
    ]

    def footer(canvas: Any, page: Any) -> None:
        canvas.setFont(FONT, 7)
        canvas.setFillColor(colors.grey)
        canvas.drawString(18 * mm, 10 * mm, f"SHA-256 {pack['hash']}")
        canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, f"{pack['case_id']}  {page.page}")

    document.build(story, onFirstPage=footer, onLaterPages=footer)


def _style(size: float, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(f"s{size}", fontName=FONT, fontSize=size, leading=size * 1.45, wordWrap="CJK", **more)


def _say(text: str, size: float = 9, **more: Any) -> Paragraph:
    return Paragraph(escape(text), _style(size, **more))


def _title(chinese: str, english: str) -> Paragraph:
    return _say(f"{chinese}  {english}", 11.5, spaceBefore=9, spaceAfter=3, textColor=colors.HexColor("#1f3a57"))


def _head(pack: dict[str, Any], zone: ZoneInfo) -> list[Flowable]:
    state = pack["state"]
    who = pack["distributor"]
    accused = f"{_name(who['name'])}（{who['party_id']}）" if who else "—"
    rows = [
        ("案号 Case", pack["case_id"]),
        ("状态 State", f"{_STATES.get(state, state)}  {state}"),
        ("经销商 Distributor", accused),
        ("立案 Opened", _time(pack["opened_at_ms"], zone)),
        ("制作 Made", _time(pack["made_at_ms"], zone)),
    ]
    return [_say("窜货证据  Diversion evidence", 17, spaceAfter=5), _table(rows)]


def _path(pack: dict[str, Any], zone: ZoneInfo) -> list[Flowable]:
    path = pack["path"]
    channel = " ← ".join(f"{_name(one['name'])}（{one['party_id']}，{one['role']}）" for one in path["channel"]) or "—"
    rows = [
        ("产品 Product", f"{_name(path['product'])}  GTIN {path['gtin']}"),
        ("批次 Batch", f"{path['batch_no']}  {path['lot']}".strip()),
        ("发货单 Shipment", f"{path['shipment_id']}，{path['units']}  {_time(path['shipped_at_ms'], zone)}"),
        ("渠道 Channel", channel),
        ("授权区域 Territory", path["region"]),
        ("发现地 Found in", pack["map"]["place"]),
    ]
    return [_title("货物路径", "Path"), _table(rows)]


def _maps(pack: dict[str, Any]) -> list[Flowable]:
    scans, territory = pack["map"]["scans"], pack["map"]["territory"]
    overview = _panel(draw_up(territory, scans), "全图 Overview", dots=True)
    close = _panel(draw_up([], scans), "发现地 Where it was seen", dots=False)
    note = (
        "六边形为 H3 单元格，不含边界与坐标；浅色为授权区域，红色为扫码所在，数字为次数。"
        "H3 cells without borders or coordinates: light, the territory; red, where scans were, with their number."
    )
    frame = Table([[overview, close]], colWidths=[88 * mm, 88 * mm])
    return [KeepTogether([_title("示意图", "Sketch map"), frame, _say(note, 7, textColor=colors.grey)])]


def _panel(sketch: Sketch, caption: str, *, dots: bool) -> Drawing:
    drawing = Drawing(_PANEL, _PANEL + 5 * mm)
    drawing.add(Rect(0, 0, _PANEL, _PANEL, fillColor=colors.white, strokeColor=_EDGE, strokeWidth=0.6))
    scale = _PANEL / (2 * sketch.radius_km)
    shapes = Group()
    for one in sketch.territory:
        shapes.add(_polygon(one, scale, _HOME, _HOME))
    for one in sketch.seen:
        shapes.add(_polygon(one, scale, _shade(one.scans, sketch), colors.white))
        x, y = _on_paper(one.centre.x, one.centre.y, scale)
        if dots:
            shapes.add(Circle(x, y, 1.6 + min(3.0, one.scans / 4), fillColor=_SEEN, strokeColor=None))
        elif scale * 1.2 > 4:
            shapes.add(_text(x, y - 2.2, str(one.scans), 6, colors.white, "middle"))
    drawing.add(shapes)
    drawing.add(_text(0, _PANEL + 1.6 * mm, caption, 8, colors.black, "start"))
    length_km = round_length_km(sketch.radius_km * 0.6)
    drawing.add(Line(4, 6, 4 + length_km * scale, 6, strokeColor=colors.black, strokeWidth=1))
    drawing.add(_text(4, 8, f"{length_km:g} km", 6.5, colors.black, "start"))
    return drawing


def _polygon(one: Hexagon, scale: float, fill: Any, stroke: Any) -> Polygon:
    points = [value for corner in one.corners for value in _on_paper(corner.x, corner.y, scale)]
    return Polygon(points, fillColor=fill, strokeColor=stroke, strokeWidth=0.25)


def _on_paper(x: float, y: float, scale: float) -> tuple[float, float]:
    return _PANEL / 2 + x * scale, _PANEL / 2 + y * scale


def _shade(scans: int, sketch: Sketch) -> Any:
    most = max((one.scans for one in sketch.seen), default=1)
    part = 0.35 + 0.65 * scans / most
    return colors.Color(1 - part * (1 - _SEEN.red), 1 - part * (1 - _SEEN.green), 1 - part * (1 - _SEEN.blue))


def _text(x: float, y: float, text: str, size: float, colour: Any, anchor: str) -> String:
    return String(x, y, text, fontName=FONT, fontSize=size, fillColor=colour, textAnchor=anchor)


def _days(pack: dict[str, Any]) -> list[Flowable]:
    seen = pack["seen"]
    days = list(seen["by_day"].items())[-_MOST_DAYS:]
    least = "（至少 at least）" if seen["at_least"] else ""
    line = f"{seen['people']} 人 people，{len(seen['cases'])} 箱 cases，{seen['scans']} 次 scans {least}"
    most = max((n for _, n in days), default=1)
    bars = Drawing(174 * mm, 30 * mm)
    width = 174 * mm / max(12, len(days))
    for place, (day, n) in enumerate(days):
        x, height = place * width, 18 * mm * n / most
        bars.add(Rect(x + 1, 7 * mm, width - 2, height, fillColor=_SEEN, strokeColor=None))
        bars.add(_text(x + width / 2, 7 * mm + height + 1.5, str(n), 6.5, colors.black, "middle"))
        bars.add(_text(x + width / 2, 3 * mm, day[5:] if day[:1].isdecimal() else day, 6, colors.black, "middle"))
    return [KeepTogether([_title("逐日扫码", "Scans by day"), _say(line), bars])]


def _judgement(pack: dict[str, Any]) -> list[Flowable]:
    lines: list[Flowable] = [_title("判定过程", "Judgement")]
    for number, text in enumerate(pack["explained"], 1):
        lines.append(_say(f"{number}. {text['zh-CN']}", 9))
        lines.append(_say(text["en"], 7.5, textColor=colors.grey, leftIndent=10, spaceAfter=2))
    return lines


def _record(pack: dict[str, Any], zone: ZoneInfo) -> list[Flowable]:
    lines: list[Flowable] = []
    objection = pack["objection"]
    if objection:
        lines += [_title("异议", "Objection"), _say(f"{_time(objection['at_ms'], zone)}  {objection['state']}")]
        lines.append(_say(objection["text"]))
    if pack["exhibits"]:
        lines.append(_title("附件", "Exhibits"))
        rows = [(one["kind"], f"{one['reference']}  {one['sha256']}  {one['text']}") for one in pack["exhibits"]]
        lines.append(_table(rows))
    if pack["notes"]:
        lines.append(_title("处理记录", "Notes"))
        rows = [
            (_time(one["at_ms"], zone), f"{one['operator']}  {one['state']}：{one['text']}") for one in pack["notes"]
        ]
        lines.append(_table(rows))
    return [*lines, Spacer(1, 4)]


def _table(rows: Sequence[tuple[str, str]]) -> Table:
    cells = [[_say(name, 8.5, textColor=colors.HexColor("#44566a")), _say(value, 9)] for name, value in rows]
    table = Table(cells, colWidths=[38 * mm, 136 * mm])
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.HexColor("#d5dbe2")),
                ("TOPPADDING", (0, 0), (-1, -1), 1.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ]
        )
    )
    return table


def _name(text: dict[str, str]) -> str:
    return text.get("zh-CN") or next(iter(text.values()), "—")


def _time(at_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%Y-%m-%d %H:%M %Z") if at_ms else "—"
