"""Seeds the demo brand once and finds a bottle that still wins. Called by `make up` (dev/stack/__main__.py).

Steps already done are kept in `seed.json` in the state directory, so an interrupted seed goes on where it was.
"""

import time
from pathlib import Path
from typing import Any

import boto3
import msgspec

from cli import brand
from cli.clients import Console
from dev.seed.keys import BrandKeys
from dev.seed.operators import console, ensure_operators
from dev.stack.outputs import StackOutputs
from uncap.adapters.catalog import BatchView
from uncap.domain.catalog import Role
from uncap.domain.scans import CodeRef

FILE = "seed.json"
BOTTLES, UNITS_PER_CASE = 1_200, 24
CAMPAIGN = "open-and-win"
PRODUCT_STEM = "952012345678"  # GS1's prefix for examples and demonstrations
CHENGDU = {"lat": 30.66, "lng": 104.06, "radius_m": 60_000}
CHONGQING = {"lat": 29.56, "lng": 106.55, "radius_m": 60_000}
DISTRIBUTORS = {
    "dist-chengdu": ({"zh-CN": "成都经销商", "en": "Chengdu distributor"}, "510100", CHENGDU),
    "dist-chongqing": ({"zh-CN": "重庆经销商", "en": "Chongqing distributor"}, "500100", CHONGQING),
}
LINKED_REBATE = {
    "no": 1,
    "name": "each real opening rewards the shop, its distributor and its salesperson",
    "when": {"roles": ["cap_inner"]},
    "effects": [
        {"no": 3, "beneficiary": "outlet", "kind": "fixed", "prize_id": "rebate-5"},
        {"no": 3, "beneficiary": "distributor", "kind": "fixed", "prize_id": "rebate-5"},
        {"no": 3, "beneficiary": "salesperson", "kind": "fixed", "prize_id": "points-50"},
    ],
}
OUTLET_CASES = 10
_WINNING_LOOK_UPS = 200


class Progress(msgspec.Struct):
    """What cannot be declared twice, by number."""

    batch_no: int = 0
    case_batch_no: int = 0
    released: bool = False


def ensure_seed(outputs: StackOutputs) -> dict[str, str]:
    """The brand, its batch, and what to tell a person about it: lines to print, and the `link` of a winning bottle."""
    drawn = ensure_operators(outputs)
    desk = console(outputs)
    progress = _read(outputs)
    if not progress.released:
        _seed(outputs, desk, progress)
    view = read_batch(desk, progress.batch_no)
    facts = {"console_login": "admin", "password": drawn["admin"], "batch": f"{progress.batch_no}, {BOTTLES} bottles"}
    link = winning_link(outputs, view)
    return facts | ({"link": link} if link else {"winning_bottle": "all of this batch's cash prizes are claimed"})


def declare_channel(desk: Console) -> None:
    """The brand, two distributors with territories, a salesperson and two outlets each."""
    brand.declare(desk, "/parties", {"party_id": "brand", "role": "brand", "name": {"zh-CN": "品牌", "en": "Brand"}})
    for party_id, (name, region, circle) in DISTRIBUTORS.items():
        brand.distributor(desk, party_id, name, region, circle)
        seller = party_id.replace("dist", "sales")
        words = {lang: f"{text} / {'业务员' if lang == 'zh-CN' else 'sales'}" for lang, text in name.items()}
        _party(desk, seller, "salesperson", words, party_id)
        for number in (1, 2):
            shop = {"zh-CN": f"{name['zh-CN'][:2]}门店 {number}", "en": f"{name['en'].split()[0]} outlet {number}"}
            _party(desk, f"{party_id.replace('dist', 'outlet')}-{number}", "outlet", shop, seller)


def read_batch(desk: Console, batch_no: int) -> BatchView:
    """The batch and its releases as the console gives them."""
    return msgspec.convert(desk.call("GET", f"/batches/{batch_no}"), BatchView)


def winning_link(outputs: StackOutputs, view: BatchView) -> str:
    """The first bottle that carries cash and was not claimed yet; "" if there is none among those looked at."""
    keys = BrandKeys(outputs)
    table: Any = boto3.resource("dynamodb", **outputs.client_arguments).Table(outputs.scans_table)  # type: ignore[call-overload]
    winners = (index for index in range(view.batch.size) if keys.prize(view, index).startswith("cash"))
    for index, _ in zip(winners, range(_WINNING_LOOK_UPS), strict=False):
        key = CodeRef(view.batch.batch_no, index, Role.CAP_INNER).key()
        item = table.get_item(Key={"pk": key}, ConsistentRead=True).get("Item", {})
        if "f" not in item:
            return keys.link(view, index)
    return ""


def _seed(outputs: StackOutputs, desk: Console, progress: Progress) -> None:
    declare_channel(desk)
    name = {"zh-CN": "清泉啤酒 500ml", "en": "Clearwell Lager 500 ml"}
    gtin, case_gtin = brand.product(desk, PRODUCT_STEM, name, UNITS_PER_CASE)
    brand.campaign(desk, CAMPAIGN, [gtin], int(time.time() * 1000), rule_set=[LINKED_REBATE])
    if not progress.batch_no:
        made = {"lot": "L2026-11", "produced_on": "2026-11-01", "best_before": "2028-04-24"}
        progress.batch_no, progress.case_batch_no = brand.batch(desk, gtin, case_gtin, BOTTLES, **made)
        _write(outputs, progress)
    half = BOTTLES // 2
    for party_id, start in zip(DISTRIBUTORS, (0, half), strict=True):
        brand.ship(desk, f"seed-{party_id}", progress.batch_no, start, start + half, party_id)
        outlet = f"{party_id.replace('dist', 'outlet')}-1"
        brand.ship(desk, f"seed-{outlet}", progress.batch_no, start, start + OUTLET_CASES * UNITS_PER_CASE, outlet)
    brand.release(desk, progress.batch_no, CAMPAIGN, 0, BOTTLES)
    progress.released = True
    _write(outputs, progress)


def _party(desk: Console, party_id: str, role: str, name: dict[str, str], parent_id: str) -> None:
    brand.declare(desk, "/parties", {"party_id": party_id, "role": role, "name": name, "parent_id": parent_id})


def _read(outputs: StackOutputs) -> Progress:
    path = Path(outputs.state_dir) / FILE
    return msgspec.json.decode(path.read_bytes(), type=Progress) if path.exists() else Progress()


def _write(outputs: StackOutputs, progress: Progress) -> None:
    path = Path(outputs.state_dir) / FILE
    draft = path.with_suffix(".new")
    draft.write_bytes(msgspec.json.encode(progress))
    draft.replace(path)
