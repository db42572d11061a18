"""The function on its sample events: archive, counters, one diversion case, poison parked; and Insights rebuilt."""

import gzip
import json
from pathlib import Path
from typing import Any

import boto3
import h3  # type: ignore[import-untyped]
import msgspec
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.scan_projector import handler as function
from tests.integration.projector.conftest import create_table
from uncap.adapters.flow_rows import RECEIVED_ONE, FlowRows, movements_in
from uncap.adapters.insights import Insights
from uncap.adapters.models import CatalogItem, FlowItem, PartyItem
from uncap.domain.association.ports import UnitRef
from uncap.domain.catalog import CanaryRun, CodeBatch, Party, Role, Shipment, Territory
from uncap.domain.diversion.cases import move_case
from uncap.domain.errors import TransientError
from uncap.domain.movements import RECEIPT, Movement
from uncap.runtime.settings import ProjectorSettings
from uncap.runtime.wiring_projector import build_projector
from uncap.services.project_scans import ProjectorTools, project_scans
from uncap.services.rebuild_insights import REBUILD_SEEN_TTL_S, rebuild_insights

EVENTS = Path(__file__).parents[3] / "events/scan_projector"
NOW_MS = 1_795_400_000_000
SHIPPED_MS = 1_795_312_800_000 - 80_000_000  # after the warehouse scan, before the buyers'
TODAY, YESTERDAY = "2026-11-22", "2026-11-21"
GTIN, CASE_GTIN = "06901234567892", "16901234567899"


def records(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((EVENTS / f"{name}.json").read_text())["Records"]
    return found


@pytest.fixture
def tools(deployed: ProjectorSettings) -> ProjectorTools:
    built = build_projector(deployed, lambda: NOW_MS)
    roles = (Role.CAP_OUTER, Role.CAP_INNER)
    units = CodeBatch(7, GTIN, 1_200, 1, roles, units_per_case=24, case_batch_no=8)
    cases = CodeBatch(8, CASE_GTIN, 50, 1, (Role.CASE_OUTER,), units_per_case=24, unit_batch_no=7)
    for batch in (units, cases):
        CatalogItem(f"batch#{batch.batch_no}", "meta", doc=text_of(batch)).save()
    for party_id, region, at in (("d-mid", "Wuhan", (30.6, 114.3)), ("d-east", "Shanghai", (31.2, 121.5))):
        cells = tuple(h3.compact_cells(h3.grid_disk(h3.latlng_to_cell(*at, 7), 10)))
        CatalogItem("territories", party_id, doc=text_of(Territory(party_id, region, cells))).save()
        PartyItem(f"party#{party_id}", "meta", doc=text_of(Party(party_id, "distributor", {"en": region}))).save()
    wholesaler = Party("w-1", "sub_distributor", {"en": "W"}, parent_id="d-mid")
    PartyItem("party#w-1", "meta", doc=text_of(wholesaler)).save()
    for shipment in (
        Shipment("ship-1", 7, 0, 600, "d-mid", SHIPPED_MS),
        Shipment("ship-2", 7, 240, 300, "w-1", SHIPPED_MS + 1),
    ):
        FlowItem("batch#7", f"ship#{shipment.start:09d}#{shipment.shipment_id}", doc=text_of(shipment)).save()
    return built


def lambda_context() -> LambdaContext:
    context = LambdaContext()
    context._function_name, context._memory_limit_in_mb = "scan_projector", 256
    context._invoked_function_arn, context._aws_request_id = "arn:aws:lambda:eu-central-1:1:function:x", "r"
    return context


def text_of(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def overview(day: str) -> dict[str, int]:
    return {f"{row.gtin}/{row.region}/{row.outcome}": row.n for row in Insights().overview(day, day)}


def party(party_id: str) -> dict[str, int]:
    return {f"{row.day}/{row.outcome}": row.n for row in Insights().party(party_id, YESTERDAY, TODAY)}


def receipts(batch_no: int) -> list[Movement]:
    rows = [(item.sk, item.doc) for item in FlowItem.query(f"batch#{batch_no}")]
    return [one for one in movements_in(rows) if one.kind == RECEIPT]


def test_a_members_scan_founds_one_receipt_however_often_it_is_told(tools: ProjectorTools) -> None:
    project_scans(records("scans"), tools)
    project_scans(records("scans"), tools)
    [found] = receipts(8)
    assert (found.start, found.stop, found.party, found.source) == (2, 3, "outlet-1", "scan")
    by_id = FlowItem.get(f"receipt#{found.movement_id}", "meta")
    assert msgspec.json.decode(by_id.doc, type=Movement) == found
    assert FlowRows().marks(8) == {RECEIVED_ONE}
    assert FlowRows().single(UnitRef(8, 2)) == [found]
    assert receipts(7) == []


def test_scans_are_counted_by_day_product_region_and_party(tools: ProjectorTools) -> None:
    done = project_scans(records("scans"), tools)
    assert (done.records, done.parked, done.counted, done.replayed) == (7, 0, 4, 0)
    assert overview(YESTERDAY) == {
        f"{GTIN}/Wuhan/observed.not_activated": 1,
        f"{GTIN}/Wuhan/signal.before_activation": 1,
        f"{GTIN}/Wuhan/signal.before_shipment": 1,
    }
    assert overview(TODAY) == {
        f"{GTIN}/Wuhan/first": 1,
        f"{GTIN}/Wuhan/repeat": 1,
        f"{CASE_GTIN}/unplaced/observed.receive": 1,
    }
    assert party("outlet-1") == {f"{TODAY}/observed.receive": 1}
    # The warehouse's scan was before the goods were shipped to anyone.
    assert party("d-mid") == {
        f"{TODAY}/first": 1,
        f"{TODAY}/repeat": 1,
        f"{TODAY}/observed.receive": 1,
    }


def test_diverted_goods_open_one_case(tools: ProjectorTools) -> None:
    done = project_scans(records("diverted"), tools)
    assert len(done.opened) == 1
    again = project_scans(records("diverted")[1:] + records("scans"), tools)
    assert (again.opened, again.counted, again.replayed) == ((), 4, 3)
    (case,) = Insights().cases().cases
    assert (case.shipment_id, case.place, case.party_id, case.region) == ("ship-2", "party:d-east", "d-mid", "Wuhan")
    assert (case.evidence.people, case.evidence.cases, case.evidence.scans) == (4, (10, 11), 4)
    assert overview(TODAY)[f"{GTIN}/Shanghai/signal.outside_territory"] == 4
    assert party("w-1")[f"{TODAY}/first"] == 4
    stored = json.dumps(boto3.resource("dynamodb").Table("insights").scan()["Items"], default=str)
    assert "p_0000" not in stored


def test_poison_is_parked_with_its_reason_and_the_rest_goes_on(
    tools: ProjectorTools, deployed: ProjectorSettings
) -> None:
    done = project_scans(records("poison"), tools)
    assert (done.parked, done.counted) == (4, 1)
    queue = boto3.client("sqs")
    found = queue.receive_message(QueueUrl=deployed.parked_queue_url, MaxNumberOfMessages=10)["Messages"]
    parked = [json.loads(message["Body"]) for message in found]
    assert sorted(message["reason"] for message in parked) == [
        "cell_malformed",
        "scan_image_malformed",
        "scan_key_malformed",
        "stream_record_malformed",
    ]
    assert {message["source"] for message in parked} == {"scans-stream"}
    assert "p_0000" not in json.dumps(parked)


def test_the_archive_holds_every_scan_once_without_payee(tools: ProjectorTools) -> None:
    project_scans(records("scans"), tools)
    project_scans(records("scans"), tools)  # the same batch is the same objects
    project_scans(records("scans")[2:5], tools)  # cut differently it adds a copy
    s3 = boto3.client("s3")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="archive")["Contents"]]
    assert len(keys) == 3
    assert sum(key.startswith("scans/2026/11/22/02/") for key in keys) == 2
    assert sum(key.startswith("scans/2026/11/21/01/") for key in keys) == 1
    text = b"".join(gzip.decompress(s3.get_object(Bucket="archive", Key=key)["Body"].read()) for key in keys)
    assert b"c2VhbGVk" not in text
    hours = list(tools.archive.hours())
    assert [len(hour) for hour in hours] == [1, 5]


def test_nothing_is_counted_when_the_archive_is_away(tools: ProjectorTools) -> None:
    boto3.client("s3").delete_bucket(Bucket="archive")
    with pytest.raises(TransientError, match="archive_unavailable"):
        project_scans(records("scans"), tools)
    assert overview(TODAY) == {}


def test_insights_rebuilt_from_the_archive_are_the_same(tools: ProjectorTools, deployed: ProjectorSettings) -> None:
    for batch in (records("scans"), records("diverted"), records("scans")[1:], records("poison")):
        project_scans(batch, tools)
    insights = Insights()
    (case,) = insights.cases().cases
    insights.update_case(move_case(case, "investigating", "wang", "called", NOW_MS))
    decided = insights.cases().cases
    before = stored("insights")

    create_table("insights2")
    elsewhere = msgspec.structs.replace(deployed, insights_table="insights2")
    rebuilding = build_projector(elsewhere, lambda: NOW_MS, seen_ttl_s=REBUILD_SEEN_TTL_S)
    seen: list[tuple[int, int]] = []
    done = rebuild_insights(
        *(tools.archive.hours(), rebuilding.observe, rebuilding.insights, decided),
        lambda *at: seen.append(at),
        rebuilding.watch,
    )
    assert (done.hours, done.events, done.counted, done.opened) == (2, 11, 9, ())
    assert seen == [(1, 1), (2, 11)]
    assert stored("insights2") == before
    again = rebuild_insights(tools.archive.hours(), rebuilding.observe, rebuilding.insights, decided)
    assert (again.counted, again.replayed) == (0, 9)
    assert stored("insights2") == before


def stored(table: str) -> dict[str, Any]:
    """Everything but the marks; a case's evidence version depends on how batches were cut, its content does not."""
    rows: list[dict[str, Any]] = boto3.resource("dynamodb").Table(table).scan()["Items"]
    kept = [row for row in rows if not row["pk"].startswith("seen#") and row["pk"] != "alerts"]
    return {f"{row['pk']}|{row['sk']}": (row.get("n"), row.get("doc")) for row in kept}


@pytest.fixture
def wired(tools: ProjectorTools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function, "projector", lambda: tools)


def test_the_handler_reports_counts_and_logs_no_person(wired: None, capsys: pytest.CaptureFixture[str]) -> None:
    context = lambda_context()
    reply = function.handler({"Records": records("diverted")}, context)
    assert reply == {"records": 4, "counted": 4, "replayed": 0, "parked": 0}
    out = capsys.readouterr().out
    assert "p_0000" not in out
    assert '"DiversionCaseOpened"' in out


def test_the_brand_counts_days_in_its_own_zone(tools: ProjectorTools, deployed: ProjectorSettings) -> None:
    elsewhere = build_projector(msgspec.structs.replace(deployed, time_zone="Pacific/Kiritimati"), lambda: NOW_MS)
    project_scans(records("diverted"), elsewhere)
    assert sum(row.n for row in Insights().overview(TODAY, TODAY) if row.outcome == "first") == 4
    later = build_projector(msgspec.structs.replace(deployed, time_zone="America/Los_Angeles"), lambda: NOW_MS)
    project_scans(records("scans"), later)
    assert overview(YESTERDAY)[f"{GTIN}/Wuhan/first"] == 1


def test_a_canarys_scan_names_its_order_and_counts_nowhere_else(
    tools: ProjectorTools, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = CatalogItem.get("batch#7", "meta")
    units = msgspec.json.decode(item.doc, type=CodeBatch)
    run = CanaryRun("x7-0123ABCD", 0, 1_200, 3)
    CatalogItem("batch#7", "meta", doc=text_of(msgspec.structs.replace(units, canaries=(run,)))).save()
    record = json.loads(json.dumps(records("scans")[0]).replace("7.30.1", "7.1201.1"))
    done = project_scans([record], tools)
    assert (done.counted, done.leaked) == (1, ("x7-0123ABCD",))
    assert Insights().canary_scans("x7-0123ABCD") == 1
    assert overview(YESTERDAY) == {}
    monkeypatch.setattr(function, "projector", lambda: tools)
    with caplog.at_level("ERROR", logger="scan_projector"):
        assert function.handler({"Records": [record]}, lambda_context())["replayed"] == 1
    assert [vars(line)["export_id"] for line in caplog.records if line.name == "scan_projector"] == ["x7-0123ABCD"]
    assert Insights().canary_scans("x7-0123ABCD") == 1, "a repeated batch counts nothing twice"
