"""Paying through several accounts: which one is frozen with the attempt, days that are full, names, coming back."""

import dataclasses
import math
from typing import Any

import msgspec
import pytest

from tests.histories.history import History
from tests.histories.rail import CAPABILITIES, FakeRail
from tests.histories.world import Rates
from tests.kits.payout_world import MemoryPace
from tests.unit.domain.rewards.rewards import DEADLINE, ID, NOW, attempt, reward
from uncap.domain.errors import ConflictError, InputError, NotFoundError, TransientError
from uncap.domain.identity import open_name
from uncap.domain.rail_schedule import AccountLimits, Route
from uncap.domain.rails import FailedFinal, NotAccepted, PayInstruction, RailCapabilities, RailOutcome
from uncap.domain.rewards import ids, states
from uncap.domain.rewards.outcomes import apply_outcome
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.sessions import Session
from uncap.services.collect_reward import NameDesk, give_name
from uncap.services.pay_reward import pay
from uncap.services.receive_callback import receive_callback
from uncap.services.schedule_payouts import PostponedError, Scheduler
from uncap.services.settle_payout import Payouts, poll
from uncap.services.sweep_rewards import sweep
from uncap.services.take_message import send_back

OTHER_ID = "0123456789ABCDEFGHJKMNPQRT"
KEY = bytes(32)
ME = Session("wx", "d", 0, 1, person="p1")


class Account(FakeRail):
    """A merchant account that may be short of money and wants names; remembers what it was told."""

    poor = False
    said: list[PayInstruction]

    @property
    def capabilities(self) -> RailCapabilities:
        return msgspec.structs.replace(CAPABILITIES, name_from_minor=200_000, rate_per_s=100)

    def submit(self, instruction: PayInstruction) -> RailOutcome:
        self.said.append(instruction)
        if self.poor:
            return NotAccepted(reason="not_enough", retry_after_ms=600_000)
        return super().submit(instruction)


class Bench:
    """A history's world without its accidents, and two accounts."""

    def __init__(self, *routes: Route, **limits: int) -> None:
        history = History(3)
        self.world = history.world
        self.world.rates, self.world.now_ms = Rates(), NOW
        self.ledger = history.ledger
        self.accounts = {name: Account(self.world, trouble=0.0) for name in ("m1", "m2")}
        for one in self.accounts.values():
            one.said = []
        self.pace = MemoryPace()
        told = {name: (AccountLimits(**limits), 100) for name in self.accounts}
        scheduler = Scheduler(self.pace, told, routes, lambda: self.world.now_ms * 1000, self._pause)
        self.payouts: Payouts = dataclasses.replace(
            history.payouts,
            rails={"cash": self.accounts["m1"]},
            accounts=dict(self.accounts),
            scheduler=scheduler,
            open_name=lambda one: open_name(KEY, one.reward_id, one.name),
        )
        self.sent: list[str] = []
        self.desk = NameDesk(
            self.ledger,
            lambda _session, told: self.sent.append(told.reward_id),
            lambda: KEY,
            bytes,
            lambda: self.world.now_ms,
        )

    def _pause(self, seconds: float) -> None:
        self.world.now_ms += math.ceil(seconds * 1000) if seconds > 0 else 0  # nobody wakes before their time

    def owed(self, **changes: Any) -> Reward:
        return self.ledger.create(reward(**changes))

    def stored(self, reward_id: str = ID) -> Reward:
        found = self.ledger.get(reward_id)
        assert found is not None
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench(Route(accounts=("m2",)))


def test_the_account_is_frozen_with_the_attempt_and_asked_ever_after(bench: Bench) -> None:
    bench.owed()
    paid = pay(ID, bench.payouts)
    assert paid.attempt is not None
    assert paid.attempt.account == "m2"
    assert [len(one.bills) for one in bench.accounts.values()] == [0, 1]
    (bill,) = bench.accounts["m2"].bills.values()
    bench.accounts["m2"]._end(bill, "SUCCESS", "", notices=0)
    assert poll(paid, bench.payouts).state is State.PAID


def test_a_repeat_goes_to_the_same_account_although_routes_have_changed(bench: Bench) -> None:
    bench.owed(state=State.SUBMITTING, attempt=attempt(account="m1"))
    assert pay(ID, bench.payouts).state in (State.ACCEPTED, State.WAIT_USER)
    assert list(bench.accounts["m1"].bills) == [ids.bill_no(ID, 1)]
    assert not bench.accounts["m2"].bills


def test_a_bill_of_an_account_that_is_gone_is_held_and_sent_nowhere_else(bench: Bench) -> None:
    bench.owed(state=State.SUBMITTING, attempt=attempt(account="m9"))
    held = pay(ID, bench.payouts)
    assert (held.state, held.reason) == (State.HELD, "no_rail")
    assert not any(one.said for one in bench.accounts.values())
    bench.owed(reward_id=OTHER_ID, state=State.WAIT_USER, attempt=attempt(account="m9"))
    with pytest.raises(NotFoundError):
        poll(bench.stored(OTHER_ID), bench.payouts)


def test_attempts_from_before_accounts_belong_to_the_first(bench: Bench) -> None:
    bench.owed(state=State.SUBMITTING, attempt=attempt())
    pay(ID, bench.payouts)
    assert len(bench.accounts["m1"].bills) == 1


def test_another_merchants_notice_about_our_bill_is_refused(bench: Bench) -> None:
    bench.owed()
    pay(ID, bench.payouts)
    account = bench.accounts["m2"]
    (bill,) = account.bills.values()
    account._end(bill, "SUCCESS", "", notices=1)
    foreign = msgspec.json.decode(account.callbacks[0]) | {"account": "m1"}
    with pytest.raises(NotFoundError):
        receive_callback({"signature": "good"}, msgspec.json.encode(foreign), account, bench.payouts)
    own = msgspec.json.encode(foreign | {"account": "m2"})
    assert receive_callback({"signature": "good"}, own, account, bench.payouts).state is State.PAID


def test_a_full_day_leaves_it_owed_until_the_next() -> None:
    bench = Bench(day_count=1)
    bench.owed()
    bench.owed(reward_id=OTHER_ID)
    third = bench.owed(reward_id=ID[:-1] + "V")
    assert all(pay(one, bench.payouts).attempt for one in (ID, OTHER_ID)), "one a day each"
    waiting = pay(third.reward_id, bench.payouts)
    assert (waiting.state, waiting.reason, waiting.attempt) == (State.PENDING, "day_limit", None)
    assert pay(third.reward_id, bench.payouts) == waiting, "a message before its day changes nothing"
    bench.world.now_ms = waiting.due_at_ms
    assert pay(third.reward_id, bench.payouts).attempt


def test_an_account_without_money_rests_and_the_other_pays(bench: Bench) -> None:
    bench = Bench()
    for account in bench.accounts.values():
        account.poor = True
    bench.owed()
    refused = pay(ID, bench.payouts)
    assert (refused.state, refused.attempt is not None) == (State.SUBMITTING, True)
    assert refused.attempt is not None
    resting, other = refused.attempt.account, {"m1": "m2", "m2": "m1"}[refused.attempt.account]
    bench.accounts[other].poor = False
    for number in range(8):
        paid = pay(bench.owed(reward_id=f"{ID[:-1]}{number}").reward_id, bench.payouts)
        assert paid.attempt is not None
        assert paid.attempt.account == other
    bench.world.now_ms = refused.due_at_ms - 1
    assert len(bench.accounts[resting].said) == 1
    bench.accounts[resting].poor = False
    bench.world.now_ms += 600_001
    assert pay(ID, bench.payouts).state in (State.ACCEPTED, State.WAIT_USER)
    assert [one.bill_no for one in bench.accounts[resting].said] == [ids.bill_no(ID, 1)] * 2, "the same bill, there"


def test_who_finds_no_slot_is_postponed_and_nothing_is_written(bench: Bench) -> None:
    bench.owed()
    bench.pace.next_free["m2"] = (NOW + 60_000) * 1000 // 10_050
    with pytest.raises(PostponedError) as caught:
        pay(ID, bench.payouts)
    assert (caught.value.reward_id, bench.stored().rev) == (ID, 1)
    later: list[tuple[list[str], int]] = []
    queue: Any = type("Queue", (), {"later": lambda _, found, delay_s: later.append((found, delay_s))})()
    send_back([caught.value], queue, bench.world.now_ms)
    ((found, delay_s),) = later
    assert found == [ID]
    assert 1 <= delay_s <= 20


def test_a_large_reward_asks_for_a_name_and_forgets_it_with_the_bill(bench: Bench) -> None:
    bench.owed(amount_minor=200_000)
    waiting = pay(ID, bench.payouts)
    assert (waiting.state, waiting.reason, waiting.due_at_ms) == (State.HELD, "awaiting_name", DEADLINE)
    assert not states.waits_for_person(waiting)
    named = give_name(bench.desk, ME, ID, " 王小明 ")
    assert (named.state, bench.sent) == (State.PENDING, [ID])
    assert "王小明" not in msgspec.json.encode(named).decode()
    assert pay(ID, bench.payouts).name
    (told,) = bench.accounts["m2"].said
    assert told.user_name == "王小明"
    (bill,) = bench.accounts["m2"].bills.values()
    bench.accounts["m2"]._end(bill, "SUCCESS", "", notices=0)
    done = poll(bench.stored(), bench.payouts)
    assert (done.state, done.name) == (State.PAID, "")


def test_nobody_said_a_name_until_the_deadline(bench: Bench) -> None:
    bench.owed(amount_minor=200_000)
    pay(ID, bench.payouts)
    bench.world.now_ms = DEADLINE
    queue: Any = None
    shipments: Any = None
    assert sweep(bench.payouts, shipments, queue, 10).count(State.RELEASED) == 1
    with pytest.raises(ConflictError) as caught:
        give_name(bench.desk, ME, ID, "王小明")
    assert caught.value.code == "name_not_wanted"


@pytest.mark.parametrize("name", ["", "王", "王" * 31, "a\nb", "x\u202ey", "1234", "<b>name</b>"])
def test_what_is_no_name(bench: Bench, name: str) -> None:
    with pytest.raises(InputError) as caught:
        give_name(bench.desk, ME, ID, name)
    assert caught.value.code == "name_malformed"


@pytest.mark.parametrize("name", ["王小明", "迪丽热巴·迪力木拉提", "Anne-Marie O'Neil"])
def test_what_is_one(bench: Bench, name: str) -> None:
    bench.owed(state=State.HELD, reason="awaiting_name")
    assert open_name(KEY, ID, give_name(bench.desk, ME, ID, name).name) == name


def test_coming_back_after_the_rails_end_makes_a_second_attempt(bench: Bench) -> None:
    bench.owed()
    pay(ID, bench.payouts)
    (bill,) = bench.accounts["m2"].bills.values()
    bench.accounts["m2"]._end(bill, "FAIL", "expired", notices=0)
    assert poll(bench.stored(), bench.payouts).state is State.CLAIMABLE
    again = pay(ID, bench.payouts)
    assert again.attempt is not None
    assert again.attempt.no == 2
    once_more = pay(ID, bench.payouts)
    assert once_more.attempt is not None
    assert once_more.attempt.no == 2, "asking once more is no third bill"


def test_other_peoples_rewards_do_not_exist(bench: Bench) -> None:
    bench.owed(state=State.HELD, reason="awaiting_name")
    for session in (msgspec.structs.replace(ME, person="p2"), msgspec.structs.replace(ME, person="")):
        with pytest.raises(NotFoundError):
            give_name(bench.desk, session, ID, "王小明")
    with pytest.raises(NotFoundError):
        give_name(bench.desk, ME, OTHER_ID, "王小明")


def test_a_lost_message_is_the_sweepers(bench: Bench) -> None:
    def deaf(_session: Session, _reward: Reward) -> None:
        raise TransientError("storage_unavailable", "no")

    bench.owed(state=State.HELD, reason="awaiting_name")
    collected = give_name(msgspec.structs.replace(bench.desk, tell=deaf), ME, ID, "王小明")
    assert NOW <= collected.due_at_ms <= bench.world.now_ms
    sent: list[str] = []
    queue: Any = type("Queue", (), {"send": lambda _, found: sent.extend(found)})()
    shipments: Any = None
    sweep(bench.payouts, shipments, queue, 10)
    assert sent == [ID]


def test_a_late_success_of_the_first_bill_freezes_the_second(bench: Bench) -> None:
    bench.owed(state=State.CLAIMABLE, attempt=attempt(closed="expired", account="m2"))
    pay(ID, bench.payouts)
    notice = {
        "event_id": "e",
        "bill_no": ids.bill_no(ID, 1),
        "amount_minor": 188,
        "outcome": {"outcome": "paid", "rail_id": "r", "amount_minor": 188},
        "account": "m2",
    }
    frozen = receive_callback({"signature": "good"}, msgspec.json.encode(notice), bench.accounts["m2"], bench.payouts)
    assert (frozen.state, frozen.reason) == (State.HELD, states.LATE_SUCCESS)


def test_an_expired_bill_of_a_named_reward_wants_the_name_anew(bench: Bench) -> None:
    bench.owed(amount_minor=200_000, state=State.SUBMITTING, attempt=attempt(amount_minor=200_000), name="v1.x")
    ended = apply_outcome(bench.stored(), 1, FailedFinal(reason="expired"), NOW).reward
    assert (ended.state, ended.name) == (State.CLAIMABLE, "")
