"""Bulk reading against the scalar truth: `links.parse_code_link` and `Keyring.identify`, code by code."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.catalog import Role
from uncap.domain.codes import links
from uncap.domain.codes.reading import I64, NO_ROLE, CodeReader, Codes, Fault
from uncap.domain.codes.scheme import Keyring, encode
from uncap.domain.errors import InputError

BOTTLE, CASE, STRANGE = "09520123456788", "19520123456785", "09501101530003"
ROLES = {BOTTLE: (Role.CAP_OUTER, Role.CAP_INNER), CASE: (Role.CASE_OUTER,)}
KEYS = Keyring({1: ("minting", bytes(range(32))), 2: ("compromised", bytes(range(1, 33)))})
PALLETS = {b"395201234567891234": (9, 0), b"395201234567891241": (9, 1)}


def pallet_of(sscc: Codes) -> tuple[I64, I64]:
    found = [PALLETS.get(bytes(one), (-1, -1)) for one in sscc]
    return np.array([f[0] for f in found], np.int64), np.array([f[1] for f in found], np.int64)


def reader() -> CodeReader:
    return CodeReader(KEYS, lambda gtin: ROLES.get(gtin, ()), pallet_of)


def scalar(code: bytes, default: str) -> tuple[int, int, int, int]:
    """(fault, batch, index, role) the slow way."""
    nothing = (-1, -1, NO_ROLE)
    try:
        text = code.decode("ascii")
    except UnicodeDecodeError:
        return (Fault.MALFORMED, *nothing)
    if len(text) == 17:
        gtin, serial = default, text
        if not gtin:
            return (Fault.GTIN_MISSING, *nothing)
    else:
        try:
            sscc = links.check_sscc(text) if len(text) == 18 else links.parse_pallet_link(text).sscc
        except InputError as cause:
            if cause.code == "sscc_check_digit":
                return (Fault.CHECK_DIGIT, *nothing)
        else:
            batch_no, index = PALLETS.get(sscc.encode(), (-1, -1))
            return (Fault.NONE if batch_no >= 0 else Fault.NOT_ISSUED, batch_no, index, NO_ROLE)
        try:
            link = links.parse_code_link(text)
        except InputError as cause:
            return (Fault.CHECK_DIGIT if cause.code == "gtin_check_digit" else Fault.MALFORMED, *nothing)
        gtin, serial = link.gtin, link.serial
    found = KEYS.identify(gtin, serial, ROLES.get(gtin, ()))
    return (Fault.NONE, found.ref.batch_no, found.ref.index, found.ref.role) if found else (Fault.NOT_ISSUED, *nothing)


@st.composite
def printed(draw: st.DrawFn) -> bytes:
    """A code as a line may send it: genuine or spoilt in one of many ways."""
    gtin = draw(st.sampled_from((BOTTLE, CASE, STRANGE)))
    role = draw(st.sampled_from((Role.CAP_OUTER, Role.CAP_INNER, Role.CASE_OUTER, Role.BOX_INNER)))
    key = KEYS.key(draw(st.sampled_from((1, 2))), gtin, role)
    serial = encode(key, draw(st.integers(0, 2**24 - 1)), draw(st.integers(0, 2**28 - 1)))
    base = draw(
        st.sampled_from(("HTTPS://V.UNCAP.CN", "https://v.uncap.cn", "http://localhost:8080", "ftp://v.cn", ""))
    )
    sscc = draw(st.sampled_from((*PALLETS, b"395201234567891258", b"395201234567891235"))).decode()
    text = draw(
        st.sampled_from(
            (
                f"{base}/01/{gtin}/21/{serial}",
                f"{base}/01/{gtin[:-1]}0/21/{serial}",
                f"{base}/01/{gtin}/21/{serial[:-1]}",
                f"{base}/01/{gtin}/21/{serial}Z",
                f"{base}/01/{gtin}/21/U{serial[1:]}",
                f"{base}/00/{sscc}",
                sscc,
                serial,
                "0" + serial[1:],
                "",
                serial[:5],
                "垛" + serial,
            )
        )
    )
    if draw(st.booleans()):
        text = text.lower()
    if text and draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(text) - 1))
        text = text[:at] + draw(st.sampled_from("0Zz9/")) + text[at + 1 :]
    return text.encode()


@settings(max_examples=60, deadline=None)
@given(st.lists(printed(), max_size=40), st.sampled_from(("", BOTTLE)), st.booleans())
def test_every_code_is_read_as_the_scalar_code_does(codes: list[bytes], default: str, repeated: bool) -> None:
    codes = [code for code in codes for _ in range(30)] if repeated else codes
    found = reader().read(np.array(codes or [b""], "S80"), default)
    for row, code in enumerate(codes):
        got = (found.fault[row], found.batch_no[row], found.index[row], found.role[row])
        expected = scalar(code, default)
        if got[0] == Fault.NOT_ISSUED and expected[0] == Fault.MALFORMED:
            # A good link whose serial holds a strange character: nobody issued it, says the bulk form.
            expected = (Fault.NOT_ISSUED, *expected[1:])
            assert b"/21/" in code
        assert got == expected, code


def test_a_link_with_a_serial_of_other_characters_is_not_issued_whatever_stands_before_it() -> None:
    found = reader().read(np.array([f"https://v.cn/01/{BOTTLE}/21/12345678-01234567".encode()], "S80"))
    assert found.fault.tolist() == [Fault.NOT_ISSUED]


def test_products_beyond_the_bound_are_never_asked_about() -> None:
    asked: list[str] = []

    def roles_of(gtin: str) -> tuple[Role, ...]:
        asked.append(gtin)
        return ()

    bodies = [f"{number:013d}" for number in range(1, 1_200)]
    codes = [f"https://v.cn/01/{body}{links.check_digit(body)}/21/{'1' * 17}".encode() for body in bodies]
    found = CodeReader(KEYS, roles_of).read(np.array(codes))
    assert len(asked) == 1_000
    assert set(found.fault.tolist()) == {Fault.NOT_ISSUED}


def test_bad_arguments_are_said_plainly() -> None:
    with pytest.raises(InputError, match="gtin_check_digit"):
        reader().read(np.array([b"x"]), "09520123456780")
    with pytest.raises(ValueError, match="flat array"):
        reader().read(np.array(["text"]))
    assert len(reader().read(np.array([], "S17")).fault) == 0
