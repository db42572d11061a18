"""The gate on the deployed stack: a script's rewards are held; two people release one, which is paid once; one refuses
another, which pays nothing. Campaigns named `gated-…` are judged there, all others are not (dev/stack/deploy.py)."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from cli.clients import ApiProblemError, Phone
from dev.stack.outputs import StackOutputs
from tests.kits.market import CATALOG_AGE_S, Market, eventually
from uncap.domain.rewards import ids

CLAIMS, THREADS = 12, 4
UNITS = 24 * 14


@pytest.fixture
def gated(stack: StackOutputs) -> Iterator[Market]:
    with closing(Market(stack, UNITS, "gated")) as market:
        yield market


def caps(market: Market) -> list[int]:
    """Cash prizes, each out of another case."""
    found: dict[int, int] = {}
    while len(found) < CLAIMS:
        index = market.next("cash")
        found.setdefault(index // 24, index)
    return list(found.values())


def held_rewards(market: Market, phone: Phone, rewards: list[str]) -> list[str] | None:
    """Those that wait for people, once every one of them is somewhere."""
    known = [phone.reward(one) for one in rewards]
    if not all(one and one["state"] in ("HELD", "WAIT_USER", "PAID") for one in known):
        return None
    return [reward_id for reward_id, one in zip(rewards, known, strict=True) if one and one["state"] == "HELD"]


def bills_of(market: Market, reward_id: str) -> list[str]:
    lines = [line["bill_no"] for line in market.bills()]
    return [one for one in lines if ids.of_bill(one)[0] == reward_id]


def test_a_script_is_held_released_by_two_people_and_paid_once_or_refused(gated: Market) -> None:
    market, script = gated, gated.phone()
    time.sleep(CATALOG_AGE_S)
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda index: market.claim(script, index), (bottles := caps(market))))
    mine = [answer.rewards[0] for answer in answers]
    held = eventually(lambda: held_rewards(market, script, mine), "the script's rewards are held or go out")
    assert 2 <= len(held) <= CLAIMS - 2, "the first claims of a series look like a buyer's"
    listed = {one["reward_id"]: one for index in bottles for one in market.rewards_of(index)}
    assert all(listed[one]["reason"].startswith("risk_review:") for one in held)
    refs = {listed[one]["code"] for one in held}
    channel = [one for one in listed.values() if one["code"] in refs and one["reward_id"] not in held]
    assert channel, "the claim's rebates"
    assert not any(one["state"] == "PAID" for one in channel)

    good, bad = held[:2]
    market.desk.call("POST", f"/rewards/{good}/release", {"reason": "a collector who is known to us"})
    with pytest.raises(ApiProblemError):
        market.desk.call("POST", f"/rewards/{good}/release/approve")
    assert not bills_of(market, good), "one person's word moves no money"
    assert market.desk.colleague is not None
    with closing((second := market.desk.colleague()).client):
        second.call("POST", f"/rewards/{good}/release/approve")
        second.call("POST", f"/rewards/{bad}/refuse", {"code": "risk_confirmed", "reason": "a script"})
    assert market.pay_out(script, good)["state"] == "PAID"
    assert market.reward_when(script, bad, "RELEASED")
    with pytest.raises(ApiProblemError):
        market.desk.call("POST", f"/rewards/{bad}/release", {"reason": "changed our mind"})
    assert len(bills_of(market, good)) == 1
    assert bills_of(market, bad) == []
    assert all(bills_of(market, one) == [] for one in held[2:])
