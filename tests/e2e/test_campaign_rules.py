"""A campaign with rules on the deployed stack, IAM enforced: one opening pays the chain, counts are exact."""

import time
from typing import Any

import pytest

from cli import brand
from cli.clients import Phone
from dev.seed.main import read_batch
from tests.kits.market import UNITS_PER_CASE, Market, eventually
from uncap.domain.catalog import Role


def gives(no: int, beneficiary: str, prize: str) -> dict[str, object]:
    return {"no": no, "beneficiary": beneficiary, "kind": "fixed", "prize_id": prize}


CHAIN = [gives(2, "outlet", "rebate-5"), gives(2, "distributor", "rebate-5"), gives(2, "salesperson", "points-50")]
RULES = [
    {"no": 1, "when": {"outlets": ["outlet-chengdu-1"]}, "effects": CHAIN},
    {"no": 2, "when": {"person_nth": {"every": 2}}, "effects": [gives(3, "consumer", "points-50")]},
    {"no": 3, "precedence": 50, "effects": [gives(2, "outlet", "points-50")]},
]


class Shop:
    """A batch of its own at outlet-chengdu-1, under a campaign with rules."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.campaign_id = f"rules-{market.campaign_id}"
        now_ms = int(time.time() * 1000)
        laid = {"effects": [{"no": 1, "beneficiary": "consumer", "kind": "laid"}], "rule_set": RULES}
        brand.campaign(market.desk, self.campaign_id, [market.gtin], now_ms, **laid)
        made = market.desk.call("POST", "/batches", {"gtin": market.gtin, "size": UNITS_PER_CASE})
        self.batch_no: int = made["batch_no"]
        market.desk.call("POST", f"/batches/{self.batch_no}/commission")
        for party in ("dist-chengdu", "outlet-chengdu-1"):
            brand.ship(market.desk, f"{self.campaign_id}-{party}", self.batch_no, 0, UNITS_PER_CASE, party)
        brand.release(market.desk, self.batch_no, self.campaign_id, 0, UNITS_PER_CASE)
        self.view = read_batch(market.desk, self.batch_no)

    def claim(self, phone: Phone, index: int) -> tuple[str, ...]:
        serial = self.market.keys.serial(self.view, index, Role.CAP_INNER)
        return phone.scan(self.market.gtin, serial).rewards

    def rewards(self, index: int) -> dict[str, dict[str, Any]]:
        mine = self.market.desk.call("GET", "/rewards", code=f"{self.batch_no}.{index}.1")["items"]
        return {f"{one['beneficiary']} {one['amount_minor']}": one for one in mine}

    def reward_ids(self, *indices: int) -> set[str]:
        return {one["reward_id"] for index in indices for one in self.rewards(index).values()}

    def explained(self, index: int) -> dict[str, Any]:
        told: dict[str, Any] = self.market.desk.call("GET", f"/claims/{self.batch_no}.{index}.1/explanation")
        return told


@pytest.fixture(scope="module")
def shop(market: Market) -> Shop:
    return Shop(market)


def test_one_opening_pays_shop_distributor_and_salesperson(shop: Shop) -> None:
    phone = shop.market.phone()
    ids = shop.claim(phone, 0)
    assert len(ids) == 2, "slots 1 and 3 are the consumer's, won or not"
    shop.market.reward_when(phone, ids[1], "NONE")

    def paid() -> bool:
        found = shop.rewards(0)
        parties = {
            name: (found[name]["who"], found[name]["state"]) for name in found if not name.startswith("consumer")
        }
        return parties == {
            "outlet 5": ("outlet-chengdu-1", "PAID"),
            "distributor 5": ("dist-chengdu", "PAID"),
            "salesperson 50": ("sales-chengdu", "PAID"),
        }

    eventually(paid, "the chain is paid")
    told = shop.explained(0)
    assert told["agrees"]
    traces = {one["rule_no"]: one for one in told["explanation"]["traces"]}
    assert traces[2]["missed"] == ["person_nth"]
    assert [one["to_rule"] for one in traces[3]["lost"]] == [1]


def test_every_second_opening_of_a_person_counts(shop: Shop) -> None:
    phone = shop.market.phone()
    first, second = shop.claim(phone, 1)[1], shop.claim(phone, 2)[1]

    def states() -> list[str]:
        found = [phone.reward(one) for one in (first, second)]
        return sorted(one["state"] for one in found if one)

    eventually(lambda: states() == ["NONE", "PAID"], "one of the two openings is the second")
    numbers = sorted(shop.explained(index)["explanation"]["facts"]["person_nth"] for index in (1, 2))
    assert numbers == [1, 2]


def test_reconciling_finds_nothing_to_add(shop: Shop) -> None:
    before = shop.reward_ids(0, 1, 2)
    shop.market.invoke("reconcile_job")
    assert before
    assert shop.reward_ids(0, 1, 2) == before
