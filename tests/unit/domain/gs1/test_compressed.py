"""Compressed links are read as the links they stand for: known ones, and whatever a writer of the format can write."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.errors import InputError
from uncap.domain.gs1.building import link_uri
from uncap.domain.gs1.compressed import BASE64, length_bits, stored_parts, unpack
from uncap.domain.gs1.parsing import parse_link
from uncap.domain.gs1.table import IDENTIFIERS

GTIN = "09520123456788"
KNOWN = [
    ("ARHKVAdpQg", "01/09780345418913"),
    ("ABeRcNWtKMPA", "00/106141412345678908"),
    ("QUCO_anbfA", "414/0614141123452"),
    ("ARFKk4XB0CDKWcnpq", "01/09506000134376/10/LOT01"),
    ("JAaasHt_dNNt4ADESMALumsUfMAm34", "8003/09421012301014f9804dbf?240=qwe390023"),
    ("cEB2CqjAAkuwatGLJm0as27JywgtGKaPI4cGbM", "8004/0541234537290A41%26GHpp33/7040/7BVR"),
    ("JVUqG5hJ5wA", "255/5678409730535"),
    ("01/05412345000013/EEarwSMhC4an0V04", "01/05412345000013/10/ABC123/21/72292641703"),
    ("01/5412345000013/EEarwSM", "01/05412345000013/10/ABC123"),
    ("01/09780345418913/HxHKVAdpQgZzjr-hCDKigI", "01/09780345418913/10/231/21/345345?15=120820"),
    ("AQnYUc1gmiCNV4JGLo3DY?arv=true#part", "01/05412345000013/10/ABC123?17=290331&arv=true"),
    ("AQnYUc1gmiCNV4JGLo3Dfg2q72Etrue8K7RPRWwjc0D4", "01/05412345000013/10/ABC123?17=290331&arv=true&donor=bmgf"),
]


class Writer:
    """Bits as the standard's writers lay them, kept apart from the reader under test."""

    def __init__(self) -> None:
        self.bits = ""

    def add(self, value: int, width: int) -> None:
        self.bits += f"{value:0{width}b}" if width else ""

    def digits(self, text: str) -> None:
        self.add(int(text or 0), math.ceil(len(text) * math.log2(10) + 0.01))

    def text(self, text: str, longest: int, *, varies: bool) -> None:
        choices = (("0123456789", 0), ("0123456789abcdef", 4), ("0123456789ABCDEF", 4), (BASE64, 6))
        kind = next((at for at, (alphabet, _) in enumerate(choices) if text and set(text) <= set(alphabet)), 4)
        self.add(kind, 3)
        if varies:
            self.add(len(text), length_bits(longest))
        if kind == 0:
            self.digits(text)
        for char in text if kind else "":
            self.add(*((choices[kind][0].index(char), choices[kind][1]) if kind < 4 else (ord(char), 7)))

    def element(self, ai: str, value: str) -> None:
        for digit in ai:
            self.add(int(digit), 4)
        for part in stored_parts(IDENTIFIERS[ai].components):
            here, value = value[: part.length], value[part.length :]
            if part.numeric:
                if part.varies:
                    self.add(len(here), length_bits(part.length))
                self.digits(here)
            else:
                self.text(here, part.length, varies=part.varies)

    def segment(self) -> str:
        filled = self.bits + "0" * (-len(self.bits) % 6)
        return "".join(BASE64[int(filled[at : at + 6], 2)] for at in range(0, len(filled), 6))


@pytest.mark.parametrize(("packed", "plain"), KNOWN)
def test_known_links(packed: str, plain: str) -> None:
    link = parse_link(f"https://brand.example/q/{packed}")
    assert link_uri(link) == f"https://brand.example/q/{plain}"
    assert link.notes[0].code == "link_compressed"


def values_of(ai: str) -> st.SearchStrategy[str]:
    """Values of the right shape; whether they mean anything is not the format's business."""
    characters = {"N": "0123456789", "X": "!%/09AZ_az", "Y": "#-/09AZ", "Z": "-0=AZ_az"}
    parts = [
        st.text(characters[one.alphabet], min_size=one.shortest, max_size=one.longest)
        for one in IDENTIFIERS[ai].components
        if not one.optional
    ]
    return st.tuples(*parts).map("".join)


@given(st.data(), st.lists(st.sampled_from(sorted(IDENTIFIERS)), min_size=1, max_size=4, unique=True))
def test_whatever_is_written_is_read(data: st.DataObject, ais: list[str]) -> None:
    pairs = tuple((ai, data.draw(values_of(ai))) for ai in ais)
    writer = Writer()
    for ai, value in pairs:
        writer.element(ai, value)
    unpacked = unpack(writer.segment())
    assert unpacked is not None
    assert unpacked.pairs == pairs


@pytest.mark.parametrize(
    ("segment", "code"),
    [
        ("ARHKVAdpQ-", "link_compressed"),
        ("ARHKVAdp", "link_compressed"),
        ("Welcome-to-our-Shop", "link_compressed"),
        ("gAYMBI_bNGwJk", "gs1_piece_of_total"),
        ("QVSaVjC_dA", "link_qualifier_missing"),
        ("EEarwSM", "link_key_missing"),
        ("hello", "link_key_missing"),
        ("", "link_key_missing"),
        ("21/A/EEarwSM", "link_key_missing"),
        ("01/09520123456789/EEarwSMhC4an0V04", "gs1_check_digit"),
    ],
)
def test_what_is_not_or_not_rightly_compressed_is_refused(segment: str, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        parse_link(f"https://a/{segment}")
    assert refusal.value.code == code


def test_nothing_may_be_stored_twice_nor_unknown() -> None:
    twice = Writer()
    for value in ("A", "B"):
        twice.element("10", value)
    with pytest.raises(InputError):
        parse_link(f"https://a/01/{GTIN}/{twice.segment()}")
    for first in (0xAF, 0x89, 0x03, 0xE0):
        unknown = Writer()
        unknown.add(first, 8)
        unknown.add(0, 64)
        found = unpack(unknown.segment())
        assert found is None or first == 0x03


@given(st.text(BASE64, max_size=60))
def test_any_segment_is_read_or_refused(segment: str) -> None:
    for uri in (f"https://a/{segment}", f"https://a/01/{GTIN}/{segment}"):
        try:
            link = parse_link(uri)
        except InputError as refusal:
            assert refusal.code.startswith(("link_", "gs1_"))  # noqa: PT017 - either outcome is fine
        else:
            assert parse_link(link_uri(link)).elements == link.elements
