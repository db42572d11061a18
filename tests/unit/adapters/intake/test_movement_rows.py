"""Rows of movement files: the examples are read whole, and times, ids and numbers are checked cell by cell."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from uncap.adapters.intake.csv_rows import open_table, row_blocks
from uncap.adapters.intake.sources import BytesSource
from uncap.domain.codes.links import check_sscc
from uncap.domain.errors import InputError
from uncap.domain.intake.movements import COLUMNS, PaperRow, paper_row
from uncap.domain.movements import RECEIPT, RETURN, SHIPMENT
from uncap.services.take_movements import KINDS

EXAMPLES = Path(__file__).parents[4] / "examples/movements"
ZONE = ZoneInfo("Asia/Shanghai")
HOUR_MS = 3_600_000


def rows_of(name: str) -> list[PaperRow]:
    source, kind = BytesSource((EXAMPLES / f"{name}.csv").read_bytes()), KINDS[name]
    blocks = list(row_blocks(source, open_table(source, COLUMNS[kind])))
    assert [fault for block in blocks for fault in block.faults] == []
    return [paper_row(kind, row.line, row.cells, ZONE) for block in blocks for row in block.rows]


@pytest.mark.parametrize(("name", "papers"), [("shipments", 3), ("receipts", 2), ("returns", 2)])
def test_the_examples_are_whole(name: str, papers: int) -> None:
    rows = rows_of(name)
    assert len({row.document for row in rows}) == papers
    for row in rows:
        assert row.at_ms
        if row.code.isdecimal():
            check_sscc(row.code)


def test_a_time_without_a_zone_is_the_brands() -> None:
    shipments = rows_of("shipments")
    assert shipments[2].at_ms - shipments[0].at_ms == 40 * 60_000
    assert shipments[0].paper == shipments[1].paper
    assert rows_of("returns")[1].reason == "滞销退回"


@pytest.mark.parametrize(
    ("kind", "cells", "code"),
    [
        (SHIPMENT, {"document": "", "party": "a", "code": "x"}, "cell_missing"),
        (SHIPMENT, {"document": "d", "party": "", "code": "x"}, "cell_missing"),
        (RECEIPT, {"document": "d" * 25, "party": "a", "code": "x"}, "id_malformed"),
        (RETURN, {"document": "d", "other": "", "code": "x"}, "cell_missing"),
        (RETURN, {"document": "d", "other": "a/b", "code": "x"}, "id_malformed"),
        (SHIPMENT, {"document": "d", "party": "a"}, "goods_ambiguous"),
        (SHIPMENT, {"document": "d", "party": "a", "code": "x", "batch_no": "1"}, "goods_ambiguous"),
        (SHIPMENT, {"document": "d", "party": "a", "batch_no": "1", "stop": "-1"}, "number_malformed"),
        (SHIPMENT, {"document": "d", "party": "a", "batch_no": "1", "stop": "٣"}, "number_malformed"),
        (SHIPMENT, {"document": "d", "party": "a", "code": "x", "at": "32.13.2026"}, "time_malformed"),
        (SHIPMENT, {"document": "d", "party": "a", "code": "x", "at": "1999-01-01 10:00"}, "time_out_of_range"),
    ],
)
def test_cells_that_are_wrong(kind: str, cells: dict[str, str], code: str) -> None:
    with pytest.raises(InputError, match=code):
        paper_row(kind, 2, cells, ZONE)


def test_a_return_may_leave_out_to_whom() -> None:
    row = paper_row(RETURN, 2, {"document": "d", "other": "a", "code": "x"}, ZONE)
    assert (row.party, row.other, row.at_ms) == ("", "a", 0)
