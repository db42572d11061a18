"""A thing's story from its movements: every rule once, then against a model that moves bottles one event at a time."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.association.ports import UnitRef, UnitSpan
from uncap.domain.catalog import Shipment
from uncap.domain.movements import (
    RECEIPT,
    RETURN,
    SHIPMENT,
    Movement,
    MovementMap,
    follow,
    movement_of,
    shipment_of,
)
from uncap.domain.whereabouts import movements_on, story_of

PARENTS = {"a": "brand", "b": "brand", "a1": "a", "a2": "a", "b1": "b", "brand": ""}


def below(party: str, above: str) -> bool:
    while party:
        party = PARENTS.get(party, "")
        if party and party == above:
            return True
    return False


def ship(to: str, at: int, **more: object) -> Movement:
    return Movement(SHIPMENT, f"s{at}", 7, 0, 10, to, at, **more)  # type: ignore[arg-type]


def receipt(by: str, at: int, **more: object) -> Movement:
    return Movement(RECEIPT, f"r{at}", 7, 0, 10, by, at, **more)  # type: ignore[arg-type]


def giving_back(giver: str, to: str, at: int) -> Movement:
    return Movement(RETURN, f"b{at}", 7, 0, 10, to, at, from_party=giver)


@pytest.mark.parametrize(
    ("movements", "status", "party", "findings"),
    [
        ([], "origin", "", []),
        ([ship("a", 1)], "shipped", "a", []),
        ([ship("a", 1), receipt("a", 2)], "received", "a", []),
        ([ship("a", 1), receipt("a", 2), ship("a1", 3), receipt("a1", 4)], "received", "a1", []),
        ([ship("a", 1), ship("a1", 2)], "shipped", "a1", []),
        ([receipt("a", 2), ship("a", 1)], "received", "a", []),
        ([ship("a", 1), ship("a", 2)], "shipped", "a", ["shipped_again"]),
        ([ship("a", 1), ship("b", 2)], "shipped", "b", ["shipped_from_elsewhere"]),
        ([ship("a", 1), ship("a1", 2, from_party="b")], "shipped", "a1", ["sent_by_other"]),
        ([ship("a", 1), receipt("a", 2), receipt("a", 3)], "received", "a", ["received_twice"]),
        ([receipt("a1", 2)], "received", "a1", ["receipt_without_shipment"]),
        ([receipt("a", 2), ship("a", 3)], "received", "a", ["receipt_without_shipment"]),
        ([ship("a", 1), receipt("a1", 2)], "received", "a1", ["onward_leg_missing"]),
        ([ship("a1", 1), receipt("a", 2)], "shipped", "a1", ["received_on_the_way"]),
        ([ship("a", 1), receipt("b1", 2)], "shipped", "a", ["received_elsewhere"]),
        ([giving_back("a", "brand", 1)], "origin", "", ["return_without_shipment"]),
        ([ship("a", 1), giving_back("b", "brand", 2)], "shipped", "a", ["return_without_shipment"]),
        ([ship("a", 1), giving_back("a", "brand", 2)], "returned", "brand", []),
        ([ship("a", 1), ship("a1", 2), giving_back("a", "", 3)], "returned", "", []),
        ([ship("a", 1), giving_back("a", "brand", 2), receipt("brand", 3), ship("b", 4)], "shipped", "b", []),
        ([ship("a", 1, voided="wrong party"), ship("b", 2)], "shipped", "b", []),
        ([ship("a", 1, document="d"), ship("a", 1, document="d")], "shipped", "a", []),
        ([receipt("a", 5), ship("a", 5)], "received", "a", []),
    ],
)
def test_every_rule(movements: list[Movement], status: str, party: str, findings: list[str]) -> None:
    story = follow(movements, below)
    assert (story.place.status, story.place.party) == (status, party)
    assert [one.code for one in story.findings] == findings


def test_a_return_to_who_had_them_leaves_the_shipment_there_in_charge() -> None:
    story = follow([ship("a", 1), ship("a1", 2), giving_back("a1", "a", 3)], below)
    assert story.place.shipment == ship("a", 1)
    assert story.shipped
    assert not follow([ship("a", 1), giving_back("a", "brand", 2)], below).shipped


def test_the_story_at_a_past_moment_ends_there() -> None:
    movements = [ship("a", 10), receipt("a", 20), ship("b", 30)]
    assert [follow(movements, below, at).place.party for at in (9, 10, 29, 30)] == ["", "a", "a", "b"]
    assert follow(movements, below, 15).findings == ()


def test_a_finding_says_where_the_goods_were_expected() -> None:
    [found] = follow([ship("a", 1), receipt("b1", 2)], below).findings
    assert (found.movement_id, found.party, found.at_ms, found.expected) == ("r2", "b1", 2, "a")


def test_a_shipment_keeps_all_it_says_as_a_movement() -> None:
    stored = Shipment("s1", 7, 3, 9, "a", 55, from_party="brand", document="d")
    assert shipment_of(movement_of(stored)) == stored


RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30), st.integers(0, 5)), max_size=12)


@given(RANGES, st.integers(-2, 100))
def test_the_map_gives_what_looking_at_every_movement_would(rows: list[tuple[int, int, int]], index: int) -> None:
    movements = [Movement(SHIPMENT, f"s{n}", 7, at, at + size, "a", when) for n, (at, size, when) in enumerate(rows)]
    expected = sorted(
        (one for one in movements if one.start <= index < one.stop), key=lambda one: (one.at_ms, one.movement_id)
    )
    flat = MovementMap(movements)
    assert list(flat.covering(index)) == expected
    for start, stop in flat.stretches(0, 100):
        assert len({flat.covering(at) for at in range(start, stop)}) == 1


# --- the whole chain against a model -----------------------------------------------------------------------------
# Batch 7: twelve bottles; batch 8: six cases; batch 9: two pallets. Case 0 holds bottles 0 and 1, and so on; pallet 0
# holds cases 0 to 2. A repack moves one bottle into another case, or one case onto another pallet, at a moment.
BOTTLES, CASES, PALLETS = 7, 8, 9
PACK = {BOTTLES: (CASES, 2), CASES: (PALLETS, 3)}
SIZE = {BOTTLES: 12, CASES: 6, PALLETS: 2}
MOMENTS = 40


class Packing:
    """In roll order from the beginning, then as the repacks say."""

    def __init__(self, repacks: Sequence[tuple[int, UnitRef, UnitRef]]) -> None:
        self.repacks = sorted(repacks)

    def parent_of(self, unit: UnitRef, at_ms: int | None = None) -> UnitRef | None:
        if unit.batch_no not in PACK:
            return None
        batch_no, pack = PACK[unit.batch_no]
        parent = UnitRef(batch_no, unit.index // pack)
        for when, moved, into in self.repacks:
            if moved == unit and (at_ms is None or when <= at_ms):
                parent = into
        return parent

    def history_of(self, unit: UnitRef) -> Sequence[Movement]:
        """Only the moments count."""
        return [ship("a", when) for when, moved, _ in self.repacks if moved == unit]

    def children_of(self, unit: UnitRef, at_ms: int | None = None) -> Sequence[UnitSpan]:
        raise AssertionError(f"nobody asks what is in {unit} at {at_ms}")


class Paper:
    """Movements by looking at all of them."""

    def __init__(self, movements: Sequence[Movement]) -> None:
        self.movements = movements

    def movements_of(self, thing: UnitRef) -> Sequence[Movement]:
        return [one for one in self.movements if one.batch_no == thing.batch_no and one.start <= thing.index < one.stop]


def naive(movements: Sequence[Movement], packing: Packing) -> dict[int, tuple[str, str]]:
    """Where every bottle is: each event is carried out on the bottles it touches at that moment, one by one."""
    rank = {SHIPMENT: 0, RECEIPT: 1, RETURN: 2}
    held = dict.fromkeys(range(SIZE[BOTTLES]), ("origin", ""))
    for event in sorted(movements, key=lambda one: (one.at_ms, rank[one.kind], one.movement_id)):
        for bottle in held:
            thing: UnitRef | None = UnitRef(BOTTLES, bottle)
            while thing is not None and thing.batch_no != event.batch_no:
                thing = packing.parent_of(thing, event.at_ms)
            if thing is None or not event.start <= thing.index < event.stop:
                continue
            status, party = held[bottle]
            if event.kind == SHIPMENT and (event.party != party or status != "received"):
                held[bottle] = ("shipped", event.party)
            elif event.kind == RECEIPT and (event.party == party or party == "" or below(event.party, party)):
                held[bottle] = ("received", event.party)
            elif event.kind == RETURN and party and (event.from_party == party or below(party, event.from_party)):
                held[bottle] = ("returned", event.party)
    return held


parties = st.sampled_from(["a", "b", "a1", "a2", "b1"])


@st.composite
def papers(draw: st.DrawFn) -> list[Movement]:
    made = []
    for number in range(draw(st.integers(1, 7))):
        batch_no = draw(st.sampled_from([BOTTLES, CASES, PALLETS]))
        start = draw(st.integers(0, SIZE[batch_no] - 1))
        stop = draw(st.integers(start + 1, SIZE[batch_no]))
        kind = draw(st.sampled_from([SHIPMENT, RECEIPT, RETURN]))
        giver = draw(parties) if kind == RETURN else ""
        to = draw(st.sampled_from(["brand", ""])) if kind == RETURN else draw(parties)
        # Moments two apart, so that a repack at an odd one is always before or after, never at the same time.
        made.append(Movement(kind, f"m{number}", batch_no, start, stop, to, 2 * draw(st.integers(1, MOMENTS)), giver))
    return made


repackings = st.lists(
    st.tuples(
        st.integers(0, MOMENTS).map(lambda at: 2 * at + 1),
        st.sampled_from([BOTTLES, CASES]),
        st.integers(0, 11),
        st.integers(0, 5),
    ).map(
        lambda one: (
            one[0],
            UnitRef(one[1], one[2] % SIZE[one[1]]),
            UnitRef(PACK[one[1]][0], one[3] % SIZE[PACK[one[1]][0]]),
        )
    ),
    max_size=6,
    unique_by=lambda one: one[:2],
)


@given(papers(), repackings)
def test_the_chain_tells_what_moving_bottles_one_by_one_does(
    movements: list[Movement], repacks: list[tuple[int, UnitRef, UnitRef]]
) -> None:
    packing, paper = Packing(repacks), Paper(movements)
    expected = naive(movements, packing)
    for bottle in range(SIZE[BOTTLES]):
        place = story_of(UnitRef(BOTTLES, bottle), packing, paper, below).place
        assert (place.status, place.party) == expected[bottle]


def test_a_pack_moves_what_was_in_it_then_and_not_what_came_later() -> None:
    packing = Packing([(5, UnitRef(BOTTLES, 0), UnitRef(CASES, 3))])
    early = Movement(SHIPMENT, "early", CASES, 0, 1, "a", 4)
    late = Movement(SHIPMENT, "late", CASES, 3, 4, "b", 6)
    again = Movement(SHIPMENT, "again", CASES, 0, 1, "a1", 7)
    paper = Paper([early, late, again])
    found = movements_on(UnitRef(BOTTLES, 0), packing, paper)
    assert {one.movement_id for one in found} == {"early", "late"}
    assert {one.movement_id for one in movements_on(UnitRef(BOTTLES, 1), packing, paper)} == {"early", "again"}
    assert story_of(UnitRef(BOTTLES, 0), packing, paper, below, at_ms=4).place.party == "a"


def test_a_loop_in_bad_data_ends() -> None:
    class Loop:
        def parent_of(self, unit: UnitRef, at_ms: int | None = None) -> UnitRef | None:
            return UnitRef(CASES if unit.batch_no == BOTTLES else BOTTLES, 0)

        def children_of(self, unit: UnitRef, at_ms: int | None = None) -> Sequence[UnitSpan]:
            return ()

    assert story_of(UnitRef(BOTTLES, 0), Loop(), Paper([ship("a", 1)]), below).place.party == "a"
