"""Files from a line on the deployed stack: fifty thousand rows from the command line to the report; a job killed."""

import json
import os
import signal
import time
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from typer.testing import CliRunner

from cli import brand
from cli.line_files import LineDay, run_line, to_bytes_by_form
from cli.main import app
from dev.seed.main import read_batch
from dev.seed.operators import passwords
from dev.stack import http
from dev.stack.config import StackConfig
from tests.e2e.test_least_privilege import as_role, refused
from tests.kits.market import NAME, UNITS_PER_CASE, Market, eventually
from tests.kits.workers import worker_pids
from uncap.domain.catalog import Role
from uncap.domain.codes import bulk
from uncap.domain.codes.links import code_prefix

UNITS = 50_000


class Line(NamedTuple):
    """A line's file about one batch as it packed it, and one about another batch with mistakes in it."""

    market: Market
    good: bytes
    bad: bytes

    def send(self, file: Path, *more: str) -> tuple[int, dict[str, Any]]:
        """`uncap associate FILE --json`: exit status and report."""
        outputs = self.market.outputs
        environment = {
            "UNCAP_CONSOLE": outputs.console_base,
            "UNCAP_LOGIN": "admin",
            "UNCAP_PASSWORD": passwords(outputs)["admin"],
        }
        done = CliRunner().invoke(app, ["associate", str(file), "--json", *more], env=environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        return done.exit_code, json.loads(done.stdout)


def printed(market: Market, batch_no: int, role: Role) -> list[str]:
    batch = read_batch(market.desk, batch_no).batch
    key = market.keys.keyring.key(batch.epoch, batch.gtin, role)
    lines = bulk.lines(key, batch_no, range(batch.size), code_prefix("https://Q.EXAMPLE.CN", batch.gtin))
    return b"".join(lines).decode("ascii").split()


def line_file(market: Market, units: int, cases: int) -> bytes:
    day = LineDay(UNITS_PER_CASE, int(time.time() * 1000) - 86_400_000, reject_each=500, spares=3, repeats=2)
    rows = run_line(printed(market, units, Role.CAP_INNER), printed(market, cases, Role.CASE_OUTER), day)
    return to_bytes_by_form(rows, "csv")


@pytest.fixture(scope="module")
def line(market: Market) -> Line:
    unit, case = brand.product(market.desk, f"9521{uuid.uuid4().int % 10**8:08d}", NAME, UNITS_PER_CASE)
    good, bad = (line_file(market, *brand.batch(market.desk, unit, case, UNITS)) for _ in range(2))
    lines = bad.split(b"\r\n")
    lines[1_000] = b"=" + lines[1_000]
    lines[40_000] = lines[40_000].replace(b"/21/1", b"/21/2")
    return Line(market, good, b"\r\n".join(lines))


def test_a_file_with_mistakes_is_refused_then_taken_without_them_and_then_known(line: Line, tmp_path: Path) -> None:
    file = tmp_path / "line.csv"
    file.write_bytes(line.bad)
    status, report = line.send(file)
    assert (status, report["state"], report["result"]["packed"]) == (2, "failed", 0)
    assert [(one["line"], one["code"]) for one in report["faults"] if one.get("grave", True)] == [
        (1_001, "cell_is_formula"),
        (40_001, "code_not_issued"),
    ]
    status, report = line.send(file, "--mode", "proceed")
    assert (status, report["state"], report["rows_done"]) == (3, "done", line.bad.count(b"\r\n") - 1)
    packed = report["result"]["packed"]
    assert packed == UNITS - 3 - 99 + 3 - 2
    began = time.monotonic()
    assert line.send(file, "--mode", "proceed")[1]["result"]["packed"] == packed
    assert time.monotonic() - began < 5, "the same file again is not worked on again"


def test_a_job_killed_goes_on_and_the_report_is_the_same(line: Line, stack_config: StackConfig, tmp_path: Path) -> None:
    desk, function = line.market.desk, line.market.outputs.functions["intake_job"]
    file = tmp_path / "again.csv"
    file.write_bytes(line.good)
    announced = announce(line.market, line.good)
    put(announced, line.good)
    wanted = announced["upload"]["upload_id"]
    desk.call("POST", f"/uploads/{wanted}/start")
    eventually(lambda: desk.call("GET", f"/uploads/{wanted}")["state"] == "running", "the job has it")
    killed = worker_pids(stack_config, function)
    assert killed, "no worker process was found to kill"
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    status, report = line.send(file)
    assert (status, report["state"]) == (0, "done")
    assert report["rows_done"] == line.good.count(b"\r\n") - 1
    assert (report["run"], report["counts"]) == (1, {"case_short": 1, "repeat": 2})


def announce(market: Market, data: bytes) -> dict[str, Any]:
    import hashlib

    body = {"kind": "association", "name": "a.csv", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    answer: dict[str, Any] = market.desk.call("POST", "/uploads", body)
    return answer


def put(announced: dict[str, Any], data: bytes) -> httpx.Response:
    with http.client() as client:
        return client.put(announced["put"]["url"], headers=announced["put"]["headers"], content=data)


def test_the_signed_address_takes_the_announced_bytes_only(market: Market) -> None:
    data = uuid.uuid4().bytes
    announced = announce(market, data)
    assert put(announced, b"x" + data[1:]).status_code == httpx.codes.BAD_REQUEST
    headers = announced["put"]["headers"] | {"x-amz-checksum-sha256": "A" * 43 + "="}
    forged = put({"put": {"url": announced["put"]["url"], "headers": headers}}, data)
    assert forged.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.FORBIDDEN)
    moved = announced["put"]["url"].replace(announced["upload"]["upload_id"], "0" * 26)
    assert (
        put({"put": {"url": moved, "headers": announced["put"]["headers"]}}, data).status_code == httpx.codes.FORBIDDEN
    )
    assert put(announced, data).is_success


def test_who_reads_files_writes_none_and_sees_no_money(market: Market) -> None:
    outputs = market.outputs
    with as_role(market, "intake_job", "s3") as store:
        refused(store.put_object, Bucket=outputs.uploads_bucket, Key="uploads/x", Body=b"")
        refused(store.get_object, Bucket=outputs.archive_bucket, Key="scans/x")
    with as_role(market, "intake_job", "dynamodb") as tables:
        refused(tables.get_item, TableName=outputs.ledger_table, Key={"pk": {"S": "reward#0"}})
    with as_role(market, "payout_worker", "s3") as store:
        refused(store.get_object, Bucket=outputs.uploads_bucket, Key="uploads/x")
    with http.client() as anyone:
        answer = anyone.get(f"{outputs.endpoint}/{outputs.uploads_bucket}/uploads/x")
    assert answer.status_code == httpx.codes.FORBIDDEN
