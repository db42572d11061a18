"""The command line's paperwork (`cli/brand.py`: seed, demo, e2e) against the console API: it sends what is read."""

import pytest

from cli import brand as paperwork
from cli.clients import Console
from tests.integration.console.conftest import NOW_MS, PASSWORD, Api, Bench
from tests.integration.console.test_export_command import InProcess
from tests.integration.console.test_export_command import wire as wire

CIRCLE = {"lat": 30.66, "lng": 104.06, "radius_m": 60_000}


@pytest.fixture
def console(wire: InProcess, bench: Bench, admin: Api) -> Console:
    bench.add_operator("ben", "admin")
    base = "http://console.test/console"
    return Console(base, "anna", PASSWORD, lambda: Console(base, "ben", PASSWORD))


def test_every_step_and_every_step_again(bench: Bench, console: Console) -> None:
    words = {"zh-CN": "啤酒", "en": "Beer"}
    for _ in range(2):
        paperwork.declare(console, "/parties", {"party_id": "brand", "role": "brand", "name": words})
        paperwork.distributor(console, "dist", words, "510100", CIRCLE)
        gtin, case_gtin = paperwork.product(console, "952012345678", words, 24)
        paperwork.campaign(console, "open-and-win", [gtin], NOW_MS)
    units, _ = paperwork.batch(console, gtin, case_gtin, 1_200, lot="L1")
    for _ in range(2):
        paperwork.ship(console, "s1", units, 0, 600, "dist")
    paperwork.reject(console, units, [3, 4])
    release_id = paperwork.release(console, units, "open-and-win", 0, 1_200)
    paperwork.decommission(console, units, [7, 8])
    view = bench.desk.batch(units)
    assert (view.releases[0].release_id, view.releases[0].state) == (release_id, "activated")
    assert view.releases[0].eligible_count == 1_198
    assert bench.desk.flow.page(f"batch#{units}", "ship#", 9).after == ""
