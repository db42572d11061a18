"""A prize that is sent: its winner says where to, the console sends it, and its owner sees it come."""

import json
import time
import uuid

from cli import brand
from dev.seed.main import read_batch
from tests.e2e.test_redemption import Browser
from tests.kits.market import UNITS_PER_CASE, Market, eventually
from uncap.domain.catalog import Role

TO = {"name": "王小明", "phone": "13800001111", "address": "四川省成都市锦江区春熙路1号"}
SENT = {"carrier": "SF", "tracking_no": "SF1234567890"}


def test_a_prize_is_sent_to_its_winner(market: Market) -> None:
    now_ms, campaign_id = int(time.time() * 1000), f"parcel-{uuid.uuid4().hex[:8]}"
    name = {"zh-CN": "自行车", "en": "Bicycle"}
    prize = {"prize_id": "bicycle", "kind": "physical", "amount_minor": 158_000, "name": name}
    effect = {"no": 1, "beneficiary": "consumer", "kind": "fixed", "prize_id": "bicycle"}
    brand.campaign(market.desk, campaign_id, [market.gtin], now_ms, prizes=[prize], pool=[], effects=[effect])
    batch_no = market.desk.call("POST", "/batches", {"gtin": market.gtin, "size": UNITS_PER_CASE})["batch_no"]
    market.desk.call("POST", f"/batches/{batch_no}/commission")
    brand.ship(market.desk, campaign_id, batch_no, 0, UNITS_PER_CASE, "outlet-chengdu-1")
    brand.release(market.desk, batch_no, campaign_id, 0, UNITS_PER_CASE)
    phone = market.phone()
    serial = market.keys.serial(read_batch(market.desk, batch_no), 0, Role.CAP_INNER)
    (reward_id,) = phone.scan(market.gtin, serial).rewards
    held = market.reward_when(phone, reward_id, "HELD")
    assert (held["reason"], held["action"]) == ("awaiting_address", {"kind": "address", "url": "/wallet"})

    wallet = Browser(phone)
    eventually(lambda: "Your address is needed" in wallet.get("/wallet"), "the wallet asks where to")
    assert wallet.submit("/wallet/address", reward_id=reward_id, **(TO | {"phone": "1"})).status_code == 400
    assert wallet.submit("/wallet/address", reward_id=reward_id, **TO).status_code == 303
    listed = market.desk.call("GET", "/parcels", campaign_id=campaign_id)["items"]
    assert [one["reward_id"] for one in listed] == [reward_id]
    assert market.desk.call("POST", f"/parcels/{reward_id}/take")["to"] == TO
    market.desk.call("POST", f"/parcels/{reward_id}/sent", SENT)
    assert SENT["tracking_no"] in wallet.get("/wallet")
    market.desk.call("POST", f"/parcels/{reward_id}/delivered")
    paid = market.reward_when(phone, reward_id, "PAID")
    assert paid["shipment"] == {"state": "delivered", **SENT}
    key = {"pk": {"S": f"reward#{reward_id}"}}
    stored = market.aws("dynamodb").get_item(TableName=market.outputs.ledger_table, Key=key)["Item"]
    assert TO["address"] not in json.dumps(stored, ensure_ascii=False)
