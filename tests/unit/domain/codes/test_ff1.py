"""FF1 against NIST's samples (the nine of "FF1samples", SP 800-38G) and against fastfpe on random shapes."""

import string

import pytest
from fastfpe import ff1 as fastfpe  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from uncap.domain.codes import ff1

DIGITS = string.digits + string.ascii_lowercase
KEY_128 = "2B7E151628AED2A6ABF7158809CF4F3C"
KEY_192 = KEY_128 + "EF4359D8D580AA4F"
KEY_256 = KEY_192 + "7F036D6F04FC6A94"
TWEAK_10 = "39383736353433323130"
TWEAK_11 = "3737373770717273373737"

SAMPLES = [
    (KEY_128, "", 10, "0123456789", "2433477484"),
    (KEY_128, TWEAK_10, 10, "0123456789", "6124200773"),
    (KEY_128, TWEAK_11, 36, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (KEY_192, "", 10, "0123456789", "2830668132"),
    (KEY_192, TWEAK_10, 10, "0123456789", "2496655549"),
    (KEY_192, TWEAK_11, 36, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (KEY_256, "", 10, "0123456789", "6657667009"),
    (KEY_256, TWEAK_10, 10, "0123456789", "1001623463"),
    (KEY_256, TWEAK_11, 36, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]


def numerals(text: str) -> list[int]:
    return [DIGITS.index(char) for char in text]


def text_of(values: list[int]) -> str:
    return "".join(DIGITS[value] for value in values)


@pytest.mark.parametrize(("key", "tweak", "radix", "plain", "cipher"), SAMPLES)
def test_nist_samples_both_ways(key: str, tweak: str, radix: int, plain: str, cipher: str) -> None:
    raw, tweak_raw = bytes.fromhex(key), bytes.fromhex(tweak)
    assert text_of(ff1.encrypt(raw, tweak_raw, radix, numerals(plain))) == cipher
    assert text_of(ff1.decrypt(raw, tweak_raw, radix, numerals(cipher))) == plain


@settings(max_examples=60)
@given(
    key=st.binary(min_size=16, max_size=16),
    tweak=st.binary(max_size=20),
    radix=st.integers(10, 36),
    data=st.data(),
)
def test_agrees_with_fastfpe_in_any_shape(key: bytes, tweak: bytes, radix: int, data: st.DataObject) -> None:
    plain = data.draw(st.text(DIGITS[:radix], min_size=6, max_size=60))
    cipher = text_of(ff1.encrypt(key, tweak, radix, numerals(plain)))
    assert cipher == fastfpe.encrypt(key.hex(), tweak.hex(), DIGITS[:radix], plain)
    assert text_of(ff1.decrypt(key, tweak, radix, numerals(cipher))) == plain


@settings(max_examples=60)
@given(
    key=st.sampled_from((16, 24, 32)).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
    tweak=st.binary(min_size=8, max_size=8),
    value=st.integers(0, (1 << 80) - 1),
)
def test_the_serial_cipher_is_ff1(key: bytes, tweak: bytes, value: int) -> None:
    general = ff1.encrypt(key, tweak, 32, [value >> shift & 31 for shift in range(75, -1, -5)])
    cipher = ff1.SerialCipher(key, tweak)
    encrypted = cipher.encrypt(value)
    assert [encrypted >> shift & 31 for shift in range(75, -1, -5)] == general
    assert cipher.decrypt_tagged(encrypted, 0) == value


@pytest.mark.parametrize(
    ("radix", "values"), [(1, [0, 0]), (65537, [0, 0]), (10, [1]), (2, [0, 1, 0]), (10, [1, 10]), (10, [-1, 2])]
)
def test_refuses_what_the_standard_does_not_define(radix: int, values: list[int]) -> None:
    with pytest.raises(ValueError, match=r"radix|numerals"):
        ff1.encrypt(bytes(16), b"", radix, values)


def test_the_serial_tweak_has_eight_bytes() -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        ff1.SerialCipher(bytes(16), bytes(7))
