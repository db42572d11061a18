"""One identifier has one spelling, whichever of its syntaxes wrote it; and the spelling is the released generator's."""

import pytest
from epcis_event_hash_generator.dl_normaliser import normaliser  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.epcis.identifiers import canonical, has_wrong_check_digit, is_malformed_epc

URNS = [
    "urn:epc:id:sgtin:9520123.045678.1E5Z",
    "urn:epc:id:sgtin:952012.1345678.a(b)*%2F:",
    "urn:epc:id:sgtin:952012345678.0.1",
    "urn:epc:id:upui:9520123.045678.51qIgY)%3C%26Jp3*j7'SDB",
    "urn:epc:id:itip:9520123.045678.01.02.987",
    "urn:epc:id:sscc:9520123.0000000042",
    "urn:epc:id:sgln:9520123.00001.0",
    "urn:epc:id:sgln:952012300001..door:3",
    "urn:epc:id:pgln:9520123.00001",
    "urn:epc:id:grai:9520123.66666.87",
    "urn:epc:id:giai:9520123.AAbb+1",
    "urn:epc:id:gsrn:9520123.9876540000",
    "urn:epc:id:gsrnp:9520123.0000098765",
    "urn:epc:id:gdti:9520123.55555.98",
    "urn:epc:id:cpi:9520123.ABC%2F1.123",
    "urn:epc:id:sgcn:9520123.99999.44",
    "urn:epc:id:ginc:9520123.333",
    "urn:epc:id:gsin:9520123.999987654",
    "urn:epc:class:lgtin:9520123.045678.2016,07",
    "urn:epc:idpat:sgtin:9520123.045678.*",
    "urn:epc:idpat:upui:9520123.045678.*",
    "urn:epc:idpat:itip:9520123.045678.01.02.*",
    "urn:epc:idpat:grai:9520123.66666.*",
    "urn:epc:idpat:gdti:9520123.55555.*",
    "urn:epc:idpat:sgcn:9520123.99999.*",
    "urn:epc:idpat:cpi:9520123.ABC.*",
]
LINKS = [
    "https://brand.example/01/09520123456788/21/1E5Z",
    "http://brand.example/some/path/gtin/9520123456788/lot/L1/ser/S1?17=271101",
    "https://brand.example/01/09520123456788/22/2A/10/L1",
    "https://brand.example/01/09520123456788/22/2A/21/S1",
    "https://brand.example/01/09520123456788",
    "https://brand.example/01/96385074/10/L1",
    "https://brand.example/01/09520123456788/235/ABC",
    "https://brand.example/sscc/095201230000000422",
    "https://brand.example/414/9520123000011/254/12",
    "https://brand.example/party/9520123000011",
    "https://brand.example/8003/09520123666663A7",
    "https://brand.example/giai/9520123ABC",
    "https://brand.example/8006/095201234567880102/10/L1/21/S1",
    "https://brand.example/8010/9520123ABC/8011/12",
    "https://brand.example/253/9520123555556A",
    "https://brand.example/255/9520123999990123",
    "https://brand.example/401/9520123333",
    "https://brand.example/402/95201239999876541",
    "https://brand.example/8017/952012300000987650",
    "https://brand.example/gsrn/952012398765400000",
]
LEFT_ALONE = [
    "https://brand.example/01/09520123456788/21/S1/11/270101",
    "https://brand.example/01/0952012345678/99/x",
    "https://brand.example/products/12345",
    "https://brand.example/01/123",
    "urn:epc:id:sgtin:9520123.45678.1",
    "urn:epc:id:sscc:9520123.000000042",
    "urn:epc:id:gid:95100000.12345.400",
    "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
    "urn:epcglobal:cbv:bt:9520123000011:77",
    "text. of a kind",
]


@pytest.mark.parametrize("text", URNS + LINKS)
def test_as_the_generator_spells_it(text: str) -> None:
    made = canonical(text)
    assert made == normaliser(text)
    assert made.startswith("https://id.gs1.org/")
    assert canonical(made) == made


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_left_alone(text: str) -> None:
    assert canonical(text) == text
    assert normaliser(text) is None


def test_printed_links_are_upper_case() -> None:
    assert (
        canonical("HTTPS://U1.EXAMPLE.CN/01/09520123456788/21/1E5Z") == "https://id.gs1.org/01/09520123456788/21/1E5Z"
    )


SERIAL = st.text("ABCabc019-_.!'()*+,:;=", min_size=1, max_size=20)


@given(prefix=st.integers(6, 12), digits=st.text("0123456789", min_size=13, max_size=13), serial=SERIAL)
def test_urn_and_link_are_the_same_item(prefix: int, digits: str, serial: str) -> None:
    urn = f"urn:epc:id:sgtin:{digits[:prefix]}.{digits[prefix:]}.{serial}"
    made = canonical(urn)
    assert made == normaliser(urn)
    gtin = made.split("/")[4]
    assert canonical(f"https://brand.example/x/01/{gtin}/10/LOT/21/{serial}") == made
    assert canonical(made) == made
    assert not has_wrong_check_digit(made)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("https://brand.example/01/09520123456788", False),
        ("https://brand.example/01/09520123456789", True),
        ("https://brand.example/253/9520123555551A", True),
        ("https://brand.example/8004/9520123ABC", False),
        ("https://brand.example/page", False),
        ("urn:x:1", False),
    ],
)
def test_check_digits(text: str, wrong: bool) -> None:
    assert has_wrong_check_digit(text) is wrong


@pytest.mark.parametrize("text", URNS)
def test_right_epcs(text: str) -> None:
    assert not is_malformed_epc(text)


@pytest.mark.parametrize(
    ("text", "malformed"),
    [
        ("urn:epc:id:sgtin:9520123.45678.1", True),
        ("urn:epc:id:giai:9520123." + "A" * 31, True),
        ("urn:epc:id:sgln:9520123.0001.0", True),
        ("urn:epc:id:", True),
        ("urn:epc:id:gid:95100000.12345.400", False),
        ("urn:uuid:1", False),
    ],
)
def test_malformed_epcs(text: str, malformed: bool) -> None:
    assert is_malformed_epc(text) is malformed
