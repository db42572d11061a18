"""One contract for decisions, kept by DynamoDB's adapter and the harness's fake: once, with its counts, or not."""

import msgspec
import pytest

from tests.histories.decisions import FakeDecisions
from tests.histories.world import Rates, World
from tests.kits.moto_bridge import MotoCaller
from uncap.adapters.decisions import WireDecisions
from uncap.domain.campaigns.counting import Tally, counted, key_of
from uncap.domain.campaigns.facts import Decision, Facts, Pick
from uncap.domain.campaigns.ports import DecisionStore
from uncap.domain.campaigns.reference import Slot
from uncap.domain.errors import ConflictError
from uncap.runtime.settings import RelaySettings

PERSON = key_of("spring", "person", "p_1")
FIRST = Decision("7.1.1", "spring@1", Facts(person_nth=1), (Pick(1, "consumer", 0, "laid"),), (Slot(2, "outlet"),))
OTHER = Decision("7.2.1", "spring@1", Facts(person_nth=1), (Pick(1, "consumer", 0, "laid"),))
ONE = counted(Tally(), "2026-11-22")[0]
TWO = counted(ONE, "2026-11-22")[0]


@pytest.fixture(params=["wire", "fake"])
def store(request: pytest.FixtureRequest) -> DecisionStore:
    if request.param == "fake":
        return FakeDecisions(World(1, Rates()))
    settings: RelaySettings = request.getfixturevalue("settings")
    return WireDecisions(MotoCaller(), settings.ledger_table)


def test_a_decision_is_taken_once(store: DecisionStore) -> None:
    assert store.read("7.1.1", "spring") is None
    assert store.decide(FIRST, {}) == FIRST
    again = msgspec.structs.replace(FIRST, picks=())
    assert store.decide(again, {}) == FIRST
    assert store.read("7.1.1", "spring") == FIRST
    assert store.read_many([("7.1.1", "spring"), ("7.9.1", "spring")]) == {("7.1.1", "spring"): FIRST}


def test_counts_move_with_their_decision_or_not_at_all(store: DecisionStore) -> None:
    assert store.tallies([PERSON]) == {}
    store.decide(FIRST, {PERSON: ONE})
    assert store.tallies([PERSON, "tally#spring#person#p_2"]) == {PERSON: ONE}
    # Another claim read the count before the first was kept: nothing of it may be.
    with pytest.raises(ConflictError, match="tally_moved"):
        store.decide(OTHER, {PERSON: ONE})
    assert store.read("7.2.1", "spring") is None
    store.decide(OTHER, {PERSON: TWO})
    # The first claim once more, its reply lost: the count stays.
    assert store.decide(FIRST, {PERSON: counted(TWO, "2026-11-22")[0]}) == FIRST
    assert store.tallies([PERSON])[PERSON].count == 2


def test_open_slots_are_filled_once(store: DecisionStore) -> None:
    store.decide(FIRST, {})
    filled = msgspec.structs.replace(FIRST, picks=(*FIRST.picks, Pick(2, "outlet", 5, "fixed", "a")), open=())
    done = store.complete(FIRST, filled, {PERSON: ONE})
    assert (done.rev, done.open, store.tallies([PERSON])) == (2, (), {PERSON: ONE})
    otherwise = msgspec.structs.replace(FIRST, picks=(*FIRST.picks, Pick(2, "outlet", 6, "fixed", "b")), open=())
    assert store.complete(FIRST, otherwise, {}) == done
