"""Every state and error code of the transfer API reads as the outcome the payout protocol needs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.adapters.rails.wechat_answers import ERRORS, BillDocument, outcome_of_bill, outcome_of_error, time_ms
from uncap.adapters.rails.wechat_http import Reply
from uncap.domain.rails import Accepted, FailedFinal, NeedUser, NotAccepted, NotFound, Paid, Unknown, UserAction


def error(status: int, code: str) -> Reply:
    return Reply(status=status, body=json.dumps({"code": code, "message": "m"}).encode(), problem="rail_unsigned")


def bill(state: str, **more: str) -> BillDocument:
    return BillDocument(out_bill_no="B", transfer_bill_no="W", state=state, transfer_amount=10, openid="o", **more)


@pytest.mark.parametrize("state", ["ACCEPTED", "PROCESSING", "TRANSFERING", "CANCELING"])
def test_a_bill_under_way_is_accepted(state: str) -> None:
    assert outcome_of_bill(bill(state)) == Accepted(rail_id="W", state=state)


def test_a_waiting_bill_needs_the_person() -> None:
    waiting = bill("WAIT_USER_CONFIRM", package_info="p", create_time="2025-03-21T10:00:00+08:00")
    expires_at_ms = time_ms("2025-03-22T10:00:00+08:00")
    action = UserAction(kind="wechat_confirm", package="p", expires_at_ms=expires_at_ms)
    assert outcome_of_bill(waiting) == NeedUser(rail_id="W", action=action)
    assert outcome_of_bill(bill("WAIT_USER_CONFIRM")) == NeedUser(rail_id="W", action=None)


def test_success_is_paid_with_the_rails_amount() -> None:
    paid = outcome_of_bill(bill("SUCCESS", update_time="1970-01-01T08:00:01+08:00"))
    assert paid == Paid(rail_id="W", paid_at_ms=1000, amount_minor=10)


def test_success_without_a_rail_id_is_not_believed() -> None:
    assert outcome_of_bill(BillDocument(out_bill_no="B", state="SUCCESS")) == Unknown(reason="state_success", hold=True)


@pytest.mark.parametrize(
    ("state", "fail_reason", "reason"),
    [
        ("FAIL", "OVERDUE_CLOSE", "expired"),
        ("FAIL", "MCH_CANCEL", "cancelled"),
        ("FAIL", "ACCOUNT_FROZEN", "account_frozen"),
        ("FAIL", "", "no_reason_given"),
        ("FAIL", "openid oABC is frozen", "no_reason_given"),
        ("CANCELLED", "", "cancelled"),
    ],
)
def test_only_the_rails_own_final_no_is_final(state: str, fail_reason: str, reason: str) -> None:
    assert outcome_of_bill(bill(state, fail_reason=fail_reason)) == FailedFinal(reason=reason, rail_id="W")


@given(state=st.text(max_size=30))
def test_an_unheard_of_state_holds(state: str) -> None:
    outcome = outcome_of_bill(bill("X" + state))
    assert isinstance(outcome, Unknown)
    assert outcome.hold


@pytest.mark.parametrize(
    ("status", "code", "kind", "hold"),
    [
        (403, "NOT_ENOUGH", NotAccepted, False),
        (429, "FREQUENCY_LIMITED", NotAccepted, False),
        (429, "FREQUENCY_LIMIT_EXCEED", NotAccepted, False),
        (429, "RATELIMIT_EXCEEDED", NotAccepted, False),
        (401, "SIGN_ERROR", NotAccepted, False),
        (400, "PARAM_ERROR", NotAccepted, True),
        (400, "INVALID_REQUEST", NotAccepted, True),
        (403, "NO_AUTH", NotAccepted, True),
        (500, "SYSTEM_ERROR", Unknown, False),
        (400, "SOMETHING_NEW", Unknown, True),
        (500, "SOMETHING_NEW", Unknown, True),
        (400, "NOT_FOUND", Unknown, True),
    ],
)
def test_error_codes(status: int, code: str, kind: type[NotAccepted | Unknown], hold: bool) -> None:
    outcome = outcome_of_error(error(status, code))
    assert isinstance(outcome, kind)
    assert outcome.hold is hold


def test_what_may_be_sent_again_says_when() -> None:
    for outcome in ERRORS.values():
        if isinstance(outcome, NotAccepted) and not outcome.hold:
            assert outcome.retry_after_ms > 0


def test_not_found_is_not_found() -> None:
    assert outcome_of_error(error(404, "NOT_FOUND")) == NotFound()


@given(status=st.integers(300, 599), body=st.binary(max_size=200))
def test_no_reply_other_than_200_ever_frees_the_bill_number(status: int, body: bytes) -> None:
    outcome = outcome_of_error(Reply(status=status, body=body, problem=""))
    assert isinstance(outcome, NotAccepted | Unknown | NotFound)


@pytest.mark.parametrize(("status", "hold"), [(502, False), (504, False), (404, True), (302, True)])
def test_a_reply_without_a_code_is_unknown(status: int, hold: bool) -> None:
    reply = Reply(status=status, body=b"<html>", problem="rail_unsigned")
    assert outcome_of_error(reply) == Unknown(reason=f"http_{status}", hold=hold)


def test_a_bare_429_is_a_rate_limit() -> None:
    assert outcome_of_error(Reply(status=429, body=b"", problem="")) == NotAccepted("rate_limited", 1_000)


@pytest.mark.parametrize("text", ["", "soon", "2025-03-21T10:00:00"])
def test_a_time_that_is_none_is_zero(text: str) -> None:
    assert time_ms(text) == 0


def test_a_bill_does_not_print_its_payee() -> None:
    assert "openid" not in repr(bill("SUCCESS"))
