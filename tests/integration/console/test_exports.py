"""Export orders: every printed code is ours, nothing leaves without an open order, every download is on record."""

import base64
import hashlib
from urllib.parse import parse_qs

import pyrage  # type: ignore[import-untyped]  # it has stubs, but no marker that says so
import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench
from uncap.domain.catalog import Role
from uncap.domain.codes.canaries import run_of
from uncap.domain.codes.links import parse_code_link
from uncap.domain.codes.scheme import FoundCode
from uncap.domain.exports import PLAIN_LINES, SECOND_PERSON_LINES
from uncap.domain.scans import CodeRef
from uncap.services.find_code import find_code

ROLES = (Role.CAP_OUTER, Role.CAP_INNER)


def recipient() -> str:
    return str(pyrage.x25519.Identity.generate().to_public())


def found_in(bench: Bench, text: str) -> list[FoundCode]:
    links = [parse_code_link(line) for line in text.removesuffix("\r\n").split("\r\n")]
    found = [bench.keyring.identify(link.gtin, link.serial, ROLES) for link in links]
    assert None not in found
    return [one for one in found if one]


def test_text_pages_follow_each_other(bench: Bench, admin: Api) -> None:
    units, _ = brand.batch(admin, 50)
    order = brand.export(admin, units, start=3)
    query, text, pages = "count=20", "", 0
    while query:
        answer = admin.call("GET", f"/exports/{order}/codes?{query}")
        assert answer.status == 200, answer.body
        digest = hashlib.sha256(answer.body.encode())
        assert answer.headers["X-Uncap-Sha256"] == digest.hexdigest()
        assert answer.headers["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
        assert int(answer.headers["X-Uncap-Lines"]) == answer.body.count("\r\n")
        text, pages = text + answer.body, pages + 1
        link = str(answer.headers.get("Link", ""))
        query = link[len("<codes?") : link.index(">")] if link else ""
        assert not query or parse_qs(query)["count"] == ["20"]
    assert pages == 3
    assert [one.ref for one in found_in(bench, text)] == [CodeRef(units, at, Role.CAP_INNER) for at in range(3, 50)]
    assert text.startswith("HTTPS://Q.EXAMPLE.CN/01/")


def test_csv_names_the_case(bench: Bench, admin: Api) -> None:
    units, cases = brand.batch(admin, 60)
    order = brand.export(admin, units, role="cap_outer", format="csv", start=22, stop=26)
    rows = [row.split(",") for row in admin.call("GET", f"/exports/{order}/codes").body.splitlines()]
    assert [row[0] for row in rows] == ["22", "23", "24", "25"]
    assert all(row[2].endswith(row[1]) for row in rows)
    parents = [bench.keyring.identify(brand.CASE, row[3], (Role.CASE_OUTER,)) for row in rows]
    assert [one.ref.index for one in parents if one] == [0, 0, 1, 1]
    assert all(one and one.ref.batch_no == cases for one in parents)


def test_every_download_is_on_record(admin: Api, second: Api) -> None:
    units, _ = brand.batch(admin, 50)
    order = brand.export(admin, units)
    admin.call("GET", f"/exports/{order}/codes?count=30")
    second.call("GET", f"/exports/{order}/codes?start=30")
    entries = admin.ok("GET", "/audit?day=2026-11-22")["entries"][-3:]
    said = [(one["action"], one["who"], one["target"], one["reason"]) for one in entries]
    assert said[1:] == [
        ("exports.codes", "anna", order, "print run 7"),
        ("exports.codes", "bert", order, "print run 7"),
    ]
    assert entries[1]["after"].startswith("30 lines of 0..30, sha256 ")
    shown = admin.ok("GET", f"/exports/{order}")
    assert shown["status"] == "open"
    assert {(one["by"], one["start"], one["stop"], one["what"]) for one in shown["downloads"]} == {
        ("bert", 30, 50, "codes"),
        ("anna", 0, 30, "codes"),
    }
    log = admin.ok("GET", f"/exports/{order}/downloads?count=1")
    assert len(log["items"]) == 1
    assert len(admin.ok("GET", f"/exports/{order}/downloads?count=1&cursor={log['next']}")["items"]) == 1
    assert [one["export_id"] for one in admin.ok("GET", "/exports")["items"]] == [order]


def test_canaries_lie_in_the_file_and_ring(bench: Bench, admin: Api, second: Api) -> None:
    units, _ = brand.batch(admin, 200)
    first = brand.export(admin, units, start=0, stop=100, canaries=5)
    order = brand.export(admin, units, start=50, stop=150, canaries=7)
    pages = [admin.call("GET", f"/exports/{order}/codes?start={at}&count=40") for at in (50, 90, 130)]
    assert sum(int(page.headers["X-Uncap-Lines"]) for page in pages) == 107
    found = found_in(bench, "".join(page.body for page in pages))
    batch = bench.desk.batch(units).batch
    assert [one.ref.index for one in found if one.ref.index < 200] == list(range(50, 150))
    canaries = [line for line, one in enumerate(found, 1) if one.ref.index >= 200]
    assert len(canaries) == 7
    runs = {run_of(batch, found[line - 1].ref.index) for line in canaries}
    assert {run.order for run in runs if run} == {order}
    assert second.ok("POST", f"/exports/{order}/skips") == {"export_id": order, "lines": canaries}
    assert len(second.ok("POST", f"/exports/{first}/skips")["lines"]) == 5


def test_a_canary_is_judged_by_the_place_it_pretends_to(bench: Bench, admin: Api) -> None:
    """Of two releases only the first is claimable, and so are only the canaries that stand among its codes."""
    units, _ = brand.batch(admin, 200)
    brand.campaign(admin)
    brand.activated(admin, units, 0, 100)
    order = brand.export(admin, units, canaries=40)
    lines = admin.call("GET", f"/exports/{order}/codes").body.split()
    half = lines.index(next(one for one in lines if code_at(bench, one).index == 100))
    for at, line in enumerate(lines):
        code = code_at(bench, line)
        if code.ref.index >= 200:
            assert (code.release is not None) == (at < half), "it looks like its neighbours"
            assert 0 <= code.index < 200


def code_at(bench: Bench, link: str):  # type: ignore[no-untyped-def]  # the service's own type
    parsed = parse_code_link(link)
    return find_code(bench.keyring, bench.desk.catalog, parsed.gtin, parsed.serial, bench.clock())


def test_nobody_gets_the_codes_and_the_list(admin: Api, second: Api) -> None:
    units, _ = brand.batch(admin, 50)
    order = brand.export(admin, units, canaries=2)
    admin.call("GET", f"/exports/{order}/codes")
    assert admin.refused("POST", f"/exports/{order}/skips") == (403, "second_person_needed")
    second.ok("POST", f"/exports/{order}/skips")
    assert second.refused("GET", f"/exports/{order}/codes") == (403, "second_person_needed")
    assert [one["what"] for one in second.ok("GET", f"/exports/{order}")["downloads"]].count("skips") == 1


def test_a_large_order_takes_two(admin: Api, second: Api) -> None:
    units, _ = brand.batch(admin, SECOND_PERSON_LINES + 1)
    order = brand.export(admin, units, recipient=recipient())
    assert admin.refused("GET", f"/exports/{order}/codes") == (409, "export_awaits_approval")
    assert admin.refused("POST", f"/exports/{order}/approve") == (403, "second_person_needed")
    assert second.ok("POST", f"/exports/{order}/approve")["status"] == "open"
    assert admin.call("GET", f"/exports/{order}/codes?count=5").status == 200
    assert second.refused("POST", f"/exports/{order}/approve") == (409, "export_not_asked")


def test_an_order_ends(bench: Bench, admin: Api) -> None:
    units, _ = brand.batch(admin, 50)
    order, other = brand.export(admin, units), brand.export(admin, units)
    body = {"reason": "the printer was broken into"}
    assert admin.ok("POST", f"/exports/{other}/close", body)["status"] == "closed"
    assert admin.refused("GET", f"/exports/{other}/codes") == (409, "export_closed")
    assert admin.ok("POST", f"/exports/{other}/close", body)["status"] == "closed"
    bench.clock.now_ms = NOW_MS + 7 * brand.DAY_MS
    late = bench.sign_in("anna", "admin")
    assert late.refused("GET", f"/exports/{order}/codes") == (409, "export_expired")
    assert late.refused("POST", f"/exports/{order}/approve") == (409, "export_expired")
    assert late.ok("GET", f"/exports/{order}")["status"] == "expired"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"made_for": ""}, (400, "body_invalid")),
        ({"role": "case_outer"}, (400, "role_not_in_batch")),
        ({"start": 50}, (400, "range_invalid")),
        ({"stop": 51}, (400, "range_invalid")),
        ({"expires_at_ms": NOW_MS}, (400, "expiry_invalid")),
        ({"expires_at_ms": NOW_MS + 93 * brand.DAY_MS}, (400, "expiry_invalid")),
        ({"recipient": "age1qqqq"}, (400, "recipient_malformed")),
        ({"recipient": "ssh-ed25519 AAAA"}, (400, "recipient_malformed")),
        ({"canaries": 101}, (400, "body_invalid")),
        ({"canaries": 1, "format": "csv"}, (400, "canaries_not_in_csv")),
        ({"batch_no": 99}, (404, "batch_unknown")),
    ],
)
def test_orders_refused(admin: Api, changes: dict[str, object], expected: tuple[int, str]) -> None:
    units, _ = brand.batch(admin, 50)
    assert admin.refused("POST", "/exports", brand.export_body(units, **changes)) == expected


def test_a_print_run_does_not_go_out_plain(admin: Api) -> None:
    units, _ = brand.batch(admin, PLAIN_LINES + 1)
    assert admin.refused("POST", "/exports", brand.export_body(units)) == (400, "recipient_needed")
    brand.export(admin, units, stop=PLAIN_LINES)
    brand.export(admin, units, recipient=recipient())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("codes?count=20001", (400, "query_invalid")),
        ("codes?start=40", (400, "range_invalid")),
        ("codes?role=cap_inner", (400, "query_invalid")),
    ],
)
def test_pages_refused(admin: Api, path: str, expected: tuple[int, str]) -> None:
    units, _ = brand.batch(admin, 50)
    order = brand.export(admin, units, stop=40)
    assert admin.refused("GET", f"/exports/{order}/{path}") == expected
    assert admin.refused("GET", "/exports/x1-00000000/codes") == (404, "export_unknown")
    assert admin.refused("GET", "/exports/y1/codes") == (400, "path_malformed")


def test_a_batch_has_room_for_so_many_canaries(admin: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    units, _ = brand.batch(admin, 50)
    monkeypatch.setattr("uncap.services.order_export.MAX_RUNS", 1)
    brand.export(admin, units, canaries=1)
    assert admin.refused("POST", "/exports", brand.export_body(units, canaries=1)) == (409, "canaries_used_up")
    brand.export(admin, units)
