"""Changes of the packing by hand, over files and over roll order; the association's items in real tables."""

from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import PutError

from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench, Cloud
from tests.kits.packing import Row, rows_of
from uncap.adapters.association_cells import DynamoCells
from uncap.adapters.models import FlowItem
from uncap.domain.association.files import FileRecord, FileStart, sha256_of
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.association.store import Cell, file_pk
from uncap.domain.catalog import Role
from uncap.domain.codes.scheme import encode
from uncap.domain.errors import ConflictError, TransientError
from uncap.services.associate_units import AssociationJob, give_up, issues, open_file
from uncap.services.batch_facts import CatalogFacts
from uncap.services.change_packing import replacement_writes
from uncap.services.desk import Actor, draft


def link(bench: Bench, batch_no: int, index: int) -> str:
    batch = bench.desk.batch(batch_no).batch
    role = Role.CAP_OUTER if batch.level == "unit" else Role.CASE_OUTER
    return f"https://q.example.cn/01/{batch.gtin}/21/{encode(bench.keyring.key(1, batch.gtin, role), batch_no, index)}"


def change(bench: Bench, api: Api, kind: str, codes: list[tuple[int, int]], into: tuple[int, int] | None = None) -> int:
    body = body_of(bench, kind, codes, into)
    return int(api.ok("POST", "/packing", body)["moved"])


def body_of(
    bench: Bench, kind: str, codes: list[tuple[int, int]], into: tuple[int, int] | None = None
) -> dict[str, object]:
    body: dict[str, object] = {"kind": kind, "codes": [link(bench, *one) for one in codes], "reason": "seen at packing"}
    return {**body, "into": link(bench, *into)} if into else body


def begin(cloud: Cloud, bench: Bench, rows: list[Row], mode: str = "proceed") -> AssociationJob:
    store = DynamoCells(cloud.connection, workers=1)
    start = FileStart(sha256_of(repr(rows).encode()), mode, "line.csv", "tester")
    job = open_file(store, CatalogFacts(bench.desk.catalog), start, bench.clock)
    if not job.done:
        job.feed(rows_of(rows))
    return job


def uploaded(cloud: Cloud, bench: Bench, rows: list[Row], mode: str = "proceed") -> FileRecord:
    return begin(cloud, bench, rows, mode).finish()


def packed(units: int, cases: int, count: int, shift: int = 0) -> list[Row]:
    """In order, `shift` cases later than roll order would have it."""
    return [Row(UnitRef(units, i), UnitRef(cases, i // 24 + shift), NOW_MS - 60_000) for i in range(count)]


def test_a_file_is_stored_read_back_and_stored_once(cloud: Cloud, bench: Bench, admin: Api) -> None:
    units, cases = brand.batch(admin)
    rows = [*packed(units, cases, 60, shift=3), Row(UnitRef(units, 5), UnitRef(cases, 40), NOW_MS)]
    record = uploaded(cloud, bench, rows)
    assert (record.state, record.added, record.counts["contradiction"]) == ("visible", 60, 1)
    assert bench.desk.association.parent_of(UnitRef(units, 59)) == UnitRef(cases, 5)
    assert bench.desk.association.parent_of(UnitRef(units, 61)) is None
    assert bench.desk.association.children_of(UnitRef(cases, 4)) == [UnitSpan(units, 24, 48)]
    before = cloud.client.scan(TableName="flow")["Items"]
    assert uploaded(cloud, bench, rows) == record
    assert cloud.client.scan(TableName="flow")["Items"] == before
    assert [one.reason for one in issues(DynamoCells(cloud.connection, 1), record.file_id)] == [
        "case_short",
        "contradiction",
    ]


def test_a_swap_over_roll_order_keeps_the_past(bench: Bench, admin: Api) -> None:
    units, cases = brand.batch(admin)
    assert change(bench, admin, "swap", [(units, 0), (units, 30)]) == 2
    reader = bench.desk.association
    assert reader.parent_of(UnitRef(units, 0)) == UnitRef(cases, 1)
    assert reader.parent_of(UnitRef(units, 0), NOW_MS - 1) == UnitRef(cases, 0)
    assert reader.children_of(UnitRef(cases, 0)) == [UnitSpan(units, 1, 24), UnitSpan(units, 30, 31)]
    assert reader.children_of(UnitRef(cases, 0), NOW_MS - 1) == [UnitSpan(units, 0, 24)]


def test_repacking_and_unpacking_over_a_file(cloud: Cloud, bench: Bench, admin: Api) -> None:
    units, cases = brand.batch(admin)
    uploaded(cloud, bench, packed(units, cases, 60))
    assert change(bench, admin, "repack", [(units, 3), (units, 4)], into=(cases, 2)) == 2
    bench.clock.now_ms += 1_000
    assert change(bench, admin, "unpack", [(cases, 0)]) == 22
    assert change(bench, admin, "take_out", [(units, 50)]) == 1
    reader = bench.desk.association
    assert reader.children_of(UnitRef(cases, 0)) == []
    assert reader.children_of(UnitRef(cases, 0), NOW_MS - 1) == [UnitSpan(units, 0, 24)]
    assert reader.children_of(UnitRef(cases, 2)) == [
        UnitSpan(units, 3, 5), UnitSpan(units, 48, 50), UnitSpan(units, 51, 60),
    ]  # fmt: skip
    again = uploaded(cloud, bench, [Row(UnitRef(units, 3), UnitRef(cases, 7), NOW_MS + 5_000)])
    (issue,) = [one for one in issues(DynamoCells(cloud.connection, 1), again.file_id) if one.reason == "contradiction"]
    assert issue.other == UnitRef(cases, 2)
    assert issue.other_file.startswith("!")


@pytest.mark.parametrize(
    ("kind", "codes", "into", "expected"),
    [
        ("repack", [(0, 30)], (1, 0), (409, "case_overfull")),
        ("repack", [(0, 30)], (0, 31), (409, "other_product")),
        ("repack", [(0, 30)], None, (400, "packing_invalid")),
        ("swap", [(0, 30)], None, (400, "packing_invalid")),
        ("swap", [(0, 30), (0, 31)], None, (409, "not_packed")),
        ("take_out", [(1, 3)], None, (409, "not_packed")),
    ],
)
def test_what_cannot_be_is_refused(
    bench: Bench,
    admin: Api,
    kind: str,
    codes: list[tuple[int, int]],
    into: tuple[int, int] | None,
    expected: tuple[int, str],
) -> None:
    batches = brand.batch(admin)
    real = [(batches[level], index) for level, index in codes]
    body = body_of(bench, kind, real, (batches[into[0]], into[1]) if into else None)
    assert admin.refused("POST", "/packing", body) == expected


def test_times_are_neither_ahead_nor_before_what_is_known(bench: Bench, admin: Api) -> None:
    units, _ = brand.batch(admin)
    change(bench, admin, "take_out", [(units, 1)])
    early = {**body_of(bench, "take_out", [(units, 1)]), "at_ms": NOW_MS - 5_000}
    assert admin.refused("POST", "/packing", early) == (409, "later_is_known")
    ahead = {**body_of(bench, "take_out", [(units, 2)]), "at_ms": NOW_MS + 5_000}
    assert admin.refused("POST", "/packing", ahead) == (400, "time_invalid")


def test_hands_wait_for_a_file_that_is_being_applied(cloud: Cloud, bench: Bench, admin: Api) -> None:
    units, cases = brand.batch(admin)
    job = begin(cloud, bench, packed(units, cases, 48))
    take_lease_by_one_run(job)
    assert admin.refused("POST", "/packing", body_of(bench, "take_out", [(units, 1)])) == (409, "association_busy")
    give_up(DynamoCells(cloud.connection, 1), job.record.file_id, NOW_MS)
    assert change(bench, admin, "take_out", [(units, 1)]) == 1


def take_lease_by_one_run(job: AssociationJob) -> None:
    """Store what was fed, as a run's end does."""
    job._run()


def test_conditions_hold_in_the_table(cloud: Cloud, bench: Bench) -> None:
    store = DynamoCells(cloud.connection, workers=1)
    one, two = Cell("assoc#1", "a", "{}", b"\0\1"), Cell("assoc#1", "b", "{}")
    store.save([one, two], "taken")
    with pytest.raises(ConflictError, match="taken"):
        store.save([msgspec.structs.replace(one, v=2), two], "taken")
    assert store.get("assoc#1", "a") == one
    store.put_all([msgspec.structs.replace(one, v=3)])
    with pytest.raises(ConflictError, match="file_moved"):
        store.put_all([msgspec.structs.replace(one, v=2)])
    store.remove_all([("assoc#1", "b"), ("assoc#1", "nothing")], 1)
    assert [cell.sk for cell in store.query("assoc#1", "a", "z")] == ["a"]
    assert store.get("assoc#1", "b") is None
    with pytest.raises(ValueError, match="do not fit"):
        store.save([one] * 91, "taken")
    assert FlowItem.count(file_pk("x")) == 0


def test_a_spare_takes_the_spoilt_units_place(cloud: Cloud, bench: Bench, admin: Api) -> None:
    units, cases = brand.batch(admin)
    uploaded(cloud, bench, packed(units, cases, 48))
    writes = replacement_writes(bench.desk, units, 7, 1_100)
    bench.desk.writes.commit(writes, draft(Actor("tester", "admin"), "batches.replace", "batch"))
    reader = bench.desk.association
    assert reader.parent_of(UnitRef(units, 7)) is None
    assert reader.parent_of(UnitRef(units, 1_100)) == UnitRef(cases, 0)
    assert reader.children_of(UnitRef(cases, 0))[-1] == UnitSpan(units, 1_100, 1_101)
    assert replacement_writes(bench.desk, units, 7, 1_101) == []


def test_a_throttled_partition_is_waited_for(cloud: Cloud, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    real, busy = FlowItem.save, iter([True, True, False])

    def save(item: FlowItem, **how: Any) -> Any:
        if next(busy, False):
            raise PutError(cause=ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem"))
        return real(item, **how)

    monkeypatch.setattr(FlowItem, "save", save)
    DynamoCells(cloud.connection, 1, waits.append).put_all([Cell("assoc#2", "a", "{}")])
    assert len(waits) == 2
    assert waits[0] < waits[1]
    busy = iter([True] * 99)
    with pytest.raises(TransientError, match="table_unavailable"):
        DynamoCells(cloud.connection, 1, waits.append).put_all([Cell("assoc#2", "b", "{}")])
