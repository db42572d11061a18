"""What a rail's word about one attempt does to a reward: defined for every state and every outcome. Pure.

Called by the payout worker (answers to submit), the callback and the sweeper (answers to query and cancel). The rules
are those of docs/rewards.md: only the rail's own final failure ends an attempt, final states absorb, money that moved
twice or late freezes the reward and opens a case.
"""

from typing import Any

import msgspec

from uncap.domain import ledger
from uncap.domain.errors import ConflictError
from uncap.domain.ledger import Posting
from uncap.domain.rails import (
    CANCELLED,
    EXPIRED,
    Accepted,
    FailedFinal,
    NeedUser,
    NotAccepted,
    NotFound,
    Paid,
    RailOutcome,
    Unknown,
)
from uncap.domain.rewards import ids
from uncap.domain.rewards.accruing import ACCRUAL
from uncap.domain.rewards.reward import Attempt, Case, Reward, State
from uncap.domain.rewards.states import (
    AMOUNT_DIFFERS,
    LATE_SUCCESS,
    LONGEST_WAIT_MS,
    PAID_WORD,
    key_expired,
    moved,
    release,
    wait_ms,
)

COME_BACK = frozenset(
    {
        EXPIRED,
        CANCELLED,
        "transfer_quota_exceed",
        "day_received_quota_exceed",
        "month_received_quota_exceed",
        "day_received_count_exceed",
        "realname_account_received_quota_exceed",
        "block_b2c_userlimitamount_month",
        "block_b2c_userlimitamount_bsrule_month",
    }
)
"""Final failures of an attempt after which the same person may be paid another time."""

NOT_THIS_PERSON = frozenset(
    {
        "account_frozen",
        "account_not_exist",
        "real_name_check_fail",
        "name_not_correct",
        "id_card_not_correct",
        "openid_invalid",
        "payee_account_abnormal",
        "receive_account_not_permmit",  # spelt so by the rail (4013774966)
    }
)
"""Final failures that lie with the payee's account; until the deadline someone may still decide otherwise."""


class Change(msgspec.Struct, frozen=True):
    """What follows: the reward (the very same object if nothing changes), a case to open, a bill to cancel."""

    reward: Reward
    case: Case | None = None
    cancel_bill: str = ""


def apply_outcome(
    reward: Reward, attempt_no: int, outcome: RailOutcome, now_ms: int, *, submitted: bool = False
) -> Change:
    """The reward after this outcome. `submitted`: the outcome answers a submit, not a query.

    ConflictError (`attempt_unknown`) for an attempt that was never written: then it was never sent by us either.
    """
    attempt = reward.attempt
    if attempt is None or not 1 <= attempt_no <= attempt.no:
        raise ConflictError("attempt_unknown", f"reward {reward.reward_id} has no attempt {attempt_no}")
    if isinstance(outcome, Paid):
        return _paid(reward, attempt, attempt_no, outcome, now_ms)
    if attempt_no < attempt.no or not attempt.is_open:
        return Change(reward)
    if isinstance(outcome, FailedFinal):
        return Change(_failed(reward, attempt, outcome, now_ms))
    if reward.state is State.HELD:
        return Change(_still_held(reward, attempt, now_ms))
    return Change(_undecided(reward, attempt, outcome, now_ms, submitted))


def _paid(reward: Reward, attempt: Attempt, attempt_no: int, outcome: Paid, now_ms: int) -> Change:
    newest = attempt_no == attempt.no
    if newest and attempt.closed == PAID_WORD:
        return Change(reward)
    if outcome.amount_minor not in (None, reward.net_minor):
        return _wrong_amount(reward, attempt, attempt_no, outcome, now_ms)
    if reward.settled:
        return _paid_again(reward, attempt, attempt_no, now_ms)
    entry = _settlement(reward, attempt)
    paid_at = outcome.paid_at_ms or now_ms
    closed = _closed(attempt, PAID_WORD, outcome.rail_id)
    if newest and attempt.is_open:
        return Change(moved(reward, state=State.PAID, attempt=closed, action=None, paid_at_ms=paid_at, settled=entry))
    # The rail had said no to this attempt, and money moved all the same: freeze, stop what may still pay, tell someone.
    frozen = moved(
        reward,
        state=State.HELD,
        reason=LATE_SUCCESS,
        attempt=closed if newest else attempt,
        action=None,
        paid_at_ms=paid_at,
        settled=entry,
        due_at_ms=0 if newest or not attempt.is_open else now_ms,
    )
    open_bill = "" if newest or not attempt.is_open else ids.bill_no(reward.reward_id, attempt.no)
    return Change(frozen, _case("late_success", reward, attempt_no, now_ms), open_bill)


def _settlement(reward: Reward, attempt: Attempt) -> tuple[Posting, ...]:
    amounts = reward.currency, reward.amount_minor, reward.withheld_minor
    if reward.kind == ACCRUAL:
        return ledger.accrued(reward.beneficiary, reward.party, *amounts)
    return ledger.paid(reward.beneficiary, attempt.rail, *amounts)


def _paid_again(reward: Reward, attempt: Attempt, attempt_no: int, now_ms: int) -> Change:
    """The ledger has its settlement already; a second one goes to a human, never into the same entry."""
    kind = "paid_after_release" if reward.state is State.RELEASED else "paid_twice"
    if attempt_no < attempt.no and reward.reason == LATE_SUCCESS:
        kind = "late_success"  # the same word again, or a third bill; the case's id tells them apart
    case = _case(kind, reward, attempt_no, now_ms)
    if attempt_no == attempt.no and attempt.is_open:
        closed = _closed(attempt, PAID_WORD)
        return Change(moved(reward, reason=reward.reason, attempt=closed), case)
    return Change(reward, case)


def _wrong_amount(reward: Reward, attempt: Attempt, attempt_no: int, outcome: Paid, now_ms: int) -> Change:
    case = _case(AMOUNT_DIFFERS, reward, attempt_no, now_ms, f"the rail says {outcome.amount_minor}")
    if reward.settled or attempt_no < attempt.no or attempt.closed == AMOUNT_DIFFERS:
        return Change(reward, case)
    closed = _closed(attempt, AMOUNT_DIFFERS, outcome.rail_id)
    return Change(moved(reward, state=State.HELD, reason=AMOUNT_DIFFERS, attempt=closed, action=None), case)


def _failed(reward: Reward, attempt: Attempt, outcome: FailedFinal, now_ms: int) -> Reward:
    closed = _closed(attempt, outcome.reason, outcome.rail_id)
    if reward.state is State.HELD:
        return moved(reward, reason=reward.reason, attempt=closed)
    deadline = reward.claimable_until_ms
    if outcome.reason in COME_BACK:
        ended = msgspec.structs.replace(reward, attempt=closed)
        if now_ms >= deadline:
            return release(ended, "deadline_passed")
        return moved(ended, state=State.CLAIMABLE, reason=outcome.reason, action=None, due_at_ms=deadline)
    if outcome.reason in NOT_THIS_PERSON:
        due = max(deadline, now_ms)
        return moved(reward, state=State.FAILED, reason=outcome.reason, attempt=closed, action=None, due_at_ms=due)
    return moved(reward, state=State.HELD, reason=f"rail_{outcome.reason}", attempt=closed, action=None)


def _still_held(reward: Reward, attempt: Attempt, now_ms: int) -> Reward:
    """A human has it. The open bill is asked about less and less often, and no more once the rail forgets it."""
    if not reward.due_at_ms:
        return reward
    tried = msgspec.structs.replace(attempt, tries=attempt.tries + 1)
    due = 0 if key_expired(reward, now_ms) else now_ms + wait_ms(reward.reward_id, tried.tries)
    return moved(reward, reason=reward.reason, attempt=tried, due_at_ms=due)


def _undecided(reward: Reward, attempt: Attempt, outcome: RailOutcome, now_ms: int, submitted: bool) -> Reward:
    tried = msgspec.structs.replace(attempt, tries=attempt.tries + 1)
    due = now_ms + wait_ms(reward.reward_id, attempt.tries)
    if isinstance(outcome, Accepted):
        tried = msgspec.structs.replace(tried, rail_id=outcome.rail_id or attempt.rail_id)
        look = _next_look_ms(reward, attempt, now_ms, submitted)
        return moved(reward, state=State.ACCEPTED, attempt=tried, due_at_ms=look)
    if isinstance(outcome, NeedUser):
        return _wait_for_person(reward, tried, outcome, submitted, now_ms)
    if isinstance(outcome, NotFound):
        if key_expired(reward, now_ms):
            return moved(reward, state=State.HELD, reason="outside_rail_window", attempt=tried)
        return moved(reward, state=State.SUBMITTING, attempt=tried, due_at_ms=due)
    if isinstance(outcome, NotAccepted | Unknown) and outcome.hold:
        return moved(reward, state=State.HELD, reason=f"rail_{outcome.reason}", attempt=tried, due_at_ms=due)
    if isinstance(outcome, NotAccepted):
        due = max(due, now_ms + outcome.retry_after_ms)
    return moved(reward, reason=reward.reason, attempt=tried, due_at_ms=due)


def _wait_for_person(reward: Reward, tried: Attempt, outcome: NeedUser, submitted: bool, now_ms: int) -> Reward:
    look = _next_look_ms(reward, tried, now_ms, submitted)
    tried = msgspec.structs.replace(tried, rail_id=outcome.rail_id or tried.rail_id)
    action = outcome.action or reward.action
    if action is None and not submitted and not key_expired(reward, now_ms):
        # The reply with the person's link was lost, and a query does not repeat it; sending the same bill does.
        return moved(reward, state=State.SUBMITTING, attempt=tried, due_at_ms=now_ms)
    return moved(reward, state=State.WAIT_USER, attempt=tried, action=action, due_at_ms=look)


def _next_look_ms(reward: Reward, attempt: Attempt, now_ms: int, submitted: bool) -> int:
    """0 right after the submit: the worker's message looks first. Then after as long again as it has waited."""
    if submitted:
        return 0
    age_ms = max(0, now_ms - attempt.at_ms)
    return now_ms + max(wait_ms(reward.reward_id, 0), min(age_ms, LONGEST_WAIT_MS))


def _closed(attempt: Attempt, word: str, rail_id: str = "") -> Attempt:
    changes: dict[str, Any] = {"closed": word, "rail_id": rail_id or attempt.rail_id}
    return msgspec.structs.replace(attempt, **changes)


def _case(kind: str, reward: Reward, attempt_no: int, now_ms: int, detail: str = "") -> Case:
    bill = ids.bill_no(reward.reward_id, attempt_no)
    return Case(f"{kind}-{bill}", kind, now_ms, reward_id=reward.reward_id, bill_no=bill, detail=detail)
