"""A line's file from announcement to report: console, bucket, queue and job over moto; killed at every write."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from cli.line_files import LineDay, LineRow, run_line, to_bytes_by_form
from functions.intake_job import handler as job
from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench, Cloud
from tests.integration.console.test_codes import link_of
from uncap.adapters.association import StoredAssociation
from uncap.adapters.association_cells import DynamoCells
from uncap.adapters.uploads import IntakeQueue, Turn, UploadStore, UploadTable, turn_of
from uncap.domain.association.ports import UnitRef
from uncap.domain.catalog import Role
from uncap.domain.errors import InputError, PoisonError, TransientError
from uncap.domain.intake.uploads import Upload, upload_id
from uncap.runtime import wiring_intake
from uncap.runtime.settings import IntakeSettings
from uncap.services import associate_units
from uncap.services.roll_order import RollOrder
from uncap.services.run_upload import Done, IntakeTools, Kind, Step, Work, run_upload

EVENTS = Path(__file__).parents[3] / "events/intake_job"
PACK = 24


class KilledError(BaseException):
    """The process is gone; nothing catches it."""


class Context:
    """Lambda's, with as much time as a test leaves."""

    function_name, memory_limit_in_mb = "intake-job", 512
    invoked_function_arn, aws_request_id = "arn:aws:lambda:eu-west-1:1:function:intake-job", "r-1"

    def __init__(self, left_ms: list[int]) -> None:
        self._left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        return self._left_ms.pop(0) if len(self._left_ms) > 1 else self._left_ms[0]


class Intake(NamedTuple):
    bench: Bench
    tools: IntakeTools
    s3: Any
    sqs: Any
    url: str
    queue: IntakeQueue

    def put(self, upload: dict[str, Any], data: bytes) -> None:
        # moto keeps a checksum only where the algorithm is named as well; it does not compare it with the bytes.
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        key = f"uploads/{upload['upload_id']}"
        self.s3.put_object(Bucket="uploads", Key=key, Body=data, ChecksumSHA256=checksum, ChecksumAlgorithm="SHA256")

    def announce(self, api: Api, data: bytes, **changes: object) -> Any:
        body = {
            "kind": "association",
            "name": "line.csv",
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        return api.ok("POST", "/uploads", body | changes)

    def start(self, api: Api, data: bytes, **changes: object) -> str:
        """Announced, uploaded, started; the id."""
        upload = self.announce(api, data, **changes)["upload"]
        self.put(upload, data)
        api.ok("POST", f"/uploads/{upload['upload_id']}/start")
        return str(upload["upload_id"])

    def queued(self, data: bytes, mode: str) -> Upload:
        """Uploaded and started, without the console."""
        sha256 = hashlib.sha256(data).hexdigest()
        wanted, now_ms = upload_id("association", sha256), self.bench.clock()
        upload = Upload(
            wanted, "association", sha256, len(data), "line.csv", mode, "fang", "factory", now_ms,
            state="queued", started_at_ms=now_ms,
        )  # fmt: skip
        self.put({"upload_id": wanted}, data)
        return self.tools.table.save(upload)

    def turns(self) -> list[str]:
        """Bodies of what waits on the queue, taken off it."""
        found = []
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for one in messages:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=one["ReceiptHandle"])
                found.append(one["Body"])
        return found

    def work(self, turn: Turn, *, time_is_up: Callable[[], bool] = lambda: False) -> Done:
        return run_upload(turn, self.tools, self.bench.clock() + 60_000, time_is_up)

    def finish(self, wanted: str, run: int = 1) -> Done:
        """Turn after turn, each of one step, until it is over."""
        while (done := self.work(Turn(1, wanted, run), time_is_up=lambda: True)).outcome == "more":
            pass
        return done

    def parent(self, unit: UnitRef) -> UnitRef | None:
        reader = StoredAssociation(
            DynamoCells(self.bench.desk.writes._connection, 1), RollOrder(self.bench.desk.catalog), self.bench.clock, 0
        )
        return reader.parent_of(unit)


@pytest.fixture(scope="module")
def stores(cloud: Cloud) -> tuple[Any, Any, str]:
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    s3.create_bucket(Bucket="uploads", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return s3, sqs, sqs.create_queue(QueueName="intake")["QueueUrl"]


@pytest.fixture
def intake(bench: Bench, cloud: Cloud, stores: tuple[Any, Any, str], monkeypatch: pytest.MonkeyPatch) -> Intake:
    s3, sqs, url = stores
    monkeypatch.setattr(wiring_intake, "open_tables", lambda _: cloud.connection)
    settings = IntakeSettings(
        stage="test",
        catalog_table="catalog",
        parties_table="parties",
        flow_table="flow",
        code_keys_secret="code-keys",
        events_table="events",
        uploads_bucket="uploads",
        intake_queue_url=url,
    )
    store, queue = UploadStore(s3, "uploads"), IntakeQueue(sqs, url)
    # The desk is frozen: its callables are what a deployment's would be.
    object.__setattr__(bench.desk, "upload_store", lambda: store)
    object.__setattr__(bench.desk, "intake_queue", lambda: queue)
    tools = wiring_intake.build_intake(settings, bench.vault, store, bench.clock, 1)
    made = Intake(bench, tools, s3, sqs, url, queue)
    made.turns()
    return made


@pytest.fixture
def factory(bench: Bench) -> Api:
    return bench.sign_in("fang", "factory")


def line_of(bench: Bench, batches: tuple[int, int], count: int, **day: int) -> list[LineRow]:
    units, cases = batches
    roll = [link_of(bench, units, at, Role.CAP_INNER) for at in range(count)]
    boxes = [link_of(bench, cases, at, Role.CASE_OUTER) for at in range(-(-count // PACK))]
    return run_line(roll, boxes, LineDay(PACK, NOW_MS - 3_600_000, **day))


@pytest.fixture
def batches(admin: Api) -> tuple[int, int]:
    return brand.batch(admin, 240)


@pytest.mark.parametrize("form", ["gbk", "parquet", "xml"])
def test_a_file_of_any_kind_goes_all_the_way(
    intake: Intake, bench: Bench, factory: Api, batches: tuple[int, int], form: str
) -> None:
    rows = line_of(bench, batches, 100, reject_each=16, spares=2)
    data = to_bytes_by_form(rows, form)
    wanted = intake.start(factory, data)
    (body,) = intake.turns()
    assert intake.work(turn_of(body)).outcome == "done"
    report = factory.ok("GET", f"/uploads/{wanted}")
    assert (report["state"], report["permille"], report["counts"]) == ("done", 1000, {"case_short": 1})
    assert report["result"]["packed"] == 94
    assert report["result"]["taken_out"] == 2
    assert report["result"]["thrown_out_on_line"] == (0 if form in ("epcis", "xml") else 6)
    units, cases = batches
    # Index 15 was thrown out: what comes after it stands one place further up, as the line packed it.
    found = [intake.parent(UnitRef(units, at)) for at in (0, 15, 24, 25)]
    assert found == [UnitRef(cases, 0), None, UnitRef(cases, 0), UnitRef(cases, 1)]


def test_the_same_bytes_again_are_the_same_upload_and_change_nothing(
    intake: Intake, bench: Bench, factory: Api, batches: tuple[int, int]
) -> None:
    data = to_bytes_by_form(line_of(bench, batches, 48), "csv")
    wanted = intake.start(factory, data)
    assert intake.finish(wanted).outcome == "done"
    intake.turns()
    again = intake.announce(factory, data, mode="proceed")
    assert (again["upload"]["upload_id"], again["upload"]["state"], again["put"]) == (wanted, "done", None)
    assert factory.ok("POST", f"/uploads/{wanted}/start")["state"] == "done"
    assert intake.turns() == []
    assert intake.work(Turn(1, wanted, 1)).outcome == "nothing"


BAD = [
    "=HTTPS://X,{case},add,",
    "{unit},{case},fly,",
    "{unit},{case},add,someday",
    "HTTPS://Q.EXAMPLE.CN/01/09520123456788/21/1AAAAAAAAAAAAAAAA,{case},add,",
    "{unit}",
]


def bad_file(bench: Bench, batches: tuple[int, int]) -> bytes:
    lines = to_bytes_by_form(line_of(bench, batches, 48), "csv").decode("utf-8-sig").split("\r\n")
    unit, case = lines[10].split(",")[:2]
    lines[11:11] = [line.format(unit=unit, case=case) for line in BAD]
    return "\r\n".join(lines).encode()


def test_rollback_takes_nothing_and_names_every_line_and_proceed_takes_the_rest(
    intake: Intake, bench: Bench, factory: Api, batches: tuple[int, int]
) -> None:
    data = bad_file(bench, batches)
    wanted = intake.start(factory, data)
    assert intake.finish(wanted).outcome == "failed"
    report = factory.ok("GET", f"/uploads/{wanted}")
    reasons = ["cell_is_formula", "action_unknown", "time_malformed", "code_not_issued", "row_too_short"]
    assert [(fault["line"], fault["code"]) for fault in report["faults"]] == list(
        zip(range(12, 17), reasons, strict=True)
    )
    assert report["counts"] == dict.fromkeys(sorted(reasons), 1)
    units, cases = batches
    errors = factory.call("GET", f"/uploads/{wanted}/errors")
    assert errors.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert [line.split(",")[:4] for line in errors.body.splitlines()[1:3]] == [
        ["12", "child", "error", "cell_is_formula"],
        ["13", "action", "error", "action_unknown"],
    ]
    assert "1AAAAAAAAAAAAAAAA" not in errors.body
    again = intake.announce(factory, data, mode="proceed")
    assert (again["upload"]["run"], again["put"]) == (2, None)
    bench.clock.now_ms += 1_000
    factory.ok("POST", f"/uploads/{wanted}/start")
    assert intake.finish(wanted, 2).outcome == "done"
    report = factory.ok("GET", f"/uploads/{wanted}")
    assert (report["state"], report["result"]["packed"], len(report["faults"])) == ("done", 48, 5)
    assert intake.parent(UnitRef(units, 47)) == UnitRef(cases, 1)


def test_a_file_cut_off_takes_nothing_in_either_mode(
    intake: Intake, bench: Bench, factory: Api, batches: tuple[int, int]
) -> None:
    data = to_bytes_by_form(line_of(bench, batches, 48), "epcis")[:-200]
    wanted = intake.start(factory, data, mode="proceed")
    assert intake.finish(wanted).outcome == "failed"
    report = factory.ok("GET", f"/uploads/{wanted}")
    assert report["reason"]["code"] == "document_truncated"
    assert factory.call("GET", f"/uploads/{wanted}/errors").body.splitlines()[1].split(",")[3] == "document_truncated"


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of 40 rows, read sixteen lines at a time."""
    monkeypatch.setattr("uncap.adapters.intake.lines.BLOCK_LINES", 16)
    monkeypatch.setattr(associate_units, "RUN_ROWS", 40)


class Deaths:
    """Counts writes, and kills the process at the one that is due: before it is done, or after."""

    def __init__(self) -> None:
        self.writes, self.due, self.after = 0, 0, False

    def around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self.writes += 1
            if self.writes != self.due:
                return method(*arguments, **named)
            if self.after:
                method(*arguments, **named)  # done, and nobody heard of it
            raise KilledError

        return call

    def comes_again(self, intake: Intake, wanted: str) -> int:
        """Turns until the upload is over; how many of them were killed."""
        killed = 0
        while True:
            try:
                if intake.work(Turn(1, wanted, 1), time_is_up=lambda: True).outcome != "more":
                    return killed
            except KilledError:
                killed += 1
                intake.bench.clock.now_ms += 61_000  # the lease ends, the queue delivers again


@pytest.mark.usefixtures("small_steps")
def test_killed_at_any_write_it_ends_as_if_nothing_had_happened(
    intake: Intake, bench: Bench, batches: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = Deaths()
    lines = bad_file(bench, batches).decode().split("\r\n")
    table, reports = UploadTable(), []
    first = intake.queued(bad_file(bench, batches), "proceed")
    assert intake.finish(first.upload_id).outcome == "done"
    for owner, name in ((UploadTable, "save"), (UploadTable, "keep"), (DynamoCells, "save"), (DynamoCells, "put_all")):
        monkeypatch.setattr(owner, name, deaths.around(getattr(owner, name)))
    killed = 1
    while killed:
        # Another file each time, for the same would be known: its last column is not read.
        data = "\r\n".join([lines[0] + ",note", *(f"{line},{deaths.due}" for line in lines[1:-1]), ""]).encode()
        upload = intake.queued(data, "proceed")
        deaths.writes, deaths.due, deaths.after = 0, deaths.due + 3, not deaths.after
        killed = deaths.comes_again(intake, upload.upload_id)
        assert killed in (0, 1)
        over = table.read(upload.upload_id)
        assert over is not None
        faults = tuple((one.line, one.code) for one in table.faults(over, 1_000))
        reports.append((over.state, over.rows_done, tuple(over.counts.items()), over.result["packed"], faults))
    assert len(reports) > 6
    assert len(set(reports)) == 1


def test_two_workers_do_not_work_on_one_file(
    intake: Intake, bench: Bench, factory: Api, batches: tuple[int, int]
) -> None:
    wanted = intake.start(factory, to_bytes_by_form(line_of(bench, batches, 24), "csv"))
    inner: list[Done] = []

    def nested(work: Work) -> Iterator[Step]:
        inner.append(intake.work(Turn(1, wanted, 1)))
        yield Step("x", 1, {}, verdict="done")

    kinds = {"association": nested}
    outer = run_upload(
        Turn(1, wanted, 1),
        IntakeTools(intake.tools.table, intake.tools.open_source, kinds, bench.clock),
        NOW_MS + 9_000,
        bool,
    )
    assert (outer.outcome, [one.outcome for one in inner]) == ("done", ["nothing"])


def test_a_busy_batch_and_a_failing_table_come_back_later(
    intake: Intake, bench: Bench, factory: Api, batches: tuple[int, int]
) -> None:
    wanted = intake.start(factory, to_bytes_by_form(line_of(bench, batches, 24), "csv"))

    def failing(code: str) -> Kind:
        def kind(work: Work) -> Iterator[Step]:
            raise TransientError(code, "not now")
            yield

        return kind

    def tools(code: str) -> IntakeTools:
        return IntakeTools(intake.tools.table, intake.tools.open_source, {"association": failing(code)}, bench.clock)

    assert run_upload(Turn(1, wanted, 1), tools("association_busy"), NOW_MS + 9_000, bool).outcome == "busy"
    with pytest.raises(TransientError):
        run_upload(Turn(1, wanted, 1), tools("table_unavailable"), NOW_MS + 9_000, bool)
    assert intake.finish(wanted).outcome == "done"


def test_the_handler_sends_the_next_turn_before_its_own_is_gone(
    intake: Intake,
    bench: Bench,
    factory: Api,
    batches: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
    small_steps: None,
) -> None:
    monkeypatch.setattr(job, "intake", lambda: (intake.tools, intake.queue))
    wanted = intake.start(factory, to_bytes_by_form(line_of(bench, batches, 120), "csv"))
    event = json.loads((EVENTS / "turn.json").read_text())
    outcomes = []
    while bodies := intake.turns():
        (event["Records"][0]["body"],) = bodies
        outcomes.append(job.handler(event, Context([9_000, 1_000]))[wanted])
    assert outcomes == ["more", "more", "done"]
    assert factory.ok("GET", f"/uploads/{wanted}")["rows_done"] == 120


def test_a_turn_nobody_understands_ends_in_the_dead_letter_queue(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "intake", lambda: (intake.tools, intake.queue))
    with pytest.raises(PoisonError):
        job.handler(json.loads((EVENTS / "malformed.json").read_text()), Context([9_000]))
    turn = json.loads((EVENTS / "turn.json").read_text())
    assert set(job.handler(turn, Context([9_000])).values()) == {"nothing"}


def test_what_is_announced_must_be_what_arrives(
    intake: Intake, bench: Bench, factory: Api, batches: tuple[int, int]
) -> None:
    data = to_bytes_by_form(line_of(bench, batches, 24), "csv")
    announced = intake.announce(factory, data)
    wanted = announced["upload"]["upload_id"]
    assert wanted == upload_id("association", hashlib.sha256(data).hexdigest())
    headers = announced["put"]["headers"]
    assert headers["Content-Length"] == str(len(data))
    assert "x-amz-checksum-sha256" in announced["put"]["url"]
    assert factory.refused("POST", f"/uploads/{wanted}/start") == (404, "upload_missing")
    intake.put(announced["upload"], data[:-1])
    assert factory.refused("POST", f"/uploads/{wanted}/start") == (400, "upload_differs")
    assert intake.announce(factory, data)["put"] is not None
    intake.put(announced["upload"], data)
    assert intake.announce(factory, data)["put"] is None
    assert factory.ok("POST", f"/uploads/{wanted}/start")["state"] == "queued"
    # Replaced after the start: the job looks again.
    intake.put(announced["upload"], data + b"x")
    assert intake.finish(wanted).outcome == "failed"
    assert factory.ok("GET", f"/uploads/{wanted}")["reason"]["code"] == "upload_differs"


def test_who_may_send_what(bench: Bench, intake: Intake, factory: Api) -> None:
    logistics, auditor = bench.sign_in("lou", "logistics"), bench.sign_in("aud", "auditor")
    finance = bench.sign_in("fin", "finance")
    body = {"kind": "shipments", "name": "../../=a.csv", "size": 4, "sha256": "ab" * 32}
    assert factory.refused("POST", "/uploads", body) == (403, "operator_not_permitted")
    assert logistics.refused("POST", "/uploads", {**body, "kind": "association"}) == (403, "operator_not_permitted")
    assert finance.refused("POST", "/uploads", body) == (403, "operator_not_permitted")
    upload = logistics.ok("POST", "/uploads", body)["upload"]
    assert upload["name"] == "'=a.csv"
    assert factory.refused("POST", f"/uploads/{upload['upload_id']}/start") == (403, "operator_not_permitted")
    assert auditor.ok("GET", f"/uploads/{upload['upload_id']}")["state"] == "waiting"
    assert [one["upload_id"] for one in auditor.ok("GET", "/uploads")["items"]] == [upload["upload_id"]]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"size": 0}, "file_empty"),
        ({"size": 10 << 30}, "file_too_large"),
        ({"sha256": "zz" * 32}, "body_invalid"),
        ({"kind": "virus"}, "body_invalid"),
        ({"gtin": "09520123456789"}, "gtin_check_digit"),
    ],
)
def test_what_cannot_be_announced(intake: Intake, factory: Api, changes: dict[str, object], code: str) -> None:
    body = {"kind": "association", "name": "a.csv", "size": 4, "sha256": "ab" * 32}
    assert factory.refused("POST", "/uploads", body | changes) == (400, code)


def test_unknown_uploads_are_not_found(intake: Intake, factory: Api) -> None:
    for method, path in (("GET", ""), ("GET", "/errors"), ("POST", "/start")):
        assert factory.refused(method, f"/uploads/{'0' * 26}{path}") == (404, "upload_unknown")


def test_a_kind_nobody_takes_fails_clearly(intake: Intake, bench: Bench) -> None:
    logistics = bench.sign_in("lou", "logistics")
    wanted = intake.start(logistics, b"x,y\n", kind="returns")
    kinds = IntakeTools(intake.tools.table, intake.tools.open_source, {}, bench.clock)
    assert run_upload(Turn(1, wanted, 1), kinds, NOW_MS + 9_000, bool).outcome == "failed"
    assert logistics.ok("GET", f"/uploads/{wanted}")["reason"]["code"] == "kind_unknown"


def test_a_store_that_changed_under_the_reader_is_noticed(intake: Intake, factory: Api) -> None:
    from uncap.adapters.intake.sources import S3Source

    intake.s3.put_object(Bucket="uploads", Key="uploads/x", Body=b"child,parent\nA,B\n")
    source = S3Source(intake.s3, "uploads", "uploads/x")
    assert source.read_at(6, 6) == b"parent"
    intake.s3.put_object(Bucket="uploads", Key="uploads/x", Body=b"child,parent\nC,D\n!")
    with pytest.raises((TransientError, InputError)):
        source.read_at(0, 4)
