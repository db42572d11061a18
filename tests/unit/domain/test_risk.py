"""The risk verdict: thresholds are exact, more never weighs less, wrong rules name the field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.errors import InputError
from uncap.domain.risk import SIGNALS, Evidence, RiskRules, read_rules, rules_of, weigh

RULES = RiskRules()
numbers = st.integers(0, 300)
NAMES = [name for name in Evidence.__struct_fields__ if name != "rank"]
evidences = st.builds(Evidence, **dict.fromkeys(NAMES, numbers), rank=st.integers(0, 4))


@pytest.mark.parametrize(
    ("below", "at", "word"),
    [
        (Evidence(fast=5), Evidence(fast=6), "fast=6"),
        (Evidence(today=99), Evidence(today=100), "day=100"),
        (Evidence(crowd=7), Evidence(crowd=8), "crowd=8"),
        (Evidence(in_order=4), Evidence(in_order=5), "in_order=5"),
        (Evidence(foreign=5), Evidence(foreign=6), "foreign=6"),
        (Evidence(unshipped=5), Evidence(unshipped=6), "unshipped=6"),
        (Evidence(device=3), Evidence(device=4), "device=4"),
        (Evidence(new_outlet=2), Evidence(new_outlet=3), "new_outlet=3"),
        (Evidence(opened=9, beyond=5), Evidence(opened=9, beyond=6), "beyond=6"),
        (Evidence(opened=30, beyond=17), Evidence(opened=30, beyond=18), "beyond=18"),
        (Evidence(today=12, scattered=11), Evidence(today=20, scattered=12), "scattered=12"),
        (Evidence(today=60, scattered=35), Evidence(today=60, scattered=36), "scattered=36"),
    ],
)
def test_a_signal_speaks_from_its_threshold_on(below: Evidence, at: Evidence, word: str) -> None:
    assert not weigh(below, RULES).held
    assert weigh(below, RULES).reason == ""
    found = weigh(at, RULES)
    assert found.held
    assert found.reason == f"risk_review:{word}"


def test_light_signals_need_each_other() -> None:
    assert not weigh(Evidence(unreceived=9), RULES).held
    assert not weigh(Evidence(batch=99), RULES).held
    assert weigh(Evidence(unreceived=4, batch=60), RULES).reason == "risk_review:batch=60,unreceived=4"


def test_every_signal_has_threshold_weight_and_number() -> None:
    for name in SIGNALS:
        assert getattr(RULES, name) >= 1
        assert getattr(RULES, f"{name}_weight") >= 0
        assert hasattr(Evidence(), "today" if name == "day" else name)


def test_the_rails_rank_alone_holds_nobody_who_is_not_ranked_worst() -> None:
    assert not weigh(Evidence(rank=2), RULES).held
    light = RiskRules(fast_weight=40)
    assert not weigh(Evidence(fast=6), light).held
    assert weigh(Evidence(fast=6, rank=1), light).held


@given(evidences, evidences)
def test_more_of_one_signal_never_weighs_less(one: Evidence, other: Evidence) -> None:
    both = Evidence(*(max(a, b) for a, b in zip(*map(_numbers, (one, other)), strict=True)))
    relevant = RiskRules(scattered_percent=1, beyond_percent=1)
    assert weigh(both, relevant).score >= max(weigh(one, relevant).score, weigh(other, relevant).score) - 60
    assert len(weigh(both, relevant).reason) <= 100


def _numbers(one: Evidence) -> tuple[int, ...]:
    return tuple(getattr(one, name) for name in one.__struct_fields__)


def test_rules_are_found_by_id_then_by_the_longest_beginning() -> None:
    found = read_rules(
        '{"*": "off", "spring-*": {"crowd": 12}, "spring-north-*": "off", "spring-north-2": {"fast": 9}}'
    )
    wanted = {"spring-1": 12, "spring-north-1": None, "spring-north-2": 8, "summer": None, "*": None}
    assert {name: (rules := rules_of(found, name)) and rules.crowd for name in wanted} == wanted
    assert rules_of({}, "any") == RiskRules()


def test_rules_are_read_by_campaign() -> None:
    found = read_rules('{"spring": {"crowd": 12}}')
    assert found["spring"] == RiskRules(crowd=12)
    assert found["*"] == read_rules("")["*"] == RiskRules()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"spring": {"crowd": 0}}', "crowd"),
        ('{"*": {"crwod": 3}}', "[...]"),
        ('{"*": "on"}', "[...]"),
        ("[", "risk_rules"),
        ("[]", "risk_rules"),
    ],
)
def test_wrong_rules_name_the_field(text: str, where: str) -> None:
    with pytest.raises(InputError) as told:
        read_rules(text)
    assert where in told.value.where
