"""Drawn prizes and the draw at the close in a forecast: as the production draw, limits exact, never over a count."""

from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.simulate.assumptions import Assumptions, Claimed, Codes, Place
from cli.simulate.draws import closing_counts, drawn_counts, held_back, region_shares
from cli.simulate.forecast import forecast
from tests.unit.cli.test_simulate import run
from uncap.domain.campaigns.draws import ClosingPrize, ClosingTerms, Draw, DrawShare
from uncap.domain.campaigns.rules import RulePart
from uncap.domain.catalog import Campaign, Effect, Prize
from uncap.domain.prizes.drawing import drawn_key, drawn_share

TEXT = {"en": "Gala"}
DRAW = Draw("lucky", (DrawShare("gold", 1, 50, 12, per_day=2), DrawShare("packet", 1, 5, 150)), True, 1)
TERMS = ClosingTerms(9, (ClosingPrize("car", 1), ClosingPrize("trip", 10)), 1, 5)
CAMPAIGN = Campaign(
    campaign_id="gala",
    version=1,
    effective_at_ms=0,
    name=TEXT,
    rules=TEXT,
    starts_at_ms=1_795_300_000_000,
    ends_at_ms=1_795_300_000_000 + 10 * 86_400_000,
    claim_until_ms=1_795_300_000_000 + 20 * 86_400_000,
    gtins=("09520123456788",),
    prizes=(
        Prize("gold", "cash", 8_800, TEXT),
        Prize("packet", "cash", 88, TEXT),
        Prize("car", "cash", 5_000_000, TEXT),
        Prize("trip", "goods_voucher", 1, TEXT),
    ),
    pool=(),
    effects=(Effect(1, "consumer", "drawn", "lucky"),),
    draws=(DRAW,),
    closing=TERMS,
)
SURE = msgspec.structs.replace(Assumptions(), codes=Codes(4_000), claimed=Claimed(0.3, 0.3, 0.3))
ONE_DAY, TEN_DAYS = np.ones(1), np.full(10, 0.1)


def really_drawn(draw: Draw, people: list[str], run: int) -> Counter[str]:
    """Claim by claim, by the production draw, with the counts kept by hand; a tenth of the claims each day."""
    key, given_to, taken, won = (
        drawn_key(bytes([run]) * 32, "gala"),
        Counter[str](),
        Counter[tuple[str, int]](),
        Counter[str](),
    )
    for number, person in enumerate(people):
        day, position = number * 10 // len(people), drawn_share(key, f"{run}.{number}", draw)
        for share in draw.shares[position:] if position is not None else ():
            free = won[share.prize_id] < share.total and not (
                share.per_day and taken[share.prize_id, day] >= share.per_day
            )
            if draw.per_person and given_to[person] >= draw.per_person:
                break
            if free:
                won[share.prize_id] += 1
                taken[share.prize_id, day] += 1
                given_to[person] += 1
                break
            if not draw.fall_back:
                break
    return won


def test_it_comes_to_what_the_production_draw_gives() -> None:
    rng = np.random.default_rng(7)
    people = [f"p{one}" for one in rng.integers(0, 500, 1_000)]
    runs = [really_drawn(DRAW, people, run) for run in range(25)]
    kept = held_back(Counter(people).values(), 1 / 50 + 1 / 5, 1)
    forecasts = drawn_counts(DRAW, np.full(2_000, 1_000), kept, TEN_DAYS, ONE_DAY, rng)
    for prize_id in ("gold", "packet"):
        real = float(np.mean([one[prize_id] for one in runs]))
        # People at their limit grow in number by the day, which the forecast spreads evenly: it errs on the dear side.
        assert float(forecasts[prize_id].mean()) == pytest.approx(real, rel=0.1)


def test_a_limit_per_person_is_exact() -> None:
    assert held_back([1] * 9, 0.2, 1) == pytest.approx(1.0)
    assert held_back([2], 0.5, 1) == pytest.approx(0.75)  # one win in three of four cases, of one expected
    assert held_back([3], 0.5, 2) == pytest.approx((1.5 - 0.125) / 1.5)
    assert held_back([5], 0.1, 0) == 1.0
    assert held_back([], 0.1, 1) == 1.0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.integers(10, 50), st.integers(1, 40), st.integers(0, 5)), min_size=1, max_size=2
    ),
    st.booleans(),
    st.integers(0, 3_000),
)
def test_no_count_is_ever_passed(shares: list[tuple[int, int, int, int]], fall_back: bool, tries: int) -> None:
    draw = Draw("d", tuple(DrawShare(f"p{at}", *one) for at, one in enumerate(shares)), fall_back)
    found = drawn_counts(draw, np.full(50, tries), 1.0, TEN_DAYS, ONE_DAY, np.random.default_rng(1))
    for share in draw.shares:
        most = min(share.total, 10 * share.per_day) if share.per_day else share.total
        assert int(found[share.prize_id].max()) <= most
    assert int(sum(found.values()).max()) <= tries  # type: ignore[union-attr]


def test_the_close_gives_every_prize_unless_too_few_took_part() -> None:
    claims = np.asarray([0, 3, 5_000])
    found = closing_counts(TERMS, claims, np.asarray([0.0, 2.0, 1_000.0]))
    assert found["car"].tolist() == [0, 1, 1]
    assert found["trip"].tolist() == [0, 1, 10]


def test_goods_of_no_known_region_share_a_line() -> None:
    places = (Place(3.0, "510104", unshipped_share=0.5), Place(1.0, "500100"))
    assert sorted(region_shares(msgspec.structs.replace(SURE, places=places))) == pytest.approx([0.25, 0.375, 0.375])


def test_cost_and_reserve_hold_both() -> None:
    found = forecast(CAMPAIGN, RulePart(), SURE, 1)
    lines = {one.prize_id: one for one in found.prizes}
    assert (lines["gold"].how, lines["gold"].most) == ("drawn", 12)
    assert (lines["car"].how, lines["car"].given.mean) == ("closing", 1.0)
    assert 0 < lines["packet"].given.mean <= 150
    cny = next(one for one in found.costs if one.currency == "CNY")
    assert cny.reserved == 12 * 8_800 + 150 * 88 + 5_000_000
    assert cny.cost.mean == pytest.approx(
        sum(one.given.mean * one.value_minor for one in found.prizes if one.kind == "cash")
    )
    assert cny.breakage == pytest.approx(cny.reserved - cny.cost.mean)
    assert found.persons.most <= 8_800  # nobody wins twice


def test_the_command_shows_what_is_drawn(tmp_path: Path) -> None:
    body = {
        "campaign_id": "gala",
        "name": TEXT,
        "rules": TEXT,
        "starts_at_ms": CAMPAIGN.starts_at_ms,
        "ends_at_ms": CAMPAIGN.ends_at_ms,
        "claim_until_ms": CAMPAIGN.claim_until_ms,
        "gtins": list(CAMPAIGN.gtins),
        "prizes": [{"prize_id": "gold", "kind": "cash", "amount_minor": 8_800, "name": TEXT}],
        "draws": [{"draw_id": "lucky", "shares": [{"prize_id": "gold", "win": 1, "per": 50, "total": 12}]}],
        "effects": [{"no": 1, "beneficiary": "consumer", "kind": "drawn", "prize_id": "lucky"}],
        "closing": {"no": 9, "prizes": [{"prize_id": "gold", "count": 2}]},
    }
    file = tmp_path / "gala.json"
    file.write_bytes(msgspec.json.encode({"about": "a draw", "campaign": body}))
    status, out, _ = run("simulate", str(file))
    assert status == 0
    assert "drawn, 12 at most" in out
    assert "at the close, 2" in out
