"""Rule sets that contradict themselves or the law are refused by rule and field; started ones only gain."""

import msgspec
import pytest
from hypothesis import given, settings

from tests.unit.domain.campaigns.rule_kit import conditions, facts, holds, rule_parts
from tests.unit.domain.test_campaign_rules import DAY, GOOD, START, changed
from uncap.domain.campaign_rules import check_campaign, check_change
from uncap.domain.campaigns.checks import disjoint, unfair_change
from uncap.domain.campaigns.deciding import decide
from uncap.domain.campaigns.facts import Facts
from uncap.domain.campaigns.index import RuleIndex
from uncap.domain.campaigns.rules import Condition, Hours, Nth, Rule, RulePart, Streak
from uncap.domain.catalog import Effect, Prize
from uncap.domain.errors import ConflictError, InputError

GIVES = (Effect(2, "distributor", "fixed", "big"),)
TOWN = Rule(1, GIVES, Condition(regions=("510100",)))


def parts(*rules: Rule) -> RulePart:
    return RulePart(rules)


def when(**fields: object) -> RulePart:
    return parts(Rule(7, GIVES, Condition(**fields)))  # type: ignore[arg-type]  # fields by name


def gives(*effects: Effect) -> RulePart:
    return parts(Rule(7, effects))


def test_a_good_rule_set_passes_also_without_unconditional_effects() -> None:
    check_campaign(GOOD, parts(TOWN))
    check_campaign(changed(effects=(), pool=()), parts(TOWN))


@pytest.mark.parametrize(
    ("rules", "where"),
    [
        (parts(TOWN, TOWN), "rule_set[1].no"),
        (gives(), "rule_set[7].effects"),
        (gives(Effect(2, "outlet", "fixed", "gone")), "rule_set[7].effects"),
        (gives(Effect(3, "consumer", "laid")), "rule_set[7].effects"),
        (gives(Effect(1, "consumer", "fixed", "big")), "rule_set[7].effects"),
        (gives(*GIVES, *GIVES), "rule_set[7].effects"),
        (gives(*(Effect(no, "outlet", "fixed", "big") for no in range(3, 20))), "rule_set"),
        (when(gtins=("1",)), "rule_set[7].when.gtins"),
        (when(outlets=("o", "o")), "rule_set[7].when.outlets"),
        (when(from_day="2026-02-30"), "rule_set[7].when.from_day"),
        (when(before_day="20261122"), "rule_set[7].when.before_day"),
        (when(from_day="2026-11-22", before_day="2026-11-22"), "rule_set[7].when.before_day"),
        (when(hours=(Hours(20, 4),)), "rule_set[7].when.hours"),
        (when(weekdays=(0,)), "rule_set[7].when.weekdays"),
        (when(person_nth=Nth()), "rule_set[7].when.person_nth"),
        (when(outlet_nth=Nth(at=(0,))), "rule_set[7].when.outlet_nth"),
        (when(person_streak=Streak()), "rule_set[7].when.person_streak"),
        (when(outlet_streak=Streak(days=64)), "rule_set[7].when.outlet_streak"),
    ],
)
def test_contradictions_name_rule_and_field(rules: RulePart, where: str) -> None:
    with pytest.raises(InputError) as refused:
        check_campaign(GOOD, rules)
    assert (refused.value.code, refused.value.where) == ("campaign_invalid", where)


def test_a_consumers_luck_is_worth_fifty_thousand_at_most() -> None:
    rich = changed(prizes=(*GOOD.prizes, Prize("car", "cash", 5_000_001, {"en": "Car"})))
    check_campaign(rich, gives(Effect(2, "distributor", "fixed", "car")))
    with pytest.raises(InputError, match="50,000"):
        check_campaign(rich, gives(Effect(3, "consumer", "fixed", "car")))


LESS = (Effect(2, "distributor", "fixed", "small"),)
POINTS = (Effect(2, "distributor", "fixed", "pts"),)
TOP_UP = Rule(2, GIVES, Condition(outlets=("o-1",)), 200)


def other(rule: Rule, **changes: object) -> Rule:
    return msgspec.structs.replace(rule, **changes)


@pytest.mark.parametrize(
    ("new", "where"),
    [
        (parts(TOWN), ""),
        (parts(other(TOWN, name="Town")), ""),
        (parts(TOWN, TOP_UP), ""),
        (parts(TOWN, other(TOP_UP, precedence=1, effects=LESS)), ""),
        (parts(TOWN, Rule(3, LESS, Condition(regions=("500000",)), 900)), ""),
        (parts(TOWN, Rule(3, LESS, Condition(regions=("510000",)), 900)), "rule_set[3].effects"),
        (parts(), "rule_set[1]"),
        (parts(other(TOWN, precedence=99)), "rule_set[1]"),
        (parts(other(TOWN, when=Condition(regions=("510104",)))), "rule_set[1]"),
        (parts(TOWN, other(TOP_UP, effects=LESS)), "rule_set[2].effects"),
        (parts(TOWN, other(TOP_UP, effects=POINTS)), "rule_set[2].effects"),
    ],
)
def test_started_rules_only_gain(new: RulePart, where: str) -> None:
    campaign = changed(prizes=(*GOOD.prizes, Prize("pts", "points", 10_000, {"en": "Points"})))
    assert unfair_change(parts(TOWN), new, campaign, campaign) == where
    if where:
        with pytest.raises(ConflictError, match="campaign_started"):
            check_change(campaign, campaign, START + DAY, released=False, old_rules=parts(TOWN), new_rules=new)


@settings(max_examples=60, deadline=None)
@given(rule_parts(6), rule_parts(6), facts)
def test_what_passes_as_a_favour_is_one_for_every_claim(old: RulePart, more: RulePart, seen: Facts) -> None:
    prizes = tuple(Prize(name, "cash", 100 + place, {"en": "x"}) for place, name in enumerate("abc"))
    campaign = msgspec.structs.replace(GOOD, prizes=prizes, pool=(), effects=(Effect(2, "outlet", "fixed", "a"),))
    added = tuple(msgspec.structs.replace(rule, no=rule.no + 100) for rule in more.rules)
    new = RulePart((*old.rules, *added))
    if unfair_change(old, new, campaign, campaign):
        return
    worth = {prize.prize_id: prize.amount_minor for prize in prizes} | {"": 0}
    before = {one.slot: worth[one.prize_id] for one in decide(campaign.effects, RuleIndex(old), seen).picks}
    after = {one.slot: worth[one.prize_id] for one in decide(campaign.effects, RuleIndex(new), seen).picks}
    assert all(after[slot] >= amount for slot, amount in before.items())


@settings(max_examples=100, deadline=None)
@given(conditions, conditions, facts)
def test_disjoint_conditions_never_meet(one: Condition, other: Condition, seen: Facts) -> None:
    if disjoint(one, other):
        assert not (holds(one, seen) and holds(other, seen))
