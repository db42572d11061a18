"""Who is told, how it is signed, and when it is sent again."""

import hashlib
import hmac

import msgspec
import pytest

from uncap.domain.alerts import (
    KEY_HEADER,
    LONGEST_WAIT_MS,
    MAX_TRIES,
    SIGNATURE_HEADER,
    Alert,
    AlertRoute,
    body_of,
    headers_of,
    of_signal,
    route_key,
    wait_ms,
    wants,
)
from uncap.domain.diversion.signals import Signal

ALERT = Alert("case_opened.X.open", "case_opened", 5, "X", "d1", "510100", "g", figures={"people": 4})
MASTER = b"m" * 32


@pytest.mark.parametrize(
    ("route", "wanted"),
    [
        (AlertRoute("r", "u"), True),
        (AlertRoute("r", "u", party_id="d1"), True),
        (AlertRoute("r", "u", party_id="d2"), False),
        (AlertRoute("r", "u", region="510100"), True),
        (AlertRoute("r", "u", party_id="d1", region="110100"), False),
        (AlertRoute("r", "u", kinds=("signal",)), False),
        (AlertRoute("r", "u", kinds=("signal", "case_opened")), True),
        (AlertRoute("r", "u", disabled=True), False),
    ],
)
def test_who_is_told(route: AlertRoute, wanted: bool) -> None:
    assert wants(route, ALERT) is wanted


def test_a_receiver_can_check_the_signature_by_itself() -> None:
    route = AlertRoute("r1", "https://x")
    key, body = route_key(MASTER, route), body_of(ALERT)
    headers = headers_of(key, ALERT, route, 1_795_000_000, body)
    stamp, tag = (part.split("=")[1] for part in headers[SIGNATURE_HEADER].split(","))
    assert tag == hmac.new(key.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers[KEY_HEADER] == "case_opened.X.open.r1"
    assert len(key) == 64
    assert route_key(MASTER, AlertRoute("r2", "https://x")) != key
    assert route_key(MASTER, AlertRoute("r1", "https://y", key_no=2)) != key
    assert route_key(MASTER, AlertRoute("r1", "https://y")) == key, "another address, the same key"


def test_the_body_is_the_same_at_every_try() -> None:
    later = msgspec.structs.replace(ALERT, tries=7, due_ms=9, delivered=("r9",), published=True, version=8)
    assert body_of(later) == body_of(ALERT)
    assert b"delivered" not in body_of(later)


def test_waits_double_are_spread_and_end_within_days() -> None:
    waits = [wait_ms("a", tries) for tries in range(MAX_TRIES)]
    assert waits == sorted(waits)
    assert 60_000 <= waits[0] < 75_000
    assert waits[-1] <= LONGEST_WAIT_MS * 1.25
    assert 2 < sum(waits) / 86_400_000 < 4
    assert len({wait_ms(f"alert-{n}", 0) for n in range(20)}) > 5


def test_an_alert_about_a_signal() -> None:
    signal = Signal("person_many_mates", 7, 3, "g", "d", "R", "s", "2026-11-22", 5, {"units": 9})
    alert = of_signal(signal)
    assert (alert.alert_id, alert.figures) == ("signal.person_many_mates.7.3", {"units": 9})
