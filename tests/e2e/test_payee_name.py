"""A prize from ¥2,000 waits for its winner's name, which the wallet asks for; then it is paid, and the name is gone."""

import json
import time
import uuid

from cli import brand
from dev.seed.main import read_batch
from tests.e2e.test_redemption import Browser
from tests.kits.market import UNITS_PER_CASE, Market, eventually
from uncap.domain.catalog import Role

NAME = "王小明"


def test_a_name_is_given_in_the_wallet_and_the_prize_is_paid(market: Market) -> None:
    now_ms, campaign_id = int(time.time() * 1000), f"name-{uuid.uuid4().hex[:8]}"
    name = {"zh-CN": "大奖", "en": "Grand prize"}
    prize = {"prize_id": "grand", "kind": "cash", "amount_minor": 300_000, "name": name}
    effect = {"no": 1, "beneficiary": "consumer", "kind": "fixed", "prize_id": "grand"}
    brand.campaign(market.desk, campaign_id, [market.gtin], now_ms, prizes=[prize], pool=[], effects=[effect])
    batch_no = market.desk.call("POST", "/batches", {"gtin": market.gtin, "size": UNITS_PER_CASE})["batch_no"]
    market.desk.call("POST", f"/batches/{batch_no}/commission")
    brand.ship(market.desk, campaign_id, batch_no, 0, UNITS_PER_CASE, "outlet-chengdu-1")
    brand.release(market.desk, batch_no, campaign_id, 0, UNITS_PER_CASE)
    phone, other = market.phone(), market.phone()
    serial = market.keys.serial(read_batch(market.desk, batch_no), 0, Role.CAP_INNER)
    (reward_id,) = phone.scan(market.gtin, serial).rewards
    held = market.reward_when(phone, reward_id, "HELD")
    assert (held["reason"], held["action"]) == ("awaiting_name", {"kind": "name", "url": "/wallet"})
    listed = market.desk.call("GET", "/rewards", state="HELD", campaign_id=campaign_id)["items"]
    assert [one["reward_id"] for one in listed] == [reward_id]

    path = f"{phone.base}/v1/rewards/{reward_id}/name"
    assert other.client.post(path, json={"name": NAME}, headers=other.headers).status_code == 404
    wallet = Browser(phone)
    eventually(lambda: "Your name is needed" in wallet.get("/wallet"), "the wallet asks for the name")
    assert wallet.submit("/wallet/name", reward_id=reward_id, name="1").status_code == 400
    done = wallet.submit("/wallet/name", reward_id=reward_id, name=NAME)
    assert (done.status_code, done.headers["Location"]) == (303, "/wallet?done=name"), done.text
    market.pay_out(phone, reward_id, timeout_s=90)
    key = {"pk": {"S": f"reward#{reward_id}"}}
    stored = market.aws("dynamodb").get_item(TableName=market.outputs.ledger_table, Key=key)["Item"]
    assert NAME not in json.dumps(stored, ensure_ascii=False)
    assert "wait_key" not in stored
