"""The wallet, redeeming and replenishing on the deployed system, IAM enforced: each right once, each payout once."""

import re
import time
import uuid
from typing import Any

import httpx
import pytest

from cli import brand
from cli.clients import Phone
from dev.seed.main import read_batch
from tests.kits.market import UNITS_PER_CASE, Market, eventually
from uncap.domain.catalog import Role
from uncap.domain.rewards.ids import bill_no

DAY_MS = 86_400_000
CODE = re.compile(r'class="code">([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})<')
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Browser:
    """A phone's browser: its session as a cookie."""

    def __init__(self, phone: Phone) -> None:
        self._client, self.base = phone.client, phone.base
        self._headers = {
            "Cookie": f"uncap_session={phone.headers['Authorization'].split()[1]}",
            "Accept-Language": "en",
        }

    def get(self, path: str) -> str:
        answer = self._client.get(self.base + path, headers=self._headers)
        assert answer.status_code == 200, answer.text
        return answer.text

    def submit(self, path: str, **fields: str) -> httpx.Response:
        csrf = CSRF.search(self.get("/" + path.strip("/").partition("/")[0]))
        assert csrf is not None
        form = fields | {"csrf": csrf[1]}
        return self._client.post(self.base + path, data=form, headers=self._headers, follow_redirects=False)


def member(market: Market, party: str) -> Phone:
    """Somebody who has joined this party."""
    phone = market.phone()
    issued = market.desk.call("POST", f"/parties/{party}/invitations", {"note": "test"})
    joined = market.phone().client.post(
        f"{phone.base}/v1/memberships", json={"code": issued["code"]}, headers=phone.headers
    )
    assert joined.status_code == 200, joined.text
    phone.headers = {"Authorization": f"Bearer {joined.json()['token']}"}
    return phone


class PayN:
    """A batch of its own at outlet-chengdu-1 under a campaign in which every claim wins a right."""

    def __init__(self, market: Market) -> None:
        self.market = market
        now_ms = int(time.time() * 1000)
        self.campaign_id = f"payn-{uuid.uuid4().hex[:8]}"
        terms = {"gtin": market.gtin, "add_minor": 100, "fee_minor": 20, "redeem_until_ms": now_ms + 150 * DAY_MS}
        name = {"zh-CN": "加1元再来一瓶", "en": "Add ¥1 for one more"}
        prize = {"prize_id": "one-more", "kind": "pay_n", "amount_minor": 1, "name": name, "pay_n": terms}
        effect = {"no": 1, "beneficiary": "consumer", "kind": "fixed", "prize_id": "one-more"}
        given = {"prizes": [prize], "pool": [], "effects": [effect]}
        brand.campaign(market.desk, self.campaign_id, [market.gtin], now_ms, **given)
        made = market.desk.call("POST", "/batches", {"gtin": market.gtin, "size": UNITS_PER_CASE})
        self.batch_no: int = made["batch_no"]
        market.desk.call("POST", f"/batches/{self.batch_no}/commission")
        brand.ship(market.desk, self.campaign_id, self.batch_no, 0, UNITS_PER_CASE, "outlet-chengdu-1")
        brand.release(market.desk, self.batch_no, self.campaign_id, 0, UNITS_PER_CASE)
        self.view = read_batch(market.desk, self.batch_no)

    def win(self, phone: Phone, index: int) -> str:
        """The code that the winner's wallet shows."""
        answer = phone.scan(self.market.gtin, self.market.keys.serial(self.view, index, Role.CAP_INNER))
        self.market.reward_when(phone, answer.rewards[0], "CLAIMABLE")
        found = eventually(lambda: CODE.search(Browser(phone).get("/wallet")), "the wallet shows the right")
        return found[1]


@pytest.fixture(scope="module")
def pay_n(market: Market) -> PayN:
    return PayN(market)


def redeem(phone: Phone, code: str, key: str) -> tuple[int, dict[str, Any]]:
    body = {"code": code, "key": key}
    answer = phone.client.post(f"{phone.base}/v1/redemptions", json=body, headers=phone.headers)
    return answer.status_code, answer.json()


def test_a_right_is_redeemed_once_and_replenished_to_zero(pay_n: PayN) -> None:
    market = pay_n.market
    winner, shop, far = market.phone(), member(market, "outlet-chengdu-1"), member(market, "outlet-chongqing-1")
    code = pay_n.win(winner, 0)
    assert redeem(winner, code, "12345678")[1]["code"] == "intent_not_allowed"
    assert redeem(far, code, "12345678")[1]["code"] == "redemption_out_of_region"
    status, receipt = redeem(shop, code.lower(), "12345678")
    assert (status, receipt["collect_minor"], receipt["upstream"]) == (200, 100, "dist-chengdu")
    assert redeem(shop, code, "12345678") == (200, receipt)
    assert redeem(shop, code, "87654321")[1]["code"] == "redemption_used"
    assert "Received" in Browser(winner).get("/wallet")

    boss, gtin = Browser(member(market, "dist-chengdu")), receipt["gtin"]
    mine = {"claimant": "outlet-chengdu-1", "gtin": gtin, "pieces": "1"}
    open_before = market.desk.call("GET", "/parties/outlet-chengdu-1/replenishments")["open"]
    assert boss.submit("/outlet/claims", kind="approve", key=uuid.uuid4().hex, **mine).status_code == 303
    done = boss.submit("/outlet/claims", kind="goods", key=uuid.uuid4().hex, reference="sh-1", **mine)
    assert done.status_code == 303, done.text
    assert market.desk.call("GET", "/parties/outlet-chengdu-1/replenishments")["open"] == open_before - 1
    claims = "/parties/brand/replenishments/dist-chengdu"
    for kind, more in (("approve", {}), ("credit", {"reference": "cn-1", "amount_minor": 450})):
        act = {"kind": kind, "gtin": gtin, "pieces": 1, "key": uuid.uuid4().hex, **more}
        left = market.desk.call("POST", claims, act)
    assert [line["raised"] - line["settled"] for line in left["lines"] if line["gtin"] == gtin] == [0]


def test_the_outlets_page_redeems_without_script(pay_n: PayN) -> None:
    code = pay_n.win(pay_n.market.phone(), 1)
    shop = Browser(member(pay_n.market, "outlet-chengdu-1"))
    done = shop.submit("/outlet/redeem", code=code, key=uuid.uuid4().hex)
    assert "Redeemed: hand over one" in done.text
    again = shop.submit("/outlet/redeem", code=code, key=uuid.uuid4().hex)
    assert (again.status_code, "redeemed already" in again.text) == (409, True)


def test_an_expired_payout_is_collected_again_from_the_wallet_and_paid_once(market: Market) -> None:
    phone = market.phone()
    reward_id = market.claim(phone, market.next("cash")).rewards[0]
    market.reward_when(phone, reward_id, "WAIT_USER")
    market.rail.post("/_sim/advance", json={"seconds": 2 * 86_400}).raise_for_status()
    market.reward_when(phone, reward_id, "CLAIMABLE", timeout_s=90)
    mine = Browser(phone)
    eventually(lambda: reward_id in mine.get("/wallet"), "the wallet lists it")
    page = mine.get("/wallet")
    assert "Collect again" in page
    assert Browser(market.phone()).submit("/outlet/join", code="AAAAA-AAAAA").status_code in (404, 409)
    sent = Browser(phone).submit("/wallet", reward_id=reward_id)
    assert sent.status_code == 303
    paid = market.pay_out(phone, reward_id, timeout_s=90)
    ours = {bill_no(reward_id, attempt) for attempt in range(1, 6)}
    lines = [line["amount_minor"] for line in market.bills() if line["bill_no"] in ours]
    assert lines == [paid["amount_minor"]]
