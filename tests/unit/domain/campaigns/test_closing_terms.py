"""What a campaign may say of the draw at its close, and how it may change once it has started."""

import msgspec
import pytest

from uncap.domain.campaigns.draw_rules import MAX_CLOSING, closing_fault, closing_not_worse
from uncap.domain.campaigns.draws import ClosingPrize, ClosingTerms

KINDS = {"car": "cash", "trip": "goods_voucher", "one-more": "pay_n"}
TERMS = ClosingTerms(9, (ClosingPrize("car", 1), ClosingPrize("trip", 10)), 1, 5, 30)


def changed(**fields: object) -> ClosingTerms:
    return msgspec.structs.replace(TERMS, **fields)


def test_good_terms_have_no_fault() -> None:
    assert closing_fault(TERMS, KINDS, {(1, "consumer"), (9, "outlet")}) == ""
    assert closing_fault(changed(per_person=0, runners_up=0), KINDS, set()) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        changed(prizes=()),
        changed(prizes=(ClosingPrize("dream", 1),)),
        changed(prizes=(ClosingPrize("car", 1), ClosingPrize("car", 1))),
        changed(prizes=(ClosingPrize("one-more", 1),)),
        changed(prizes=(ClosingPrize("car", 0),)),
        changed(prizes=(ClosingPrize("car", MAX_CLOSING), ClosingPrize("trip", 1))),
        changed(runners_up=MAX_CLOSING + 1),
        changed(runners_up=-1),
        changed(per_person=-1),
        changed(take_days=6),
        changed(take_days=367),
    ],
)
def test_terms_that_cannot_be_kept_are_named(wrong: ClosingTerms) -> None:
    assert closing_fault(wrong, KINDS, set())


def test_its_slot_is_its_own() -> None:
    assert "slot" in closing_fault(TERMS, KINDS, {(9, "consumer")})


@pytest.mark.parametrize(
    ("new", "fair"),
    [
        (TERMS, True),
        (changed(prizes=(*TERMS.prizes, ClosingPrize("more", 1))), True),
        (changed(prizes=(ClosingPrize("car", 2), ClosingPrize("trip", 10))), True),
        (changed(runners_up=6, take_days=60), True),
        (changed(prizes=TERMS.prizes[:1]), False),
        (changed(prizes=(ClosingPrize("car", 1), ClosingPrize("trip", 9))), False),
        (changed(runners_up=4), False),
        (changed(take_days=29), False),
        (changed(per_person=2), False),
        (changed(no=8), False),
        (None, False),
    ],
)
def test_a_started_campaign_only_adds(new: ClosingTerms | None, fair: bool) -> None:
    assert closing_not_worse(TERMS, new) is fair
    assert closing_not_worse(None, new)
