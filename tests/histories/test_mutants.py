"""Eight deliberately broken variants of the protocol: the histories find every one of them, or they prove nothing."""

import itertools
from collections.abc import Callable, Mapping

import msgspec
import pytest

from tests.histories.history import History
from tests.histories.stores import FakeDecisions, FakeLedger
from uncap.domain.campaigns.counting import Tally
from uncap.domain.campaigns.facts import Decision
from uncap.domain.rails import NotFound, RailOutcome
from uncap.domain.rewards import ids, outcomes, states
from uncap.domain.rewards.outcomes import Change
from uncap.domain.rewards.reward import Attempt, Reward, State
from uncap.services import make_attempt, pay_reward, settle_payout
from uncap.services.stop_money import Brakes

Patch = pytest.MonkeyPatch
ENOUGH = 600


class BlindSettlement(FakeLedger):
    """Settling writes ignore what is stored."""

    def allows(self, stored: Reward, old: Reward, new: Reward) -> bool:
        return bool(new.settled and not old.settled) or super().allows(stored, old, new)


class BlindAttempt(FakeLedger):
    """Beginning an attempt ignores what is stored."""

    def allows(self, stored: Reward, old: Reward, new: Reward) -> bool:
        begins = new.state is State.SUBMITTING and old.state is not State.SUBMITTING
        return begins or super().allows(stored, old, new)


def new_bill_per_call(patch: Patch) -> type[FakeLedger]:
    numbers = itertools.count(1)

    class Ids:
        @staticmethod
        def bill_no(reward: str, attempt: int) -> str:  # noqa: ARG004  # that is what is wrong with it
            return f"{reward}{next(numbers) % 1_000_000:06d}"

    patch.setattr(make_attempt, "ids", Ids)
    return FakeLedger


def new_bill_on_not_found(patch: Patch) -> type[FakeLedger]:
    honest = outcomes.apply_outcome

    def hasty(reward: Reward, no: int, outcome: RailOutcome, now: int, *, submitted: bool = False) -> Change:
        attempt = reward.attempt
        if isinstance(outcome, NotFound) and attempt and attempt.is_open and reward.state is not State.HELD:
            closed = outcomes._closed(attempt, "not_found")
            return Change(states.moved(reward, state=State.PENDING, attempt=closed, due_at_ms=now))
        return honest(reward, no, outcome, now, submitted=submitted)

    patch.setattr(settle_payout, "apply_outcome", hasty)
    original = settle_payout.settle

    def ask_at_once(known: Reward, no: int, outcome: RailOutcome, payouts: object, **more: bool) -> Reward:
        # The protocol keeps the bill after an unknown answer; this one believes the query's NotFound.
        asked = payouts.rails["cash"].query(ids.bill_no(known.reward_id, no))  # type: ignore[attr-defined]
        outcome = asked if isinstance(asked, NotFound) else outcome
        return original(known, no, outcome, payouts, **more)  # type: ignore[arg-type]

    patch.setattr(pay_reward, "settle", ask_at_once)
    return FakeLedger


def unconditional_settlement(patch: Patch) -> type[FakeLedger]:
    return BlindSettlement


def unguarded_attempt_number(patch: Patch) -> type[FakeLedger]:
    numbers = itertools.count(1)

    def begin(reward: Reward, attempt: Attempt) -> Reward:
        numbered = Attempt(
            **{name: getattr(attempt, name) for name in attempt.__struct_fields__} | {"no": next(numbers)}
        )
        return states.moved(reward, state=State.SUBMITTING, attempt=numbered, action=None)

    patch.setattr(states, "begin_attempt", begin)
    return BlindAttempt


def nobody_looks(patch: Patch) -> type[FakeLedger]:
    """What waits at the rail is left to its callback."""
    patch.setattr(states, "unwatched", lambda _: False)
    return FakeLedger


def worn_brakes(patch: Patch) -> type[FakeLedger]:
    """A recall is noticed minutes later."""
    patch.setattr(Brakes.__init__, "__defaults__", (600_000, None))
    return FakeLedger


def decided_anew(patch: Patch) -> type[FakeLedger]:
    """Every delivery of a claim decides it again, from the facts as they are by then."""

    def write(self: FakeDecisions, decision: Decision, tallies: Mapping[str, Tally], _expected: int) -> Decision:
        self.items[decision.ref, decision.campaign_id] = decision
        self.counts |= tallies
        return decision

    patch.setattr(FakeDecisions, "_write", write)
    patch.setattr(FakeDecisions, "read", lambda *_: None)
    return FakeLedger


def blind_counts(patch: Patch) -> type[FakeLedger]:
    """A count is moved whatever it has become since it was read."""
    honest = FakeDecisions._write

    def write(self: FakeDecisions, decision: Decision, tallies: Mapping[str, Tally], expected: int) -> Decision:
        for name, tally in tallies.items():
            self.counts[name] = msgspec.structs.replace(self.counts.get(name, Tally()), rev=tally.rev - 1)
        return honest(self, decision, tallies, expected)

    patch.setattr(FakeDecisions, "_write", write)
    return FakeLedger


MUTANTS = [
    new_bill_per_call,
    new_bill_on_not_found,
    unconditional_settlement,
    unguarded_attempt_number,
    nobody_looks,
    worn_brakes,
    decided_anew,
    blind_counts,
]


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_histories_catch(mutant: Callable[[Patch], type[FakeLedger]], monkeypatch: Patch) -> None:
    ledger = mutant(monkeypatch)
    assert any(History(seed, ledger).play() for seed in range(ENOUGH))
