"""One value at a time: lengths, alphabets, check digits, dates, codes of countries and currencies, decimals."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.codes.links import check_digit
from uncap.domain.errors import InputError
from uncap.domain.gs1.contents import CHARACTERS, CHECKS, check_pair
from uncap.domain.gs1.table import IDENTIFIERS
from uncap.domain.gs1.values import check_value, identifier, pad_gtin, reading

_ACCEPTED = [
    ("11", "260200"),
    ("11", "240229"),
    ("17", "991231"),
    ("4326", "260228"),
    ("7003", "2602282359"),
    ("7007", "260101260131"),
    ("7008", "COD"),
    ("7011", "2601011200"),
    ("8008", "26010123"),
    ("8008", "260101235959"),
    ("7251", "199902281200"),
    ("422", "156"),
    ("421", "1561000"),
    ("423", "156528"),
    ("423", "156528276840756"),
    ("426", "840"),
    ("427", "SH"),
    ("4307", "CN"),
    ("7030", "999ABC"),
    ("3912", "156123"),
    ("3932", "97800001"),
    ("8007", "GB82WEST12345698765432"),
    ("8001", "00100002000319"[:14]),
    ("8006", "095201234567880202"),
    ("8011", "120"),
    ("8011", "0"),
    ("8013", "1987654Ad4X4bL5ttr2310c2K"),
    ("7258", "1/2"),
    ("7241", "80"),
    ("7252", "9"),
    ("4321", "1"),
    ("4330", "012345-"),
    ("4309", "02790858483015297971"),
    ("4300", "A%20B"),
    ("8030", "-_aZ09a=="),
    ("7040", "1abZ"),
    ("8040", "490154203237518"),
    ("8043", "8986012345678901234"),
]
_REFUSED = [
    ("11", "261300", "gs1_date"),
    ("11", "260001", "gs1_date"),
    ("11", "260230", "gs1_date"),
    ("11", "250229", "gs1_date"),
    ("4326", "260200", "gs1_date"),
    ("7007", "260101260132", "gs1_date"),
    ("7250", "20230229", "gs1_date"),
    ("7003", "2602282400", "gs1_time"),
    ("7003", "2602282360", "gs1_time"),
    ("8008", "26010124", "gs1_time"),
    ("8008", "2601012360", "gs1_time"),
    ("422", "000", "gs1_country"),
    ("422", "999", "gs1_country"),
    ("423", "156001", "gs1_country"),
    ("423", "15652", "gs1_value_length"),
    ("423", "156528276840756156", "gs1_value_length"),
    ("421", "156", "gs1_value_length"),
    ("4307", "cn", "gs1_country"),
    ("3932", "000299", "gs1_currency"),
    ("3932", "978", "gs1_value_length"),
    ("8007", "GB82WEST12345698765433", "gs1_iban"),
    ("8007", "gb82west12345698765432", "gs1_iban"),
    ("8007", "GB", "gs1_iban"),
    ("8006", "095201234567880302", "gs1_piece_of_total"),
    ("8006", "095201234567880002", "gs1_piece_of_total"),
    ("8006", "095201234567890102", "gs1_check_digit"),
    ("8006", "0952012345678801", "gs1_value_length"),
    ("8003", "19520123456788", "gs1_value_content"),
    ("8003", "09520123456789A", "gs1_check_digit"),
    ("8004", "ABC123", "gs1_company_prefix"),
    ("8004", "952", "gs1_company_prefix"),
    ("8010", "9520abc", "gs1_value_characters"),
    ("8011", "012", "gs1_value_content"),
    ("8013", "1987654Ad4X4bL5ttr2310cXK", "gs1_check_characters"),
    ("8013", "22", "gs1_check_characters"),
    ("8001", "00000002000319", "gs1_value_content"),
    ("8001", "00100002000329", "gs1_value_content"),
    ("7258", "3/2", "gs1_piece_of_total"),
    ("7258", "1-2", "gs1_piece_of_total"),
    ("7241", "11", "gs1_value_content"),
    ("7252", "3", "gs1_value_content"),
    ("4321", "2", "gs1_value_content"),
    ("4330", "012345+", "gs1_value_content"),
    ("4309", "18000000010000000000", "gs1_position"),
    ("4309", "00000000003600000001", "gs1_position"),
    ("4300", "100%", "gs1_percent"),
    ("8030", "A=A", "gs1_value_content"),
    ("8030", "123=", "gs1_value_content"),
    ("8030", "===", "gs1_value_content"),
    ("7040", "1ab%", "gs1_value_content"),
    ("10", "", "gs1_value_length"),
    ("10", "A" * 21, "gs1_value_length"),
    ("10", "A B", "gs1_value_characters"),
    ("10", "A#", "gs1_value_characters"),
    ("21", "１", "gs1_value_characters"),
    ("30", "1A", "gs1_value_characters"),
    ("3103", "12345", "gs1_value_length"),
    ("253", "1231231231233", "gs1_check_digit"),
    ("255", "1231231231232A", "gs1_value_characters"),
]
_CHECKED = {"00": 18, "01": 14, "02": 14, "402": 17, "410": 13, "414": 13, "417": 13, "8017": 18, "8018": 18, "253": 13}
_digits = st.text("0123456789", min_size=1)


@pytest.mark.parametrize(("ai", "value"), _ACCEPTED)
def test_accepted(ai: str, value: str) -> None:
    check_value(identifier(ai), value)


@pytest.mark.parametrize(("ai", "value", "code"), _REFUSED)
def test_refused(ai: str, value: str, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        check_value(identifier(ai), value)
    assert (refusal.value.code, refusal.value.where) == (code, f"({ai})")


def test_unknown_identifier() -> None:
    with pytest.raises(InputError, match="gs1_ai_unknown"):
        identifier("89")


def test_every_check_of_the_table_exists_and_is_used() -> None:
    used = {check for entry in IDENTIFIERS.values() for part in entry.components for check in part.checks}
    assert used == set(CHECKS)


def test_no_identifier_starts_another() -> None:
    assert not [pair for pair in pairwise(sorted(IDENTIFIERS)) if pair[1].startswith(pair[0])]


@given(st.data())
def test_one_wrong_character_is_always_seen(data: st.DataObject) -> None:
    ai = data.draw(st.sampled_from(sorted(_CHECKED)))
    body = data.draw(st.text("0123456789", min_size=_CHECKED[ai] - 1, max_size=_CHECKED[ai] - 1))
    value = f"{body}{check_digit(body)}"
    check_value(identifier(ai), value)
    at = data.draw(st.integers(0, len(value) - 1))
    wrong = data.draw(st.sampled_from("0123456789A ").filter(lambda char: char != value[at]))
    with pytest.raises(InputError):
        check_value(identifier(ai), value[:at] + wrong + value[at + 1 :])


@given(st.data())
def test_one_wrong_character_in_a_model_number_is_always_seen(data: st.DataObject) -> None:
    body = data.draw(st.from_regex(r"[0-9]{4}", fullmatch=True)) + data.draw(st.text(CHARACTERS["X"], max_size=19))
    value = body + check_pair(body)
    check_value(identifier("8013"), value)
    at = data.draw(st.integers(0, len(value) - 1))
    wrong = data.draw(st.sampled_from(CHARACTERS["X"]).filter(lambda char: char != value[at]))
    with pytest.raises(InputError):
        check_value(identifier("8013"), value[:at] + wrong + value[at + 1 :])


@given(st.text(max_size=16) | _digits)
def test_padding_touches_short_gtins_only(text: str) -> None:
    padded = pad_gtin(text)
    assert padded == text or (len(padded) == 14 and padded.lstrip("0") == text.lstrip("0"))


@pytest.mark.parametrize(
    ("ai", "value", "decimal", "currency"),
    [
        ("3103", "000195", "0.195", ""),
        ("3100", "000195", "195", ""),
        ("3105", "000195", "0.00195", ""),
        ("3922", "0299", "2.99", ""),
        ("3909", "1", "0.000000001", ""),
        ("3932", "15629900", "299.00", "156"),
        ("3942", "0050", "0.50", ""),
    ],
)
def test_decimals(ai: str, value: str, decimal: str, currency: str) -> None:
    assert reading(ai, value) == (decimal, currency)


def test_what_is_no_number_has_no_decimals() -> None:
    assert reading("37", "12") is None
