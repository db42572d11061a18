"""The gate: people at a table are let through, thieves are held, repeats count once, containers tell each other."""

import msgspec
import pytest

from cli.risk.command import MemoryWindows, judge_all
from cli.risk.people import Farm, Ghosts, Parties
from cli.risk.scenario import RiskScenario
from uncap.adapters.catalog import Catalog
from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.catalog import CodeBatch, Party, Role
from uncap.domain.errors import TransientError
from uncap.domain.rewards.ports import Channel
from uncap.domain.rewards.reward import Reward, State
from uncap.domain.risk import RiskRules, Verdict
from uncap.domain.scans import CodeRef, Mark
from uncap.services.find_case import stored_case_of
from uncap.services.judge_risk import Goods, RiskGate, held_for_review

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

    def rank(self, claim: Mark) -> int:
        self.asked += 1
        return self.level


class Down:
    def add(self, key: str, entries: object, expires_at_s: int) -> list[str]:
        raise TransientError("no_answer", "the table does not answer")


def gate(**given: object) -> RiskGate:
    return RiskGate(Catalog(Source(), lambda: 0, 1_000), RULES, **given)  # type: ignore[arg-type]


def judge(one: RiskGate, index: int, at_s: float, person: str = "p", *, shipped: bool = True) -> Verdict:
    ref = CodeRef(1, index, Role.CAP_INNER)
    mark = Mark(f"c{index}", int(at_s * 1000), "claim", person)
    return one.judge(ref, mark, "spring", Goods(Channel(shipped=shipped)))


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
    assert [one.review for one in found] == ["", "", "risk_review:fast=6", "", ""]
    assert held_for_review(rewards, Verdict(0, (), False)) == rewards


def test_precision_and_recall_of_the_default_week() -> None:
    week = RiskScenario(buyers=msgspec.structs.replace(RiskScenario().buyers, count=300))
    report = judge_all(week, 1, RULES, 4).report()
    assert report["precision"] >= 0.98
    assert report["recall"] >= 0.7
    assert report["honest_people_held"] <= 12


def test_a_wedding_is_left_alone() -> None:
    party = RiskScenario(
        buyers=msgspec.structs.replace(RiskScenario().buyers, count=0),
        parties=(Parties(20), Parties(20, people=40)),
        recyclers=(),
        packages=(),
        insiders=(),
        farms=Farm(),
        ghosts=Ghosts(),
        overdrawn=(),
    )
    assert judge_all(party, 2, RULES, 1).report()["honest_claims_held_share"] <= 0.001


CASE_BATCH = 2


class Packed:
    """An association: bottles 0 to 9 lie in case 7 of batch 2, whatever roll order says; the others in nothing."""

    def parent_of(self, unit: UnitRef, at_ms: int | None = None) -> UnitRef | None:
        return UnitRef(CASE_BATCH, 7) if unit.index < 10 else None

    def children_of(self, unit: UnitRef, at_ms: int | None = None) -> list[UnitSpan]:
        return []


class PackedSource(Source):
    def query(self, pk: str, *, consistent: bool = False) -> list[tuple[str, str]]:
        packed = msgspec.structs.replace(BATCH, case_batch_no=CASE_BATCH, units_per_case=2)
        return [("meta", msgspec.json.encode(packed).decode())]


def test_cases_are_those_of_the_stored_packing_and_a_replaced_code_has_its_place() -> None:
    rules = {"*": RiskRules(crowd=3, scattered=3, share_from=1)}
    shared = MemoryWindows()
    one = RiskGate(Catalog(PackedSource(), lambda: 0, 1_000), rules, shared, case_of=stored_case_of(Packed()))
    goods = Channel(shipped=True)
    places = ((0, 0), (9, 9), (5_000, 5))  # 5,000 is a spare that took over the place of 5
    found = []
    for at, (index, place) in enumerate(places):
        mark = Mark(f"c{index}", at * 60_000, "claim", f"p{at}")
        found.append(one.judge(CodeRef(1, index, Role.CAP_INNER), mark, "spring", Goods(goods, place)))
    assert [verdict.held for verdict in found] == [False, False, True]
    assert found[-1].signals == (("crowd", 3),)
    loose = one.judge(CodeRef(1, 77, Role.CAP_INNER), Mark("c", 200_000, "claim", "p9"), "spring", Goods(goods))
    assert not loose.held
    assert not any("|2.38|" in entry for entries in shared.sets.values() for entry in entries), "roll order"


def outlet_opens(one: RiskGate, index: int, channel: Channel, at_s: float = 0.0) -> Verdict:
    mark = Mark(f"k{index}", int((at_s or index * 300) * 1000) + 10_000_000, "claim", "p", outlet="o")
    return one.judge(CodeRef(CASE_BATCH, index, Role.CASE_INNER), mark, "spring", Goods(channel))


def test_an_outlet_that_opens_more_than_it_was_sent() -> None:
    own, nobodys = Channel(shipped=True, outlet="o"), Channel(shipped=True, distributor="d")
    one = gate()
    assert not any(outlet_opens(one, index, nobodys).held for index in range(30)), "no paper reaches this shop at all"
    two = gate()
    outlet_opens(two, 0, own)
    found = [outlet_opens(two, index, nobodys) for index in range(1, 8)]
    assert [verdict.held for verdict in found] == [False] * 5 + [True] * 2
    assert found[-1].signals == (("beyond", 7),)
    busy = gate()
    for index in range(20):
        outlet_opens(busy, index, own)
    assert not outlet_opens(busy, 30, nobodys).held, "a late paper among many"


def test_a_case_opened_without_a_receipt_counts_where_receipts_are_recorded() -> None:
    missing = Channel(shipped=True, outlet="o", received=False)
    one = gate()
    found = [outlet_opens(one, index, missing) for index in range(5)]
    assert found[3].signals == (("unreceived", 4),)
    assert not found[4].held, "by itself it only asks for more"
    got = gate()
    assert not any(
        outlet_opens(got, index, Channel(shipped=True, outlet="o", received=True)).signals for index in range(9)
    )


@pytest.mark.parametrize(
    ("outlet", "held"),
    [
        (Party("o", "outlet", {}, registered_at_ms=9_000_000), True),
        (Party("o", "outlet", {}, provisional=True, registered_at_ms=1), True),
        (Party("o", "outlet", {}, registered_at_ms=1), False),
        (Party("o", "outlet", {}), False),
        (None, False),
    ],
)
def test_an_outlet_registered_minutes_before_its_first_claims(outlet: Party | None, held: bool) -> None:
    one = gate(party_of=lambda _: outlet)
    found = [outlet_opens(one, index, Channel(shipped=True, outlet="o"), 1 + index) for index in range(3)]
    assert [verdict.held for verdict in found] == [False, False, held]


def test_many_people_on_one_device_and_a_batch_that_runs_away() -> None:
    farm = gate()
    found = [
        farm.judge(
            CodeRef(1, number * 24, Role.CAP_INNER),
            Mark(f"c{number}", number * 60_000, "claim", f"p{number}", device="d1"),
            "spring",
            Goods(Channel(shipped=True)),
        ).signals
        for number in range(4)
    ]
    assert found == [(), (), (), (("device", 4),)]
    leak = gate()
    many = [judge(leak, number * 37 % 9_000, number * 30, f"p{number}") for number in range(61)]
    assert not any(verdict.held for verdict in many)
    assert many[-1].signals == (("batch", 61),)
    assert not judge(leak, 9_500, 90_000, "later").signals
