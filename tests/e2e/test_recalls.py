"""A recall in a rush: nothing pays after the stated bound, what is under way settles, lifting lets it go on."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import NamedTuple

import pytest

from cli.clients import Phone
from dev.stack.outputs import StackOutputs
from tests.kits.market import CATALOG_AGE_S, Market, eventually

CROWD = 6
MONEY_BOUND_MS = 2_500
"""The brakes' second, and a call that was under way when it began (docs/rewards.md)."""
NOTICE = {"zh-CN": "请勿饮用，请带回购买处。", "en": "Do not drink it; bring it back."}


class Scanned(NamedTuple):
    """One scan of the rush. Times are of the brand's clock, epoch ms."""

    began_ms: int
    outcome: str
    reason: str
    rewards: tuple[str, ...]
    phone: Phone


def now_ms() -> int:
    return int(time.time() * 1000)


@pytest.fixture
def own_market(stack: StackOutputs) -> Iterator[Market]:
    """A batch of its own: it is recalled as a whole."""
    market = Market(stack)
    yield market
    market.close()


def rush(market: Market, indices: Iterator[int], scans: list[Scanned], over: Event) -> None:
    """One person, a fresh bottle every moment, until it is over."""
    phone = market.phone()
    while not over.is_set():
        began_ms = now_ms()
        answer = market.claim(phone, next(indices))
        scans.append(Scanned(began_ms, answer.outcome, answer.reason, answer.rewards, phone))
        time.sleep(0.2)


def test_a_recall_during_a_rush(own_market: Market) -> None:
    market = own_market
    early = market.phone()
    under_way = market.claim(early, market.next("cash"))
    market.reward_when(early, under_way.rewards[0], "WAIT_USER")
    bottles = [index for kind in ("points", "cash", "") for index in market._unused[kind]]
    recall = {"recall_id": f"rc-{uuid.uuid4().hex[:12]}", "batch_no": market.batch_no, "notice": NOTICE}
    over, scans = Event(), list[Scanned]()
    with ThreadPoolExecutor(CROWD) as pool:
        crowd = [pool.submit(rush, market, iter(bottles[at::CROWD]), scans, over) for at in range(CROWD)]
        try:
            eventually(lambda: len(scans) > CROWD, "the rush has begun")
            market.desk.call("POST", "/recalls", {**recall, "reason": "glass splinters"})
            stored_ms = now_ms()
            bound_ms = stored_ms + int(CATALOG_AGE_S * 1000)
            eventually(lambda: sum(scan.began_ms > bound_ms for scan in scans) > CROWD, "scans after the bound")
        finally:
            over.set()  # or the crowd would never leave
        for one in crowd:
            one.result(timeout=60)

    late = [scan for scan in scans if scan.began_ms > bound_ms]
    assert {(scan.outcome, scan.reason) for scan in late} == {("observed", "recalled")}
    assert any(scan.outcome == "first" for scan in scans if scan.began_ms < stored_ms)

    market.confirm(early, under_way.rewards[0])
    paid = market.reward_when(early, under_way.rewards[0], "PAID")
    assert paid["notice"] == NOTICE
    assert (
        NOTICE["en"]
        in early.client.get(market.link(bottles[-1]), headers={"Accept": "text/html", "Accept-Language": "en"}).text
    )

    between = [s for s in scans if s.outcome == "first" and s.began_ms > stored_ms + MONEY_BOUND_MS]
    for scan in between:
        held = market.reward_when(scan.phone, scan.rewards[0], "HELD", "NONE")
        assert held["reason"] in ("recalled", "")
    counted = market.desk.call("GET", f"/recalls/{recall['recall_id']}/people", reason="letter to buyers")
    assert len(counted["people"]) == CROWD + 1

    market.desk.call("POST", f"/recalls/{recall['recall_id']}/lift", {"reason": "a false alarm"})

    def goes_on() -> bool:
        market.invoke("reconcile_job")
        states = [scan.phone.reward(scan.rewards[0]) for scan in between]
        return all(one and one["state"] != "HELD" for one in states)

    eventually(goes_on, "held rewards go on once the recall is lifted", timeout_s=60)
    again = market.phone()
    eventually(lambda: market.claim(again, bottles[-1]).outcome == "first", "claims go on", timeout_s=15)
