"""The key-compromise drill: how long forgeries still pay once the epoch is marked, on the harness's clock.

A thief with the code key makes serials that verify. People mark the epoch; from then on claims are recorded and
nothing is paid: neither cash nor what our own ledger pays with the first put.
"""

import pytest

from tests.histories.campaigns import CODES
from tests.histories.history import CATALOG_AGE_MS, STOP_WITHIN_MS
from tests.histories.script import Script
from uncap.domain.catalog import Role
from uncap.domain.rewards.reward import State
from uncap.domain.rewards.states import EPOCH_COMPROMISED
from uncap.domain.scans import CodeRef
from uncap.services.decide_hold import approve
from uncap.services.stop_money import MAX_AGE_MS

WORTH = (State.PENDING, State.HELD, State.SUBMITTING, State.ACCEPTED, State.WAIT_USER, State.PAID)


class Thief(Script):
    """Claims a code every 200 ms while relay, workers and sweeper run beside each other."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.marked_ms = 0
        self.paid_at: dict[str, int] = {}

    def drill(self) -> int:
        """Marks the epoch half way; milliseconds from the mark to the last payment that left or was booked."""
        for index in range(CODES):
            if index == CODES // 2:
                self.source.epoch_state, self.marked_ms = "compromised", self.world.now_ms
            ref = CodeRef(7, index, Role.CAP_INNER)
            self.world.run(
                lambda ref=ref: self.people.claim(f"thief{ref.index}", ref),  # type: ignore[misc]
                self._relay,
                self._work,
                self._work,
                self._sweep,
            )
            self._note_payments()
            self.pass_ms(200)
        for _ in range(20):
            self.world.run(self._relay, self._work, self._work, self._sweep)
            self._note_payments()
            self.pass_ms(500)
        sent = [bill.at_ms for bill in self.rail.bills.values()]
        return max(0, *(at - self.marked_ms for at in [*sent, *self.paid_at.values()]))

    def _note_payments(self) -> None:
        for one in self.ledger.items.values():
            if one.state is State.PAID:
                self.paid_at.setdefault(one.reward_id, one.paid_at_ms)


@pytest.mark.parametrize("first", range(1, 41, 10))
def test_forgeries_pay_nothing_within_the_bound(first: int) -> None:
    """The bound: a second for the brakes' answer to age, and the calls that are under way."""
    worst = 0
    for seed in range(first, first + 10):
        thief = Thief(seed)
        worst = max(worst, thief.drill())
        assert all(image.first is not None for image in thief.scans.images.values()), "claims must be recorded"
        late = [
            one
            for one in thief.ledger.items.values()
            if one.claimed_at_ms > thief.marked_ms + CATALOG_AGE_MS and one.state in WORTH
        ]
        assert {one.reason for one in late} <= {EPOCH_COMPROMISED, "awaiting_association"}
    assert worst <= STOP_WITHIN_MS
    assert STOP_WITHIN_MS == MAX_AGE_MS + 2_000


def test_without_the_mark_they_are_paid() -> None:
    """So the drill would notice if nothing were ever paid."""
    thief = Thief(1)
    thief.drill()
    assert thief.paid_at
    assert any(one.reason == EPOCH_COMPROMISED for one in thief.ledger.items.values())


def test_what_two_people_let_go_is_paid_although_the_key_stays_stolen() -> None:
    """The mark on the epoch is for ever; people's word about one reward is for good too, and about that one alone."""
    script = Script()
    script.source.epoch_state = "compromised"
    script.claim()
    script.relay()
    held = script.cash
    assert (held.state, held.reason) == (State.HELD, EPOCH_COMPROMISED)
    approve(held.reward_id, script.ledger, script.queue, script.world.now_ms)
    script.work()
    assert script.cash.cleared == EPOCH_COMPROMISED
    assert script.state in (State.ACCEPTED, State.WAIT_USER), "it went to the rail"
    others = [one for one in script.ledger.items.values() if one.reward_id != held.reward_id]
    assert all(one.state in (State.NONE, State.HELD) for one in others)
