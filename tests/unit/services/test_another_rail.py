"""The production services pay through a rail with other habits: at once, without a tap, with keys that end."""

import dataclasses
import datetime
import hashlib
import hmac

import pytest

from tests.histories.history import History
from tests.histories.world import Rates
from tests.kits.voucher_bank import DAY_MS, VoucherBank
from tests.unit.domain.rewards.rewards import ID, NOW, reward
from uncap.domain.errors import AuthError, InputError
from uncap.domain.rails import Paid, PayInstruction, Unknown
from uncap.domain.rewards import ids
from uncap.domain.rewards.reward import Reward, State
from uncap.services.compare_statement import compare_statement
from uncap.services.pay_reward import pay
from uncap.services.receive_callback import receive_callback
from uncap.services.settle_payout import Payouts
from uncap.services.sweep_rewards import sweep


class Bench:
    def __init__(self, seed: int = 3) -> None:
        history = History(seed)
        self.history, self.world = history, history.world
        self.world.rates, self.world.now_ms = Rates(), NOW
        self.bank = VoucherBank(self.world.clock_ms)
        self.payouts: Payouts = dataclasses.replace(history.payouts, rails={"cash": self.bank})
        self.history.ledger.create(reward())

    def stored(self) -> Reward:
        found = self.history.ledger.get(ID)
        assert found is not None
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_paid_at_once_without_anybody_waiting(bench: Bench) -> None:
    paid = pay(ID, bench.payouts)
    assert (paid.state, paid.action) == (State.PAID, None)
    assert paid.settled
    assert pay(ID, bench.payouts) == paid
    assert len(bench.bank.payments) == 1


def test_a_lost_reply_is_asked_about(bench: Bench) -> None:
    bench.bank.slow = True
    assert pay(ID, bench.payouts).state is State.PAID
    assert len(bench.bank.payments) == 1


def test_a_bank_that_is_down_is_waited_for_with_the_same_key(bench: Bench) -> None:
    bench.bank.down = True
    for _ in range(3):
        waiting = pay(ID, bench.payouts)
        bench.world.now_ms = max(waiting.due_at_ms, bench.world.now_ms)
    bench.bank.down = False
    assert pay(ID, bench.payouts).state is State.PAID
    assert len(bench.bank.payments) == 1


def test_a_key_that_has_ended_is_never_sent_again(bench: Bench) -> None:
    bench.bank.slow = bench.bank.silent = True
    assert pay(ID, bench.payouts).state is State.SUBMITTING
    bench.bank.slow = bench.bank.silent = False
    bench.world.now_ms += DAY_MS + 1
    held = pay(ID, bench.payouts)
    assert (held.state, held.reason) == (State.HELD, "outside_rail_window")
    assert len(bench.bank.payments) == 1, "it was paid a day ago, and the bank no longer says so"
    assert not pay(ID, bench.payouts).settled


def test_its_webhook_settles_and_a_forged_one_does_not(bench: Bench) -> None:
    bench.bank.slow = bench.bank.down = False
    pay(ID, bench.payouts)
    (headers, body), *_ = bench.bank.notices
    for wrong in ({}, {"X-Bank-Signature": "0" * 64}):
        with pytest.raises(AuthError):
            receive_callback(wrong, body, bench.bank, bench.payouts)
    with pytest.raises(AuthError):
        receive_callback(headers, body.replace(b"188", b"189"), bench.bank, bench.payouts)
    assert receive_callback(headers, body, bench.bank, bench.payouts).state is State.PAID


def test_a_signed_notice_without_sense_is_refused() -> None:
    bank = VoucherBank(lambda: NOW, b"k")
    for body in (b"{}", b"[]", b"x"):
        with pytest.raises(InputError):
            bank.verify_callback({"X-Bank-Signature": hmac.new(b"k", body, hashlib.sha256).hexdigest()}, body)


def test_its_no_is_final_and_for_a_person_where_the_word_is_new(bench: Bench) -> None:
    bench.bank.fails = "card_closed"
    held = pay(ID, bench.payouts)
    assert (held.state, held.reason) == (State.HELD, "rail_card_closed")
    assert held.attempt is not None
    assert held.attempt.closed == "card_closed"


def test_its_statement_agrees_with_the_ledger(bench: Bench) -> None:
    pay(ID, bench.payouts)
    day = datetime.datetime.fromtimestamp(NOW / 1000, datetime.UTC).date()
    assert [line.bill_no for line in bench.bank.statement(day)] == [ids.bill_no(ID, 1)]
    assert compare_statement(bench.bank, day, bench.history.ledger, NOW) == []


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_in_between_it_pays_once(seed: int) -> None:
    bench = Bench(seed)
    random = bench.world.random
    for _ in range(25):
        bench.bank.down, bench.bank.slow = random.random() < 0.4, random.random() < 0.4
        act = random.random()
        if act < 0.6:
            pay(ID, bench.payouts)
        elif act < 0.8 and bench.bank.notices:
            receive_callback(*random.choice(bench.bank.notices), bench.bank, bench.payouts)
        else:
            sweep(bench.payouts, None, bench.history.queue, 10)  # type: ignore[arg-type]
        bench.world.now_ms += random.choice((100, 6_000, 600_000, 7_200_000))
    assert len(bench.bank.payments) <= 1
    if isinstance(bench.bank.query(ids.bill_no(ID, 1)), Paid):
        bench.bank.down = False
        last = pay(ID, bench.payouts)
        assert last.state in (State.PAID, State.SUBMITTING, State.HELD)


def test_it_refuses_another_payment_under_the_same_key(bench: Bench) -> None:
    order = PayInstruction(bill_no="B1", payee="a", amount_minor=5, campaign_name="c", reward_note="r")
    assert isinstance(bench.bank.submit(order), Paid)
    assert isinstance(bench.bank.submit(order), Paid)
    other = PayInstruction(bill_no="B1", payee="b", amount_minor=5, campaign_name="c", reward_note="r")
    assert bench.bank.submit(other) == Unknown(reason="bill_differs", hold=True)
    assert len(bench.bank.payments) == 1
