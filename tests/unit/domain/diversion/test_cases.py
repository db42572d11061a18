"""A case moves one way, with a reason each time."""

import msgspec
import pytest

from tests.unit.domain.diversion.test_evidence import sighting
from uncap.domain.diversion.cases import TRANSITIONS, Objection, case_id_of, move_case, object_to, open_case
from uncap.domain.diversion.evidence import gathered
from uncap.domain.errors import ConflictError, ForbiddenError, InputError

CASE = open_case(gathered([sighting("p_1", 0), sighting("p_2", 0), sighting("p_3", 1)]), 1_000)


def test_a_case_shows_counts_and_no_people() -> None:
    assert CASE.case_id == case_id_of("s1", "party:east")
    assert (CASE.evidence.people, CASE.evidence.cases, CASE.evidence.scans, CASE.state) == (3, (0, 1), 3, "open")
    assert msgspec.json.decode(msgspec.json.encode(CASE), type=type(CASE)) == CASE
    assert b"p_" not in msgspec.json.encode(CASE)


def test_the_way_to_a_decision() -> None:
    looked_at = move_case(CASE, "investigating", "wang", "called the outlet", 2_000)
    confirmed = move_case(looked_at, "confirmed", "wang", "goods seen on the shelf ", 3_000)
    assert (confirmed.state, confirmed.version) == ("confirmed", 3)
    assert [(note.operator, note.state, note.text) for note in confirmed.notes] == [
        ("wang", "investigating", "called the outlet"),
        ("wang", "confirmed", "goods seen on the shelf"),
    ]


@pytest.mark.parametrize("state", TRANSITIONS)
@pytest.mark.parametrize("following", TRANSITIONS)
def test_every_other_step_is_refused(state: str, following: str) -> None:
    objected = Objection(1, CASE.party_id, "wang", "not us")
    case = msgspec.structs.replace(CASE, state=state, objection=objected)
    if following in TRANSITIONS[state]:
        assert move_case(case, following, "wang", "why", 1).state == following
    else:
        with pytest.raises(ConflictError, match="case_transition_refused"):
            move_case(case, following, "wang", "why", 1)


def test_a_confirmed_case_is_reversed_upon_an_objection_by_someone_else() -> None:
    case = move_case(CASE, "investigating", "wang", "called the outlet", 1)
    case = object_to(case, CASE.party_id, "wang", "not us", 2)
    case = move_case(case, "confirmed", "wang", "goods seen on the shelf", 3)
    with pytest.raises(ConflictError, match="objection_missing"):
        move_case(case, "dismissed", "zhao", "the earlier objection was answered", 4)
    case = object_to(case, CASE.party_id, "wang", "here is the delivery note", 5)
    with pytest.raises(ForbiddenError, match="second_person_needed"):
        move_case(case, "dismissed", "wang", "was right", 6)
    case = move_case(case, "dismissed", "zhao", "the delivery note is real", 7)
    assert (case.state, case.objection and case.objection.state) == ("dismissed", "upheld")


@pytest.mark.parametrize(
    ("state", "text", "code"),
    [
        ("burnt", "x", "case_state_unknown"),
        ("investigating", " ", "case_note_missing"),
        ("investigating", "x" * 2_001, "case_note_too_long"),
    ],
)
def test_bad_moves(state: str, text: str, code: str) -> None:
    with pytest.raises(InputError, match=code):
        move_case(CASE, state, "wang", text, 1)
