"""Stream records as scans: first claims are told apart, poison names its reason, nothing personal is parked."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.adapters.scans_stream import change_of, parked_record
from uncap.domain.errors import PoisonError

RECORDS: list[dict[str, Any]] = json.loads((Path(__file__).parents[3] / "events/reward_relay/claims.json").read_text())[
    "Records"
]


def test_which_of_the_sample_records_are_first_claims() -> None:
    changes = [change_of(record) for record in RECORDS]
    firsts = [change.new.pk for change in changes if change and change.is_first_claim]
    assert firsts == [f"7.{index}.1" for index in range(7)]


def test_a_removed_item_is_no_scan() -> None:
    record = copy.deepcopy(RECORDS[0])
    record["eventName"] = "REMOVE"
    record["dynamodb"]["OldImage"] = record["dynamodb"].pop("NewImage")
    assert change_of(record) is None


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["S", "N", "pk", "l", "n"]), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["eventID", "dynamodb"]), JUNK)
    | st.builds(
        lambda image: {"eventID": "1", "dynamodb": {"NewImage": image}}, JUNK.filter(lambda one: one is not None)
    )
)
def test_whatever_a_record_holds_it_is_a_scan_or_poison(record: dict[str, Any]) -> None:
    try:
        change_of(record)
    except PoisonError:
        assert set(parked_record(record)) == {"event_id", "pk"}


def test_what_is_parked_names_the_code_and_nobody() -> None:
    parked = parked_record(RECORDS[0])
    assert parked == {"event_id": RECORDS[0]["eventID"], "pk": "7.0.1"}


@pytest.mark.parametrize("pk", ["", "7.0", "a.b.c", "7.0.9", "7.0.1.2"])
def test_keys_that_name_no_code_are_poison(pk: str) -> None:
    record = copy.deepcopy(RECORDS[0])
    record["dynamodb"]["NewImage"]["pk"]["S"] = pk
    with pytest.raises(PoisonError, match="scan_key_malformed"):
        change_of(record)


@pytest.mark.parametrize("pk", ["7.-5.1", "-7.5.1", "7.+5.1", "7.0_5.1", "7.05.1", "7.５.1"])
def test_a_code_has_one_key_only(pk: str) -> None:
    record = copy.deepcopy(RECORDS[0])
    record["dynamodb"]["NewImage"]["pk"]["S"] = pk
    with pytest.raises(PoisonError, match="scan_key_malformed"):
        change_of(record)


@pytest.mark.parametrize(
    "wrong",
    [
        {"t": -(10**18)},  # a day of it would be before the calendar's first
        {"t": 10**17},
        {"x": "x" * 2_000},  # longer than a counter's key may be
        {"c": "8" * 2_000},
        {"a": 10**30},
        {"w": "weird"},
    ],
)
def test_marks_out_of_all_bounds_are_poison_before_anything_is_made_of_them(wrong: dict[str, Any]) -> None:
    record = copy.deepcopy(RECORDS[0])
    image = record["dynamodb"]["NewImage"]
    image["l"]["S"] = json.dumps(json.loads(image["l"]["S"]) | wrong)
    with pytest.raises(PoisonError, match="scan_image_malformed"):
        change_of(record)
