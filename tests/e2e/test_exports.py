"""Codes leave the deployed system under an order, sealed to a supplier; a scanned canary among them rings."""

import time
from pathlib import Path

import pyrage  # type: ignore[import-untyped]  # it has stubs, but no marker that says so

from cli.archives import read_manifest
from cli.exporting import fetch, manifest_of
from cli.opening import check_any, open_into
from dev.seed.operators import console
from tests.kits.market import CATALOG_AGE_S, Market, eventually
from uncap.domain.codes.links import parse_code_link

DAY_MS = 86_400_000


def test_from_the_order_to_the_printers_file_and_the_thief(market: Market, tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    body = {
        "batch_no": market.batch_no,
        "role": "cap_inner",
        "made_for": "Cap printer",
        "reason": "print run",
        "recipient": str(identity.to_public()),
        "expires_at_ms": int(time.time() * 1000) + DAY_MS,
        "canaries": 3,
    }
    shown = market.desk.call("POST", "/exports", body)
    order, export_id = shown["order"], shown["order"]["export_id"]
    archive, plain = tmp_path / "caps.tar", tmp_path / "caps.txt"
    manifest = manifest_of(order, shown["lines"], order["ordered_by"], archive.name, order["ordered_at_ms"])
    fetch(market.desk, order, manifest, archive, lambda _: None)
    assert check_any(archive).lines == order["stop"] + 3
    assert open_into(archive, read_manifest(archive), [identity], None, plain) == order["stop"] + 3

    second = console(market.outputs, "second")
    skips = second.call("POST", f"/exports/{export_id}/skips")["lines"]
    second.client.close()
    assert len(skips) == 3
    stolen = parse_code_link(plain.read_text().split()[skips[0] - 1])
    phone = market.phone()
    time.sleep(CATALOG_AGE_S)  # until then containers may know the batch as it was before the order
    answer = phone.scan(stolen.gtin, stolen.serial)
    assert answer.outcome == "first", "the thief sees a code like any other"
    assert market.reward_when(phone, answer.rewards[0], "NONE")["amount_minor"] == 0
    rung = eventually(lambda: market.desk.call("GET", f"/exports/{export_id}")["canary_scans"], "the alarm")
    assert rung == 1
    assert {one["what"] for one in market.desk.call("GET", f"/exports/{export_id}")["downloads"]} == {"codes", "skips"}
