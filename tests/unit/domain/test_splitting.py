"""Splits are exact to the last fen, whoever is how heavy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.errors import InputError
from uncap.domain.splitting import split_minor
from uncap.services.split_forms import NewPart, NewSplit

TEXT = {"en": "Split"}


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (100, {"a": 1, "b": 1, "c": 1}, {"a": 34, "b": 33, "c": 33}),
        (100, {"a": 60, "b": 30, "c": 10}, {"a": 60, "b": 30, "c": 10}),
        (5, {"a": 1, "b": 2, "c": 4}, {"a": 1, "b": 1, "c": 3}),
        (1, {"a": 1, "b": 2}, {"a": 0, "b": 1}),
    ],
)
def test_what_is_left_goes_to_the_largest_remainders(
    amount: int, weights: dict[str, int], parts: dict[str, int]
) -> None:
    assert split_minor(amount, weights) == parts


@given(
    st.integers(1, 10**9),
    st.dictionaries(st.sampled_from("abcdefg"), st.integers(1, 10**6), min_size=1),
)
def test_parts_sum_to_the_amount_and_are_within_one_of_their_share(amount: int, weights: dict[str, int]) -> None:
    parts = split_minor(amount, weights)
    total = sum(weights.values())
    assert sum(parts.values()) == amount
    assert list(parts) == list(weights)
    for name, weight in weights.items():
        assert abs(parts[name] * total - amount * weight) < total


@pytest.mark.parametrize(("amount", "weights"), [(0, {"a": 1}), (5, {}), (5, {"a": 0, "b": 1})])
def test_nothing_is_split_into_nothing(amount: int, weights: dict[str, int]) -> None:
    with pytest.raises(InputError, match="split_invalid"):
        split_minor(amount, weights)


def test_a_split_is_a_prize_and_an_effect_for_each_party() -> None:
    parts = (NewPart("outlet", 5), NewPart("distributor", 3), NewPart("salesperson", 2))
    split = NewSplit("margin", "trade_credit", 99, TEXT, parts, no=4)
    assert [(one.prize_id, one.amount_minor) for one in split.prizes()] == [
        ("margin-outlet", 49),
        ("margin-distributor", 30),
        ("margin-salesperson", 20),
    ]
    assert [(one.no, one.beneficiary) for one in split.effects()] == [
        (4, "outlet"),
        (5, "distributor"),
        (6, "salesperson"),
    ]


@pytest.mark.parametrize(
    "parts", [(NewPart("outlet", 5), NewPart("outlet", 3)), (NewPart("outlet", 1_000), NewPart("distributor", 1))]
)
def test_a_split_names_each_party_once_and_gives_each_something(parts: tuple[NewPart, ...]) -> None:
    with pytest.raises(InputError, match="split_invalid"):
        NewSplit("margin", "trade_credit", 99, TEXT, parts).prizes()
