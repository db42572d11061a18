"""Export orders: when they are open, who may open them, and keys that are keys."""

import msgspec
import pyrage  # type: ignore[import-untyped]  # it has stubs, but no marker that says so
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncap.domain.errors import ConflictError, ForbiddenError, InputError
from uncap.domain.exports import (
    MAX_LIFETIME_MS,
    PLAIN_LINES,
    SECOND_PERSON_LINES,
    ExportOrder,
    approved,
    check_open,
    check_order,
    check_recipient,
    closed,
    needs_second_person,
    status_of,
)

NOW = 1_795_300_000_000
KEY = str(pyrage.x25519.Identity.generate().to_public())
ORDER = ExportOrder("x7-A", 7, "09520123456788", "cap_inner", "txt", 0, 100, "Printer", "run", "anna", NOW, NOW + 1_000)


def order(**changes: object) -> ExportOrder:
    return msgspec.structs.replace(ORDER, **changes)


@pytest.mark.parametrize(
    ("changes", "now_ms", "status"),
    [
        ({}, NOW, "open"),
        ({}, NOW + 999, "open"),
        ({}, NOW + 1_000, "expired"),
        ({"state": "asked"}, NOW, "asked"),
        ({"state": "asked"}, NOW + 1_000, "expired"),
        ({"state": "closed"}, NOW + 1_000, "closed"),
    ],
)
def test_status_by_time(changes: dict[str, object], now_ms: int, status: str) -> None:
    one = order(**changes)
    assert status_of(one, now_ms) == status
    if status == "open":
        check_open(one, now_ms)
    else:
        with pytest.raises(ConflictError, match="export_awaits_approval" if status == "asked" else f"export_{status}"):
            check_open(one, now_ms)


def test_only_somebody_else_opens_it() -> None:
    asked = order(state="asked")
    with pytest.raises(ForbiddenError, match="second_person_needed"):
        approved(asked, "anna", NOW)
    opened = approved(asked, "bert", NOW + 1)
    assert (opened.state, opened.approved_by, opened.approved_at_ms, opened.version) == ("open", "bert", NOW + 1, 2)
    with pytest.raises(ConflictError, match="export_not_asked"):
        approved(opened, "carl", NOW)
    for state, code in (("asked", "export_expired"), ("closed", "export_closed")):
        with pytest.raises(ConflictError, match=code):
            approved(order(state=state), "bert", NOW + 1_000)


def test_closing_is_for_good() -> None:
    once = closed(ORDER, "bert")
    assert (once.state, once.closed_by, once.version) == ("closed", "bert", 2)
    assert closed(once, "carl") is once


def test_limits_count_canaries() -> None:
    assert order(canaries=5).lines == 105
    assert not needs_second_person(order(stop=SECOND_PERSON_LINES))
    assert needs_second_person(order(stop=SECOND_PERSON_LINES, canaries=1))
    check_order(order(stop=PLAIN_LINES))
    check_order(order(stop=PLAIN_LINES, canaries=1, recipient=KEY))
    with pytest.raises(InputError, match="recipient_needed"):
        check_order(order(stop=PLAIN_LINES, canaries=1))
    with pytest.raises(InputError, match="canaries_not_in_csv"):
        check_order(order(form="csv", canaries=1))
    for expires in (NOW, NOW - 1, NOW + MAX_LIFETIME_MS + 1):
        with pytest.raises(InputError, match="expiry_invalid"):
            check_order(order(expires_at_ms=expires))


def test_keys_that_age_makes_are_keys() -> None:
    for _ in range(50):
        check_recipient(str(pyrage.x25519.Identity.generate().to_public()))


@given(st.integers(4, 61), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l1bioA "))
def test_one_wrong_character_is_noticed(at: int, char: str) -> None:
    typed = KEY[:at] + char + KEY[at + 1 :]
    if typed != KEY:
        with pytest.raises(InputError, match="recipient_malformed"):
            check_recipient(typed)
        with pytest.raises(pyrage.RecipientError):
            pyrage.x25519.Recipient.from_str(typed)


@given(st.text(max_size=80))
def test_other_texts_are_no_keys(text: str) -> None:
    with pytest.raises(InputError, match="recipient_malformed"):
        check_recipient(text)
