"""Mutants of paying: each function puts one bug in and returns the table to play with. Used by `mutants.py`."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from tests.histories import history
from tests.histories.rail import FakeRail
from tests.histories.stores import FakeLedger
from uncap.domain import ledger as books
from uncap.domain.catalog import Campaign, Release
from uncap.domain.errors import NotFoundError
from uncap.domain.rails import FailedFinal, NotFound, Paid, Rail, RailOutcome, Unknown
from uncap.domain.rewards import face_values, ids, outcomes, states
from uncap.domain.rewards.holds import HoldPlace
from uncap.domain.rewards.outcomes import Change
from uncap.domain.rewards.reward import Attempt, Reward, State
from uncap.services import (
    make_attempt,
    pay_reward,
    reserve_budget,
    settle_payout,
    trial_balance,
)
from uncap.services.settle_payout import Payouts, settle
from uncap.services.stop_money import Brakes

Patch = pytest.MonkeyPatch
Table = type[FakeLedger]


class BlindSettlement(FakeLedger):
    """Settling writes ignore what is stored."""

    def allows(self, stored: Reward, old: Reward, new: Reward) -> bool:
        return bool(new.settled and not old.settled) or super().allows(stored, old, new)


class BlindAttempt(FakeLedger):
    """Beginning an attempt ignores what is stored."""

    def allows(self, stored: Reward, old: Reward, new: Reward) -> bool:
        begins = new.state is State.SUBMITTING and old.state is not State.SUBMITTING
        return begins or super().allows(stored, old, new)


class BlindPut(FakeLedger):
    """Creating a reward overwrites what is stored."""

    def put_new(self, reward: Reward) -> Reward:
        self.items[reward.reward_id] = reward
        return reward


class BlindPlaces(FakeLedger):
    """A drawn prize is given whether or not there is one left."""

    def has_room(self, place: HoldPlace) -> bool:
        return True


class PlacesKept(FakeLedger):
    """A released reward keeps its place in the budget."""

    def give_back(self, reward: Reward) -> None:
        """Nothing."""


class PartyReadAgain(FakeLedger):
    """Creating a reward again takes over the party as it is by then."""

    def put_new(self, reward: Reward) -> Reward:
        stored = super().put_new(reward)
        self.items[reward.reward_id] = msgspec.structs.replace(stored, party=reward.party or stored.party)
        return self.items[reward.reward_id]


def new_bill_per_call(patch: Patch) -> Table:
    numbers = itertools.count(1)

    class Ids:
        @staticmethod
        def bill_no(reward: str, attempt: int) -> str:  # noqa: ARG004  # that is what is wrong with it
            return f"{reward}{next(numbers) % 1_000_000:06d}"

    patch.setattr(make_attempt, "ids", Ids)
    return FakeLedger


def new_bill_on_not_found(patch: Patch) -> Table:
    honest = outcomes.apply_outcome

    def hasty(reward: Reward, no: int, outcome: RailOutcome, now: int, *, submitted: bool = False) -> Change:
        attempt = reward.attempt
        if isinstance(outcome, NotFound) and attempt and attempt.is_open and reward.state is not State.HELD:
            closed = outcomes._closed(attempt, "not_found")
            return Change(states.moved(reward, state=State.PENDING, attempt=closed, due_at_ms=now))
        return honest(reward, no, outcome, now, submitted=submitted)

    patch.setattr(settle_payout, "apply_outcome", hasty)
    original = settle_payout.settle

    def ask_at_once(known: Reward, no: int, outcome: RailOutcome, payouts: Payouts, **more: bool) -> Reward:
        # The protocol keeps the bill after an unknown answer; this one believes the query's NotFound.
        asked = payouts.rail_of(known).query(ids.bill_no(known.reward_id, no))
        return original(known, no, asked if isinstance(asked, NotFound) else outcome, payouts, **more)

    patch.setattr(pay_reward, "settle", ask_at_once)
    return FakeLedger


def unknown_is_failure(patch: Patch) -> Table:
    _before_outcomes(
        patch, lambda _, __, outcome: isinstance(outcome, Unknown) and not outcome.hold, FailedFinal("expired")
    )
    return FakeLedger


def late_success_ignored(patch: Patch) -> Table:
    def late(reward: Reward, no: int, outcome: RailOutcome) -> bool:
        attempt = reward.attempt
        return isinstance(outcome, Paid) and attempt is not None and (no < attempt.no or not attempt.is_open)

    _before_outcomes(patch, late, None)
    return FakeLedger


def _before_outcomes(
    patch: Patch, when: Callable[[Reward, int, RailOutcome], bool], instead: RailOutcome | None
) -> None:
    """Another outcome than the rail's, or none at all, is applied `when`."""
    honest = outcomes.apply_outcome

    def changed(reward: Reward, no: int, outcome: RailOutcome, now: int, *, submitted: bool = False) -> Change:
        if not when(reward, no, outcome):
            return honest(reward, no, outcome, now, submitted=submitted)
        return honest(reward, no, instead, now, submitted=submitted) if instead else Change(reward)

    patch.setattr(settle_payout, "apply_outcome", changed)


def unconditional_settlement(_: Patch) -> Table:
    return BlindSettlement


def unconditional_put(_: Patch) -> Table:
    return BlindPut


def drawn_over_budget(_: Patch) -> Table:
    return BlindPlaces


def places_kept(_: Patch) -> Table:
    return PlacesKept


def party_read_again(_: Patch) -> Table:
    return PartyReadAgain


def unguarded_attempt_number(patch: Patch) -> Table:
    numbers = itertools.count(1)

    def begin(reward: Reward, attempt: Attempt) -> Reward:
        numbered = msgspec.structs.replace(attempt, no=next(numbers))
        return states.moved(reward, state=State.SUBMITTING, attempt=numbered, action=None)

    patch.setattr(states, "begin_attempt", begin)
    return BlindAttempt


def nobody_looks(patch: Patch) -> Table:
    """What waits at the rail is left to its callback."""
    patch.setattr(states, "unwatched", lambda _: False)
    return FakeLedger


def worn_brakes(patch: Patch) -> Table:
    """A recall is noticed minutes later."""
    patch.setattr(Brakes.__init__, "__defaults__", (600_000, None))
    return FakeLedger


def stolen_key_ignored(patch: Patch) -> Table:
    patch.setattr(Brakes, "_wider_reason", lambda _self, _epoch, paused: "campaign_paused" if paused else "")
    return FakeLedger


def paid_after_deadline(patch: Patch) -> Table:
    honest = states.next_step
    patch.setattr(
        states,
        "next_step",
        lambda one, now: states.Step.BEGIN if one.state is State.CLAIMABLE else honest(one, now),
    )
    return FakeLedger


def tax_paid_out(patch: Patch) -> Table:
    """The books say that the person got the prize's face value."""
    honest = books.paid
    patch.setattr(books, "paid", lambda who, rail, unit, amount, _withheld: honest(who, rail, unit, amount, 0))
    return FakeLedger


def released_without_entry(patch: Patch) -> Table:
    patch.setattr(states, "release", lambda one, why: states.moved(one, state=State.RELEASED, reason=why, action=None))
    return FakeLedger


def budget_for_laid_prizes_only(patch: Patch) -> Table:
    honest = face_values.face_value

    def too_little(release: Release, campaign: Campaign, *_: Any) -> dict[str, int]:
        laid = tuple(one for one in campaign.effects if one.kind == "laid")
        return honest(release, msgspec.structs.replace(campaign, effects=laid))

    patch.setattr(reserve_budget, "face_value", too_little)
    return FakeLedger


def breakage_twice(patch: Patch) -> Table:
    """The rest of a budget is booked once a run, from a balance that is not read again."""
    numbers, honest = itertools.count(1), trial_balance.trial_balance
    known: list[trial_balance.TrialBalance] = []

    def old_balance(ledger: FakeLedger) -> Any:
        known[:] = known or [honest(ledger)]
        return known[0]

    patch.setattr(reserve_budget, "_breakage_id", lambda owner: f"breakage-{owner}-{next(numbers)}")
    patch.setattr(reserve_budget, "trial_balance", old_balance)
    return FakeLedger


def unsigned_callback_believed(patch: Patch) -> Table:
    honest = FakeRail.verify_callback
    patch.setattr(FakeRail, "verify_callback", lambda self, _headers, body: honest(self, {"signature": "good"}, body))
    return FakeLedger


def callback_amount_unchecked(patch: Patch) -> Table:
    def receive(headers: Mapping[str, str], body: bytes, rail: Rail, payouts: Payouts) -> Reward:
        notice = rail.verify_callback(headers, body)
        reward_id, attempt_no = ids.of_bill(notice.bill_no)
        reward = payouts.ledger.get(reward_id)
        if reward is None:
            raise NotFoundError("bill_unknown", "we never sent this bill", where="bill_no")
        return settle(reward, attempt_no, notice.outcome, payouts)

    patch.setattr(history, "receive_callback", receive)
    return FakeLedger


MONEY: tuple[Callable[[Patch], Table], ...] = (
    new_bill_per_call,
    new_bill_on_not_found,
    unknown_is_failure,
    late_success_ignored,
    unconditional_settlement,
    unconditional_put,
    party_read_again,
    drawn_over_budget,
    places_kept,
    unguarded_attempt_number,
    nobody_looks,
    worn_brakes,
    stolen_key_ignored,
    paid_after_deadline,
    tax_paid_out,
    released_without_entry,
    budget_for_laid_prizes_only,
    breakage_twice,
    unsigned_callback_believed,
    callback_amount_unchecked,
)
