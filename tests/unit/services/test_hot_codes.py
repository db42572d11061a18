"""The memory for hammered codes: threshold, window, capacity, and never a free code."""

from uncap.domain.catalog import Role
from uncap.domain.scans import CodeRef, Mark, ScanImage
from uncap.services.hot_codes import HotCodes


def ref(index: int) -> CodeRef:
    return CodeRef(7, index, Role.CAP_INNER)


def image(index: int, count: int, *, taken: bool = True) -> ScanImage:
    mark = Mark("c", 1, "claim")
    return ScanImage(ref(index).key(), mark, count, mark if taken else None)


class Clock:
    def __init__(self) -> None:
        self.ms = 0

    def __call__(self) -> int:
        return self.ms


def test_the_latest_image_is_recalled_from_the_threshold_on() -> None:
    hot = HotCodes(Clock(), threshold=3)
    for count in (1, 2):
        hot.note(ref(1), image(1, count))
        assert hot.recall(ref(1), "claim") is None
    hot.note(ref(1), image(1, 3))
    recalled = hot.recall(ref(1), "claim")
    assert recalled is not None
    assert recalled.count == 3
    assert hot.recall(ref(2), "claim") is None


def test_a_window_begins_with_its_first_write_and_ends() -> None:
    clock = Clock()
    hot = HotCodes(clock, threshold=2, window_ms=100)
    hot.note(ref(1), image(1, 1))
    clock.ms = 60
    hot.note(ref(1), image(1, 2))
    assert hot.recall(ref(1), "claim")
    clock.ms = 100
    assert hot.recall(ref(1), "claim") is None
    hot.note(ref(1), image(1, 3))
    assert hot.recall(ref(1), "claim") is None


def test_a_free_code_is_only_recalled_for_observers() -> None:
    hot = HotCodes(Clock(), threshold=1)
    hot.note(ref(1), image(1, 1, taken=False))
    assert hot.recall(ref(1), "claim") is None
    assert hot.recall(ref(1), "observe") is not None


def test_the_least_recently_written_is_forgotten() -> None:
    hot = HotCodes(Clock(), threshold=1, capacity=2)
    for index in (1, 2, 1, 3):
        hot.note(ref(index), image(index, 1))
    assert hot.recall(ref(1), "claim")
    assert hot.recall(ref(2), "claim") is None
    assert hot.recall(ref(3), "claim")
