"""Reward ids and bill numbers: derived, distinct, and the bill leads back to its reward."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.catalog import Role
from uncap.domain.errors import NotFoundError
from uncap.domain.rewards import ids
from uncap.domain.scans import CodeRef

REF = CodeRef(7, 3, Role.CAP_INNER)
REWARD = ids.reward_id(REF, "spring", 1, "consumer")


@given(st.integers(1, ids.MAX_ATTEMPTS))
def test_a_bill_leads_back_to_its_reward(attempt: int) -> None:
    bill = ids.bill_no(REWARD, attempt)
    assert len(bill) == 32
    assert bill.isalnum()
    assert ids.of_bill(bill) == (REWARD, attempt)


@pytest.mark.parametrize("bill", ["", "x", REWARD, REWARD + "00000x", REWARD.lower() + "000001", REWARD + "0000010"])
def test_other_peoples_bills_are_not_ours(bill: str) -> None:
    with pytest.raises(NotFoundError, match="bill_unknown"):
        ids.of_bill(bill)


def test_what_makes_a_reward_another_one() -> None:
    others = {
        ids.reward_id(CodeRef(7, 3, Role.CASE_INNER), "spring", 1, "consumer"),
        ids.reward_id(CodeRef(7, 4, Role.CAP_INNER), "spring", 1, "consumer"),
        ids.reward_id(REF, "autumn", 1, "consumer"),
        ids.reward_id(REF, "spring", 2, "consumer"),
        ids.reward_id(REF, "spring", 1, "outlet"),
    }
    assert len(others | {REWARD}) == 6


@pytest.mark.parametrize("attempt", [0, -1, ids.MAX_ATTEMPTS + 1])
def test_attempts_have_bounds(attempt: int) -> None:
    with pytest.raises(ValueError, match="attempts run"):
        ids.bill_no(REWARD, attempt)
