"""Files of movements: checked as a whole, recorded paper by paper, the same when run again or step by step."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec
import pytest

from tests.integration.console.conftest import NOW_MS, Api, Bench
from tests.integration.console.test_codes import link_of
from tests.integration.console.test_movements import Goods
from tests.integration.console.test_shipments import flow_of
from uncap.adapters.intake.sources import BytesSource
from uncap.domain.catalog import Role
from uncap.domain.errors import InputError
from uncap.domain.intake.faults import RowFault
from uncap.domain.intake.uploads import Upload
from uncap.services import take_movements
from uncap.services.run_upload import Work
from uncap.services.take_movements import KINDS, MovementFiles

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def goods(admin: Api) -> Goods:
    return Goods(admin)


class Run:
    """What a file came to. `stepwise` starts anew after every step, as a job whose time is up does."""

    def __init__(
        self, bench: Bench, kind: str, data: str, *, mode: str = "rollback", stepwise: bool = False, gtin: str = ""
    ) -> None:
        self.upload = Upload("u", kind, "00", len(data), "f.csv", mode, "anna", "admin", NOW_MS, gtin=gtin)
        self.faults: list[RowFault] = []
        self.verdict = ""
        files, source = MovementFiles(KINDS[kind], bench.desk, ZONE), BytesSource(data.encode())
        while not self.verdict:
            for step in files(Work(self.upload, source, bench.clock, lambda _at, _faults: None)):
                counts, result = dict(step.counts), dict(step.result)
                self.upload = msgspec.structs.replace(
                    self.upload, place=step.place, rows_done=step.rows_done, counts=counts, result=result
                )
                self.faults += step.faults
                self.verdict = step.verdict
                if stepwise:
                    break

    @property
    def told(self) -> list[tuple[int, str, str]]:
        return [(one.line, one.code, one.field) for one in self.faults]


def csv(head: str, rows: Iterable[str]) -> str:
    return "\r\n".join([head, *rows, ""])


def shipments(bench: Bench, goods: Goods) -> str:
    case = link_of(bench, goods.cases, 12, Role.CASE_OUTER)
    rows = (
        f"S-1,dist-a,2026-11-21 08:00,{goods.sscc(0)},,,",
        f"S-1,dist-a,2026-11-21 08:00,{case},,,",
        f"S-2,dist-b,2026-11-21T09:00+08:00,,{goods.units},400,424",
        f"S-3,shop-a,2026-11-21 20:00,,{goods.cases},1,2",
    )
    return csv("发货单号,收货方,发货时间,code,batch_no,start,stop", rows)


@pytest.mark.parametrize("stepwise", [False, True])
def test_a_file_of_shipments(
    bench: Bench, admin: Api, goods: Goods, monkeypatch: pytest.MonkeyPatch, *, stepwise: bool
) -> None:
    monkeypatch.setattr(take_movements, "BLOCK_BYTES", 128 if stepwise else 1 << 17)
    run = Run(bench, "shipments", shipments(bench, goods), stepwise=stepwise)
    assert (run.verdict, run.told, run.upload.result) == ("done", [], {"recorded": 4})
    assert run.upload.rows_done == 4
    flow = flow_of(bench)
    places = {0: "dist-a", 24: "shop-a", 48: "dist-a", 12 * 24: "dist-a", 400: "dist-b", 424: ""}
    assert {index: flow.shipped_to(goods.units, index) for index in places} == places
    again = Run(bench, "shipments", shipments(bench, goods), stepwise=stepwise)
    assert (again.verdict, again.told) == ("done", [])
    assert again.upload.counts == {"already_recorded": 4}
    trail = admin.ok("GET", "/audit?day=2026-11-22")["entries"]
    recorded = [one for one in trail if one["action"] == "shipments.record"]
    assert {one["who"] for one in recorded} == {"anna"}


def test_a_receipt_and_a_return_say_what_does_not_fit(bench: Bench, admin: Api, goods: Goods) -> None:
    Run(bench, "shipments", shipments(bench, goods))
    receipts = csv(
        "receipt_id,party,received_at,code",
        (f"R-1,dist-a,2026-11-21 12:00,{goods.sscc(0)}", f"R-2,dist-b,2026-11-21 13:00,{goods.sscc(1)}"),
    )
    run = Run(bench, "receipts", receipts)
    assert (run.verdict, run.told) == ("done", [(3, "receipt_without_shipment", "document")])
    assert [one.grave for one in run.faults] == [False]
    returns = csv("退货单号,退货方,退货时间,退货原因,code", (f"B-1,dist-a,2026-11-22 08:00,滞销,{goods.sscc(0)}",))
    back = Run(bench, "returns", returns)
    assert (back.verdict, back.told) == ("done", [])
    stored = admin.ok("GET", "/returns/B-1")
    assert (stored["party"], stored["reason"], stored["source"]) == ("brand", "滞销", "file")


FAULTY = (
    "S-1,dist-a,2026-11-21 08:00,nonsense,,,",
    ",dist-a,2026-11-21 08:00,,1,0,1",
    "S-1,nobody,2026-11-21 08:00,,1,0,1",
    "S-1,dist-a,yesterday,,1,0,1",
    "S-1,dist-a,2026-12-01 08:00,,1,0,1",
    "S-1,dist-a,,,1,5,5",
    "S-1,dist-a,,,1,x,5",
    "S-1,dist-a,,,77,0,5",
    "S-1,dist-a,,,,,",
    "=cmd(),dist-a,,,1,0,1",
    "S 1,dist-a,,,1,0,1",
)
WANTED = [
    (2, "code_needs_gtin", "codes"),
    (3, "cell_missing", "document"),
    (4, "party_unknown", "party"),
    (5, "time_malformed", "at"),
    (6, "moved_in_the_future", "at"),
    (7, "range_invalid", "start"),
    (8, "number_malformed", "start"),
    (9, "batch_unknown", "batch_no"),
    (10, "goods_ambiguous", "code"),
    (11, "cell_is_formula", "document"),
    (12, "id_malformed", "document"),
]


def test_one_wrong_row_and_nothing_is_recorded(bench: Bench, goods: Goods) -> None:
    head = "document,party,at,code,batch_no,start,stop"
    good = f"S-9,dist-a,,,{goods.cases},0,1"
    data = csv(head, (*FAULTY, good))
    run = Run(bench, "shipments", data)
    assert run.verdict == "failed"
    assert sorted(run.told) == WANTED
    assert flow_of(bench).shipped_to(goods.units, 0) == ""
    rest = Run(bench, "shipments", data, mode="proceed")
    assert (rest.verdict, rest.upload.result) == ("done", {"recorded": 1})
    assert sorted(rest.told) == WANTED
    assert flow_of(bench).shipped_to(goods.units, 0) == "dist-a"


def test_rows_that_contradict_each_other_or_earlier_paper_are_told(bench: Bench, goods: Goods) -> None:
    head = "document,party,code,batch_no,start,stop"
    Run(bench, "shipments", csv(head, (f"S-1,dist-a,,{goods.cases},0,2",)))
    rows = (f"S-2,dist-b,,{goods.cases},1,3", f"S-3,dist-b,,{goods.cases},5,7", f"S-4,dist-a,,{goods.cases},6,8")
    run = Run(bench, "shipments", csv(head, rows))
    assert (run.verdict, run.told) == ("failed", [(2, "shipment_overlaps", "code"), (4, "shipment_overlaps", "code")])
    assert flow_of(bench).shipped_to(goods.units, 5 * 24) == ""
    Run(bench, "shipments", csv(head, rows), mode="proceed")
    assert [flow_of(bench).shipped_to(goods.units, at * 24) for at in (1, 2, 5, 7)] == ["dist-a", "", "dist-b", ""]


def test_a_paper_of_many_runs_becomes_several(bench: Bench, admin: Api, goods: Goods) -> None:
    head = "document,party,batch_no,start,stop"
    rows = [f"S-1,dist-a,{goods.units},{at},{at + 1}" for at in range(0, 80, 2)]
    run = Run(bench, "shipments", csv(head, rows))
    assert (run.verdict, run.upload.result, run.told) == ("done", {"recorded": 40}, [])
    assert admin.ok("GET", "/shipments/S-1-30")["start"] == 58
    assert admin.ok("GET", "/shipments/S-1-L32-1")["start"] == 60
    again = Run(bench, "shipments", csv(head, rows))
    assert again.upload.counts == {"already_recorded": 40}


def test_serials_go_by_the_gtin_of_the_file(bench: Bench, goods: Goods) -> None:
    gtin, serial = link_of(bench, goods.units, 7, Role.CAP_OUTER).split("/")[-3::2]
    run = Run(bench, "shipments", csv("document,party,code", (f"S-1,dist-a,{serial.lower()}",)), gtin=gtin)
    assert (run.verdict, run.told) == ("done", [])
    assert flow_of(bench).shipped_to(goods.units, 7) == "dist-a"


@pytest.mark.parametrize(
    ("data", "code"),
    [("", "file_empty"), ("document,party,code\r\n", "file_empty"), ("document,code\r\nS,1\r\n", "header_missing")],
)
def test_files_that_are_none(bench: Bench, data: str, code: str) -> None:
    with pytest.raises(InputError, match=code):
        Run(bench, "shipments", data)
