"""The demo's plan is exactly the story it tells, for every seed."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from cli.demo.plan import (
    MIX,
    QR_SCANS,
    SECOND_RELEASE_START,
    SECOND_SHIPMENT_START,
    UNITS_PER_CASE,
    Scene,
    draw_up,
    expected_counts,
)

SCENE = Scene(first=(30.66, 104.06), second=(29.56, 106.55))


@given(st.integers(0, 2**32))
@settings(max_examples=50)
def test_plan_tells_the_whole_story(seed: int) -> None:
    plan = draw_up(seed, SCENE)
    visits = [*plan.warehouse, *plan.market, *plan.after]
    assert plan.scans == 300 == sum(expected_counts().values())
    assert Counter(visit.kind for visit in visits) == MIX
    assert len({visit.number for visit in visits}) == 300
    assert sum(visit.by_qr for visit in visits) == QR_SCANS
    claims = [visit.index for visit in plan.market if visit.kind in {"claim", "diverted"}]
    assert len(set(claims)) == len(claims)
    assert {visit.index for visit in plan.warehouse} <= set(claims)
    assert not set(claims) & {*plan.rejected, *plan.decommissioned}
    assert max(plan.rejected + plan.decommissioned) < SECOND_RELEASE_START


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_diverted_goods_are_convincing(seed: int) -> None:
    diverted = [visit for visit in draw_up(seed, SCENE).market if visit.kind == "diverted"]
    assert len({visit.index // UNITS_PER_CASE for visit in diverted}) == 4
    assert len({visit.person for visit in diverted}) >= 3
    assert all(visit.index < SECOND_SHIPMENT_START and abs(visit.place.lat - 29.56) < 0.3 for visit in diverted)


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_pairs_are_two_people_and_retries_are_one(seed: int) -> None:
    plan = draw_up(seed, SCENE)
    pairs = [visit for visit in plan.market if visit.kind == "pair"]
    for one, other in zip(pairs[0::2], pairs[1::2], strict=True):
        assert one.index == other.index
        assert one.person != other.person
    by_number = {visit.number: visit for visit in plan.market}
    for visit in plan.after:
        original = by_number.get(visit.retries)
        if visit.kind == "retry":
            assert original is not None
            assert (original.index, original.person) == (visit.index, visit.person)
