"""Levels and pallets at the console: boxes in cases on pallets, SSCCs given out once, also when two ask at once."""

import dataclasses
from typing import Any

from tests.integration.console import brand
from tests.integration.console.conftest import Api, Bench
from uncap.adapters.pallet_numbers import PalletNumbers
from uncap.domain.codes.sscc import SsccSeries, sscc_of, sscc_of_body
from uncap.services.create_pallets import NewPallets, create_pallets
from uncap.services.desk import Actor, Desk

BOX = "29520123456782"
PREFIX = "9520123"


def levels(api: Api) -> None:
    """6 in a box, 4 boxes in a case, 10 cases on a pallet."""
    case = {"gtin": brand.CASE, "name": brand.words("Case"), "roles": ["case_outer"], "level": "case"}
    api.ok("POST", "/products", {**case, "packs": [{"level": "pallet", "layout": "5x2"}]})
    box = {"gtin": BOX, "name": brand.words("Box"), "roles": ["box_outer"], "level": "box"}
    api.ok("POST", "/products", {**box, "packs": [{"level": "case", "holds": 4, "gtin": brand.CASE}]})
    unit = {"gtin": brand.UNIT, "name": brand.words("Beer"), "roles": ["cap_inner"]}
    api.ok("POST", "/products", {**unit, "packs": [{"level": "box", "holds": 6, "gtin": BOX}]})


def batches(api: Api, size: int = 1_000) -> tuple[int, int, int]:
    levels(api)
    units = api.ok("POST", "/batches", {"gtin": brand.UNIT, "size": size})["batch_no"]
    boxes = api.ok("POST", "/batches", {"gtin": BOX, "unit_batch_no": units})["batch_no"]
    cases = api.ok("POST", "/batches", {"gtin": brand.CASE, "unit_batch_no": boxes})["batch_no"]
    return units, boxes, cases


def test_every_level_follows_from_the_one_below(bench: Bench, admin: Api) -> None:
    units, boxes, cases = batches(admin)
    pallets = admin.ok("POST", "/pallets", {"unit_batch_no": cases, "company_prefix": PREFIX, "extension": 3})
    assert [bench.desk.batch(no).batch.size for no in (units, boxes, cases)] == [1_000, 167, 42]
    assert [bench.desk.batch(no).batch.level for no in (units, boxes, cases)] == ["unit", "box", "case"]
    assert (pallets["size"], pallets["level"], pallets["sscc_first"][:8]) == (5, "pallet", "39520123")
    packs = bench.desk.product(brand.UNIT).packs
    assert [(pack.level, pack.holds) for pack in packs] == [("box", 6), ("case", 4), ("pallet", 10)]
    fifth = sscc_of(pallets["sscc_first"], 4)
    found = admin.ok("GET", f"/pallets/{fifth}")
    assert (found["batch_no"], found["index"]) == (pallets["batch_no"], 4)
    history = admin.ok("GET", f"/codes/{units}.999/history")
    assert history["packed_in"] == [f"{boxes}.166", f"{cases}.41", f"{pallets['batch_no']}.4"]
    on_it = admin.ok("GET", f"/codes/{fifth}/history")
    assert (on_it["level"], on_it["sscc"], on_it["gtin"]) == ("pallet", fifth, "")


def test_numbers_follow_each_other_and_are_given_out_once(admin: Api) -> None:
    first = admin.ok("POST", "/pallets", {"size": 10, "company_prefix": PREFIX})
    second = admin.ok("POST", "/pallets", {"size": 5, "company_prefix": PREFIX})
    other = admin.ok("POST", "/pallets", {"size": 5, "company_prefix": PREFIX, "extension": 1})
    assert second["sscc_first"] == sscc_of(first["sscc_first"], 10)
    assert other["sscc_first"][0] == "1"
    taken = {"size": 3, "sscc_first": sscc_of(first["sscc_first"], 8)}
    assert admin.refused("POST", "/pallets", taken) == (409, "sscc_taken")
    reaching_in = {"size": 3, "sscc_first": other["sscc_first"]}
    assert admin.refused("POST", "/pallets", reaching_in) == (409, "sscc_taken")
    printed = admin.ok("POST", "/pallets", {"size": 4, "sscc_first": sscc_of(first["sscc_first"], 20)})
    after = admin.ok("POST", "/pallets", {"size": 1, "company_prefix": PREFIX})
    assert after["sscc_first"] == sscc_of(printed["sscc_first"], 4)
    unknown = sscc_of(first["sscc_first"], 17)
    assert admin.refused("GET", f"/pallets/{unknown}") == (404, "sscc_unknown")


def test_two_who_allocate_at_once_get_different_numbers(bench: Bench, admin: Api) -> None:
    """The second operator's whole allocation happens between the first one's look and write."""
    raced: list[Any] = []

    def number() -> int:
        if not raced:
            raced.append(None)
            raced[0] = admin.ok("POST", "/pallets", {"size": 10, "company_prefix": PREFIX})
        return bench.desk.next_batch_no()

    desk: Desk = dataclasses.replace(bench.desk, next_batch_no=number)
    mine = create_pallets(desk, Actor("bert", "admin"), NewPallets(size=10, company_prefix=PREFIX))
    assert raced[0]["sscc_first"] != mine.sscc_first
    runs = PalletNumbers(bench.desk.catalog_docs).runs()
    assert [run.size for run in runs] == [10, 10]
    assert runs[0].stop_body == runs[1].first_body


def test_a_series_ends(admin: Api) -> None:
    prefix = "952012312345"
    series = SsccSeries(0, prefix)
    last = {"size": 1, "sscc_first": sscc_of_body(series.stop_body - 1)}
    admin.ok("POST", "/pallets", last)
    assert admin.refused("POST", "/pallets", {"size": 1, "company_prefix": prefix}) == (409, "sscc_exhausted")


def test_what_is_no_run_of_pallets(admin: Api) -> None:
    for body, code in (
        ({"size": 1}, "batch_invalid"),
        ({"size": 1, "company_prefix": PREFIX, "sscc_first": "095201230000000011"}, "batch_invalid"),
        ({"size": 0, "company_prefix": PREFIX}, "batch_invalid"),
        ({"size": 1, "sscc_first": "095201230000000012"}, "sscc_check_digit"),
        ({"size": 10**6, "sscc_first": "9" * 17 + "5"}, "sscc_malformed"),
    ):
        assert admin.refused("POST", "/pallets", body)[1] == code


def test_what_cannot_stand_on_pallets(admin: Api) -> None:
    units, _, cases = batches(admin)
    body = {"company_prefix": PREFIX}
    assert admin.refused("POST", "/pallets", {**body, "unit_batch_no": units}) == (409, "batch_already_cased")
    pallets = admin.ok("POST", "/pallets", {**body, "unit_batch_no": cases})["batch_no"]
    assert admin.refused("POST", "/pallets", {**body, "unit_batch_no": cases}) == (409, "batch_already_cased")
    assert admin.refused("POST", "/pallets", {**body, "unit_batch_no": pallets}) == (400, "batch_invalid")
    assert admin.refused("POST", "/pallets", {**body, "unit_batch_no": 9_999}) == (404, "batch_unknown")


def test_products_that_contradict_themselves(admin: Api) -> None:
    levels(admin)
    six = {"level": "box", "holds": 6, "gtin": BOX}
    for changes, code in (
        ({"packs": [{"level": "case", "holds": 24, "gtin": BOX}]}, "pack_invalid"),  # it is a box
        ({"packs": [six, {"level": "pallet", "holds": 9}]}, "pack_invalid"),
        ({"packs": [{**six, "layout": "2x2"}]}, "pack_invalid"),
        ({"packs": [{**six, "gtin": "99520123456781"}]}, "product_unknown"),
        ({"packs": [six], "blank": True}, "product_invalid"),
        ({"packs": [six], "units_per_case": 6, "case_gtin": BOX}, "product_invalid"),
        ({"level": "box"}, "product_invalid"),  # a box with a cap's code
    ):
        body = {"gtin": "39520123456789", "name": brand.words("Odd"), "roles": ["cap_inner"], **changes}
        assert admin.refused("POST", "/products", body)[1] == code
