"""Chapter: a consumer wins "add ¥1 for one more", a store hands it over, and everyone upstream is settled to zero.

The code is read off the winner's wallet page as a store would read it off the phone. Used by `command.py`.
"""

import re
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx

from cli import brand
from cli.clients import Phone, problem_of
from cli.demo.chapters.actors import Cast
from cli.demo.report import Line
from dev.seed.main import DISTRIBUTORS
from uncap.domain.catalog import Role
from uncap.domain.codes.links import parse_code_link

STEM = "95201237"  # with four digits for the run, as cli/demo/world.py's
NAME = {"zh-CN": "清泉苏打 330ml 换购装", "en": "Clearwell Soda 330 ml, add-one pack"}
UNITS, PACK = 24, 12
ADD_MINOR, FEE_MINOR, CREDIT_MINOR = 100, 20, 450
SHOWN_WITHIN_S = 60.0
CATALOG_AGE_S = 5.5
DAY_MS = 86_400_000
_CODE = re.compile(r'class="code">([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})<')


def play(cast: Cast) -> Iterator[Line]:
    """The chapter's rows, each a check."""
    distributor, elsewhere = DISTRIBUTORS
    shop = cast.shop("demo-exchange", distributor.replace("dist", "sales"))
    far = cast.shop("demo-far", elsewhere.replace("dist", "sales"))
    gtin, units = _market(cast, (distributor, shop))
    time.sleep(CATALOG_AGE_S)
    winner = Phone(cast.outputs.scan_base, f"demo-{cast.world.run}-winner")
    link = parse_code_link(cast.links(units, Role.CAP_INNER)[0])
    winner.scan(link.gtin, link.serial)
    code = _wallet_code(winner)
    yield Line("the wallet shows the right", "a code" if code else "nothing", bool(code), "add ¥1.00 for one more")
    if not code:
        return
    owner = cast.member(shop, "exchange")
    refused = _redeem(cast.member(far, "far"), code)
    yield Line("a store of another region redeems it", str(refused), refused == "redemption_out_of_region")
    receipt = _redeem(owner, code)
    ok = isinstance(receipt, dict) and (receipt["collect_minor"], receipt["fee_minor"]) == (ADD_MINOR, FEE_MINOR)
    yield Line("the store redeems it", "handed over" if ok else str(receipt), ok, f"fee {FEE_MINOR} fen, one voucher")
    again = _redeem(owner, code)
    yield Line("redeemed a second time", str(again), again == "redemption_used")
    yield from _upstream(cast, gtin, shop, distributor)


def _market(cast: Cast, road: tuple[str, ...]) -> tuple[str, int]:
    """Every bottle of this batch wins the right; it stands at the shop."""
    gtin, case_gtin = brand.product(cast.desk, f"{STEM}{cast.world.run % 10_000:04d}", NAME, PACK)
    now_ms = int(time.time() * 1000)
    terms = {
        "gtin": gtin,
        "add_minor": ADD_MINOR,
        "fee_minor": FEE_MINOR,
        "redeem_until_ms": now_ms + 150 * DAY_MS,
        "where": "region",
    }
    words = {"zh-CN": "加1元再来一瓶", "en": "Add ¥1 for one more"}
    prize = {"prize_id": "one-more", "kind": "pay_n", "amount_minor": 1, "name": words, "pay_n": terms}
    effect = {"no": 1, "beneficiary": "consumer", "kind": "fixed", "prize_id": "one-more"}
    details: dict[str, object] = {"prizes": [prize], "pool": [], "effects": [effect]}
    campaign = f"exchange-{cast.world.run}"
    brand.campaign(cast.desk, campaign, [gtin], now_ms, **details)
    units, _ = brand.batch(cast.desk, gtin, case_gtin, UNITS)
    for party in road:
        brand.ship(cast.desk, f"{campaign}-{party}", units, 0, UNITS, party)
    brand.release(cast.desk, units, campaign, 0, UNITS)
    return gtin, units


def _wallet_code(winner: Phone) -> str:
    """The twelve characters on the winner's wallet page, "" if they do not appear in time."""
    session = winner.headers["Authorization"].split()[1]
    deadline = time.monotonic() + SHOWN_WITHIN_S
    while time.monotonic() < deadline:
        page = winner.client.get(f"{winner.base}/wallet", headers={"Cookie": f"uncap_session={session}"})
        if page.is_success and (found := _CODE.search(page.text)):
            return found[1]
        time.sleep(0.5)
    return ""


def _redeem(store: Phone, code: str) -> dict[str, Any] | str:
    """The receipt, or the code of the refusal."""
    body = {"code": code, "key": uuid.uuid4().hex}
    answer: httpx.Response = store.client.post(f"{store.base}/v1/redemptions", json=body, headers=store.headers)
    if not answer.is_success:
        return problem_of(answer).code
    receipt: dict[str, Any] = answer.json()
    return receipt


def _upstream(cast: Cast, gtin: str, shop: str, distributor: str) -> Iterator[Line]:
    """The distributor makes the store whole in goods, the brand the distributor by credit."""
    before = _open(cast, distributor, gtin)
    _settle(cast, distributor, shop, gtin, "goods", reference=f"sh-{cast.world.run}")
    left = _open(cast, shop, gtin)
    raised = _open(cast, distributor, gtin)
    yield Line("the store's claim, settled in goods", f"{left} open", left == 0)
    yield Line("the distributor's own claim", f"{raised} open", raised == before + 1, "raised by settling the store's")
    _settle(cast, "brand", distributor, gtin, "credit", reference=f"cn-{cast.world.run}", amount_minor=CREDIT_MINOR)
    rest = _open(cast, distributor, gtin)
    yield Line("settled by the brand's credit note", f"{rest} open", rest == 0, f"{CREDIT_MINOR} fen")


def _settle(cast: Cast, upstream: str, claimant: str, gtin: str, kind: str, **details: object) -> None:
    path = f"/parties/{upstream}/replenishments/{claimant}"
    for act, more in (("approve", {}), (kind, details)):
        body = {"kind": act, "gtin": gtin, "pieces": 1, "key": uuid.uuid4().hex, **more}
        cast.second.call("POST", path, body)


def _open(cast: Cast, claimant: str, gtin: str) -> int:
    """Pieces of this product that the claimant has not been made whole for."""
    told = cast.desk.call("GET", f"/parties/{claimant}/replenishments")
    lines = (line for claim in told["owed"] for line in claim.get("lines", []))
    return sum(line.get("raised", 0) - line.get("settled", 0) for line in lines if line["gtin"] == gtin)
