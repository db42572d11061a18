"""The packed forms give back what was put in, whichever is chosen; columns of any numbers; bad bodies are refused."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from uncap.domain.association.algebra import read_algebra
from uncap.domain.association.blocks import Event, read_events, read_segment
from uncap.domain.association.columns import read_column, unpacked
from uncap.domain.association.forms import Key, Placements, event_cells, place
from uncap.domain.association.history import BlockView, Origin, algebras_of, view_of
from uncap.domain.association.known import Known
from uncap.domain.association.packing import column, packed
from uncap.domain.association.ports import UnitRef
from uncap.domain.association.store import BIG, BLOCK, Cell
from uncap.domain.association.zones import read_zones, summary

KEY = Key(7, 8, "A" * 26 + "#00000", 1)
T0 = 1_795_300_000_000


@given(
    arrays.arrays(np.int64, st.integers(0, 60), elements=st.integers(-(2**60), 2**60)),
    st.sampled_from((0, 1, 6, 24)),
)
def test_a_column_gives_back_its_numbers(values: "np.ndarray[tuple[int], np.dtype[np.int64]]", pack: int) -> None:
    data = b"before" + column(values, pack) + b"after"
    found, end = read_column(data, 6, len(values))
    assert list(found) == values.tolist()
    assert data[end:] == b"after"


def test_what_is_cut_short_or_something_else_is_refused() -> None:
    body = packed(column(np.array([5, 900, 3])))
    with pytest.raises(ValueError, match="cut short"):
        read_column(unpacked(body)[:-1], 0, 3)
    with pytest.raises(ValueError, match="not a column"):
        read_column(b"\x09\x01" + bytes(12) + b"abc", 0, 3)
    with pytest.raises(ValueError, match="cannot be read"):
        unpacked(b"something else")
    with pytest.raises(ValueError, match="not a segment"):
        read_segment(8, packed(bytes(40)))
    with pytest.raises(ValueError, match="not an algebraic item"):
        read_algebra(8, packed(bytes(60)))


def packing(seed: int) -> tuple[Placements, int]:
    """Up to 20,000 children as lines pack them: rejects, short cases, jumps, swaps, disorder, times by case."""
    rng = np.random.default_rng(seed)
    pack, start = int(rng.choice([1, 4, 6, 24])), int(rng.choice([0, 11, BLOCK - 3, BIG - 5_000]))
    child = np.arange(start, start + int(rng.integers(1, 20_000)))
    child = child[rng.random(len(child)) >= rng.choice([0, 0.01, 0.3])]
    child = child if len(child) else np.array([start])
    short = rng.random(len(child)) < rng.choice([0, 0.02])
    sizes = np.where(short, max(1, pack - 1), pack)
    case = np.repeat(np.arange(len(sizes)), sizes)[: len(child)] + int(rng.integers(0, 50))
    case[rng.integers(0, len(case)) :] += int(rng.choice([0, 3]))
    window = int(rng.choice([1, 1, 60, len(child)]))
    order = np.argsort(np.arange(len(child)) + rng.uniform(0, window, len(child)), kind="stable")
    case = case if window == 1 else case[order]
    at_ms = T0 + (case * 700 if rng.random() < 0.3 else np.zeros(len(child), np.int64))
    line = np.arange(len(child)) + 2 if window == 1 else order + 2
    return Placements(child, case, at_ms, line), pack


def views_of(cells: list[Cell]) -> dict[int, BlockView]:
    views: dict[int, BlockView] = {}
    for pk in sorted({cell.pk for cell in cells}):
        part = int(pk.split("#")[2])
        here = [cell for cell in cells if cell.pk == pk]
        algebras = algebras_of([cell for cell in here if cell.sk.startswith("a#")], lambda *_: 1)
        for block in range(BIG // BLOCK):
            some = [cell for cell in here if cell.sk.startswith(f"b{block:03d}#")]
            if some or algebras:
                views[part * (BIG // BLOCK) + block] = view_of(some, algebras, lambda *_: 1)
    return views


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_every_child_is_where_it_was_put(seed: int, pack_known: bool) -> None:
    given_, pack = packing(seed)
    stored = list(place(KEY, given_, pack if pack_known else 0))
    assert sum(one.units for one in stored) == len(given_.child)
    views = views_of([cell for one in stored for cell in one.cells])
    truth = dict(
        zip(given_.child.tolist(), zip(given_.parent.tolist(), given_.at_ms.tolist(), strict=True), strict=True)
    )
    lines = dict(zip(given_.child.tolist(), given_.line.tolist(), strict=True))
    rng = np.random.default_rng(seed)
    around = range(max(0, int(given_.child[0]) - 2), int(given_.child[-1]) + 3)
    for index in rng.choice(around, min(len(around), 300), replace=False).tolist():
        view = views.get(index // BLOCK)
        facts = view.history(index) if view else []
        assert [(f.parent, f.at_ms) for f in facts] == (
            [(UnitRef(8, truth[index][0]), truth[index][1])] if index in truth else []
        )
        for fact in facts:
            assert fact.lines[0] <= lines[index] <= fact.lines[1]
    parent = int(rng.choice(given_.parent))
    children = {child for child, (one, _) in truth.items() if one == parent}
    found: set[int] = set()
    for block, view in views.items():
        found |= view.ever_in(UnitRef(8, parent), block * BLOCK // BIG * BIG, block * BLOCK)
    assert found == children
    zones = [zone for one in stored for zone in one.zones]
    assert all(any(z.low <= p <= z.high for z in zones) for p in {one for one, _ in truth.values()})


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_a_million_at_a_time_agrees_with_one_by_one(seed: int) -> None:
    given_, pack = packing(seed)
    cells = [cell for one in place(KEY, given_, pack) for cell in one.cells]
    algebras: dict[int, list[tuple[Origin, object]]] = {}
    for cell in cells:
        if cell.sk.startswith("a#"):
            algebras.setdefault(int(cell.pk.split("#")[2]), []).extend(algebras_of([cell], lambda *_: 1))
    known = Known(views_of(cells), algebras)  # type: ignore[arg-type]  # invariance of the inner tuple
    keys = (np.int64(8) << 28) | given_.parent
    assert set(known.classify(given_.child, keys)[0].tolist()) == {1}
    assert set(known.classify(given_.child, keys + 1)[0].tolist()) == {2}
    beyond = np.arange(int(given_.child[-1]) + 1, int(given_.child[-1]) + 9)
    assert set(known.classify(beyond, np.zeros(8, np.int64))[0].tolist()) == {0}


def test_lines_are_exact_where_the_file_is_in_order() -> None:
    child = np.array([5, 6, 9, 10])
    for parent, form in (([0, 0, 1, 1], "algebraic"), ([9, 2, 7, 3], "blocks")):
        (stored,) = place(KEY, Placements(child, np.array(parent), np.full(4, T0), np.arange(70, 74)), 2)
        view = views_of(stored.cells)[0]
        assert stored.form == form
        assert [view.history(int(index))[0].lines for index in child] == [(n, n) for n in range(70, 74)]


def test_events_and_zones_come_back() -> None:
    events = [Event(i, T0 + i, i, -1 if i % 3 else 8, i, 8, 4, i + 1) for i in (3, 1, BLOCK + 2, 1)]
    stored = event_cells(7, KEY.run, 1, events)
    assert [one for cell in stored.cells for one in read_events(cell.body)] == sorted(events)
    assert [cell.sk[:4] for cell in stored.cells] == ["b000", "b001"]
    table = np.array([(z.part, z.block, z.parent_batch, z.low, z.high) for z in stored.zones])
    body = packed(*(column(one) for one in table.T))
    assert read_zones(summary(stored.zones).zones, body) == stored.zones


def test_the_cheapest_form_is_taken() -> None:
    child = np.arange(40_000)
    in_order = child // 24
    shuffled = np.random.default_rng(1).permutation(in_order)
    costs = []
    for parent in (in_order, shuffled):
        placements = Placements(child, parent, np.full(len(child), T0), child)
        stored = list(place(KEY, placements, 24))
        costs.append((stored[0].form, sum(one.cost.bytes for one in stored)))
    assert [form for form, _ in costs] == ["algebraic", "blocks"]
    assert all(cheap < dear for (_, cheap), (_, dear) in pairwise(costs))
