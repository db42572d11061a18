"""A prize that is sent: in any order of events it is sent to one address at a time, booked once and never lost."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.rewards.rewards import DEADLINE, NOW, attempt, reward
from uncap.domain import ledger
from uncap.domain.errors import ConflictError, InputError
from uncap.domain.rewards import parcels, states
from uncap.domain.rewards.parcels import DAY_MS, checked_address
from uncap.domain.rewards.reward import Parcel, Reward, State
from uncap.domain.rewards.states import Step

Move = Callable[[Reward, int], Reward]
MOVES: dict[str, Move] = {
    "ask": parcels.ask,
    "address": lambda one, now: parcels.addressed(one, f"v1.{now}", now),
    "take": lambda one, now: parcels.taken(one, "lena", now),
    "stop": lambda one, now: parcels.stopped(one, "campaign_paused", now),
    "put back": parcels.put_back,
    "sent": lambda one, now: parcels.sent(one, "SF", f"SF{now}", now),
    "delivered": parcels.delivered,
    "returned": parcels.returned,
    "erased": lambda one, _: parcels.erased(one),
    "expire": states.expire,
    "resume": states.resume,
    "refuse": lambda one, _: states.refuse(one, "not_eligible"),
    "hold": lambda one, now: states.hold(one, "recalled", now),
    "attempt": lambda one, _: states.begin_attempt(one, attempt(amount_minor=one.net_minor)),
}


def physical(state: State = State.PENDING, **changes: Any) -> Reward:
    return reward(state, kind="physical", payee="", **changes)


def after(*names: str, at_ms: int = NOW) -> Reward:
    one = physical()
    for name in names:
        one = MOVES[name](one, at_ms)
    return one


SENT = ("ask", "address", "take", "sent")


@given(st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.integers(0, 3 * DAY_MS)), max_size=40))
def test_in_any_order_it_is_sent_once_at_a_time_booked_once_and_never_lost(events: list[tuple[str, int]]) -> None:
    one, now_ms, out = physical(), NOW, 0
    for name, later in events:
        now_ms += later
        try:
            new = MOVES[name](one, now_ms)
        except ConflictError:
            continue
        assert new.rev == one.rev + 1
        assert not one.settled or new.settled == one.settled, "an entry is written once"
        assert name != "attempt", "no rail is ever asked"
        out += {"sent": 1, "returned": -1}.get(name, 0)
        assert 0 <= out <= 1, "what is out is not sent again"
        one = new
        assert out == (one.parcel_state in ("sent", "delivered"))
    if one.settled:
        ledger.balanced(one.granted + one.settled)
        assert one.is_final
        assert (one.state is State.PAID) == bool(out)
    if one.state is State.RELEASED:
        assert one.parcel is None or not one.parcel.address
    if not one.is_final:
        waits = one.due_at_ms or one.state is State.PENDING
        assert waits or one.reason in ("awaiting_dispatch", "recalled"), "somebody looks after it"


def test_the_way_of_a_parcel() -> None:
    asked = after("ask")
    assert (asked.state, asked.reason, asked.due_at_ms) == (State.HELD, "awaiting_address", DEADLINE)
    assert not states.waits_for_person(asked)
    sent = after(*SENT)
    assert (sent.reason, sent.due_at_ms, sent.parcel_state) == ("awaiting_delivery", NOW + 30 * DAY_MS, "sent")
    paid = parcels.delivered(sent, NOW + 1)
    assert (paid.state, paid.paid_at_ms, paid.due_at_ms) == (State.PAID, NOW + 1, NOW + 1 + 30 * DAY_MS)
    assert ledger.balances([paid.granted, paid.settled])["clearing:parcels:CNY"] == -188
    gone = parcels.erased(paid)
    assert gone.parcel == Parcel("delivered", NOW + 1, "", "lena", "SF", f"SF{NOW}")
    assert gone.due_at_ms == 0


def test_a_parcel_that_came_back_waits_for_another_address_for_a_month() -> None:
    late = DEADLINE + 1
    back = parcels.returned(after(*SENT), late)
    assert (back.reason, back.due_at_ms) == ("awaiting_address", late + 30 * DAY_MS)
    assert back.parcel is not None
    assert back.parcel.address == ""
    again = MOVES["sent"](MOVES["take"](MOVES["address"](back, late), late), late)
    assert again.parcel is not None
    assert again.parcel.tracking_no == f"SF{late}"
    assert states.expire(back, back.due_at_ms).state is State.RELEASED


def test_after_a_stop_it_goes_on_with_its_address() -> None:
    stopped = after("ask", "address", "stop")
    assert (stopped.state, stopped.reason, stopped.due_at_ms > NOW) == (State.HELD, "campaign_paused", True)
    owed = states.resume(stopped, NOW)
    assert states.next_step(owed, NOW) is Step.ASK
    assert parcels.ask(owed, NOW).reason == "awaiting_dispatch"


@pytest.mark.parametrize("names", [SENT, SENT[:-1]])
def test_what_may_be_in_somebodys_hands_is_neither_refused_nor_owed_anew(names: tuple[str, ...]) -> None:
    for move in ("refuse", "resume", "expire", "address"):
        with pytest.raises(ConflictError, match="transition_illegal"):
            MOVES[move](after(*names), DEADLINE)


def test_a_refused_one_forgets_its_address() -> None:
    refused = states.refuse(after("ask", "address"), "not_eligible")
    assert refused.parcel == Parcel("to_send", NOW)


def test_only_things_are_sent() -> None:
    for move in ("ask", "address", "take"):
        with pytest.raises(ConflictError, match="transition_illegal"):
            MOVES[move](reward(), NOW)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("name", one) for one in ("", "王", "王" * 31, "12", "<b>ab", "a\u202eb c")),
        *(("phone", one) for one in ("", "123456", "1" * 16, "138 0000 000x", "１３８００００００", "1+38000000")),
        *(("address", one) for one in ("", "短", "1" * 20, "街" * 201, "<script>alert(1)")),
    ],
)
def test_what_is_no_address(field: str, value: str) -> None:
    given_ = {"name": "王小明", "phone": "13800000000", "address": "四川省成都市春熙路1号"} | {field: value}
    with pytest.raises(InputError) as refused:
        checked_address(**given_)
    assert refused.value.where == field


def test_an_address_has_one_spelling_and_never_shows_itself() -> None:
    found = checked_address(" 王小明 ", "+86 (28)  8888-0000", "四川省 成都市\n春熙路1号")
    assert msgspec.structs.astuple(found) == ("王小明", "+86 (28) 8888-0000", "四川省 成都市 春熙路1号")
    assert "王" not in f"{found} {found!r}"
