"""A line's file from announcement to report: console, bucket, queue and job over moto; killed at every write."""

import hashlib

import pytest

from cli.line_files import to_bytes_by_form
from tests.integration.console.conftest import NOW_MS, Api, Bench
from tests.integration.console.uploads.kit import Intake, bad_file, line_of
from uncap.adapters.uploads import Turn, turn_of
from uncap.domain.association.ports import UnitRef
from uncap.domain.intake.uploads import upload_id
from uncap.services.run_upload import IntakeTools, run_upload


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
