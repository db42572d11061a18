"""Redeeming and replenishing: once whatever is repeated or crashes, refused by stable codes, settled down to zero."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kits.replenish_kit import TERMS, WITH_RIGHT, Market
from tests.kits.scan_kit import DAY_MS, GTIN
from uncap.domain.campaigns.reference import Place
from uncap.domain.errors import ConflictError, ForbiddenError, InputError, TransientError, UncapError
from uncap.domain.ledger import totals_by_currency
from uncap.domain.memberships import Membership
from uncap.domain.replenishment import BRAND, Claim, Line, Step, above, settlement
from uncap.services.redeem_right import Receipt, Wanted, redeem_right
from uncap.services.replenish import Act, decide_claim, decide_for_party


@pytest.fixture
def market() -> Market:
    return Market()


def redeem(market: Market, code: str, key: str = "k1", outlet: str = "o-1", person: str = "p_staff") -> Receipt:
    return redeem_right(market.desk, market.member(outlet, person), Wanted(code, key), market.now_ms)


def refused(market: Market, code: str, expected: str, **how: str) -> None:
    before = dict(market.store.rewards), dict(market.store.claims)
    with pytest.raises(UncapError) as caught:
        redeem(market, code, **how)
    assert caught.value.code == expected
    assert before == (market.store.rewards, market.store.claims)


def test_a_redemption_credits_the_outlet_and_claims_upstream(market: Market) -> None:
    receipt = redeem(market, market.win())
    assert (receipt.collect_minor, receipt.pieces, receipt.fee_minor, receipt.currency) == (100, 1, 20, "CNY")
    assert receipt.upstream == "s-1"  # the salesperson in between replenishes nobody
    balance = market.store.balance()
    assert (balance["voucher:o-1:VCH"], balance["credit:o-1:CNY"]) == (-1, -20)
    claim = market.store.claims["o-1", "s-1"]
    assert claim.lines == (Line(GTIN, raised=1),)
    assert (claim.open, claim.line(GTIN).state) == (1, "raised")


def test_a_retry_gets_the_same_receipt_and_anybody_else_a_refusal(market: Market) -> None:
    code = market.win()
    receipt = redeem(market, code)
    market.now_ms += 5_000
    assert redeem(market, code) == receipt
    refused(market, code, "redemption_used", key="k2")
    refused(market, code, "redemption_used", outlet="o-2")
    assert market.store.claims["o-1", "s-1"].open == 1


def test_who_is_refused(market: Market) -> None:
    code = market.win()
    refused(market, code, "redemption_own_right", person="p_ann")
    refused(market, code, "redemption_outlet_excluded", outlet="o-bad")
    refused(market, code, "redemption_out_of_region", outlet="o-far")
    refused(market, code, "intent_not_allowed", outlet="d-1")
    refused(market, "ZZZZ-ZZZZ-ZZZZ", "redemption_code_unknown")
    refused(market, "nonsense", "redemption_code_malformed")
    market.members["p_ann"] = Membership("p_ann", "o-1", "outlet_staff", "i1", 0)
    refused(market, code, "redemption_own_right")
    market.members["p_ann"] = Membership("p_ann", "o-1", "outlet_staff", "i1", 0, revoked_at_ms=1)
    redeem(market, code)


def test_another_campaign_a_stop_and_the_deadline(market: Market) -> None:
    code = market.win()
    with pytest.raises(ConflictError, match="redemption_other_campaign"):
        redeem_right(market.desk, market.member(), Wanted(code, "k1", "summer"), market.now_ms)
    market.brakes.why = "recalled"
    refused(market, code, "redemption_stopped")
    market.brakes.why = ""
    market.now_ms = TERMS.redeem_until_ms
    refused(market, code, "redemption_expired")
    market.now_ms -= 1
    redeem(market, code)


def test_an_exclusion_that_was_lifted_holds_nobody_back(market: Market) -> None:
    code = market.win()
    lifted = msgspec.structs.replace(WITH_RIGHT.prizes[0], pay_n=msgspec.structs.replace(TERMS, excluded_outlets=()))
    market.campaign = msgspec.structs.replace(WITH_RIGHT, prizes=(lifted,))
    assert redeem(market, code, outlet="o-bad").upstream == "d-1"


def test_goods_of_an_unknown_place_are_redeemed_anywhere(market: Market) -> None:
    assert redeem(market, market.win(place=Place()), outlet="o-far").upstream == "d-2"


def test_one_person_at_one_outlet_and_one_guesser(market: Market) -> None:
    for at in range(3):
        redeem(market, market.win(), key=f"k{at}")
    last = market.win()
    refused(market, last, "redemption_person_limit")
    redeem(market, last, outlet="o-2")
    for at in range(20):
        refused(market, f"0000-0000-{at:04d}", "redemption_code_unknown", person="p_guesser")
    refused(market, "0000-0000-9999", "redemption_tries", person="p_guesser")
    # Neither can a guesser go on with a right code, nor does anybody else suffer.
    refused(market, market.win("p_bob"), "redemption_tries", person="p_guesser")
    redeem(market, market.win("p_bob"))
    market.now_ms += DAY_MS
    redeem(market, market.win("p_bob"), person="p_guesser")


def act(kind: str, pieces: int = 1, key: str = "a1", **more: object) -> Act:
    return msgspec.convert({"kind": kind, "gtin": GTIN, "pieces": pieces, "key": key} | more, Act)


def test_a_claim_goes_up_to_the_brand_and_down_to_zero(market: Market) -> None:
    redeem(market, market.win())
    redeem(market, market.win(), key="k2")
    for claimant, upstream in (("o-1", "s-1"), ("s-1", "d-1"), ("d-1", "brand")):
        decide_claim(market.replenish, claimant, upstream, act("approve", 2), "p_x", market.now_ms)
        first = decide_claim(
            market.replenish, claimant, upstream, act("goods", 1, "g1", reference="sh-1"), "p_x", market.now_ms
        )
        assert first.open == 1
        rest = act("credit", 1, "c1", reference="cn-1", amount_minor=450)
        assert decide_claim(market.replenish, claimant, upstream, rest, "p_x", market.now_ms).open == 0
    balance = market.store.balance()
    assert [amount for name, amount in balance.items() if name.startswith("voucher:")] == [0, 0, 0]
    assert balance["clearing:replenishment:VCH"] + balance["clearing:credit_note:VCH"] == -2
    assert (balance["credit:d-1:CNY"], balance["credit:o-1:CNY"]) == (-450, -40)
    assert not any(totals_by_currency(balance).values())


def test_steps_that_are_refused(market: Market) -> None:
    redeem(market, market.win())
    desk, now = market.replenish, market.now_ms

    def code_of(claimant: str, upstream: str, one: Act) -> str:
        with pytest.raises(UncapError) as caught:
            decide_claim(desk, claimant, upstream, one, "p_x", now)
        return caught.value.code

    assert code_of("o-2", "d-1", act("approve")) == "claim_unknown"
    assert code_of("o-1", "s-1", act("approve", 2)) == "claim_not_raised"
    assert code_of("o-1", "s-1", act("goods", reference="sh-1")) == "claim_not_approved"
    assert code_of("o-1", "s-1", act("goods")) == "reference_missing"
    assert code_of("o-1", "s-1", act("credit", reference="cn-1")) == "amount_missing"
    decide_claim(desk, "o-1", "s-1", act("approve"), "p_x", now)
    assert code_of("o-1", "s-1", act("approve", 2)) == "step_differs"
    assert code_of("o-1", "s-1", act("approve", key="a2")) == "claim_not_raised"
    with pytest.raises(ForbiddenError):
        decide_for_party(desk, "brand", "p_x", "d-1", act("approve"), now)
    with pytest.raises(UncapError, match="claim_unknown"):
        decide_for_party(desk, "d-1", "p_x", "o-1", act("approve"), now)  # another party's claim


def test_who_is_above(market: Market) -> None:
    assert [above(market.parties.get, one) for one in ("o-1", "o-2", "o-3", "d-1", "nobody")] == [
        "s-1",
        "d-1",
        BRAND,
        "brand",
        BRAND,
    ]


def test_a_settlement_between_two_parties_moves_the_debt() -> None:
    step = Step("x", "o-1", "d-1", GTIN, "credit", 3, 0, "p", amount_minor=99, currency="CNY")
    assert {one.account: one.amount_minor for one in settlement(step, by_brand=False)} == {
        "voucher:o-1:VCH": 3,
        "voucher:d-1:VCH": -3,
    }


OUTLETS = ("o-1", "o-2", "o-3")
REDEEM = st.tuples(st.just("redeem"), st.integers(0, 5), st.sampled_from(OUTLETS), st.integers(0, 2))
PAIRS = (("o-1", "s-1"), ("o-2", "d-1"), ("o-3", BRAND), ("s-1", "d-1"), ("d-1", "brand"))
DECIDE = st.tuples(
    st.sampled_from(["approve", "goods", "credit"]), st.integers(0, 4), st.integers(1, 3), st.integers(0, 4)
)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.one_of(REDEEM, DECIDE), max_size=30), st.lists(st.integers(0, 5), max_size=80))
def test_any_history_keeps_the_books(history: list[tuple[str, int, object, int]], faults: list[int]) -> None:
    """Repeats, races lost and crashes before or after any write; then everything is settled down to exactly zero."""
    market = Market()
    codes = [market.win(f"p_{at}", Place()) for at in range(6)]
    crashes = iter(faults)
    market.store.fault = lambda: next(crashes, 1) == 0
    for what, one, other, last in history:
        try:
            if what == "redeem":
                redeem(market, codes[one], key=f"k{last}", outlet=str(other))
            else:
                assert isinstance(other, int)
                claimant, upstream = PAIRS[one]
                step = act(what, other, f"key{last}", reference="ref", amount_minor=5)
                decide_claim(market.replenish, claimant, upstream, step, "p_x", market.now_ms)
        except (ConflictError, InputError, TransientError):
            pass
        check_invariants(market)
    market.store.fault = lambda: False
    drain(market)
    check_invariants(market)
    assert not any(claim.open for claim in market.store.claims.values())
    assert not any(amount for name, amount in market.store.balance().items() if name.startswith("voucher:"))


def check_invariants(market: Market) -> None:
    store = market.store
    redeemed = [one for one in store.rewards.values() if one.redeemed is not None]
    raises = [one.reference for one in store.steps.values() if one.kind == "raise" and one.claimant in OUTLETS]
    assert sorted(raises) == sorted(one.reward_id for one in redeemed), "each right once, each with its claim"
    balance = store.balance()
    assert not any(totals_by_currency(balance).values())
    owed: dict[str, int] = {}
    for claim in store.claims.values():
        for line in claim.lines:
            assert 0 <= line.settled <= line.approved <= line.raised
        owed[claim.claimant] = owed.get(claim.claimant, 0) + claim.open
    for party, pieces in owed.items():
        assert balance.get(f"voucher:{party}:VCH", 0) == -pieces, "a party's vouchers are what it may still claim"
    credited = {claim.claimant: 0 for claim in store.claims.values()}
    for claim in store.claims.values():
        credited[claim.claimant] += claim.credited_minor
    assert all(balance.get(f"credit:{party}:CNY", 0) == -amount for party, amount in credited.items())
    assert sum(balance.get(f"credit:{one}:CNY", 0) for one in OUTLETS) == -20 * sum(
        one.redeemed is not None and one.redeemed.outlet in OUTLETS for one in redeemed
    )


def drain(market: Market) -> None:
    """Everybody upstream approves and replaces everything, from the outlets up."""
    for at, (claimant, upstream) in enumerate(PAIRS):
        claim = market.store.claims.get((claimant, upstream)) or Claim(claimant, upstream, 0)
        line = claim.line(GTIN)
        if wait := line.raised - line.approved:
            decide_claim(market.replenish, claimant, upstream, act("approve", wait, f"d{at}"), "p_x", market.now_ms)
        if line.open:
            goods = act("goods", line.open, f"e{at}", reference="sh-9")
            decide_claim(market.replenish, claimant, upstream, goods, "p_x", market.now_ms)
