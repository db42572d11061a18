"""The gate: people at a table are let through, thieves are held, repeats count once, containers tell each other."""

import msgspec
import pytest

from cli.risk.command import MemoryWindows, judge_all
from cli.risk.scenario import Parties, RiskScenario
from uncap.adapters.catalog import Catalog
from uncap.domain.catalog import CodeBatch, Role
from uncap.domain.errors import TransientError
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.risk import RiskRules, Verdict
from uncap.domain.scans import CodeRef, Mark
from uncap.services.judge_risk import RiskGate, held_for_review

BATCH = CodeBatch(1, "09520123456788", 10_000, 1, (Role.CAP_INNER,), units_per_case=24)
RULES = {"*": RiskRules()}
HELD = Verdict(60, (("fast", 6),), True)


class Source:
    def get(self, pk: str, sk: str, *, consistent: bool = False) -> str | None:
        return None

    def query(self, pk: str, *, consistent: bool = False) -> list[tuple[str, str]]:
        return [("meta", msgspec.json.encode(BATCH).decode())]


class Ranks:
    def __init__(self, rank: int) -> None:
        self.level, self.asked = rank, 0

    def rank(self, person: str) -> int:
        self.asked += 1
        return self.level


class Down:
    def add(self, key: str, entries: object, expires_at_s: int) -> list[str]:
        raise TransientError("no_answer", "the table does not answer")


def gate(**given: object) -> RiskGate:
    return RiskGate(Catalog(Source(), lambda: 0, 1_000), RULES, **given)  # type: ignore[arg-type]


def judge(one: RiskGate, index: int, at_s: float, person: str = "p", *, shipped: bool = True) -> Verdict:
    ref = CodeRef(1, index, Role.CAP_INNER)
    return one.judge(ref, Mark(f"c{index}", int(at_s * 1000), "claim", person), "spring", shipped=shipped)


def test_a_script_is_held_from_its_sixth_claim_on() -> None:
    one = gate()
    found = [judge(one, index * 24, index * 2).held for index in range(10)]
    assert found == [False] * 5 + [True] * 5


def test_a_repeated_claim_is_answered_as_before_and_counted_once() -> None:
    one = gate()
    for index in range(5):
        judge(one, index * 24, index)
        judge(one, index * 24, index)
    again = gate(shared=(shared := MemoryWindows()))
    for _ in range(3):
        for index in range(5):
            judge(again, index * 24, index)
    assert not judge(one, 0, 0).held
    assert not judge(again, 96, 4).held
    assert all(len(entries) <= 5 for entries in shared.sets.values())


def test_containers_tell_each_other() -> None:
    shared = MemoryWindows()
    gates = [gate(shared=shared) for _ in range(3)]
    alone = [gate() for _ in range(3)]
    together = [judge(gates[index % 3], index * 24, index).held for index in range(12)]
    apart = [judge(alone[index % 3], index * 24, index).held for index in range(12)]
    assert any(together)
    assert not any(apart)


def test_unshipped_goods_and_crowds() -> None:
    one = gate()
    assert [judge(one, index, index * 100, shipped=False).held for index in range(7)] == [False] * 5 + [True] * 2
    many = gate()
    assert [judge(many, index * 2 % 24, index * 30, f"p{index}").held for index in range(9)] == [False] * 7 + [True] * 2


def test_the_rail_is_asked_only_where_something_speaks() -> None:
    ranks = Ranks(3)
    light = RiskGate(Catalog(Source(), lambda: 0, 1_000), {"*": RiskRules(fast_weight=10)}, ranks=ranks)
    found = [judge(light, index * 24, index).held for index in range(7)]
    assert found == [False] * 5 + [True] * 2
    assert ranks.asked == 2


def test_a_store_that_is_down_lets_nothing_through_unjudged() -> None:
    one = gate(shared=Down())
    judge(one, 0, 0)
    with pytest.raises(TransientError):
        judge(one, 24, 1)


def owed(state: State, reason: str = "", party: str = "p") -> Reward:
    return Reward("r", "1.0.1", "spring@1", "rel", 1, "consumer", state, 1, 2, party=party, reason=reason, due_at_ms=5)


def test_what_is_held() -> None:
    rewards = (
        owed(State.PENDING),
        owed(State.HELD, "awaiting_shipment"),
        owed(State.HELD, "awaiting_association", party=""),
        owed(State.HELD, "no_payee"),
        owed(State.NONE),
    )
    found = held_for_review(rewards, HELD)
    assert [(one.state, one.reason) for one in found] == [
        (State.HELD, "risk_review:fast=6"),
        (State.HELD, "risk_review:fast=6"),
        (State.HELD, "awaiting_association"),
        (State.HELD, "no_payee"),
        (State.NONE, ""),
    ]
    assert found[0].due_at_ms == 0, "only people end it"
    assert held_for_review(rewards, Verdict(0, (), False)) == rewards


def test_precision_and_recall_of_the_default_week() -> None:
    week = RiskScenario(buyers=msgspec.structs.replace(RiskScenario().buyers, count=300))
    report = judge_all(week, 1, RULES, 4).report()
    assert report["precision"] >= 0.99
    assert report["recall"] >= 0.7
    assert report["honest_people_held"] <= 3


def test_a_wedding_is_left_alone() -> None:
    party = RiskScenario(
        buyers=msgspec.structs.replace(RiskScenario().buyers, count=0),
        parties=(Parties(20), Parties(20, people=40)),
        recyclers=(),
        packages=(),
        insiders=(),
    )
    assert judge_all(party, 2, RULES, 1).report()["honest_claims_held_share"] <= 0.001
