"""Pay-N rights: granted with their fee, redeemed once, ended in time, refused where they must be; books balance."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.rewards.test_granting import BATCH, CAMPAIGN, CLAIM, NOW, REF, RELEASE, SHIPPED
from uncap.domain.campaigns.pay_n import amount_text, pay_n_fault, terms_not_worse
from uncap.domain.campaigns.reference import PayN, Place
from uncap.domain.catalog import Campaign, LaidPrize, PoolShare, Prize
from uncap.domain.errors import ConflictError, ForbiddenError, InputError
from uncap.domain.ledger import balances, totals_by_currency
from uncap.domain.rewards import states
from uncap.domain.rewards.face_values import face_value
from uncap.domain.rewards.granting import Ground, rewards_of
from uncap.domain.rewards.reward import Redemption, Reward, State
from uncap.domain.rewards.rights import (
    check_outlet,
    check_person,
    check_redeemable,
    code_of,
    lookup_key,
    receipt_of,
)
from uncap.domain.rewards.states import Step, next_step

DAY = 86_400_000
GTIN = "06901234567892"
TERMS = PayN(GTIN, 100, NOW + 60 * DAY, fee_minor=20)
RIGHT = Prize("one-more", "pay_n", 1, {"zh-CN": "加1元再来一瓶", "en": "Add ¥1 for one more"}, pay_n=TERMS)
WITH_RIGHT: Campaign = msgspec.structs.replace(CAMPAIGN, prizes=(RIGHT,), pool=(PoolShare("one-more", 1, 2),))
PLACE = Place("510100", "d-1", "o-9")


def right(place: Place | None = PLACE, **changes: object) -> Reward:
    campaign = msgspec.structs.replace(WITH_RIGHT, effects=CAMPAIGN.effects[:1])
    ground = Ground(BATCH, RELEASE, campaign, "one-more", SHIPPED, place=place)
    (reward,) = rewards_of(REF, CLAIM, ground)
    return msgspec.structs.replace(reward, **changes)


def redemption(at_ms: int = NOW + DAY, outlet: str = "o-1", key: str = "k1") -> Redemption:
    return Redemption(outlet, "p_staff", at_ms, key, "d-1")


def test_a_right_is_a_piece_and_a_fee_until_its_deadline() -> None:
    reward = right()
    assert (reward.kind, reward.amount_minor, reward.currency, reward.fee_minor, reward.fee_currency) == (
        "pay_n",
        1,
        "VCH",
        20,
        "CNY",
    )
    assert reward.claimable_until_ms == TERMS.redeem_until_ms
    assert balances([reward.granted]) == {
        "budget:rel-1:VCH": 1,
        "liability:consumer:VCH": -1,
        "budget:rel-1:CNY": 20,
        "liability:outlet:CNY": -20,
    }


def test_a_release_provides_for_pieces_and_fees() -> None:
    release = msgspec.structs.replace(RELEASE, prize_table=(LaidPrize("one-more", 4),))
    assert face_value(release, msgspec.structs.replace(WITH_RIGHT, effects=CAMPAIGN.effects[:1])) == {
        "VCH": 4,
        "CNY": 80,
    }


def test_the_worker_issues_a_right_and_never_sends_it_to_a_rail() -> None:
    reward = right()
    assert next_step(reward, NOW) is Step.ISSUE
    issued = states.issue(reward)
    assert (issued.state, issued.due_at_ms, issued.rev) == (State.CLAIMABLE, TERMS.redeem_until_ms, 2)
    assert next_step(issued, NOW) is Step.NOTHING
    with pytest.raises(ConflictError, match="transition_illegal"):
        states.issue(issued)


@given(st.sampled_from(["redeem", "expire", "refuse"]), st.integers(0, 500), st.integers(0, 10_000))
def test_whatever_becomes_of_it_the_books_balance_and_nothing_is_owed(end: str, fee: int, after: int) -> None:
    terms = msgspec.structs.replace(TERMS, fee_minor=fee)
    campaign = msgspec.structs.replace(
        WITH_RIGHT, prizes=(msgspec.structs.replace(RIGHT, pay_n=terms),), effects=CAMPAIGN.effects[:1]
    )
    (reward,) = rewards_of(REF, CLAIM, Ground(BATCH, RELEASE, campaign, "one-more", SHIPPED))
    issued = states.issue(reward)
    ended = {
        "redeem": lambda: states.redeem(issued, redemption()),
        "expire": lambda: states.expire(issued, issued.claimable_until_ms + after),
        "refuse": lambda: states.refuse(issued, "abuse"),
    }[end]()
    sums = balances([ended.granted, ended.settled])
    assert not any(totals_by_currency(sums).values())
    assert not any(amount for name, amount in sums.items() if name.startswith("liability:"))
    if end == "redeem":
        assert sums["voucher:o-1:VCH"] == -1
        assert sums.get("credit:o-1:CNY", 0) == -fee
    else:
        assert sums["breakage:spring:VCH"] == -1


def test_it_is_redeemed_once_and_in_time() -> None:
    issued = states.issue(right())
    done = states.redeem(issued, redemption())
    assert (done.state, done.paid_at_ms, done.due_at_ms, done.is_final) == (State.PAID, NOW + DAY, 0, True)
    for again in (done, right()):
        with pytest.raises(ConflictError, match="transition_illegal"):
            states.redeem(again, redemption())
    with pytest.raises(ConflictError, match="deadline"):
        states.redeem(issued, redemption(TERMS.redeem_until_ms))


def test_only_the_same_request_is_answered_twice() -> None:
    done = states.redeem(states.issue(right()), redemption())
    assert receipt_of(done, "o-1", "k1") == redemption()
    assert receipt_of(done, "o-1", "k2") is None
    assert receipt_of(done, "o-2", "k1") is None
    assert receipt_of(right(), "o-1", "k1") is None


@pytest.mark.parametrize(
    ("changes", "now_ms", "code"),
    [
        ({"state": State.PAID}, NOW, "redemption_used"),
        ({"state": State.RELEASED}, NOW, "redemption_expired"),
        ({"state": State.CLAIMABLE}, TERMS.redeem_until_ms, "redemption_expired"),
        ({"state": State.HELD}, NOW, "redemption_held"),
        ({"state": State.PENDING}, NOW, "redemption_not_ready"),
        ({"state": State.CLAIMABLE, "kind": "cash"}, NOW, "redemption_not_ready"),
    ],
)
def test_what_cannot_be_redeemed(changes: dict[str, object], now_ms: int, code: str) -> None:
    with pytest.raises(ConflictError) as refused:
        check_redeemable(right(**changes), now_ms)  # type: ignore[arg-type]
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("where", "goods", "outlet", "code"),
    [
        ("region", PLACE, Place("510100", "d-1", "o-1"), ""),
        ("region", PLACE, Place("510104", "d-2", "o-1"), ""),  # a district of the goods' city
        ("region", PLACE, Place("510000", "d-2", "o-1"), ""),  # the province the city lies in
        ("region", PLACE, Place("440100", "d-2", "o-1"), "redemption_out_of_region"),
        ("region", PLACE, Place("", "d-2", "o-1"), "redemption_out_of_region"),
        ("region", Place("", "d-1"), Place("440100", "d-2", "o-1"), "redemption_out_of_region"),
        ("region", Place("", "d-1"), Place("440100", "d-1", "o-1"), ""),
        ("region", None, Place("440100", "d-2", "o-1"), ""),
        ("distributor", PLACE, Place("510100", "d-2", "o-1"), "redemption_out_of_region"),
        ("anywhere", PLACE, Place("440100", "d-2", "o-1"), ""),
        ("anywhere", PLACE, Place("510100", "d-1", "o-bad"), "redemption_outlet_excluded"),
    ],
)
def test_which_outlets(where: str, goods: Place | None, outlet: Place, code: str) -> None:
    terms = msgspec.structs.replace(TERMS, where=where, excluded_outlets=("o-bad",))
    if not code:
        return check_outlet(terms, goods, outlet)
    with pytest.raises(ForbiddenError) as refused:
        check_outlet(terms, goods, outlet)
    assert refused.value.code == code
    return None


@pytest.mark.parametrize(("redeemer", "works_for"), [("p_1", ""), ("p_staff", "o-1")])
def test_nobody_redeems_for_themselves_or_a_colleague(redeemer: str, works_for: str) -> None:
    with pytest.raises(ForbiddenError, match="redemption_own_right"):
        check_person(right(), redeemer, works_for, "o-1")
    check_person(right(), "p_staff", "o-2", "o-1")


def test_a_code_is_stable_typed_loosely_and_says_nothing() -> None:
    code = code_of(b"k" * 32, "A" * 26)
    assert code == code_of(b"k" * 32, "A" * 26)
    assert len(code) == 14
    assert code != code_of(b"j" * 32, "A" * 26)
    sloppy = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert lookup_key(sloppy) == lookup_key(code)
    assert code.replace("-", "") not in lookup_key(code)


@pytest.mark.parametrize("text", ["", "ABCD", "ABCD-EFGH-JKMU", "ABCD-EFGH-JKM", "一二三四五六七八九十十十"])
def test_codes_that_cannot_be(text: str) -> None:
    with pytest.raises(InputError, match="redemption_code_malformed"):
        lookup_key(text)


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"pay_n": None}, "only with it"),
        ({"kind": "cash"}, "only with it"),
        ({"amount_minor": 2}, "1 piece"),
        ({"tax_class": "incidental"}, "not taxed"),
        ({"name": {"en": "Add ¥1 for one more", "zh-CN": "加价再来一瓶"}}, "what is to be added"),
        ({"pay_n": msgspec.structs.replace(TERMS, add_minor=0)}, "added"),
        ({"pay_n": msgspec.structs.replace(TERMS, redeem_until_ms=NOW)}, "until claims end"),
        ({"pay_n": msgspec.structs.replace(TERMS, redeem_until_ms=NOW + 400 * DAY)}, "for a year"),
    ],
)
def test_terms_that_contradict_the_law_or_themselves(changes: dict[str, object], about: str) -> None:
    assert about in pay_n_fault(msgspec.structs.replace(RIGHT, **changes), WITH_RIGHT)
    assert pay_n_fault(RIGHT, WITH_RIGHT) == ""


@pytest.mark.parametrize(
    ("changes", "fair"),
    [
        ({}, True),
        ({"add_minor": 50}, True),
        ({"add_minor": 150}, False),
        ({"fee_minor": 10}, False),
        ({"redeem_until_ms": NOW}, False),
        ({"where": "anywhere"}, True),
        ({"where": "distributor"}, False),
        ({"excluded_outlets": ("o-1",)}, False),
        ({"gtin": "00000000000017"}, False),
        ({"per_day": 1}, False),
    ],
)
def test_a_started_campaign_only_gets_better(changes: dict[str, object], fair: bool) -> None:
    assert terms_not_worse(TERMS, msgspec.structs.replace(TERMS, **changes)) is fair


def test_amounts_as_names_say_them() -> None:
    assert [amount_text(one) for one in (100, 150, 99, 1000, 5)] == ["1", "1.5", "0.99", "10", "0.05"]
