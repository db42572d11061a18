"""An upload's whole way without a deployed stack: announce, put, start, turns, and deaths in between."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from cli.line_files import LineDay, LineRow, run_line, to_bytes_by_form
from tests.integration.console.conftest import NOW_MS, Api, Bench
from tests.integration.console.test_codes import link_of
from uncap.adapters.association import StoredAssociation
from uncap.adapters.association_cells import DynamoCells
from uncap.adapters.uploads import IntakeQueue, Turn
from uncap.domain.association.ports import UnitRef
from uncap.domain.catalog import Role
from uncap.domain.intake.uploads import Upload, upload_id
from uncap.services.roll_order import RollOrder
from uncap.services.run_upload import Done, IntakeTools, run_upload

EVENTS = Path(__file__).parents[4] / "events/intake_job"


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


def line_of(bench: Bench, batches: tuple[int, int], count: int, **day: int) -> list[LineRow]:
    units, cases = batches
    roll = [link_of(bench, units, at, Role.CAP_INNER) for at in range(count)]
    boxes = [link_of(bench, cases, at, Role.CASE_OUTER) for at in range(-(-count // PACK))]
    return run_line(roll, boxes, LineDay(PACK, NOW_MS - 3_600_000, **day))


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
