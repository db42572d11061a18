"""Returned goods take back what they had earned for the channel, once, whoever said so and however often it is run."""

from collections.abc import Iterator

import msgspec
import pytest

from tests.integration.console import brand
from tests.integration.console.conftest import NOW_MS, Api, Bench, Cloud, make_bench
from tests.kits.account_kit import accrual
from uncap.adapters.account_books import AccountBooks
from uncap.adapters.catalog import Catalog
from uncap.adapters.flow_returns import SETTLES_AFTER_MS, ReturnQueue
from uncap.domain.books.accounts import Holder
from uncap.domain.catalog import Role
from uncap.domain.rewards import ids
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.scans import CodeRef
from uncap.runtime.wiring_returns import open_returns
from uncap.services import take_back_returns as taking
from uncap.services.take_back_returns import TakenBack, take_back_returns

DAY_MS = brand.DAY_MS


@pytest.fixture(scope="module")
def shared(cloud: Cloud) -> Iterator[Bench]:
    with pytest.MonkeyPatch.context() as patches:
        made = make_bench(cloud, patches)
        yield made
        assert made.watcher.errors == []


@pytest.fixture(scope="module")
def admin(shared: Bench) -> Api:
    return shared.sign_in("anna", "admin")


class Trade:
    """1,200 bottles in 50 cases, shipped to dist-a, in a campaign that credits the distributor for both."""

    def __init__(self, cloud: Cloud, bench: Bench, api: Api) -> None:
        brand.parties(api)
        case = {"gtin": brand.CASE, "name": brand.words("Case"), "roles": ["case_inner"], "level": "case"}
        api.ok("POST", "/products", case)
        unit = {"gtin": brand.UNIT, "name": brand.words("Beer"), "roles": ["cap_inner", "cap_outer"]}
        api.ok("POST", "/products", {**unit, "units_per_case": 24, "case_gtin": brand.CASE})
        self.units = api.ok("POST", "/batches", {"gtin": brand.UNIT, "size": 1_200})["batch_no"]
        self.cases = api.ok("POST", "/batches", {"gtin": brand.CASE, "unit_batch_no": self.units})["batch_no"]
        for number in (self.units, self.cases):
            api.ok("POST", f"/batches/{number}/commission")
        rebate = {"prize_id": "rebate", "kind": "cash", "amount_minor": 30, "name": brand.words("Rebate")}
        body = brand.campaign_body()
        effects = [*body["effects"], {"no": 2, "beneficiary": "distributor", "kind": "fixed", "prize_id": "rebate"}]  # type: ignore[misc]
        prizes = [*body["prizes"], rebate]  # type: ignore[misc]
        brand.campaign(api, effects=effects, prizes=prizes, gtins=[brand.UNIT, brand.CASE])
        brand.activated(api, self.units)
        brand.activated(api, self.cases, 0, 50)
        sent = {"shipment_id": "s1", "to_party": "dist-a", "batch_no": self.cases, "start": 0, "stop": 50}
        api.ok("POST", "/shipments", {**sent, "shipped_at_ms": NOW_MS - 9 * DAY_MS})
        self.bench, self.api, self.count, self.now_ms = bench, api, 0, NOW_MS
        catalog = Catalog(bench.desk.catalog_docs, bench.clock, DAY_MS)
        self.tools = open_returns(cloud.connection, catalog, bench.desk.party_or_none, lambda: self.now_ms)

    def credit(self, batch_no: int, index: int, role: Role, amount: int, **changes: object) -> Reward:
        """What a claim of the code has credited eight days ago."""
        self.count += 1
        ref = CodeRef(batch_no, index, role)
        named = {"reward_id": ids.reward_id(ref, "open-and-win", 2, "distributor"), "ref": ref.key()}
        made = accrual(self.count, amount, NOW_MS - 8 * DAY_MS, party="dist-a")
        made = msgspec.structs.replace(made, **{"claimed_at_ms": NOW_MS - 8 * DAY_MS, **named, **changes})
        return self.bench.desk.ledger.create(made)

    def give_back(self, name: str, days: int, **goods: object) -> None:
        sent = {"return_id": name, "from_party": "dist-a", "reason": "too much stock", **goods}
        self.api.ok("POST", "/returns", {**sent, "returned_at_ms": NOW_MS - days * DAY_MS})

    def run(self, steps: int = 1_000) -> TakenBack:
        """An hour later, or that many stretches of it."""
        left = iter(range(steps))
        self.now_ms += SETTLES_AFTER_MS
        return take_back_returns(self.tools, lambda: next(left, None) is None)

    def taken(self, reward: Reward) -> int:
        found = AccountBooks().clawed(reward.reward_id)
        return found.clawed_minor if found else 0


@pytest.fixture(scope="module")
def trade(cloud: Cloud, shared: Bench, admin: Api) -> Trade:
    return Trade(cloud, shared, admin)


def test_bottles_take_back_their_own_and_their_share_of_the_case(trade: Trade) -> None:
    bottle = trade.credit(trade.units, 3, Role.CAP_INNER, 31)
    case = trade.credit(trade.cases, 0, Role.CASE_INNER, 100)
    later = trade.credit(trade.units, 4, Role.CAP_INNER, 31, claimed_at_ms=NOW_MS - DAY_MS)
    other = trade.credit(trade.units, 24, Role.CAP_INNER, 31)
    trade.give_back("r1", 5, batch_no=trade.units, start=0, stop=6)
    assert take_back_returns(trade.tools, lambda: False).papers == 0  # not before the stream had its hour
    assert (trade.run().taken, trade.run().papers) == (2, 0)
    assert [trade.taken(one) for one in (bottle, case, later, other)] == [31, 25, 0, 0]
    trade.give_back("r2", 4, batch_no=trade.cases, start=0, stop=1)  # what is left of it; six had come back before
    trade.run()
    assert [trade.taken(one) for one in (bottle, case, later, other)] == [31, 100, 0, 0]
    assert AccountBooks().account(Holder("dist-a", "CNY")) is not None


def test_a_paper_is_gone_through_in_steps_and_what_never_came_takes_nothing(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "STRETCHES", {"unit": 20, "case": 1})
    case = trade.credit(trade.cases, 2, Role.CASE_INNER, 48)
    bottles = [trade.credit(trade.units, 48 + at, Role.CAP_OUTER, 10) for at in (0, 23)]
    nowhere = trade.credit(trade.units, 72, Role.CAP_INNER, 10)
    trade.give_back("r3", 5, spans=[
        {"batch_no": trade.units, "start": 48, "stop": 72}, {"batch_no": trade.cases, "start": 5, "stop": 7},
    ])  # fmt: skip
    wrong = {"return_id": "r4", "from_party": "dist-b", "reason": "a mistake", "batch_no": trade.units}
    trade.api.ok("POST", "/returns", {**wrong, "start": 72, "stop": 73})
    assert trade.run(steps=1).papers == 0
    assert ReturnQueue().due(trade.now_ms, 1)[0].done == 20
    assert trade.run().papers == 2
    assert [trade.taken(one) for one in (case, *bottles, nowhere)] == [48, 10, 10, 0]


def test_what_is_not_decided_is_looked_at_again_and_what_is_cancelled_is_not_taken(trade: Trade) -> None:
    held = trade.credit(trade.units, 200, Role.CAP_INNER, 10, state=State.HELD, reason="awaiting_payee", settled=())
    cancelled = trade.credit(trade.units, 230, Role.CAP_INNER, 10)
    trade.give_back("r5", 5, batch_no=trade.units, start=200, stop=201)
    trade.give_back("r6", 5, batch_no=trade.units, start=230, stop=231)
    trade.api.ok("POST", "/returns/r6/cancel", {"reason": "never happened"})
    assert (trade.run().papers, trade.taken(cancelled)) == (2, 0)
    assert (trade.run().papers, trade.taken(held)) == (0, 0)
    paid = trade.credit(trade.units, 200, Role.CAP_OUTER, 12)  # decided meanwhile
    trade.now_ms += taking.LOOKS_AGAIN_AFTER_MS
    trade.run()
    assert trade.taken(paid) == 12


def test_below_the_limit_people_decide(trade: Trade) -> None:
    dear = trade.credit(trade.units, 300, Role.CAP_INNER, 10)
    dear_too = trade.credit(trade.units, 301, Role.CAP_INNER, 11)
    trade.give_back("r7", 5, batch_no=trade.units, start=300, stop=302)
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr("uncap.services.claw_back.LIMIT_MINOR", -(10**9))
        done = trade.run()
    assert (done.papers, done.taken, len(done.cases)) == (1, 0, 2)
    assert [trade.taken(one) for one in (dear, dear_too)] == [0, 0]
