"""Drawn prizes: the same draw at every repeat, never one over any line whatever is lost, and nothing leaks."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kits.holding import HoldingLedger
from tests.unit.domain.rewards.test_granting import BATCH, CASH, POINTS, RELEASE, SHIPPED, TEXT
from uncap.domain import ledger as books
from uncap.domain.campaigns.draws import Draw, DrawShare
from uncap.domain.campaigns.facts import Facts
from uncap.domain.campaigns.reference import Place
from uncap.domain.catalog import Campaign, Effect, Role
from uncap.domain.errors import PoisonError, TransientError
from uncap.domain.rewards import states
from uncap.domain.rewards.granting import Ground
from uncap.domain.rewards.holds import Line, counted
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.scans import CodeRef, Mark
from uncap.services.draw_prizes import Drawing, drawn_slots, fill

NOW = 1_790_000_000_000
SURE = Draw("all", (DrawShare("cash", 1, 1, 5),))


def campaign(draw: Draw) -> Campaign:
    return Campaign(
        campaign_id="gala",
        version=1,
        effective_at_ms=0,
        name=TEXT,
        rules=TEXT,
        starts_at_ms=0,
        ends_at_ms=NOW + 10**9,
        claim_until_ms=NOW + 10**9,
        gtins=("06901234567892",),
        prizes=(CASH, POINTS),
        pool=(),
        effects=(Effect(3, "consumer", "drawn", draw.draw_id),),
        draws=(draw,),
    )


class World:
    """One draw, one ledger; `claim` is a delivery of a claim, as often as it comes."""

    def __init__(self, draw: Draw, store: HoldingLedger | None = None, *, blocked: str = "") -> None:
        self.ledger = store or HoldingLedger()
        self.now_ms = NOW
        self.ground = Ground(BATCH, RELEASE, campaign(draw), "", SHIPPED)
        self.drawing = Drawing(
            self.ledger, lambda _: bytes(32), lambda key: key == blocked, lambda: self.now_ms, lambda _: None
        )

    def claim(self, index: int, person: str = "", **changes: Any) -> Reward:
        mark = Mark("i", NOW + index, "claim", person=person or f"p{index}", payee="v1.x", campaign="gala@1")
        mark = msgspec.structs.replace(mark, **{k: v for k, v in changes.items() if k == "outlet"})
        ground = msgspec.structs.replace(self.ground, **{k: v for k, v in changes.items() if k != "outlet"})
        (slot,) = drawn_slots(CodeRef(7, index, Role.CAP_INNER), mark, ground, self.drawing)
        return fill(slot, self.drawing, self.ledger, lambda reward: reward)  # type: ignore[arg-type]

    def check(self) -> None:
        """held = spent + open, from the rewards alone."""
        assert {key: n for key, n in self.ledger.counts.items() if n} == counted(self.ledger.rewards.values())


def won(rewards: list[Reward]) -> list[Reward]:
    return [one for one in rewards if one.state is not State.NONE]


def test_a_win_is_granted_from_the_draws_own_budget() -> None:
    world = World(SURE)
    first = world.claim(1)
    assert (first.state, first.prize_id, first.release_id) == (State.PENDING, "cash", "rel-1")
    assert books.balances([first.granted]) == {"budget:gala@drawn:CNY": 188, "liability:consumer:CNY": -188}
    assert world.claim(1) == first
    world.check()


def test_the_total_is_never_exceeded_and_the_rest_learn_why() -> None:
    world = World(SURE)
    rewards = [world.claim(index) for index in range(20)]
    assert len(won(rewards)) == 5
    assert {one.reason for one in rewards if one.state is State.NONE} == {"budget_exhausted"}
    assert [world.claim(index) for index in range(20)] == rewards
    world.check()


def test_who_falls_back_gets_the_next_prize_that_is_left() -> None:
    world = World(Draw("all", (DrawShare("cash", 9, 10, 2), DrawShare("points", 1, 10, 3)), fall_back=True))
    rewards = [world.claim(index) for index in range(12)]
    assert Counter(one.prize_id for one in rewards) == {"cash": 2, "points": 3, "": 7}
    world.check()


def test_odds_are_kept_over_many_claims() -> None:
    world = World(Draw("all", (DrawShare("cash", 1, 4, 10_000), DrawShare("points", 1, 2, 10_000))))
    drawn = Counter(world.claim(index).prize_id for index in range(4_000))
    assert abs(drawn["cash"] - 1_000) < 120
    assert abs(drawn["points"] - 2_000) < 140


def test_days_regions_and_persons_have_limits_of_their_own() -> None:
    world = World(Draw("all", (DrawShare("cash", 1, 1, 100, per_day=3, per_region=4),), per_person=1))
    here, there = Place("510100", "d-1", ""), Place("440100", "d-2", "")
    assert [world.claim(at, "anna", place=here).reason for at in range(3)] == ["", "person_limit", "person_limit"]
    assert [world.claim(at, place=here).reason for at in (3, 4, 5)] == ["", "", "budget_day_exhausted"]
    day = 86_400_000
    assert [world.claim(day + at, place=here).reason for at in (0, 1)] == ["", "budget_region_exhausted"]
    assert [world.claim(day + at, place=there).reason for at in (2, 3, 4)] == ["", "", "budget_day_exhausted"]
    world.check()


def test_who_is_blocked_excluded_or_works_for_an_outlet_wins_nothing() -> None:
    world = World(SURE, blocked="p_blocked")
    assert world.claim(1, "p_blocked").reason == "blocked"
    assert world.claim(2, facts=Facts(excluded=True)).reason == "excluded"
    assert world.claim(3, outlet="o-1").reason == "excluded"
    assert not world.ledger.counts


def test_a_released_prize_may_be_won_again_and_its_money_is_back() -> None:
    world = World(Draw("all", (DrawShare("cash", 1, 1, 1),)))
    first = world.claim(1)
    assert world.claim(2).reason == "budget_exhausted"
    held = states.hold(first, "risk", NOW)
    world.ledger.replace(first, held)
    refused = states.refuse(held, "not_eligible")
    world.ledger.replace(held, refused)
    assert not any(books.balances([refused.granted, refused.settled]).values())
    world.now_ms += 1_001  # for a second the line is remembered as full
    assert world.claim(3).state is State.PENDING
    assert world.claim(1) == refused
    world.check()


def test_raising_a_limit_stays_a_limit() -> None:
    for low, high in ((1, 2), (5, 40), (16, 17), (100, 1_000)):
        before, after = Line("k", low, ""), Line("k", high, "")
        assert sum(place.limit for place in after.places()) == high
        assert all(before.place(at).limit <= after.place(at).limit for at in range(before.shards))


def test_an_unknown_draw_is_poison() -> None:
    world = World(SURE)
    broken = msgspec.structs.replace(world.ground.campaign, draws=())
    with pytest.raises(PoisonError, match="draw_unknown"):
        world.claim(1, campaign=broken)


Deliveries = st.lists(
    st.tuples(
        st.integers(0, 11),
        st.sampled_from(["claim", "claim", "claim", "expire"]),
        st.sampled_from(["", "before", "after"]),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=150)
@given(Deliveries, st.integers(1, 6), st.integers(0, 3), st.booleans())
def test_whatever_is_lost_repeated_or_returned_nothing_is_over_and_nothing_leaks(
    deliveries: list[tuple[int, str, str]], total: int, per_person: int, fall_back: bool
) -> None:
    shares = (DrawShare("cash", 1, 2, total), DrawShare("points", 1, 2, 2))
    losses = [lost for _, act, lost in deliveries if act == "claim"]
    world = World(Draw("all", shares, fall_back, per_person), HoldingLedger(losses=losses))
    settled: dict[int, tuple[str, str]] = {}
    for index, act, _ in deliveries:
        world.now_ms += 400
        if act == "expire":
            expire(world, index)
            continue
        try:
            reward = world.claim(index, f"p{index % 4}")
        except TransientError:
            continue
        assert settled.setdefault(index, (reward.reward_id, reward.prize_id)) == (reward.reward_id, reward.prize_id)
        world.check()
    live = [one for one in world.ledger.rewards.values() if one.holds and one.state is not State.RELEASED]
    assert sum(one.prize_id == "cash" for one in live) <= total
    assert sum(one.prize_id == "points" for one in live) <= 2
    if per_person:
        assert max(Counter(one.party for one in live).values(), default=0) <= per_person
    entries = [entry for one in world.ledger.rewards.values() for entry in (one.granted, one.settled) if entry]
    assert not any(books.totals_by_currency(books.balances(entries)).values())
    world.check()


def expire(world: World, index: int) -> None:
    for reward in list(world.ledger.rewards.values()):
        if reward.ref.split(".")[1] == str(index) and reward.state is State.PENDING:
            held = states.hold(reward, "risk", NOW)
            world.ledger.replace(reward, held)
            world.ledger.replace(held, states.refuse(held, "no"))


def test_a_thousand_concurrent_claims_on_the_last_prize_exactly_one_wins() -> None:
    store = HoldingLedger(latency_s=0.0005)
    world = World(Draw("all", (DrawShare("cash", 1, 1, 1),)), store)
    gate = threading.Barrier(64)
    world.drawing.pause = lambda attempt: threading.Event().wait(0.0005 * attempt)  # type: ignore[assignment]

    def worker(first: int) -> list[Reward]:
        gate.wait()
        return [again(world, index) for index in range(first, 1_000, 64)]

    with ThreadPoolExecutor(64) as pool:
        rewards = [one for part in pool.map(worker, range(64)) for one in part]
    assert len(rewards) == 1_000
    assert len(won(rewards)) == 1
    assert Counter(one.reason for one in rewards)["budget_exhausted"] == 999
    world.check()


def test_sixty_four_workers_on_one_budget_spend_exactly_it() -> None:
    store = HoldingLedger(latency_s=0.0005)
    world = World(Draw("all", (DrawShare("cash", 1, 1, 300),), per_person=2), store)
    world.drawing.pause = lambda attempt: threading.Event().wait(0.0005 * attempt)  # type: ignore[assignment]
    with ThreadPoolExecutor(64) as pool:
        rewards = list(pool.map(lambda index: again(world, index % 640, f"p{index % 640 % 200}"), range(1_280)))
    assert len({one.reward_id for one in won(rewards)}) == 300
    assert max(Counter(one.party for one in world.ledger.rewards.values() if one.holds).values()) <= 2
    world.check()


def again(world: World, index: int, person: str = "") -> Reward:
    """As the stream does: a delivery that decided nothing comes again."""
    while True:
        try:
            return world.claim(index, person)
        except TransientError:
            continue
