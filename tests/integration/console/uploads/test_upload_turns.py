"""Turns of an upload's job: killed, doubled, delayed, not understood; it ends as if nothing had happened."""

import json
from collections.abc import Iterator

import pytest

from cli.line_files import to_bytes_by_form
from functions.intake_job import handler as job
from tests.integration.console.conftest import NOW_MS, Api, Bench
from tests.integration.console.uploads.kit import EVENTS, Context, Deaths, Intake, bad_file, line_of
from uncap.adapters.association_cells import DynamoCells
from uncap.adapters.uploads import Turn, UploadTable
from uncap.domain.errors import InputError, PoisonError, TransientError
from uncap.services.run_upload import Done, IntakeTools, Kind, Step, Work, run_upload


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


def test_a_store_that_changed_under_the_reader_is_noticed(intake: Intake, factory: Api) -> None:
    from uncap.adapters.intake.sources import S3Source

    intake.s3.put_object(Bucket="uploads", Key="uploads/x", Body=b"child,parent\nA,B\n")
    source = S3Source(intake.s3, "uploads", "uploads/x")
    assert source.read_at(6, 6) == b"parent"
    intake.s3.put_object(Bucket="uploads", Key="uploads/x", Body=b"child,parent\nC,D\n!")
    with pytest.raises((TransientError, InputError)):
        source.read_at(0, 4)
