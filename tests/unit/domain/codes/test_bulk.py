"""Serials by the million are the same serials: agreement with the single form, no collisions, strict decoding."""

import numpy as np
import pytest
from fastfpe import ff1 as fastfpe  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.catalog import Role
from uncap.domain.codes import bulk, crockford, links, scheme
from uncap.domain.codes.scheme import CodeKey
from uncap.domain.errors import InputError

GTIN = "09520123456788"
KEY = CodeKey.derive(bytes(range(32)), 1, GTIN, Role.CAP_INNER)
LAST = scheme.INDEX_LIMIT - 1


@settings(max_examples=25)
@given(
    batch_no=st.integers(0, scheme.BATCH_LIMIT - 1),
    indices=st.lists(st.integers(0, LAST), max_size=40),
    epoch=st.integers(0, 31),
    role=st.sampled_from(list(Role)),
    master=st.binary(min_size=32, max_size=32),
)
def test_bulk_is_single(batch_no: int, indices: list[int], epoch: int, role: Role, master: bytes) -> None:
    key = CodeKey.derive(master, epoch, GTIN, role)
    rows = bulk.serials(key, batch_no, np.array(indices, np.int64))
    texts = bulk.texts_of(rows)
    assert texts == [scheme.encode(key, batch_no, index) for index in indices]
    decoded = bulk.decode(key, rows)
    assert decoded.valid.all()
    assert decoded.index.tolist() == indices
    assert set(decoded.batch_no.tolist()) <= {batch_no}


def test_a_random_batch_agrees_with_fastfpe() -> None:
    indices = np.random.default_rng(5).integers(0, scheme.INDEX_LIMIT, 2_000)
    texts = bulk.texts_of(bulk.serials(KEY, 99_999, indices))
    plain = [crockford.encode((99_999 << 28 | int(index)) << 28, 16) for index in indices]
    alphabet, key, tweak = crockford.ALPHABET, KEY.key.hex(), KEY.tweak.hex()
    assert texts == ["1" + fastfpe.encrypt(key, tweak, alphabet, text) for text in plain]


def test_ranges_cross_chunks_and_end_at_the_last_index() -> None:
    for indices in (range(bulk.CHUNK - 3, 2 * bulk.CHUNK + 5), range(LAST - 2, LAST + 1), range(10, 4, -2), range(0)):
        rows = bulk.serials(KEY, 7, indices)
        assert rows.shape == (len(indices), 17)
        decoded = bulk.decode(KEY, rows)
        assert decoded.valid.all()
        assert decoded.index.tolist() == list(indices)
        picked = list(indices)[:3] + list(indices)[-3:]
        assert bulk.texts_of(rows[:3]) + bulk.texts_of(rows[-3:]) == [scheme.encode(KEY, 7, i) for i in picked]


def test_no_collisions_within_and_between_roles_and_batches() -> None:
    outer = CodeKey.derive(bytes(range(32)), 1, GTIN, Role.CAP_OUTER)
    rows = [bulk.serials(key, batch_no, range(50_000)) for key in (KEY, outer) for batch_no in (1, 2)]
    assert len(set(bulk.texts_of(np.concatenate(rows)))) == 200_000


def test_every_changed_character_of_a_row_is_refused() -> None:
    row = bulk.serials(KEY, 7, range(1))[0]
    changed = [
        np.concatenate([row[:at], [ord(char)], row[at + 1 :]]).astype(np.uint8)
        for at in range(17)
        for char in crockford.ALPHABET + "ILOU_ "
        if ord(char) != row[at]
    ]
    assert not bulk.decode(KEY, np.array(changed)).valid.any()


def test_other_keys_rows_and_malformed_text_are_invalid_and_lower_case_is_not() -> None:
    good = scheme.encode(KEY, 7, 5)
    other = CodeKey.derive(bytes(range(32)), 1, GTIN, Role.CAP_OUTER)
    texts = [good, good.lower(), scheme.encode(other, 7, 5), good[:-1], good + "0", "", "é" * 17, "2" + good[1:]]
    decoded = bulk.decode(KEY, bulk.rows_of(texts))
    assert decoded.valid.tolist() == [True, True, False, False, False, False, False, False]
    assert decoded.index[:2].tolist() == [5, 5]


def test_lines_are_what_the_printer_gets() -> None:
    prefix = links.code_prefix("https://v.uncap.cn", GTIN)
    indices = range(5, bulk.CHUNK + 9)
    text = b"".join(bulk.lines(KEY, 7, indices, prefix)).decode("ascii")
    lines = text.split("\r\n")
    assert lines.pop() == ""
    assert len(lines) == len(indices)
    for line, index in ((lines[0], 5), (lines[-1], bulk.CHUNK + 8)):
        assert line == links.build_code_link("https://v.uncap.cn", GTIN, scheme.encode(KEY, 7, index))


@pytest.mark.parametrize("indices", [range(-1, 3), range(LAST, LAST + 2), np.array([0, LAST + 1]), np.array([0.5])])
def test_indices_that_do_not_fit_are_refused(indices: range) -> None:
    for work in (lambda: bulk.serials(KEY, 7, indices), lambda: next(bulk.lines(KEY, 7, indices, "X"))):
        with pytest.raises(InputError) as caught:
            work()
        assert caught.value.code == "code_out_of_range"


def test_a_batch_number_that_does_not_fit_is_refused_even_without_indices() -> None:
    with pytest.raises(InputError):
        bulk.serials(KEY, scheme.BATCH_LIMIT, range(0))


def test_decode_wants_rows_of_bytes() -> None:
    with pytest.raises(ValueError, match="shape"):
        bulk.decode(KEY, np.zeros((3, 16), np.uint8))
