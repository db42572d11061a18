"""Our part of the state machine: attempts begin only when nothing may still pay, holds end only when they may."""

import pytest

from tests.unit.domain.rewards.rewards import DEADLINE, ID, NOW, attempt, reward, submitting
from uncap.domain.errors import ConflictError
from uncap.domain.rewards import states
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.states import Step

HOUR = 3_600_000
WORK = (State.PENDING, State.SUBMITTING, State.CLAIMABLE)


@pytest.mark.parametrize(
    ("given", "step"),
    [
        (reward(State.PENDING), Step.BEGIN),
        (reward(State.PENDING, due_at_ms=NOW + 1), Step.WAIT),
        (submitting(), Step.RESEND),
        (submitting(due_at_ms=NOW + 1), Step.WAIT),
        (reward(State.SUBMITTING, attempt=attempt(key_expires_at_ms=NOW)), Step.QUERY),
        (reward(State.CLAIMABLE, attempt=attempt(closed="expired")), Step.BEGIN),
        (reward(State.CLAIMABLE, claimable_until_ms=NOW), Step.NOTHING),
        (reward(State.WAIT_USER, attempt=attempt()), Step.LOOK),
        (reward(State.ACCEPTED, attempt=attempt()), Step.LOOK),
        *[(reward(one, due_at_ms=NOW), Step.NOTHING) for one in State if one not in WORK],
    ],
)
def test_next_step(given: Reward, step: Step) -> None:
    assert states.next_step(given, NOW) is step


def test_an_attempt_begins_from_pending_and_claimable_only() -> None:
    for state in State:
        allowed = state in (State.PENDING, State.CLAIMABLE)
        if allowed:
            begun = states.begin_attempt(reward(state), attempt())
            assert (begun.state, begun.rev, begun.due_at_ms) == (State.SUBMITTING, 2, 0)
        else:
            with pytest.raises(ConflictError, match="transition_illegal"):
                states.begin_attempt(reward(state), attempt())


@pytest.mark.parametrize(
    "given",
    [
        reward(attempt=attempt()),  # the first may still be paid
        reward(attempt=attempt(closed="paid")),
        reward(attempt=attempt(closed="amount_differs")),
        reward(settled=reward().granted),
    ],
)
def test_no_second_attempt_while_money_may_move_or_has_moved(given: Reward) -> None:
    with pytest.raises(ConflictError, match="transition_illegal"):
        states.begin_attempt(given, attempt(2))


def test_attempts_are_numbered_without_gaps_and_pay_what_is_owed() -> None:
    after = reward(State.CLAIMABLE, attempt=attempt(1, closed="expired"))
    assert states.begin_attempt(after, attempt(2)).attempt == attempt(2)
    for wrong in (attempt(1), attempt(3), attempt(2, amount_minor=189)):
        with pytest.raises(ConflictError, match="transition_illegal"):
            states.begin_attempt(after, wrong)


def test_waits_grow_are_bounded_and_differ_between_rewards() -> None:
    waits = [states.wait_ms(ID, tries) for tries in range(40)]
    assert waits == sorted(waits)
    assert waits[0] >= states.FIRST_WAIT_MS
    assert waits[-1] <= states.LONGEST_WAIT_MS * 9 // 8
    assert len({states.wait_ms(ID[:-1] + last, 4) for last in "0123456789ABCDEF"}) > 8


def test_a_hold_for_a_fact_is_looked_at_again_a_hold_for_a_person_is_not() -> None:
    assert states.hold(reward(), "campaign_paused", NOW).due_at_ms > NOW
    assert states.hold(reward(), "recalled", NOW).due_at_ms == 0
    assert states.hold(submitting(), "recalled", NOW).due_at_ms > NOW  # the rail may still pay it
    with pytest.raises(ConflictError, match="transition_illegal"):
        states.hold(reward(State.PAID), "recalled", NOW)


def test_a_resumed_reward_keeps_its_open_bill() -> None:
    again = states.resume(reward(State.HELD, reason="recalled", attempt=attempt()), NOW)
    assert (again.state, again.attempt) == (State.SUBMITTING, attempt())
    fresh = states.resume(reward(State.HELD, reason="recalled"), NOW)
    assert (fresh.state, fresh.due_at_ms, fresh.reason) == (State.PENDING, NOW, "")
    closed = reward(State.FAILED, attempt=attempt(closed="account_frozen"))
    assert states.resume(closed, NOW).state is State.PENDING


@pytest.mark.parametrize(
    "given",
    [
        reward(State.HELD, attempt=attempt(closed="amount_differs")),
        reward(State.HELD, settled=reward().granted, reason="late_success"),
        reward(State.HELD, reason="awaiting_association", party=""),
        reward(State.PAID),
        reward(State.PENDING),
    ],
)
def test_what_may_not_be_resumed(given: Reward) -> None:
    with pytest.raises(ConflictError, match="transition_illegal"):
        states.resume(given, NOW)


def test_an_unknown_beneficiary_is_frozen_once_known() -> None:
    waiting = reward(State.HELD, reason="awaiting_association", party="")
    known = states.associate(waiting, "d-1", NOW)
    assert (known.state, known.party, known.rev) == (State.PENDING, "d-1", 2)
    with pytest.raises(ConflictError, match="transition_illegal"):
        states.associate(known, "d-2", NOW)


def test_a_suspicious_claims_reward_is_reviewed_once_its_party_is_known() -> None:
    waiting = reward(State.HELD, reason="awaiting_association", party="", review="risk_review:fast=6")
    known = states.associate(waiting, "d-1", NOW)
    assert (known.state, known.reason, known.party) == (State.HELD, "risk_review:fast=6", "d-1")
    assert states.waits_for_person(known)
    assert known.due_at_ms == 0, "only people end it"
    assert states.resume(known, NOW).state is State.PENDING


def test_expiry_releases_after_the_deadline_and_books_breakage() -> None:
    for given in (
        reward(State.CLAIMABLE, attempt=attempt(closed="expired")),
        reward(State.FAILED, attempt=attempt(closed="account_frozen")),
        reward(State.HELD, reason="awaiting_association", party=""),
    ):
        with pytest.raises(ConflictError, match="transition_illegal"):
            states.expire(given, DEADLINE - 1)
        released = states.expire(given, DEADLINE)
        assert released.state is State.RELEASED
        assert sum(one.amount_minor for one in released.settled) == 0
    with pytest.raises(ConflictError, match="transition_illegal"):
        states.expire(reward(State.HELD, reason="recalled"), DEADLINE)


def test_a_person_may_refuse_only_what_the_rail_can_no_longer_pay() -> None:
    assert states.refuse(reward(State.HELD, reason="recalled"), "fraud").reason == "fraud"
    with pytest.raises(ConflictError, match="transition_illegal"):
        states.refuse(reward(State.HELD, attempt=attempt()), "fraud")
    withdrawn = states.withdraw(reward(State.HELD, reason="recalled", attempt=attempt()))
    assert states.refuse(withdrawn, "fraud").state is State.RELEASED
    for state in (State.PENDING, State.SUBMITTING, State.PAID):
        with pytest.raises(ConflictError, match="transition_illegal"):
            states.refuse(reward(state), "fraud")


def test_waiting_longer_stays_between_a_minute_and_six_hours() -> None:
    young = states.wait_longer(reward(State.HELD, reason="awaiting_shipment"), NOW)
    old = states.wait_longer(reward(State.HELD, reason="awaiting_shipment"), NOW + 100 * 24 * HOUR)
    assert young.due_at_ms == NOW + 60_000
    assert old.due_at_ms == NOW + 100 * 24 * HOUR + 6 * HOUR
    assert young.reason == "awaiting_shipment"
