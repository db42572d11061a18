"""The rail's part: every state and outcome is defined, final states absorb, and no path pays twice."""

import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain.rewards.rewards import DEADLINE, NOW, attempt, reward, submitting
from uncap.domain.errors import ConflictError
from uncap.domain.rails import (
    Accepted,
    FailedFinal,
    NeedUser,
    NotAccepted,
    NotFound,
    Paid,
    RailOutcome,
    Unknown,
    UserAction,
)
from uncap.domain.rewards import ids, states
from uncap.domain.rewards.outcomes import apply_outcome
from uncap.domain.rewards.reward import FINAL, Reward, State

PAID = Paid(rail_id="r1", paid_at_ms=NOW + 5, amount_minor=188)
ACTION = UserAction(kind="wechat_confirm", package="x")
OUTCOMES: list[RailOutcome] = [
    Accepted(rail_id="r1"),
    NeedUser(action=ACTION),
    NeedUser(),
    PAID,
    Paid(rail_id="r1", amount_minor=189),
    FailedFinal(reason="expired"),
    FailedFinal(reason="account_frozen"),
    FailedFinal(reason="anything_else"),
    NotAccepted(reason="rate_limited", retry_after_ms=1_000),
    NotAccepted(reason="param_error", hold=True),
    NotFound(),
    Unknown(reason="rail_timeout"),
    Unknown(reason="code_odd", hold=True),
]
OPEN = (State.SUBMITTING, State.ACCEPTED, State.WAIT_USER, State.HELD)


def situations() -> list[Reward]:
    """Every state with every sort of newest attempt it can have."""
    paid = states.moved(submitting(), state=State.PAID, attempt=attempt(closed="paid"), settled=reward().granted)
    ended = (State.PENDING, State.CLAIMABLE, State.FAILED, State.HELD)
    closed = [reward(one, attempt=attempt(closed="expired")) for one in ended]
    released = states.expire(reward(State.CLAIMABLE, attempt=attempt(closed="expired")), DEADLINE)
    return [*(reward(one, attempt=attempt()) for one in OPEN), *closed, paid, released]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda one: type(one).__name__ + getattr(one, "reason", ""))
@pytest.mark.parametrize("before", situations(), ids=lambda one: f"{one.state}-{one.attempt.closed or 'open'}")
def test_every_pair_is_defined_and_safe(before: Reward, outcome: RailOutcome) -> None:
    change = apply_outcome(before, 1, outcome, NOW)
    after = change.reward
    if before.state in FINAL:
        assert after is before
    if before.settled:
        assert after.settled == before.settled
    if after is not before:
        assert after.rev == before.rev + 1
        assert after.granted == before.granted
    if not isinstance(outcome, FailedFinal | Paid):
        assert after.attempt is not None
        assert not after.attempt.closed or after is before, "only the rail's own final word ends an attempt"
    if after.state is State.PAID and before.state is not State.PAID:
        assert isinstance(outcome, Paid)
        assert after.settled


@pytest.mark.parametrize("state", OPEN)
def test_paid_settles_with_tax_withheld(state: State) -> None:
    taxed = reward(
        state, amount_minor=1_000, withheld_minor=200, attempt=attempt(amount_minor=800, rail="wechat_transfer")
    )
    after = apply_outcome(taxed, 1, Paid(rail_id="r1", amount_minor=800), NOW).reward
    assert after.state is State.PAID
    assert dict(msgspec.to_builtins(after.settled)) == {
        "liability:consumer:CNY": 1_000,
        "clearing:wechat_transfer:CNY": -800,
        "tax:withheld:CNY": -200,
    }


def test_another_amount_than_owed_is_held_and_never_paid_again() -> None:
    change = apply_outcome(submitting(), 1, Paid(rail_id="r1", amount_minor=1_880), NOW)
    assert (change.reward.state, change.reward.reason) == (State.HELD, "amount_differs")
    assert change.case is not None
    with pytest.raises(ConflictError):
        states.resume(change.reward, NOW)


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("expired", State.CLAIMABLE),
        ("cancelled", State.CLAIMABLE),
        ("day_received_quota_exceed", State.CLAIMABLE),
        ("account_frozen", State.FAILED),
        ("never_heard_of", State.HELD),
    ],
)
def test_what_a_final_failure_leads_to(reason: str, state: State) -> None:
    after = apply_outcome(submitting(), 1, FailedFinal(reason=reason), NOW).reward
    assert after.state is state
    assert after.attempt is not None
    assert after.attempt.closed == reason
    late = apply_outcome(submitting(), 1, FailedFinal(reason="expired"), DEADLINE).reward
    assert late.state is State.RELEASED


def test_a_lost_link_is_fetched_by_sending_the_same_bill() -> None:
    after = apply_outcome(reward(State.ACCEPTED, attempt=attempt()), 1, NeedUser(), NOW).reward
    assert (after.state, after.due_at_ms) == (State.SUBMITTING, NOW)
    answered = apply_outcome(submitting(), 1, NeedUser(), NOW, submitted=True).reward
    assert answered.state is State.WAIT_USER
    kept = apply_outcome(reward(State.WAIT_USER, attempt=attempt(), action=ACTION), 1, NeedUser(), NOW).reward
    assert kept.action == ACTION


def test_back_off_keeps_the_attempt_and_respects_the_rail() -> None:
    after = apply_outcome(submitting(), 1, NotAccepted(reason="not_enough", retry_after_ms=600_000), NOW).reward
    assert after.state is State.SUBMITTING
    assert after.due_at_ms == NOW + 600_000
    assert ids.bill_no(after.reward_id, 1) == ids.bill_no(submitting().reward_id, 1)


def test_a_key_older_than_the_rails_window_goes_to_a_human() -> None:
    old = reward(State.SUBMITTING, attempt=attempt(key_expires_at_ms=NOW))
    after = apply_outcome(old, 1, NotFound(), NOW).reward
    assert (after.state, after.reason, after.due_at_ms) == (State.HELD, "outside_rail_window", 0)


def test_news_of_an_older_attempt() -> None:
    second = reward(State.WAIT_USER, attempt=attempt(2))
    assert apply_outcome(second, 1, FailedFinal(reason="expired"), NOW).reward is second
    late = apply_outcome(second, 1, PAID, NOW)
    assert (late.reward.state, late.reward.reason) == (State.HELD, "late_success")
    assert late.reward.settled
    assert late.cancel_bill == ids.bill_no(second.reward_id, 2)
    assert late.case is not None
    # The same word again opens the same case and changes nothing.
    again = apply_outcome(late.reward, 1, PAID, NOW)
    assert again.reward is late.reward
    assert again.case is not None
    assert again.case.case_id == late.case.case_id
    # The cancelled newer attempt closes, a person acknowledges.
    closed = apply_outcome(late.reward, 2, FailedFinal(reason="cancelled"), NOW).reward
    assert states.acknowledge(closed).state is State.PAID
    # Had it been paid too, that is a case of its own and no second entry.
    twice = apply_outcome(late.reward, 2, PAID, NOW)
    assert twice.reward.settled == late.reward.settled
    assert twice.case is not None
    assert twice.case.kind == "paid_twice"


def test_a_rail_that_takes_back_its_no_is_frozen() -> None:
    change = apply_outcome(reward(State.CLAIMABLE, attempt=attempt(closed="expired")), 1, PAID, NOW)
    assert (change.reward.state, change.reward.reason) == (State.HELD, "late_success")
    released = states.expire(reward(State.CLAIMABLE, attempt=attempt(closed="expired")), DEADLINE)
    assert apply_outcome(released, 1, PAID, NOW).case is not None


@pytest.mark.parametrize("number", [0, 2, 7])
def test_an_attempt_nobody_wrote_is_refused(number: int) -> None:
    with pytest.raises(ConflictError, match="attempt_unknown"):
        apply_outcome(submitting(), number, PAID, NOW)
    with pytest.raises(ConflictError, match="attempt_unknown"):
        apply_outcome(reward(), 1, PAID, NOW)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(OUTCOMES), st.sampled_from(["begin", "resume", "expire"])), max_size=25))
def test_no_path_pays_twice(events: list[RailOutcome | str]) -> None:
    """Whatever the order of events: one settlement at most, never rewritten, and no attempt after money moved."""
    now, current, clock = NOW, reward(), itertools.count(1)
    settled: tuple[object, ...] = ()
    for event in events:
        now += 3_600_000 * next(clock)
        number = current.attempt.no if current.attempt else 0
        try:
            if event == "begin":
                following = states.begin_attempt(current, attempt(number + 1))
                assert not settled
            elif event == "resume":
                following = states.resume(current, now)
            elif event == "expire":
                following = states.expire(current, now)
            else:
                following = apply_outcome(current, number, event, now).reward  # type: ignore[arg-type]
        except ConflictError:
            continue
        assert following is current or following.rev == current.rev + 1
        assert current.state not in FINAL or following is current
        assert not settled or following.settled == settled
        current, settled = following, following.settled
