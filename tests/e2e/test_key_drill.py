"""A stolen code key on the deployed stack: seconds after somebody says so, forged codes pay nothing."""

from tests.kits.key_drill import AFTER_THE_BOUND, BOUND_MS, drill
from tests.kits.market import Market


def test_forged_codes_pay_nothing_seconds_after_the_mark(market: Market) -> None:
    found = drill(market)
    assert found.paid, "before the mark they are paid, or this test would notice nothing"
    assert found.held >= AFTER_THE_BOUND, found
    assert not found.other, found
    assert max(found.last_paid_ms, found.last_claim_ms) <= BOUND_MS, found
    phone = market.phone()
    honest = market.claim(phone, market.next("points"))
    assert market.reward_when(phone, honest.rewards[0], "PAID"), "trusted again by two people, codes pay again"
