"""The worker and the sweeper about prizes that are sent: no rail, no loss, and addresses that go away in time."""

from typing import Any

from tests.unit.domain.rewards.rewards import DEADLINE, ID, NOW
from tests.unit.domain.rewards.test_parcels import after, physical
from tests.unit.services.test_pay_through_accounts import KEY, ME, Bench
from uncap.domain.rewards import parcels
from uncap.domain.rewards.parcels import DAY_MS
from uncap.domain.rewards.reward import Reward, State
from uncap.services.give_address import AddressDesk, give_address
from uncap.services.pay_reward import pay
from uncap.services.sweep_rewards import sweep

WHERE = ("王小明", "13800001111", "四川省成都市锦江区春熙路1号")
NOTHING: Any = None


def swept(bench: Bench) -> Reward:
    sweep(bench.payouts, NOTHING, NOTHING, 100)
    return bench.stored()


def test_the_worker_asks_for_an_address_and_submits_nothing() -> None:
    bench = Bench()
    bench.ledger.create(physical())
    for _ in range(2):
        asked = pay(ID, bench.payouts)
        assert (asked.state, asked.reason, asked.attempt) == (State.HELD, "awaiting_address", None)
    desk = AddressDesk(bench.ledger, lambda: KEY, bytes, lambda: bench.world.now_ms)
    to_send = give_address(desk, ME, ID, *WHERE)
    assert pay(ID, bench.payouts) == to_send
    assert not any(one.said for one in bench.accounts.values())


def test_nobody_says_where_until_the_deadline() -> None:
    bench = Bench()
    bench.ledger.create(after("ask"))
    bench.world.now_ms = DEADLINE - 1
    assert swept(bench).state is State.HELD
    bench.world.now_ms = DEADLINE
    gone = swept(bench)
    assert (gone.state, gone.reason) == (State.RELEASED, "awaiting_address")
    assert [one.account for one in gone.settled] == ["liability:consumer:CNY", "breakage:spring:CNY"]


def test_what_has_an_address_outlives_the_deadline() -> None:
    bench = Bench()
    bench.ledger.create(after("ask", "address"))
    bench.world.now_ms = DEADLINE + DAY_MS
    assert swept(bench).reason == "awaiting_dispatch"


def test_silence_is_delivery_and_a_month_later_the_address_is_gone() -> None:
    bench = Bench()
    bench.ledger.create(after("ask", "address", "take", "sent"))
    bench.world.now_ms = NOW + 30 * DAY_MS
    paid = swept(bench)
    assert (paid.state, paid.parcel_state) == (State.PAID, "delivered")
    assert paid.parcel is not None
    assert paid.parcel.address
    bench.world.now_ms = paid.due_at_ms - DAY_MS
    assert swept(bench) == paid
    bench.world.now_ms = paid.due_at_ms
    gone = swept(bench)
    assert (gone.state, gone.settled, gone.due_at_ms) == (State.PAID, paid.settled, 0)
    assert gone.parcel is not None
    assert gone.parcel.address == ""
    assert swept(bench) == gone


def test_a_parcel_never_meets_a_rails_answer() -> None:
    paid = parcels.delivered(after("ask", "address", "take", "sent"), NOW)
    bench = Bench()
    bench.ledger.create(paid)
    assert pay(ID, bench.payouts) == paid
