"""Prizes to send, at the console: who sees an address, what is written of it, and what goes on by itself."""

import json
from typing import Any

import msgspec
import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench
from uncap.adapters.models import LedgerItem
from uncap.domain import ledger
from uncap.domain.identity import seal_address
from uncap.domain.rewards import parcels
from uncap.domain.rewards.reward import Reward, State
from uncap.services.trial_balance import trial_balance

ONE, TWO = "0123456789ABCDEFGHJKMNPQRS", "1123456789ABCDEFGHJKMNPQRS"
TO = {"name": "王小明", "phone": "13800001111", "address": "四川省成都市锦江区春熙路1号"}
SENT = {"carrier": "顺丰", "tracking_no": "SF1234567890"}
BACK = {"reason": "nobody opened"}


@pytest.fixture
def lena(bench: Bench) -> Api:
    admin = bench.sign_in("ann", "admin")
    brand.product(admin)
    admin.ok("POST", "/batches", {"gtin": brand.UNIT, "size": 100})
    for reward_id in (ONE, TWO):
        put(bench, reward_id)
    return bench.sign_in("lena", "logistics")


def put(bench: Bench, reward_id: str) -> None:
    new = Reward(
        reward_id=reward_id,
        ref="1.5.1",
        campaign="c@1",
        release_id="r1-1",
        effect_no=1,
        beneficiary="consumer",
        state=State.PENDING,
        claimed_at_ms=NOW_MS,
        claimable_until_ms=NOW_MS + brand.DAY_MS,
        party="p_ABCDEFGHJKMNPQRSTVWXYZ0123",
        kind="physical",
        prize_id="bicycle",
        amount_minor=158_000,
        currency="CNY",
        granted=ledger.granted("r1-1", "consumer", "CNY", 158_000),
    )
    bench.desk.ledger.create(msgspec.structs.replace(parcels.ask(new, NOW_MS), rev=1))


def say(bench: Bench, reward_id: str = ONE) -> None:
    """Its owner says where to."""
    reward = stored(bench, reward_id)
    sealed = seal_address(bench.desk.address_key(), reward_id, json.dumps(TO), bytes(12))
    bench.desk.ledger.replace(reward, parcels.addressed(reward, sealed, bench.clock()))


def stored(bench: Bench, reward_id: str = ONE) -> Reward:
    found = bench.desk.ledger.get(reward_id)
    assert found is not None
    return found


def listed(api: Api, state: str) -> list[str]:
    return [one["reward_id"] for one in api.ok("GET", f"/parcels?state={state}&campaign_id=c")["items"]]


def path(act: str, reward_id: str = ONE) -> str:
    return f"/parcels/{reward_id}/{act}"


def test_from_an_address_to_its_delivery(bench: Bench, lena: Api) -> None:
    assert listed(lena, "to_send") == []
    assert lena.refused("POST", path("take")) == (409, "transition_illegal")
    say(bench)
    assert listed(lena, "to_send") == [ONE]
    assert TO["address"] not in json.dumps(lena.ok("GET", "/parcels"), ensure_ascii=False)
    shown: dict[str, Any] = lena.ok("POST", path("take"))
    assert shown["to"] == TO
    assert lena.ok("POST", path("take")) == shown, "a lost reply is asked for again"
    assert bench.sign_in("leo", "logistics").refused("POST", path("take")) == (409, "parcel_taken")
    assert (listed(lena, "to_send"), listed(lena, "taken")) == ([], [ONE])
    for _ in range(2):
        assert lena.ok("POST", path("sent"), SENT)["parcel"] == "sent"
    assert lena.refused("POST", path("sent"), SENT | {"tracking_no": "SF0000"}) == (409, "parcel_differs")
    assert lena.refused("POST", path("put-back"), BACK) == (409, "transition_illegal")
    assert lena.refused("POST", path("take")) == (409, "transition_illegal")
    for _ in range(2):
        assert lena.ok("POST", path("delivered"))["state"] == "PAID"
    assert lena.refused("POST", path("returned"), BACK) == (409, "transition_illegal")
    balance = trial_balance(bench.desk.ledger)
    assert balance.totals == {"CNY": 0}
    assert balance.accounts["clearing:parcels:CNY"] == -158_000
    assert listed(lena, "sent") == []


def test_every_showing_is_in_the_trail_and_no_address_is_anywhere(bench: Bench, lena: Api) -> None:
    say(bench)
    for act, body in (("take", None), ("take", None), ("put-back", BACK), ("take", None), ("sent", SENT)):
        lena.ok("POST", path(act), body)
    trail = bench.second.ok("GET", "/audit?day=2026-11-22")["entries"]
    acts = [one["action"] for one in trail if one["action"].startswith("parcels.")]
    assert sorted(acts) == ["parcels.put_back", "parcels.sent", *["parcels.take"] * 3]
    tables = [bench.client.scan(TableName=name)["Items"] for name in ("ledger", "parties", "insights", "flow")]
    text = json.dumps(tables, ensure_ascii=False, default=str) + repr(bench.watcher.lines)
    assert not [one for one in TO.values() if one in text]


def test_what_came_back_is_sent_again(bench: Bench, lena: Api) -> None:
    say(bench)
    lena.ok("POST", path("take"))
    lena.ok("POST", path("sent"), SENT)
    for _ in range(2):
        assert lena.ok("POST", path("returned"), BACK)["reason"] == "awaiting_address"
    assert listed(lena, "sent") == []
    say(bench)
    lena.ok("POST", path("take"))
    lena.ok("POST", path("sent"), SENT | {"tracking_no": "SF-second"})
    assert lena.ok("POST", path("delivered"))["tracking_no"] == "SF-second"
    assert trial_balance(bench.desk.ledger).accounts["clearing:parcels:CNY"] == -158_000


def test_a_stop_is_found_before_anything_is_shown(bench: Bench, lena: Api) -> None:
    say(bench)
    bench.second.ok("POST", "/batches/1/hold", {"state": "frozen", "reason": "suspicious"})
    assert lena.refused("POST", path("take")) == (409, "parcel_stopped")
    held = stored(bench)
    assert (held.state, held.reason, held.due_at_ms > NOW_MS) == (State.HELD, "frozen", True)
    assert listed(lena, "to_send") == []
    assert [one["reward_id"] for one in bench.second.ok("GET", "/rewards?state=HELD&campaign_id=c")["items"]] == [
        TWO,
        ONE,
    ]


def test_who_may(bench: Bench, lena: Api) -> None:
    say(bench)
    finance = bench.sign_in("fay", "finance")
    for act, body in (("take", None), ("sent", SENT), ("delivered", None)):
        assert finance.refused("POST", path(act), body) == (403, "operator_not_permitted")
    assert lena.refused("POST", path("take", "2" + ONE[1:])) == (404, "parcel_unknown")
    for wrong in ({}, SENT | {"carrier": ""}, SENT | {"carrier": "<b>"}, SENT | {"tracking_no": "x y"}):
        assert lena.refused("POST", path("sent"), wrong)[0] == 400


def test_a_race_with_the_owner_shows_no_address(bench: Bench, lena: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    say(bench)
    read = bench.desk.ledger.get(ONE)
    say(bench)  # corrected meanwhile
    monkeypatch.setattr(type(bench.desk.ledger), "get", lambda *_: read)
    assert lena.refused("POST", path("take")) == (409, "reward_moved")
    monkeypatch.undo()
    item = LedgerItem.get(f"reward#{ONE}").attribute_values
    assert item["wait_key"].startswith("PARCEL_TO_SEND#c#")
