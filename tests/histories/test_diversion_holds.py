"""Histories with a diversion case: the channel's share waits, is forfeited or paid; no consumer ever notices."""

from collections.abc import Callable

import msgspec
import pytest

from tests.histories.campaigns import CODES
from tests.histories.history import STOP_WITHIN_MS, History
from uncap.domain.diversion.holds import DiversionHold
from uncap.domain.rewards.ports import CHANNEL_ROLES
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.rewards.states import DIVERSION_CASE, DIVERSION_CONFIRMED
from uncap.services import stop_money

HISTORIES = 40
SUSPECT = range(2, CODES)
DECIDED = ("confirmed", "dismissed")


class Diverted(History):
    """Units 2.. were diverted; at some moment people look into it, and later they decide."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.case: DiversionHold | None = None
        self.decided_ms = 0
        declared, moved = self.source.query, self.ledger._replace

        def query(pk: str, *, consistent: bool = False) -> list[tuple[str, str]]:
            rows = list(declared(pk, consistent=consistent))
            if pk == "batch#7" and self.case:
                rows.append(("diversion#c1", msgspec.json.encode(self.case).decode()))
            return rows

        def watch(old: Reward, new: Reward) -> None:
            moved(old, new)
            if new.beneficiary == "consumer" and new.reason.startswith("diversion"):
                self.world.violations.append(f"a consumer's {new.reward_id} is {new.state} for {new.reason}")

        self.source.query = query  # type: ignore[method-assign]
        self.ledger._replace = watch  # type: ignore[method-assign]

    def _happenings(self) -> list[Callable[[], object]]:
        return [*super()._happenings(), self._look_into_it, self._look_into_it]

    def _look_into_it(self) -> None:
        if self.case is None:
            self.case = DiversionHold("c1", "s1", 7, SUSPECT.start, SUSPECT.stop, "investigating")
        elif self.case.state == "investigating" and self.world.chance(0.5):
            self._decide()

    def _decide(self) -> None:
        if self.case:
            self.case = msgspec.structs.replace(self.case, state=self.world.random.choice(DECIDED))
            self.decided_ms = self.world.now_ms

    def _settle_down(self) -> None:
        if self.case and self.case.state == "investigating":
            self._decide()
        super()._settle_down()

    def wrong_about_the_case(self) -> list[str]:
        wrong = []
        for reward in self.ledger.items.values():
            if reward.state is State.HELD and reward.reason in (DIVERSION_CASE, DIVERSION_CONFIRMED):
                wrong.append(f"{reward.reward_id} waits although the case is {self.case and self.case.state}")
            if reward.beneficiary == "consumer" or reward.code.index not in SUSPECT:
                if reward.reason.startswith("diversion"):
                    wrong.append(f"{reward.beneficiary}'s {reward.reward_id} suffered")
                continue
            if self.case and self.case.state == "confirmed" and reward.paid_at_ms > self.decided_ms + STOP_WITHIN_MS:
                wrong.append(f"{reward.reward_id} was paid after the diversion was confirmed")
            if self.case and self.case.state == "dismissed" and reward.reason == DIVERSION_CONFIRMED:
                wrong.append(f"{reward.reward_id} was forfeited for nothing")
        return wrong


@pytest.fixture(scope="module")
def histories() -> list[Diverted]:
    return [Diverted(seed) for seed in range(7_000, 7_000 + HISTORIES)]


def test_the_channel_waits_and_the_consumer_never_does(histories: list[Diverted]) -> None:
    wrong = {}
    for number, history in enumerate(histories):
        if found := history.play() + history.wrong_about_the_case():
            wrong[7_000 + number] = found
    assert wrong == {}
    reasons = [one.reason for history in histories for one in history.ledger.items.values()]
    assert reasons.count(DIVERSION_CONFIRMED) > 10, "these histories hardly touch what they are about"


def test_a_mutant_that_stops_consumers_too_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_money, "CHANNEL_ROLES", ("consumer", *CHANNEL_ROLES))
    assert any(Diverted(seed).play() for seed in range(7_000, 7_040))
