"""Goods on the deployed stack: a pallet is shipped, a case received by a member's scan, a bottle traced by command."""

import json
import os
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli import brand
from cli.clients import ApiProblemError, Phone, send
from dev.seed.main import DISTRIBUTORS, read_batch
from dev.seed.operators import passwords
from dev.stack import http
from tests.kits.market import Market, eventually
from uncap.domain.catalog import Role
from uncap.domain.codes.sscc import sscc_of

DISTRIBUTOR = next(iter(DISTRIBUTORS))
NAME = {"zh-CN": "测试果汁", "en": "Test juice"}


@dataclass
class Goods:
    """96 bottles in four cases on two pallets, pallet 0 shipped; a shop of the distributor's with a member."""

    market: Market
    gtin: str
    units: int
    cases: int
    pallet: str
    shop: str
    member: Phone

    def link(self, batch_no: int, index: int, role: Role) -> str:
        return self.market.keys.link(read_batch(self.market.desk, batch_no), index, role)

    def scan(self, batch_no: int, index: int, role: Role, intent: str) -> Any:
        body = {"link": self.link(batch_no, index, role), "claim_id": str(uuid.uuid4()), "intent": intent}
        member = self.member
        return send(member.client, "POST", f"{member.base}/v1/scans", json=body, headers=member.headers).json()

    def place(self, code: str) -> tuple[str, str]:
        found = self.market.desk.call("GET", "/trace", code=code)["place"]
        return found["status"], (found["party"] or {"party_id": ""})["party_id"]

    def uncap(self, *words: str) -> "subprocess.CompletedProcess[str]":
        outputs = self.market.outputs
        access = {"UNCAP_CONSOLE": outputs.console_base, "UNCAP_LOGIN": "admin"}
        access["UNCAP_PASSWORD"] = passwords(outputs)["admin"]
        environment = os.environ | access | {"PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-m", "cli.main", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def goods(market: Market) -> Goods:
    desk, run = market.desk, uuid.uuid4().int % 10**8
    gtin, case_gtin = brand.product(desk, f"9521{run:08d}", NAME, 24)
    units, cases = brand.batch(desk, gtin, case_gtin, 96, lot=f"J{run % 1000}")
    pallets = desk.call("POST", "/pallets", {"unit_batch_no": cases, "holds": 2, "company_prefix": "6901234"})
    pallet, shop = sscc_of(pallets["sscc_first"], 0), f"shop-{run}"
    party = {"party_id": shop, "role": "outlet", "name": NAME, "parent_id": DISTRIBUTOR}
    desk.call("POST", "/parties", party)
    paper = {"shipment_id": f"goods-{run}", "to_party": DISTRIBUTOR, "codes": [pallet]}
    desk.call("POST", "/shipments", {**paper, "shipped_at_ms": int(time.time() * 1000) - 3_600_000})
    code = desk.call("POST", f"/parties/{shop}/invitations", {"note": "e2e"})["code"]
    member = market.phone()
    joined = send(member.client, "POST", f"{member.base}/v1/memberships", json={"code": code}, headers=member.headers)
    member.headers = {"Authorization": f"Bearer {joined.json()['token']}"}
    return Goods(market, gtin, units, cases, pallet, shop, member)


def test_a_members_scan_founds_a_receipt_and_consumes_nothing(goods: Goods) -> None:
    assert goods.place(f"{goods.units}.30") == ("shipped", DISTRIBUTOR)
    answer = goods.scan(goods.cases, 1, Role.CASE_OUTER, "receive")
    assert (answer["outcome"], answer["rewards"]) == ("observed", [])
    eventually(lambda: goods.place(f"{goods.units}.30") == ("received", goods.shop), "the receipt is in the trace")
    assert goods.place(f"{goods.units}.3") == ("shipped", DISTRIBUTOR)
    with pytest.raises(ApiProblemError, match="intent_not_allowed"):
        goods.scan(goods.cases, 1, Role.CASE_OUTER, "redeem")


def test_a_bottle_is_traced_by_command(goods: Goods) -> None:
    goods.scan(goods.cases, 1, Role.CASE_OUTER, "receive")  # perhaps once more: one receipt a day
    eventually(lambda: goods.place(f"{goods.units}.30")[0] == "received", "the receipt is in the trace")
    serial = goods.link(goods.units, 30, Role.CAP_OUTER).rpartition("/")[2]
    done = goods.uncap("trace", serial.lower(), "--gtin", goods.gtin)
    assert done.returncode == 0, done.stderr
    assert f"SSCC {goods.pallet}" in done.stdout
    assert f"shipped to {DISTRIBUTOR} (distributor)" in done.stdout
    assert f"received by {goods.shop} (outlet)" in done.stdout
    early = goods.market.desk.call("GET", "/trace", code=goods.pallet, at_ms=1_767_225_600_000)
    assert [one["status"] for one in early["path"]] == ["origin"]
    assert early["down"]["counts"] == {"case": 2, "unit": 48}


def test_a_file_of_receipts_is_taken_by_the_job(goods: Goods, tmp_path: Path) -> None:
    file = tmp_path / "receipts.csv"
    paper = f"R-{goods.units}"
    file.write_text(f"receipt_id,party,code\r\n{paper},{goods.shop},{goods.link(goods.cases, 0, Role.CASE_OUTER)}\r\n")
    done = goods.uncap("move", str(file), "--kind", "receipts", "--json")
    # The shop took it without a paper of its distributor's: taken, and said so.
    report = json.loads(done.stdout)
    assert (done.returncode, report["state"], report["counts"]) == (0, "done", {"onward_leg_missing": 1}), report
    assert goods.place(f"{goods.units}.3") == ("received", goods.shop)
    assert goods.market.desk.call("GET", f"/receipts/{paper}")["source"] == "file"


def test_whoever_holds_the_bottle_may_know_its_way(goods: Goods) -> None:
    link = goods.link(goods.units, 30, Role.CAP_OUTER)
    serial = link.rpartition("/")[2]
    goods.market.desk.call("PUT", f"/products/{goods.gtin}/origin", {"origin": "distributor"})

    def shown() -> Any:
        with http.client() as client:
            address = f"{goods.market.outputs.scan_base}/about/{goods.gtin}/{serial}"
            answer = client.get(address, headers={"Accept": "application/json"})
            assert answer.status_code == 200, answer.text
            return answer.json().get("way")

    [step] = eventually(shown, "the way is shown")
    assert step["place"] == DISTRIBUTORS[DISTRIBUTOR][0]
    with http.client() as client:
        asked = client.get(f"{link}?linkType=gs1:traceability", follow_redirects=True)
        assert (asked.status_code, asked.headers["content-type"]) == (200, "text/html; charset=utf-8")
