"""The draw at a campaign's close: who may win, how often, in which order; and that nothing can be changed unseen."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain.prizes.closings import BEACON, MASTER, TERMS, drawn_closing, entry_rows, published
from uncap.domain.campaigns.draws import ClosingPrize, ClosingTerms
from uncap.domain.errors import ConflictError
from uncap.domain.prizes import closing
from uncap.domain.prizes.closing import ENTRY_BYTES, ID_BYTES, NOBODY, Replaced
from uncap.domain.prizes.published import Noted
from uncap.domain.prizes.published_closing import ClosingWinner, PublishedClosing, require_true, verify_closing

PEOPLE = [f"p{number % 13}" for number in range(40)]
ROWS = entry_rows(PEOPLE)


@st.composite
def terms(draw: st.DrawFn) -> ClosingTerms:
    counts = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    prizes = tuple(ClosingPrize(f"prize-{at}", count) for at, count in enumerate(counts))
    return ClosingTerms(9, prizes, draw(st.integers(0, 3)), draw(st.integers(0, 6)))


crowds = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=60)


@settings(max_examples=60, deadline=None)
@given(crowds, terms())
def test_winners_are_entries_and_nobody_wins_more_than_allowed(people: list[str], rules: ClosingTerms) -> None:
    rows = entry_rows(people)
    _, drawn = drawn_closing(rows, rules)
    assert len(set(drawn)) == len(drawn)
    assert all(0 <= place < len(rows) for place in drawn)
    most = max(Counter(people[place] for place in drawn).values(), default=0)
    assert most <= (rules.per_person or len(rows))
    wanted = rules.total + rules.runners_up
    able = sum(min(count, rules.per_person or count) for count in Counter(people).values())
    assert len(drawn) == min(wanted, able)  # nobody is passed over who could have won
    assert verify_closing(published(rows, rules)).passed


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(0, 700))
def test_every_entry_is_drawn_exactly_once(key: bytes, count: int) -> None:
    assert sorted(closing.drawing_order(key, count)) == list(range(count))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_bit_changed_in_the_published_file_is_found(data: st.DataObject) -> None:
    text = bytearray(msgspec.json.encode(published(ROWS, replaced=(Replaced(0, 0, "expired"),))))
    at = data.draw(st.integers(0, len(text) * 8 - 1))
    text[at // 8] ^= 1 << at % 8
    try:
        read = msgspec.json.decode(bytes(text), type=PublishedClosing)
    except (msgspec.MsgspecError, ValueError):
        return  # not a published draw any more
    assert read.format != "uncap-closing-1" or not verify_closing(read).passed


def codes(changed: PublishedClosing, noted: Noted | None = None) -> set[str]:
    report = verify_closing(changed, noted or Noted())
    assert not report.passed
    return {one.code for one in report.mismatches}


def test_what_is_wrong_is_said() -> None:
    good = published(ROWS)
    assert verify_closing(good).passed
    replace = msgspec.structs.replace
    other_seed, other_entry = "00" * 32, ("0" if good.entries[0] != "0" else "1") + good.entries[1:]
    assert codes(replace(good, seed=other_seed)) == {"seed_mismatch"}
    assert codes(replace(good, seed="secret")) == {"seed_not_revealed"}
    assert codes(replace(good, entries=other_entry)) == {"entries_root_mismatch"}
    assert codes(replace(good, entries=good.entries[:-64])) == {"entry_count_mismatch"}
    assert codes(replace(good, entries=good.entries.upper())) == {"entries_malformed"}
    assert codes(replace(good, beacon_value="")) == {"beacon_not_known"}
    assert codes(replace(good, beacon_value="5f0c2b" * 8)) >= {"winner_wrong", "result_mismatch"}
    assert codes(good, Noted(beacon_value="another")) == {"beacon_mismatch"}
    assert codes(good, Noted(commitment="ab" * 32)) == {"commitment_mismatch"}
    first = good.winners[0]
    false = (ClosingWinner(first.place, "second"), *good.winners[1:])
    assert codes(replace(good, winners=false)) == {"winner_wrong"}
    assert codes(replace(good, winners=good.winners[1:])) >= {"winner_wrong", "winner_missing"}
    assert codes(replace(good, winners=(*good.winners, first))) == {"winner_false"}
    assert codes(replace(good, runners_up=good.runners_up[::-1])) == {"runners_up_wrong"}
    assert codes(replace(good, result="0" * 64)) == {"result_mismatch"}


def test_a_list_that_repeats_an_entry_is_refused_although_it_keeps_to_its_root() -> None:
    assert codes(published([*ROWS, ROWS[0]])) == {"entry_repeated"}


def test_the_whole_list_redone_by_a_cheat_has_another_commitment() -> None:
    noted = Noted(commitment=published(ROWS).commitment, beacon_value=BEACON)
    assert verify_closing(published(ROWS), noted).passed
    assert codes(published(ROWS[:-1]), noted) == {"commitment_mismatch"}


@pytest.mark.parametrize(
    ("replaced", "code"),
    [
        ((Replaced(0, 1, "expired"),), "replacement_wrong"),
        ((Replaced(0, NOBODY, "expired"),), "replacement_wrong"),
        ((Replaced(4, 0, "expired"),), "replacement_false"),
        ((Replaced(-1, 0, "expired"),), "replacement_false"),
        ((Replaced(0, 0, "expired"), Replaced(1, 0, "blocked")), "replacement_wrong"),
    ],
)
def test_runners_up_follow_in_their_order(replaced: tuple[Replaced, ...], code: str) -> None:
    assert codes(published(ROWS, replaced=replaced)) == {code}


def test_a_prize_goes_from_one_to_the_next_until_nobody_is_left() -> None:
    draw, drawn = drawn_closing(ROWS)
    moved: tuple[Replaced, ...] = ()
    for turn in range(TERMS.runners_up + 1):
        runner = closing.next_runner(TERMS, drawn, moved)
        moved = (*moved, Replaced(2, runner, "expired"))
        expected = drawn[TERMS.total + turn] if turn < TERMS.runners_up else NOBODY
        assert closing.holder(TERMS, drawn, moved, 2) == expected
    assert closing.holder(TERMS, drawn, moved, 1) == drawn[1]
    assert verify_closing(published(ROWS, replaced=moved)).passed
    assert codes(published(ROWS, replaced=(*moved, Replaced(2, NOBODY, "expired")))) == {"replacement_false"}
    assert draw.settled_terms.terms is TERMS


def test_a_published_draw_gives_neither_codes_nor_people_away() -> None:
    text = msgspec.json.encode(published(ROWS)).decode()
    assert "7.3.1" not in text
    assert '"p1"' not in text
    other = closing.person_tag(closing.closing_secret(MASTER, "autumn", "salt"), PEOPLE[0])
    assert other != ROWS[0][ID_BYTES:ENTRY_BYTES]  # two draws cannot be joined by their people


def test_nothing_is_drawn_or_published_out_of_turn() -> None:
    with pytest.raises(ConflictError, match="beacon_not_known"):
        closing.closing_key(bytes(32), "ab", "")
    with pytest.raises(ConflictError, match="closing_not_committed"):
        _ = closing.ClosingDraw("spring", "ab", "drand-quicknet", 1).settled_terms
    with pytest.raises(ConflictError, match="entry_repeated"):
        require_true(published([*ROWS, ROWS[0]]))
    require_true(published([]))  # nobody claimed: nobody wins


def test_one_person_with_every_entry_wins_once_and_leaves_the_rest() -> None:
    _, drawn = drawn_closing(entry_rows(["hoarder"] * 200))
    assert len(drawn) == 1
