"""Overlapping recalls in one batch, against a model that writes every index down."""

from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.catalog import CodeBatch, IndexRange, Role
from uncap.domain.claims import decide_claim
from uncap.domain.lifecycle import covering, is_recalled, notice_of, recalls_of
from uncap.domain.recalls import Recall, lift_ranges, recall_ranges

SIZE = 40
EMPTY = CodeBatch(7, "09520123456788", SIZE, 1, (Role.CAP_INNER,), state="commissioned")
ACTS = st.lists(
    st.tuples(st.booleans(), st.sampled_from("abc"), st.integers(0, SIZE - 1), st.integers(1, SIZE)), max_size=12
)


def recall(recall_id: str, notice: str = "") -> Recall:
    return Recall(recall_id, "lot L1", "glass", (), {"en": notice} if notice else {})


@given(ACTS)
def test_every_index_is_under_the_recalls_that_cover_it(acts: list[tuple[bool, str, int, int]]) -> None:
    batch, model = EMPTY, {index: set[str]() for index in range(SIZE)}
    for lifts, recall_id, start, length in acts:
        stop = min(start + length, SIZE)
        if lifts:
            batch = lift_ranges(batch, recall_id)
            for ids in model.values():
                ids.discard(recall_id)
        else:
            batch = recall_ranges(batch, [IndexRange(start, stop)], recall(recall_id))
            for index in range(start, stop):
                model[index].add(recall_id)
    assert {index: set(recalls_of(batch, index)) for index in range(SIZE)} == model
    edges = [(one.start, one.stop) for one in batch.recalled]
    assert edges == sorted(edges)
    assert all(left.stop <= right.start for left, right in zip(batch.recalled, batch.recalled[1:], strict=False))
    joined = [one for one in zip(batch.recalled, batch.recalled[1:], strict=False) if one[0].stop == one[1].start]
    assert all(left.reason != right.reason for left, right in joined)


def test_twice_is_once_and_lifting_leaves_the_other() -> None:
    once = recall_ranges(EMPTY, [IndexRange(0, 10)], recall("r1", "Do not drink"))
    assert recall_ranges(once, [IndexRange(0, 10)], recall("r1", "Do not drink")) == once
    both = recall_ranges(once, [IndexRange(5, 15)], recall("r2"))
    lifted = lift_ranges(both, "r1")
    assert [(one.start, one.stop, one.reason) for one in lifted.recalled] == [(5, 15, "r2")]
    assert lifted.notices == {}
    assert notice_of(once, 3) == {"en": "Do not drink"}
    assert notice_of(once, 12) == {}


def test_a_recall_speaks_before_everything_else() -> None:
    batch = recall_ranges(EMPTY, [IndexRange(3, 5)], recall("r1"))
    assert [decide_claim(batch, None, None, index, Role.CAP_OUTER, 0).reason for index in (2, 3, 4, 5)] == [
        "outer_code",
        "recalled",
        "recalled",
        "outer_code",
    ]
    assert not is_recalled(batch, 5)


@given(st.sets(st.integers(0, 60)), st.integers(-1, 70))
def test_covering_finds_what_a_walk_finds(starts: set[int], index: int) -> None:
    ranges = [IndexRange(start * 2, start * 2 + 1) for start in sorted(starts)]
    expected = next((one for one in ranges if index in one), None)
    assert covering(ranges, index) == expected
