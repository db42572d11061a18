"""SSCCs: known answers, every digit checked, runs counted, and the vectorised form against the plain one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.codes import sscc_bulk
from uncap.domain.codes.links import check_sscc
from uncap.domain.codes.sscc import SsccSeries, body_of, index_of, sscc_of, sscc_of_body
from uncap.domain.errors import ConflictError, InputError

BODIES = st.integers(0, 10**17 - 1)


@pytest.mark.parametrize("known", ["106141412345678908", "340123450000000000", "095201230000000011"])
def test_known_numbers(known: str) -> None:
    """The first is GS1's own example in TDS 1.13; the others were computed by hand."""
    assert sscc_of_body(int(known[:-1])) == check_sscc(known)


@given(BODIES)
def test_a_body_comes_back(body: int) -> None:
    assert body_of(sscc_of_body(body)) == body


@given(BODIES, st.integers(0, 17), st.integers(1, 9))
def test_any_wrong_digit_is_found(body: int, at: int, by: int) -> None:
    good = sscc_of_body(body)
    wrong = good[:at] + str((int(good[at]) + by) % 10) + good[at + 1 :]
    with pytest.raises(InputError, match="sscc_check_digit"):
        body_of(wrong)


@given(st.integers(0, 10**17 - 1 - (1 << 28)), st.integers(1, 1 << 28), st.data())
def test_a_run_counts_its_own(first: int, size: int, data: st.DataObject) -> None:
    start, index = sscc_of_body(first), data.draw(st.integers(0, size - 1))
    assert index_of(start, size, sscc_of(start, index)) == index
    assert index_of(start, size, sscc_of_body(first + size)) is None
    assert first == 0 or index_of(start, size, sscc_of_body(first - 1)) is None


@given(st.lists(st.integers(0, 1 << 28), max_size=20))
def test_the_bulk_form_agrees(indices: list[int]) -> None:
    first = "095201230000000011"
    rows = sscc_bulk.ssccs(first, np.asarray(indices, np.int64))
    assert [row.tobytes().decode() for row in rows] == [sscc_of(first, index) for index in indices]
    assert sscc_bulk.indices_of(first, (1 << 28) + 1, rows).tolist() == indices


def test_bad_rows_are_nobodys() -> None:
    texts = [b"095201230000000011", b"095201230000000012", b"09520123000000001x", b"                  "]
    rows = np.frombuffer(b"".join(texts), np.uint8).reshape(4, 18)
    assert sscc_bulk.bodies_of(rows).tolist() == [9520123000000001, -1, -1, -1]
    with pytest.raises(ValueError, match="shape"):
        sscc_bulk.bodies_of(rows[:, :17])


def test_a_series_is_a_block_of_numbers() -> None:
    series = SsccSeries(3, "9520123")
    assert series.capacity == 10**9
    assert sscc_of_body(series.body(7))[:17] == "39520123000000007"
    assert series.body(series.capacity - 1) == series.stop_body - 1
    with pytest.raises(ConflictError, match="sscc_exhausted"):
        series.body(series.capacity)


@pytest.mark.parametrize(("extension", "prefix"), [(10, "9520123"), (-1, "9520123"), (0, "952"), (0, "95201２3")])
def test_what_is_no_series(extension: int, prefix: str) -> None:
    with pytest.raises(InputError, match="sscc_series_malformed"):
        SsccSeries(extension, prefix)


def test_a_run_cannot_leave_the_numbers() -> None:
    with pytest.raises(InputError, match="sscc_malformed"):
        sscc_of(sscc_of_body(10**17 - 1), 1)
    with pytest.raises(InputError, match="sscc_malformed"):
        sscc_bulk.ssccs(sscc_of_body(10**17 - 1), np.asarray([0, 1]))
