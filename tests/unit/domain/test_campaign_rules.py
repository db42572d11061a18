"""Campaigns that contradict themselves are refused; started ones change in the participants' favour only."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.campaign_rules import MAX_DRAW_PRIZE_MINOR, check_campaign, check_change
from uncap.domain.catalog import Campaign, Effect, PersonLimit, PoolShare, Prize
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.prizes.laying import prize_counts

START, DAY = 1_800_000_000_000, 86_400_000
BIG, SMALL = Prize("big", "cash", 888, {"en": "Big"}), Prize("small", "cash", 88, {"en": "Small"})
GOOD = Campaign(
    campaign_id="c",
    version=1,
    effective_at_ms=START - DAY,
    name={"en": "Open"},
    rules={"en": "Once."},
    starts_at_ms=START,
    ends_at_ms=START + 30 * DAY,
    claim_until_ms=START + 60 * DAY,
    gtins=("09520123456788",),
    prizes=(BIG, SMALL),
    pool=(PoolShare("big", 1, 100), PoolShare("small", 1, 4)),
    effects=(Effect(1, "consumer", "laid"), Effect(2, "distributor", "fixed", "small")),
    limit=PersonLimit(per_day=3),
)


def changed(**changes: object) -> Campaign:
    return msgspec.structs.replace(GOOD, **changes)


def test_a_good_campaign_passes() -> None:
    check_campaign(GOOD)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"ends_at_ms": START}, "ends_at_ms"),
        ({"claim_until_ms": START + DAY}, "claim_until_ms"),
        ({"claim_until_ms": START + 4 * 366 * DAY}, "claim_until_ms"),
        ({"prizes": (BIG, BIG, SMALL)}, "prizes"),
        ({"prizes": (BIG, msgspec.structs.replace(SMALL, amount_minor=0))}, "prizes"),
        ({"prizes": (BIG, msgspec.structs.replace(SMALL, amount_minor=9))}, "prizes"),
        ({"prizes": (BIG, msgspec.structs.replace(SMALL, amount_minor=11, tax_class="incidental"))}, "prizes"),
        ({"prizes": (msgspec.structs.replace(BIG, amount_minor=MAX_DRAW_PRIZE_MINOR + 1), SMALL)}, "prizes"),
        ({"pool": (PoolShare("big", 0, 100), PoolShare("small", 1, 4))}, "pool"),
        ({"pool": (PoolShare("big", 2, 1), PoolShare("small", 1, 4))}, "pool"),
        ({"pool": (PoolShare("big", 9, 10), PoolShare("small", 1, 4))}, "pool"),
        ({"pool": (PoolShare("big", 1, 9), PoolShare("big", 1, 9))}, "pool"),
        ({"pool": (PoolShare("none", 1, 9),)}, "pool"),
        ({"pool": ()}, "effects"),
        ({"effects": ()}, "effects"),
        ({"effects": (Effect(1, "consumer", "laid"), Effect(1, "outlet", "fixed", "small"))}, "effects"),
        ({"effects": (Effect(1, "consumer", "laid"), Effect(2, "outlet", "laid"))}, "effects"),
        ({"effects": (Effect(1, "consumer", "laid", "big"),)}, "effects"),
        ({"effects": (Effect(1, "consumer", "laid"), Effect(2, "outlet", "fixed", "none"))}, "effects"),
        ({"effects": (Effect(2, "outlet", "fixed", "small"),)}, "effects"),
        ({"gtins": ()}, "gtins"),
        ({"rules": {"zh-CN": "一次"}}, "rules"),
    ],
)
def test_contradictions_are_named(changes: dict[str, object], where: str) -> None:
    with pytest.raises(InputError) as refused:
        check_campaign(changed(**changes))
    assert (refused.value.code, refused.value.where) == ("campaign_invalid", where)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"starts_at_ms": START + 1}, "starts_at_ms"),
        ({"ends_at_ms": GOOD.ends_at_ms - 1}, "ends_at_ms"),
        ({"claim_until_ms": GOOD.claim_until_ms - 1}, "claim_until_ms"),
        ({"gtins": ()}, "gtins"),
        ({"rules": {"zh-CN": "一次"}}, "rules"),
        ({"prizes": (BIG,)}, "prizes"),
        ({"prizes": (BIG, msgspec.structs.replace(SMALL, amount_minor=87))}, "prizes"),
        ({"prizes": (BIG, msgspec.structs.replace(SMALL, kind="points"))}, "prizes"),
        ({"prizes": (BIG, msgspec.structs.replace(SMALL, tax_class="incidental"))}, "prizes"),
        ({"pool": (PoolShare("big", 1, 101), PoolShare("small", 1, 4))}, "pool"),
        ({"pool": (PoolShare("big", 1, 100),)}, "pool"),
        ({"effects": GOOD.effects[:1]}, "effects"),
        ({"limit": PersonLimit(per_day=2)}, "limit"),
        ({"limit": PersonLimit(per_day=3, per_campaign=9)}, "limit"),
        ({"currency": "EUR"}, "currency"),
    ],
)
def test_a_started_campaign_takes_nothing_back(changes: dict[str, object], where: str) -> None:
    with pytest.raises(ConflictError) as refused:
        check_change(GOOD, changed(**changes), START, released=False)
    assert (refused.value.code, refused.value.where) == ("campaign_started", where)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ends_at_ms": GOOD.ends_at_ms + DAY, "claim_until_ms": GOOD.claim_until_ms + DAY},
        {"gtins": (*GOOD.gtins, "09520123456795")},
        {"prizes": (msgspec.structs.replace(BIG, amount_minor=999), SMALL)},
        {"pool": (PoolShare("big", 2, 100), PoolShare("small", 1, 3))},
        {"effects": (*GOOD.effects, Effect(3, "outlet", "fixed", "small"))},
        {"limit": PersonLimit()},
        {"limit": PersonLimit(per_day=4)},
        {"paused": True},
    ],
)
def test_favours_are_welcome(changes: dict[str, object]) -> None:
    check_change(GOOD, changed(**changes), START, released=True)


def test_before_the_start_all_may_change_unless_a_release_is_committed() -> None:
    less = changed(pool=(), effects=GOOD.effects[1:])
    check_change(GOOD, less, START - 1, released=False)
    with pytest.raises(ConflictError):
        check_change(GOOD, less, START - 1, released=True)
    late = msgspec.structs.replace(less, effective_at_ms=START)
    with pytest.raises(ConflictError):
        check_change(GOOD, late, START - 1, released=False)


shares = st.lists(st.tuples(st.integers(1, 50), st.integers(1, 200)), min_size=1, max_size=4)


@given(shares, st.integers(0, 100_000))
def test_what_passes_fits_on_any_number_of_codes(raw: list[tuple[int, int]], codes: int) -> None:
    pool = tuple(PoolShare(f"p{at}", min(win, per), per) for at, (win, per) in enumerate(raw))
    prizes = tuple(Prize(share.prize_id, "points", 1, {"en": "x"}) for share in pool)
    campaign = changed(prizes=prizes, pool=pool, effects=GOOD.effects[:1])
    fits = sum((Fraction(share.win, share.per) for share in pool), Fraction(0)) <= 1
    if fits:
        check_campaign(campaign)
        assert sum(prize.count for prize in prize_counts(pool, codes)) <= codes
    else:
        with pytest.raises(InputError, match="campaign_invalid"):
            check_campaign(campaign)
