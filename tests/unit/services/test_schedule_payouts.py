"""The scheduler on a fake clock: the rate used and never exceeded, days that fill up, accounts that rest."""

from functools import partial

import pytest

from tests.kits.payout_world import START_US, PayoutWorld, busiest_second
from uncap.domain.rail_schedule import AccountLimits, Go, Later, Route
from uncap.domain.rails import NotAccepted, Paid, Unknown
from uncap.services.schedule_payouts import DAY_LIMIT, NO_ACCOUNT, RATE_FULL, RESTING, PostponedError, Scheduler

RATE = 100
UNPACED = AccountLimits(rate_per_s=0)


def in_world(world: PayoutWorld, scheduler: Scheduler, **errand: int) -> Go | Later:
    """What is chosen, however long it takes."""
    found: list[Go | Later] = []
    world.spawn(lambda: found.append(scheduler.choose(world.errand(**errand))))
    world.run(world.now_us + 5_000_000)
    return found[0]


@pytest.mark.parametrize(("workers", "lanes", "seconds"), [(1, 32, 20), (4, 8, 20), (64, 4, 8)])
def test_the_rails_rate_is_used_and_in_no_second_exceeded(workers: int, lanes: int, seconds: int) -> None:
    world = PayoutWorld(seed=workers)
    for _ in range(workers):
        scheduler = world.scheduler({"m1": AccountLimits()})
        for _ in range(lanes):
            world.spawn(partial(world.drain, scheduler, (40, 200)))
    world.run(START_US + (seconds + 1) * 1_000_000)
    calls = [at for at in world.sends["m1"] if at >= START_US + 1_000_000]
    assert busiest_second(calls) <= RATE
    assert len(calls) >= 0.99 * RATE * seconds


@pytest.mark.parametrize(("workers", "lanes", "late"), [(2, 16, 0.001), (3, 12, 0.2), (10, 4, 0.001)])
def test_shares_use_the_rate_exceed_it_in_no_second_and_cost_no_write(workers: int, lanes: int, late: float) -> None:
    world = PayoutWorld(seed=workers, late=late)
    for _ in range(workers):
        scheduler = world.scheduler({"m1": AccountLimits()}, workers=workers)
        for _ in range(lanes):
            world.spawn(partial(world.drain, scheduler, (40, 200)))
    world.run(START_US + 11_000_000)
    calls = [at for at in world.sends["m1"] if at >= START_US + 1_000_000]
    assert busiest_second(calls) <= RATE
    assert len(calls) >= (0.97 if late < 0.1 else 0.7) * RATE * 10
    assert world.store.writes == 0
    assert world.store.reads <= 12 * workers, "whether the account rests, once a second"


def test_workers_that_come_and_go_keep_the_rate() -> None:
    """Never more than two at work at once, but each for 300 ms only, then another container."""
    world = PayoutWorld(seed=8)

    def one_after_another() -> None:
        while True:
            scheduler = world.scheduler({"m1": AccountLimits()}, workers=2)
            ends_us = world.now_us + 300_000
            while world.now_us < ends_us:
                errand = world.errand(amount_minor=30)
                found = scheduler.choose(errand)
                if isinstance(found, Go):
                    world.sent(scheduler, found, errand)

    for _ in range(2):
        world.spawn(one_after_another)
    world.run(START_US + 10_000_000)
    assert busiest_second(world.sends["m1"]) <= RATE
    assert len(world.sends["m1"]) > 0.3 * RATE * 10


def test_a_small_share_is_not_kept_and_a_rest_stops_every_share() -> None:
    world = PayoutWorld(seed=9)
    assert isinstance(in_world(world, world.scheduler({"m1": AccountLimits(rate_per_s=15)}, workers=2)), Go)
    assert world.store.writes == 1, "the table gave the slot out"
    accounts = {"m1": AccountLimits()}
    mine, other = world.scheduler(accounts, workers=2), world.scheduler(accounts, workers=2)
    assert isinstance(in_world(world, other), Go)
    mine.heard("m1", NotAccepted(reason="NOT_ENOUGH", retry_after_ms=600_000))
    for scheduler in (mine, other):
        found = in_world(world, scheduler)
        assert isinstance(found, Later)
        assert found.reason == RESTING


def test_the_rate_holds_where_every_fifth_thread_wakes_too_late() -> None:
    world = PayoutWorld(seed=5, late=0.2)
    for _ in range(4):
        scheduler = world.scheduler({"m1": AccountLimits()})
        for _ in range(12):
            world.spawn(partial(world.drain, scheduler, (40, 200)))
    world.run(START_US + 10_000_000)
    assert busiest_second(world.sends["m1"]) <= RATE
    assert len(world.sends["m1"]) > 0.7 * RATE * 10, "late slots are lost, not used"


def test_several_accounts_add_up_and_each_keeps_its_own_rate() -> None:
    world = PayoutWorld(seed=2)
    accounts = {"m1": AccountLimits(), "m2": AccountLimits(rate_per_s=30)}
    for _ in range(4):
        scheduler = world.scheduler(accounts)
        for _ in range(10):
            world.spawn(partial(world.drain, scheduler, (40, 150)))
    world.run(START_US + 10_000_000)
    assert busiest_second(world.sends["m1"]) <= 100
    assert busiest_second(world.sends["m2"]) <= 30
    assert len(world.sends["m2"]) >= 0.95 * 30 * 10
    assert len(world.sends["m1"]) >= 0.95 * 100 * 10


def test_a_day_holds_so_many_payouts_and_the_next_one_again() -> None:
    world = PayoutWorld(seed=3)
    scheduler = world.scheduler({"m1": AccountLimits(rate_per_s=0, day_count=3)})
    assert all(isinstance(in_world(world, scheduler), Go) for _ in range(3))
    refused = in_world(world, scheduler)
    assert isinstance(refused, Later)
    assert refused.reason == DAY_LIMIT
    assert (refused.at_ms + 8 * 3_600_000) % 86_400_000 == 0, "midnight in Beijing"
    world.run(refused.at_ms * 1000)
    assert isinstance(in_world(world, scheduler), Go)


def test_a_days_amount_is_never_exceeded_and_a_smaller_one_still_fits() -> None:
    world = PayoutWorld(seed=3)
    scheduler = world.scheduler({"m1": AccountLimits(rate_per_s=0, day_amount_minor=1_000)})
    assert isinstance(in_world(world, scheduler, amount_minor=900), Go)
    assert isinstance(in_world(world, scheduler, amount_minor=101), Later)
    assert isinstance(in_world(world, scheduler, amount_minor=100), Go)
    assert isinstance(in_world(world, scheduler, amount_minor=1), Later)
    assert isinstance(in_world(world, scheduler, amount_minor=1_001), Later)


def test_one_payees_day_does_not_fill_anothers() -> None:
    world = PayoutWorld(seed=3)
    scheduler = world.scheduler({"m1": AccountLimits(rate_per_s=0, payee_day_count=1, payee_day_amount_minor=500)})
    errand = world.errand(100)
    assert isinstance(scheduler.choose(errand), Go)
    assert isinstance(scheduler.choose(errand), Later)
    assert isinstance(scheduler.choose(world.errand(500)), Go)
    assert isinstance(scheduler.choose(world.errand(501)), Later)


def test_where_one_account_is_full_another_pays() -> None:
    world = PayoutWorld(seed=4)
    accounts = {"m1": AccountLimits(rate_per_s=0, day_count=2), "m2": UNPACED}
    scheduler = world.scheduler(accounts)
    found = [scheduler.choose(world.errand()) for _ in range(40)]
    assert sum(one == Go("m1", 0) for one in found) == 2
    assert sum(one == Go("m2", 0) for one in found) == 38


def test_an_account_without_money_rests_for_every_worker_and_comes_back() -> None:
    world = PayoutWorld(seed=4)
    first, second = (world.scheduler({"m1": AccountLimits()}) for _ in range(2))
    first.heard("m1", NotAccepted(reason="not_enough", retry_after_ms=600_000))
    first.heard("m1", NotAccepted(reason="rate_limited", retry_after_ms=1_000))
    found = in_world(world, second)
    assert found == Later(START_US // 1000 + 600_000, RESTING)
    with pytest.raises(PostponedError) as caught:
        second.turn("m1", world.errand(), lambda: "")
    assert (caught.value.at_ms, caught.value.where) == (START_US // 1000 + 600_000, RESTING)
    world.run(START_US + 600_000_000)
    assert isinstance(in_world(world, second), Go)


@pytest.mark.parametrize(
    "outcome",
    [
        Paid(rail_id="r"),
        Unknown(reason="rail_timeout"),
        NotAccepted(reason="param_error", hold=True, retry_after_ms=5),
        NotAccepted(reason="x"),
    ],
)
def test_other_words_of_the_rail_stop_nobody(outcome: Paid | Unknown | NotAccepted) -> None:
    world = PayoutWorld(seed=4)
    scheduler = world.scheduler({"m1": AccountLimits()})
    scheduler.heard("m1", outcome)
    assert world.store.rests == {}


def test_routes_decide_who_pays_and_the_first_that_fits_counts() -> None:
    world = PayoutWorld(seed=6)
    routes = (
        Route(campaign="c1", accounts=("m2",)),
        Route(kind="cash", beneficiary="outlet", accounts=("m3",)),
        Route(kind="cash", accounts=("m1", "m9")),
    )
    scheduler = world.scheduler(dict.fromkeys(("m1", "m2", "m3"), UNPACED), routes)
    for _ in range(30):
        errand = world.errand()
        assert scheduler.choose(errand) == Go("m2" if errand.campaign == "c1" else "m1", 0)


def test_a_route_to_nobody_is_later_and_never_somebody_else() -> None:
    world = PayoutWorld(seed=6)
    scheduler = world.scheduler({"m1": UNPACED}, (Route(accounts=("gone",)),))
    found = scheduler.choose(world.errand())
    assert isinstance(found, Later)
    assert found.reason == NO_ACCOUNT


def test_small_and_old_ones_find_room_where_large_new_ones_do_not() -> None:
    world = PayoutWorld(seed=7)
    scheduler = world.scheduler({"m1": AccountLimits()})
    busy = world.now_us + 700_000
    world.store.next_free["m1"] = busy // 10_050
    large = in_world(world, scheduler, amount_minor=50_000)
    assert isinstance(large, Later) or large.slot_us > 0
    for errand, goes in (
        (world.errand(188), True),
        (world.errand(50_000), False),
        (world.errand(50_000, since_ms=world.now_us // 1000 - 600_000), True),
    ):
        world.store.next_free["m1"] = (world.now_us + 700_000) // 10_050
        found = scheduler._try("m1", errand)
        assert isinstance(found, Go) is goes


def test_a_worker_that_overslept_its_slot_takes_another() -> None:
    world = PayoutWorld(seed=8, late=0)
    scheduler = world.scheduler({"m1": AccountLimits()})
    errand = world.errand()
    done: list[int] = []

    def lane() -> None:
        found = scheduler.choose(errand)
        assert isinstance(found, Go)
        world.pause(0.3)
        scheduler.turn("m1", errand, lambda: "", found.slot_us)
        done.append(world.now_us - found.slot_us)

    world.spawn(lane)
    world.run(START_US + 2_000_000)
    assert done[0] >= 300_000 - 25_000


def test_a_full_rate_postpones_and_says_until_when() -> None:
    world = PayoutWorld(seed=9)
    scheduler = world.scheduler({"m1": AccountLimits()})
    world.store.next_free["m1"] = (world.now_us + 60_000_000) // 10_050
    found = in_world(world, scheduler)
    assert isinstance(found, Later)
    assert found.reason == RATE_FULL
    assert 5_000 <= found.at_ms - START_US // 1000 <= 25_000


def test_money_that_was_stopped_during_the_wait_is_not_sent() -> None:
    world = PayoutWorld(seed=9, late=0)
    scheduler = world.scheduler({"m1": AccountLimits()})
    world.store.next_free["m1"] = (world.now_us + 900_000) // 10_050
    said: list[str] = []
    stop_at_us = world.now_us + 500_000

    def lane() -> None:
        errand = world.errand(100)
        found = scheduler.choose(errand)
        assert isinstance(found, Go)
        said.append(scheduler.turn("m1", errand, lambda: "recalled" * (world.now_us >= stop_at_us), found.slot_us))

    world.spawn(lane)
    world.run(START_US + 3_000_000)
    assert said == ["recalled"]
