"""The evidence pack on paper: everything in it can be read back, nothing is in it that must not be."""

from pathlib import Path
from zoneinfo import ZoneInfo

import h3  # type: ignore[import-untyped]
import pypdfium2  # type: ignore[import-untyped]
import pytest

from cli.diversion.paper import write_pdf
from cli.diversion.sketch import draw_up, round_length_km
from uncap.domain.diversion.explaining import explained
from uncap.domain.diversion.judgement import DiversionRule, Judgement

ZONE = ZoneInfo("Asia/Shanghai")
SPOT = h3.latlng_to_cell(29.56, 106.55, 7)
NAME = {"zh-CN": "成都蜀味酒业", "en": "Shuwei"}


def pack(**changes: object) -> dict[str, object]:
    judgement = Judgement(True, 31, 6, 412, 23.4, 1.2, 12_000, 60_000)
    return {
        "case_id": "5WDNHZZ4HA0P7H5D",
        "state": "investigating",
        "hash": "ab" * 32,
        "opened_at_ms": 1_795_300_000_000,
        "made_at_ms": 1_795_400_000_000,
        "distributor": {"party_id": "dist-a", "role": "distributor", "name": NAME},
        "path": {
            "gtin": "06901234567892",
            "product": {"zh-CN": "川香汽水 <500ml> & 冰"},
            "batch_no": 7,
            "lot": "L7",
            "units": 2_400,
            "shipment_id": "ship-1",
            "shipped_at_ms": 0,
            "to_party": "dist-a",
            "channel": [{"party_id": "dist-a", "role": "distributor", "name": NAME}],
            "region": "510100",
        },
        "map": {
            "place": "party:dist-b",
            "scans": {SPOT: 9, h3.grid_ring(SPOT, 2)[0]: 1},
            "elsewhere_in_place": 0,
            "territory": list(h3.grid_disk(h3.latlng_to_cell(30.6, 104.1, 6), 3)),
            "territory_cut": False,
        },
        "seen": {
            "people": 31,
            "cases": [1, 2],
            "scans": 10,
            "by_day": {f"2026-{month:02d}-{day:02d}": 1 for month in (10, 11) for day in range(1, 29)},
            "at_least": ["people"],
        },
        "explained": explained(judgement, DiversionRule()),
        "notes": [
            {"at_ms": 1_795_350_000_000, "operator": "anna", "state": "investigating", "text": "已致电 <b>" * 60}
        ],
        "objection": {"at_ms": 1_795_360_000_000, "text": "客户自行运走", "state": "raised"},
        "exhibits": [{"kind": "photo", "reference": "visit/7.jpg", "sha256": "cd" * 32, "text": ""}],
        **changes,
    }


def text_of(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


def test_what_is_in_the_pack_can_be_read_on_paper(tmp_path: Path) -> None:
    out = tmp_path / "e.pdf"
    write_pdf(pack(), str(out), ZONE)
    text = text_of(out).replace("\r\n", "").replace("\n", "")
    for words in (
        "窜货证据",
        "5WDNHZZ4HA0P7H5D",
        "成都蜀味酒业",
        "川香汽水 <500ml> & 冰",
        "客户自行运走",
        "visit/7.jpg",
    ):
        assert words in text, words
    for words in (
        "ab" * 32,
        "调查中",
        "2026-11-22",
        "客户自行运走",
        ">1,000,000",
        "示意图",
        "party:dist-b",
        "at least",
    ):
        assert words in text, words
    for secret in ("29.5", "106.5", "30.6", "104.1"):
        assert secret not in text
    again = tmp_path / "again.pdf"
    write_pdf(pack(), str(again), ZONE)
    assert out.read_bytes() == again.read_bytes()


@pytest.mark.parametrize(
    "changes",
    [
        {"distributor": None, "objection": None, "exhibits": [], "notes": [], "explained": explained(None, None)},
        {"map": {"place": "h3:83", "scans": {}, "elsewhere_in_place": 0, "territory": [], "territory_cut": False}},
        {"seen": {"people": 0, "cases": [], "scans": 0, "by_day": {}, "at_least": []}},
    ],
)
def test_a_pack_with_little_in_it_still_prints(tmp_path: Path, changes: dict[str, object]) -> None:
    write_pdf(pack(**changes), str(tmp_path / "e.pdf"), ZONE)
    assert "5WDNHZZ4HA0P7H5D" in text_of(tmp_path / "e.pdf")


def test_the_map_holds_everything_and_stays_in_one_piece_at_the_antimeridian() -> None:
    east, west = h3.latlng_to_cell(-17.0, 179.95, 7), h3.latlng_to_cell(-17.0, -179.95, 7)
    sketch = draw_up([east], {west: 3})
    assert sketch.radius_km < 10
    corners = [corner for one in (*sketch.territory, *sketch.seen) for corner in one.corners]
    assert all(max(abs(corner.x), abs(corner.y)) <= sketch.radius_km for corner in corners)
    assert draw_up([], {}).radius_km > 0


@pytest.mark.parametrize(("longest", "length"), [(0.7, 0.5), (1, 1), (9.9, 5), (49, 20), (300, 200), (0, 0.001)])
def test_scale_bars_are_round(longest: float, length: float) -> None:
    assert round_length_km(longest) == pytest.approx(length)


def test_a_mixed_shipment_is_said_to_be_one() -> None:
    lines = explained(Judgement(True, 9, 9, 60, 5.0, 2.0, 300_000, 0), DiversionRule())
    assert "mixed" in lines[-1]["en"]
    assert "148" in lines[3]["en"]
