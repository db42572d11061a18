"""One bad record in a batch: found, named without its contents, and all others worked on."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.errors import TransientError
from uncap.services.isolate_records import ALONE_FOR_MS, Record, isolate

NOW = 1_795_312_900_000


def record(number: int, age_ms: int = 0) -> Record:
    return {"eventID": str(number), "dynamodb": {"ApproximateCreationDateTime": (NOW - age_ms) / 1000}}


class Work:
    """Fails whole, as a batch write does, where a bad record is in it."""

    def __init__(self, bad: set[str]) -> None:
        self.bad = bad
        self.done: list[str] = []
        self.calls = 0

    def __call__(self, records: Sequence[Record]) -> int:
        self.calls += 1
        for one in records:
            if one["eventID"] in self.bad:
                raise KeyError("serial 1234567 of a person")
        self.done += [one["eventID"] for one in records]
        return len(records)


@given(size=st.integers(1, 100), data=st.data())
def test_the_bad_are_found_and_the_good_are_done_in_order(size: int, data: Any) -> None:
    bad = {str(one) for one in data.draw(st.sets(st.integers(0, size - 1), max_size=min(4, size - 1)))}
    work = Work(bad)
    results, unforeseen = isolate([record(one) for one in range(size)], work, NOW)
    assert work.done == [str(one) for one in range(size) if str(one) not in bad]
    assert [one.record["eventID"] for one in unforeseen] == sorted(bad, key=int)
    assert sum(results) + len(unforeseen) == size
    assert work.calls <= 1 + 2 * 7 * max(1, len(bad))


def test_it_is_named_by_kind_and_place_and_never_by_its_contents() -> None:
    _, (found,) = isolate([record(0), record(1)], Work({"1"}), NOW)
    assert found.reason == "unforeseen_KeyError"
    assert "test_isolate_records.py" in found.detail
    assert "1234567" not in found.detail


def test_what_may_pass_is_raised_at_once() -> None:
    def work(_: Sequence[Record]) -> None:
        raise TransientError("table_unavailable", "no")

    with pytest.raises(TransientError):
        isolate([record(0), record(1)], work, NOW)


def test_what_all_share_is_not_theirs() -> None:
    with pytest.raises(KeyError):
        isolate([record(one, ALONE_FOR_MS) for one in range(3)], Work({"0", "1", "2"}), NOW)


def test_one_alone_is_given_time_and_then_parked() -> None:
    with pytest.raises(KeyError):
        isolate([record(0, ALONE_FOR_MS - 1)], Work({"0"}), NOW)
    assert len(isolate([record(0, ALONE_FOR_MS)], Work({"0"}), NOW)[1]) == 1
    assert len(isolate([{"eventID": "0"}], Work({"0"}), NOW)[1]) == 1, "a record without a time is as odd as can be"


def test_an_empty_batch_is_none_of_this() -> None:
    assert isolate([], Work(set()), NOW) == ([0], [])
