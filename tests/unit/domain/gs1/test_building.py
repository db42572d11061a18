"""Links built: order, alternatives, encoding, the canonical form; and both directions against each other and biip."""

import re

import pytest
from biip.gs1_application_identifiers import GS1ApplicationIdentifier
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.codes.links import check_digit
from uncap.domain.errors import InputError
from uncap.domain.gs1.building import build_link, canonical_uri, link_uri
from uncap.domain.gs1.contents import CHARACTERS, check_pair
from uncap.domain.gs1.elements import bracketed, element, read_bracketed, read_scanner_text, scanner_text
from uncap.domain.gs1.parsing import parse_link
from uncap.domain.gs1.path import check_query
from uncap.domain.gs1.table import IDENTIFIERS, matches

_BUILT = [
    ("(01)12312312312326(21)abc123", "/01/12312312312326/21/abc123"),
    ("(21)XYZ(01)12312312312333(10)ABC123(99)XYZ", "/01/12312312312333/10/ABC123/21/XYZ?99=XYZ"),
    ("(01)12312312312326(22)ABC(10)DEF(21)GHI(95)INT", "/01/12312312312326/22/ABC/10/DEF/21/GHI?95=INT"),
    ("(01)12312312312333(10)ABC+123(99)X+Y/Z", "/01/12312312312333/10/ABC%2B123?99=X%2BY%2FZ"),
    ("(01)12312312312333(235)A(10)B", "/01/12312312312333/235/A?10=B"),
    ("(8017)795260646688514634(99)1(253)9526064000028000001", "/8017/795260646688514634?99=1&253=9526064000028000001"),
    ("(253)9526064000028000001(99)1(01)12312312312326", "/253/9526064000028000001?01=12312312312326&99=1"),
    ("(01)12312312312326(10)A(01)12312312312326", "/01/12312312312326/10/A"),
    ("(01)9520123456788(17)301200", "/01/09520123456788?17=301200"),
]
_NOT_BUILT = [
    ("(10)A(21)B", "link_key_missing"),
    ("(01)12312312312326(8200)http:", "link_not_in_query"),
    ("(01)12312312312326(235)A(22)B", "link_not_in_query"),
    ("(01)12312312312326(10)A(10)B", "gs1_ai_repeated"),
    ("(415)9520123456788(99)A", "link_qualifier_missing"),
    ("", "element_string_malformed"),
    ("(01)", "element_string_malformed"),
    ("x(01)12312312312326", "element_string_malformed"),
    ("(01)12312312312326(10)A(B", "element_string_malformed"),
]
_text = st.text(CHARACTERS["X"], min_size=1, max_size=20)


@pytest.mark.parametrize(("elements", "expected"), _BUILT)
def test_built(elements: str, expected: str) -> None:
    assert link_uri(build_link(read_bracketed(elements), "https://example.com/")) == f"https://example.com{expected}"


@pytest.mark.parametrize(("elements", "code"), _NOT_BUILT)
def test_not_built(elements: str, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        build_link(read_bracketed(elements))
    assert refusal.value.code == code


def test_canonical_form_sorts_and_drops() -> None:
    link = parse_link("http://example.com/p/01/9520123456788?3103=000195&x=1&3922=0299&17=201225#a")
    assert canonical_uri(link) == "https://id.gs1.org/01/09520123456788?17=201225&3103=000195&3922=0299"
    assert link_uri(link) == "http://example.com/p/01/09520123456788?3103=000195&3922=0299&17=201225&x=1"


def test_more_than_64_identifiers_are_refused() -> None:
    measures = [f"{310 + at}{n}" for at in range(7) for n in range(6)] + [
        f"{320 + at}{n}" for at in range(10) for n in "012"
    ]
    with pytest.raises(InputError, match="gs1_too_many"):
        build_link([element("01", "09520123456788"), *(element(ai, "000001") for ai in measures)])


def _with_check_digit(digits: str) -> str:
    return f"{digits}{check_digit(digits)}"


def _number(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=length, max_size=length)


_ITEM = _number(13).map(_with_check_digit)
_PLACE = _number(12).map(_with_check_digit)
_KEYS: dict[str, st.SearchStrategy[str]] = {
    "00": _number(17).map(_with_check_digit),
    "01": _ITEM,
    "253": st.builds(str.__add__, _PLACE, st.text(CHARACTERS["X"], max_size=17)),
    "255": st.builds(str.__add__, _PLACE, st.text("0123456789", max_size=12)),
    "401": st.builds(str.__add__, _number(4), _text),
    "402": _number(16).map(_with_check_digit),
    "414": _PLACE,
    "417": _PLACE,
    "8003": st.builds(lambda grai, serial: f"0{grai}{serial}", _PLACE, st.text(CHARACTERS["X"], max_size=16)),
    "8004": st.builds(str.__add__, _number(4), _text),
    "8006": _ITEM.map(lambda gtin: f"{gtin}0203"),
    "8010": st.builds(str.__add__, _number(4), st.text(CHARACTERS["Y"], min_size=1, max_size=26)),
    "8013": st.builds(str.__add__, _number(4), st.text(CHARACTERS["X"], max_size=19)).map(lambda t: t + check_pair(t)),
    "8017": _number(17).map(_with_check_digit),
    "8018": _number(17).map(_with_check_digit),
}
_QUALIFIERS: dict[str, st.SearchStrategy[str]] = {
    "254": _text,
    "235": _text,
    "7040": st.from_regex(r"[0-9][a-z]{3}", fullmatch=True),
    "8011": st.from_regex(r"[1-9][0-9]{0,11}", fullmatch=True),
    "8019": st.text("0123456789", min_size=1, max_size=10),
}
_ATTRIBUTES: dict[str, st.SearchStrategy[str]] = {
    "17": st.dates().map(lambda day: day.strftime("%y%m%d")),
    "11": st.dates().map(lambda day: day.strftime("%y%m") + "00"),
    "37": st.text("0123456789", min_size=1, max_size=8),
    "240": _text,
    "3103": _number(6),
    "3932": _number(5).map(lambda amount: f"156{amount}"),
    "410": _PLACE,
    "422": st.sampled_from(["156", "840"]),
    "91": _text,
    "02": _ITEM,
}


def _apart(one: str, other: str) -> bool:
    return any(matches(pattern, other) for pattern in IDENTIFIERS[one].excludes)


@st.composite
def _links(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]], list[tuple[str, str]]]:
    key = draw(st.sampled_from(sorted(_KEYS)))
    path = draw(st.sampled_from(IDENTIFIERS[key].paths))
    used = [ai for ai in path if draw(st.booleans())]
    attributes: list[str] = []
    for ai in draw(st.lists(st.sampled_from(sorted(_ATTRIBUTES)), unique=True)):
        if not any(_apart(ai, other) or _apart(other, ai) for other in (key, *used, *attributes)):
            attributes.append(ai)
    in_path = [(key, draw(_KEYS[key]))] + [(ai, draw(_QUALIFIERS.get(ai, _text))) for ai in used]
    return key, in_path, [(ai, draw(_ATTRIBUTES[ai])) for ai in attributes]


@given(_links(), st.randoms(use_true_random=False))
def test_what_is_built_is_read_back(link: tuple[str, list[tuple[str, str]], list[tuple[str, str]]], random) -> None:  # type: ignore[no-untyped-def]
    _, in_path, attributes = link
    later = [element(ai, value) for ai, value in (*in_path[1:], *attributes)]
    random.shuffle(later)
    built = build_link([element(*in_path[0]), *later], "https://example.com/some")
    uri = link_uri(built)
    read = parse_link(uri)
    assert read == built
    assert [(one.ai, one.value) for one in (read.key, *read.qualifiers)] == in_path
    assert {(one.ai, one.value) for one in read.attributes} == set(attributes)
    assert link_uri(build_link(read.elements, read.stem)) == uri
    again = parse_link(canonical_uri(read))
    assert canonical_uri(again) == canonical_uri(read)
    assert set(again.elements) == set(read.elements)
    assert read_bracketed(bracketed(read.elements)) == read.elements
    assert read_scanner_text(scanner_text(read.elements)) == read.elements


@given(_links())
def test_agreement_with_biip(link: tuple[str, list[tuple[str, str]], list[tuple[str, str]]]) -> None:
    """biip reads years against today's and validates nothing of IBANs and such; on common ground the two must agree."""
    _, in_path, attributes = link
    uri = link_uri(build_link([element(ai, value) for ai, value in (*in_path, *attributes)]))
    theirs = GS1DigitalLinkURI.parse(uri)
    ours = parse_link(uri)
    assert {(one.ai.ai, one.value) for one in theirs.element_strings} == {(one.ai, one.value) for one in ours.elements}
    assert parse_link(theirs.as_canonical_uri()) == parse_link(canonical_uri(ours))


@given(_number(14) | _ITEM)
def test_agreement_with_biip_on_check_digits(gtin: str) -> None:
    uri = f"https://id.gs1.org/01/{gtin}"
    wrong = GS1DigitalLinkURI.parse(uri).element_strings[0].gtin_error
    if check_digit(gtin[:-1]) == int(gtin[-1]):
        assert parse_link(uri).key.value == gtin
        assert wrong is None
    else:
        assert wrong is not None
        with pytest.raises(InputError, match="gs1_check_digit"):
            parse_link(uri)


def test_the_table_agrees_with_biip() -> None:
    for ai, entry in IDENTIFIERS.items():
        theirs = GS1ApplicationIdentifier.extract(ai)
        assert theirs.ai == ai
        assert theirs.separator_required != entry.predefined_length, ai
        longest = sum(part.longest for part in entry.components)
        kind = "1" if entry.components[-1].alphabet == "N" else "A"
        assert _fits(theirs, "1" * (longest - 1) + kind) or ai in _MORE_THAN_A_LENGTH, ai
        assert not _fits(theirs, "1" * (longest + 1)), ai


# Their patterns say more than a length and an alphabet, as our checks do.
_MORE_THAN_A_LENGTH = {"8003", "4330", "4331", "4332", "4333", "7258"}


def _fits(theirs: GS1ApplicationIdentifier, value: str) -> bool:
    return re.fullmatch(theirs.pattern, theirs.ai + value) is not None


@pytest.mark.parametrize("text", ["", "\x1d", "0109520123456788\x1d89X", "01095", "10", "9"])
def test_damaged_scanner_text_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_scanner_text(text)


def test_brackets_in_values_are_escaped() -> None:
    one = element("10", "A(10)B")
    assert bracketed([one]) == "(10)A\\(10)B"
    assert read_bracketed("(10)A\\(10)B") == (one,)


def test_a_qualifier_of_another_key_may_stand_in_the_query() -> None:
    check_query("00", (), "10")
