"""Rows of the failure matrix (docs/rewards.md) that no other test plays by itself: each a history by hand."""

import msgspec
import pytest

from tests.histories.rail import CONFIRM_MS
from tests.histories.script import CASH, CODE, FAIR, Script, killed_at
from uncap.domain.catalog import Role
from uncap.domain.errors import TransientError
from uncap.domain.rails import Paid
from uncap.domain.rewards import ids
from uncap.domain.rewards.reward import State
from uncap.domain.scans import CodeRef
from uncap.services.grant_rewards import grant_changes
from uncap.services.reconcile_scans import reconcile
from uncap.services.settle_payout import settle

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
STEPS = [Script.claim, Script.relay, Script.work, lambda one: one.rail.pay_all(), Script.notices, Script.sweep]


def paid_once(script: Script) -> bool:
    return script.rail.successes == {CASH: [ids.bill_no(CASH, 1)]} and script.cash.state is State.PAID


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_process_killed_at_each_write_and_call_resumes_with_the_same_bill(after: bool) -> None:
    number = 1
    while killed_at(script := Script(), number, after=after, steps=STEPS):
        script.world.call = type(script.world).call.__get__(script.world)  # type: ignore[method-assign]
        if not script.people.unanswered and not script.scans.images:
            raise AssertionError(f"killed at {number}: the claim is nowhere")
        for step in STEPS[1:]:
            script.people.ask_again()
            script.pass_ms(HOUR_MS)
            step(script)
        wrong = script.wrong_at_the_end()
        assert not wrong, f"killed at call {number}: {wrong}"
        assert paid_once(script), f"killed at call {number}"
        number += 1
    assert number > 12, "the script makes fewer calls than it should"


def test_a_claim_whose_reply_was_lost_is_the_same_claim() -> None:
    script = Script()
    script.world.rates = msgspec.structs.replace(FAIR, after=1.0)
    with pytest.raises(TransientError):
        script.claim()
    script.world.rates = FAIR
    script.claim("p2")
    script.people.ask_again()
    assert script.scans.images[CODE.key()].count == 3
    first = script.scans.images[CODE.key()].first
    assert first is not None
    assert first.person == "p1"
    script.relay()
    assert script.cash.party == "p1"
    assert not script.world.violations


def test_a_stream_repeated_out_of_order_after_the_tree_changed_founds_nothing_new() -> None:
    script = Script()
    script.claim()
    script.claim("p2", CodeRef(7, 3, Role.CAP_INNER))
    script.relay()
    before = dict(script.ledger.items)
    script.channel.distributor = "d-2"
    records = [record for shard in script.scans.shards for record in shard]
    grant_changes([*reversed(records), *records], script.granter)
    assert {key: one.party for key, one in script.ledger.items.items()} == {
        key: one.party for key, one in before.items()
    }
    assert not script.wrong_at_the_end()


def test_a_relay_down_for_26_hours_is_made_good_by_reconciliation() -> None:
    script = Script()
    script.world.rates = msgspec.structs.replace(FAIR, lost=1.0)
    for index in range(6):
        script.claim(f"p{index}", CodeRef(7, index, Role.CAP_INNER))
    script.pass_ms(26 * HOUR_MS)
    assert not script.ledger.items
    for _ in range(2):
        assert reconcile(script.scans, script.granter, script.world.clock_ms, lambda: False, script.ledger).complete
    assert len(script.ledger.items) == 12
    assert not script.wrong_at_the_end()
    assert all(len(bills) == 1 for bills in script.rail.successes.values())


def test_scans_restored_to_an_hour_ago_pay_nothing_twice() -> None:
    """Whoever claims the forgotten code next is told to be first, and the ledger still knows whose the reward is."""
    script = Script()
    backup = dict(script.scans.images)
    script.to_the_rail()
    script.rail.pay_all()
    script.notices()
    script.scans.restore(backup)
    script.people.first.clear()
    script.claim("p2")
    script.relay()
    reconcile(script.scans, script.granter, script.world.clock_ms, lambda: False, script.ledger)
    script.work()
    assert paid_once(script)
    assert script.cash.party == "p1"


def test_the_callback_comes_before_the_submits_reply() -> None:
    script = Script()
    script.claim()
    script.relay()
    honest = script.rail._submit

    def fast(instruction: object) -> object:
        answer = honest(instruction)  # type: ignore[arg-type]
        script.rail.pay_all()
        script.notices()
        assert script.cash.state is State.PAID
        return answer

    script.rail._submit = fast  # type: ignore[method-assign,assignment]
    script.work()
    assert paid_once(script)
    assert not script.wrong_at_the_end()


def test_a_person_who_taps_on_the_third_day_is_paid_once() -> None:
    script = Script()
    script.to_the_rail()
    script.pass_ms(CONFIRM_MS)
    script.rail.live()
    script.notices()
    script.sweep()
    script.work()
    assert script.state == "CLAIMABLE"
    script.pass_ms(2 * DAY_MS)
    script.claim()
    script.relay()
    script.work()
    script.bill.state = "WAIT_USER"
    script.rail.pay_all()
    script.notices()
    assert script.cash.state is State.PAID
    assert script.rail.successes == {CASH: [ids.bill_no(CASH, 2)]}
    assert not script.wrong_at_the_end()


@pytest.mark.parametrize("tapped", [True, False])
def test_when_cancel_and_confirmation_race_the_rails_final_state_wins(tapped: bool) -> None:
    script = Script()
    script.to_the_rail()
    if tapped:
        script.bill.state = "TRANSFERING"
    outcome = script.rail.cancel(ids.bill_no(CASH, 1))
    settle(script.cash, 1, outcome, script.payouts)
    script.rail.pay_all()
    script.notices()
    assert script.cash.state is (State.PAID if tapped else State.CLAIMABLE)
    assert len(script.rail.successes) == int(tapped)


def test_a_success_for_an_older_attempt_freezes_and_cancels_the_newer() -> None:
    script = Script()
    script.to_the_rail()
    script.pass_ms(CONFIRM_MS)
    script.rail.live()
    script.notices()
    script.sweep()
    script.work()
    script.claim()
    script.relay()
    script.work()
    script.bill.state = "WAIT_USER"
    first = script.rail.bills[ids.bill_no(CASH, 1)]
    script.rail.broke_its_word.add(ids.bill_no(CASH, 1))
    script.rail._end(first, "SUCCESS", "", notices=1)
    script.notices()
    assert (script.cash.state, script.cash.reason) == (State.HELD, "late_success")
    assert script.rail.bills[ids.bill_no(CASH, 2)].state == "FAIL"
    assert [case.kind for case in script.ledger.cases.values()] == ["late_success"]
    assert not script.wrong_at_the_end()


@pytest.mark.parametrize("when", ["before", "after"])
def test_tables_that_do_not_answer_change_nothing_but_the_time_it_takes(when: str) -> None:
    for seed in (1, 3, 5, 7):
        script = Script(seed)
        script.world.rates = msgspec.structs.replace(FAIR, **{when: 0.4})
        for step in STEPS * 6:
            script.attempt(step)
        assert not script.wrong_at_the_end()


def test_nothing_new_is_sent_once_a_recall_is_a_second_old_and_what_was_sent_settles() -> None:
    script = Script()
    script.to_the_rail()
    for index in (0, 2):
        script.claim("p2", CodeRef(7, index, Role.CAP_INNER))
    script.relay()
    script.source.hold = "recalled"
    script.pass_ms(1_000)
    script.rail.no_new_bills_after_ms = script.world.now_ms
    script.work()
    script.rail.pay_all()
    script.notices()
    assert paid_once(script)
    held = [one.reason for one in script.ledger.items.values() if one.state is State.HELD]
    assert held == ["recalled"] * 2
    assert not script.world.violations


def test_a_key_older_than_the_rails_window_is_only_asked_about() -> None:
    script = Script()
    script.claim()
    script.relay()
    script.rail.trouble = 1e9  # every request is refused
    script.work()
    assert script.cash.state is State.SUBMITTING
    script.rail.trouble = 0.0
    script.pass_ms(31 * DAY_MS)
    bills = dict(script.rail.bills)
    script.sweep()
    script.work()
    assert (script.cash.state, script.cash.reason) == (State.HELD, "outside_rail_window")
    assert script.rail.bills == bills


def test_a_rail_that_settles_another_amount_is_for_people() -> None:
    script = Script()
    script.to_the_rail()
    settle(script.cash, 1, Paid(rail_id="r", amount_minor=1), script.payouts)
    assert (script.cash.state, script.cash.reason) == (State.HELD, "amount_differs")
    assert not script.cash.settled
