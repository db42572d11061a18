"""The index finds what reading every rule would find; precedence decides; what cannot be known yet stays open."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain.campaigns.rule_kit import facts, holds, rule_parts
from uncap.domain.campaigns.deciding import NOTHING, decide
from uncap.domain.campaigns.explaining import explain
from uncap.domain.campaigns.facts import Facts, Pick
from uncap.domain.campaigns.index import EMPTY, RuleIndex
from uncap.domain.campaigns.reference import Slot
from uncap.domain.campaigns.rules import Condition, Exclusion, Rule, RulePart
from uncap.domain.catalog import Campaign, Effect, Prize

TEXT = {"en": "x"}
BASE = (Effect(1, "consumer", "laid"), Effect(2, "outlet", "fixed", "a"))
SHOP = Facts(outlet="o-1", distributor="d-1", region="510104", gtin="1", day="2026-11-22", shipped=True)
CAMPAIGN = Campaign(
    campaign_id="c",
    version=3,
    effective_at_ms=0,
    name=TEXT,
    rules=TEXT,
    starts_at_ms=0,
    ends_at_ms=1,
    claim_until_ms=1,
    gtins=("1",),
    prizes=tuple(Prize(name, "cash", 100 + place, TEXT) for place, name in enumerate("abc")),
    pool=(),
    effects=BASE,
)


def rule(no: int, when: Condition, prize: str = "b", precedence: int = 100, who: str = "outlet", slot: int = 2) -> Rule:
    return Rule(no, (Effect(slot, who, "fixed", prize),), when, precedence)


def indexed(*rules: Rule) -> RuleIndex:
    return RuleIndex(RulePart(rules))


def by_reading(rules: RulePart, effects: tuple[Effect, ...], seen: Facts) -> dict[Slot, tuple[int, str]]:
    """Slot → (rule, prize), found by reading all rules from the best rank on."""
    found: dict[Slot, tuple[int, str]] = {}
    for one in sorted(rules.rules, key=lambda rule: (-rule.precedence, rule.no)):
        if holds(one.when, seen):
            for effect in one.effects:
                found.setdefault(Slot(effect.no, effect.beneficiary), (one.no, effect.prize_id))
    for effect in effects:
        found.setdefault(Slot(effect.no, effect.beneficiary), (0, effect.prize_id))
    return found


@settings(max_examples=120, deadline=None)
@given(rule_parts(), facts)
def test_the_index_decides_as_reading_every_rule_would(rules: RulePart, seen: Facts) -> None:
    decided = decide(BASE, RuleIndex(rules), seen)
    won = {pick.slot: (pick.rule_no, pick.prize_id) for pick in decided.picks if pick.rule_no != NOTHING}
    assert won == by_reading(rules, BASE, seen)
    empty = [pick.slot for pick in decided.picks if pick.rule_no == NOTHING]
    assert all(slot.beneficiary == "consumer" and slot not in won for slot in empty)
    assert decided.open == ()


@settings(max_examples=40, deadline=None)
@given(rule_parts(20), facts)
def test_explaining_says_what_deciding_does(rules: RulePart, seen: Facts) -> None:
    index = RuleIndex(rules)
    told = explain(CAMPAIGN, index, seen, ask=[rule.no for rule in rules.rules])
    decided = decide(CAMPAIGN.effects, index, seen)
    assert [(one.no, one.beneficiary, one.rule_no, one.prize_id) for one in told.outcomes] == [
        (pick.no, pick.beneficiary, pick.rule_no, pick.prize_id) for pick in decided.picks
    ]
    assert {trace.rule_no for trace in told.traces} == {rule.no for rule in rules.rules}
    for trace in told.traces:
        assert trace.matched == holds(index.rules[trace.rule_no].rule.when, seen) == (not trace.missed)
        for lost in trace.lost:
            assert (-lost.precedence, lost.to_rule) < (-trace.precedence, trace.rule_no)


@settings(max_examples=40, deadline=None)
@given(rule_parts(20), facts)
def test_what_is_decided_before_the_place_is_known_stays(rules: RulePart, seen: Facts) -> None:
    """Whatever place the goods turn out to have, no slot that was closed without it would have been another."""
    index = RuleIndex(rules)
    unplaced = msgspec.structs.replace(
        seen, shipped=False, region="", outlet="", distributor="", sub_distributor="", invited=False,
        outlet_nth=0, outlet_days=0, outlet_row=0,
    )  # fmt: skip
    early, late = decide(BASE, index, unplaced), decide(BASE, index, seen)
    assert set(early.picks) <= set(late.picks)
    assert {pick.slot for pick in late.picks} <= {pick.slot for pick in early.picks} | set(early.open)
    assert decide(BASE, index, unplaced, final=True).open == ()


def test_the_highest_precedence_wins_then_the_lowest_number() -> None:
    everywhere = Condition()
    index = indexed(rule(1, everywhere, "b"), rule(2, everywhere, "c", 200), rule(3, everywhere, "a", 200))
    assert decide(BASE, index, SHOP).picks[1] == Pick(2, "outlet", 2, "fixed", "c")
    told = explain(CAMPAIGN, index, SHOP)
    assert [(one.rule_no, [lost.to_rule for lost in one.lost]) for one in told.traces] == [(2, []), (3, [2]), (1, [2])]


def test_without_rules_everything_is_unconditional() -> None:
    assert [pick.rule_no for pick in decide(BASE, EMPTY, Facts()).picks] == [0, 0]


def test_excluded_people_win_nothing_and_their_shop_still_does() -> None:
    excluded = msgspec.structs.replace(SHOP, excluded=True)
    picks = decide(BASE, RuleIndex(RulePart(excluded=Exclusion(people=("p",)))), excluded).picks
    assert picks == (Pick(1, "consumer", NOTHING), Pick(2, "outlet", 0, "fixed", "a"))


def test_a_slot_that_a_regional_rule_could_take_waits_for_the_place() -> None:
    index = indexed(rule(1, Condition(regions=("510000",)), "b"), rule(2, Condition(gtins=("1",)), "c", 300, slot=3))
    decided = decide(BASE, index, Facts(gtin="1"))
    assert decided.open == (Slot(2, "outlet"),)
    assert [pick.no for pick in decided.picks] == [1, 3]
    assert decide(BASE, index, Facts(gtin="1"), final=True).picks[1].rule_no == 0
    assert decide(BASE, index, SHOP).picks[1].rule_no == 1


@pytest.mark.parametrize("crowd", ["one outlet each", "all in one region", "no key at all"])
def test_a_claim_meets_few_of_many_rules(crowd: str) -> None:
    whens = {
        "one outlet each": [Condition(outlets=(f"o-{no}",), regions=("510100",)) for no in range(2_000)],
        "all in one region": [Condition(regions=("510100",), outlets=(f"o-{no % 500}",)) for no in range(2_000)],
        "no key at all": [Condition(first_of_case=True) for _ in range(5)],
    }[crowd]
    index = indexed(*(rule(no, when) for no, when in enumerate(whens, 1)))
    _, candidates = index.candidates(SHOP)
    assert len(candidates) <= 8
    assert all(one.rule.when in whens for one in candidates)


@given(st.lists(st.integers(1, 3), max_size=30))
def test_a_crowded_field_is_split_by_the_next(numbers: list[int]) -> None:
    rules = tuple(rule(no, Condition(outlets=("o-1",), gtins=(str(gtin),))) for no, gtin in enumerate(numbers, 1))
    _, found = indexed(*rules).candidates(SHOP)
    mine = {one.no for one in rules if one.when.gtins == ("1",)}
    assert mine <= {one.rule.no for one in found}
    assert len(numbers) <= 8 or {one.rule.no for one in found} == mine
