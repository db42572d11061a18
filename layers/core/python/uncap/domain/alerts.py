"""Alerts to the people responsible: what they say, who gets them, how they are signed, when they are sent again. Pure.

Put into the outbox with what they are about (`adapters/insights_writer.py`, `adapters/case_watch.py`,
`services/review_case.py`), sent by `services/send_alerts.py`. They name no person and no coordinate.
"""

import hashlib
import hmac

import msgspec

from uncap.domain.diversion.cases import DiversionCase
from uncap.domain.diversion.signals import Signal

CASE_OPENED, CASE_MOVED, SIGNAL = "case_opened", "case_moved", "signal"
KINDS = (CASE_OPENED, CASE_MOVED, SIGNAL)
FIRST_WAIT_MS = 60_000
LONGEST_WAIT_MS = 6 * 3_600_000
MAX_TRIES = 20
"""Doubling from a minute to six hours: three days in all, then the alert is given up and counted."""
SIGNATURE_HEADER, KEY_HEADER = "Uncap-Signature", "Idempotency-Key"


class Alert(msgspec.Struct, frozen=True, omit_defaults=True):
    """`subject` is the case's id, or kind.batch.case of a signal. `delivered` and `dropped` name routes.

    `published`: handed to the topic. `due_ms`: not to be tried before.
    """

    alert_id: str
    kind: str
    at_ms: int
    subject: str
    party_id: str
    region: str
    gtin: str
    shipment_id: str = ""
    place: str = ""
    state: str = ""
    figures: dict[str, int] = {}
    published: bool = False
    delivered: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    tries: int = 0
    due_ms: int = 0
    version: int = 1


ROUTES_PK = "alert_routes"
"""Where routes lie in the Catalog."""


class AlertRoute(msgspec.Struct, frozen=True, omit_defaults=True):
    """A webhook of whoever is responsible: for one party, for one region, or for everything.

    `kinds`: only these; none named is all. Its key is derived from its id and `key_no`, never stored.
    """

    route_id: str
    url: str
    party_id: str = ""
    region: str = ""
    kinds: tuple[str, ...] = ()
    key_no: int = 1
    disabled: bool = False
    version: int = 1


def of_case(case: DiversionCase, kind: str, at_ms: int) -> Alert:
    """A case was opened or moved."""
    seen = case.evidence
    return Alert(
        alert_id=f"{kind}.{case.case_id}.{case.state}",
        kind=kind,
        at_ms=at_ms,
        subject=case.case_id,
        party_id=case.party_id,
        region=case.region,
        gtin=case.gtin,
        shipment_id=case.shipment_id,
        place=case.place,
        state=case.state,
        figures={"people": seen.people, "cases": len(seen.cases), "scans": seen.scans},
    )


def of_signal(signal: Signal) -> Alert:
    """An early signal was raised."""
    return Alert(
        alert_id=f"{SIGNAL}.{signal.signal_id}",
        kind=SIGNAL,
        at_ms=signal.at_ms,
        subject=signal.signal_id,
        party_id=signal.party_id,
        region=signal.region,
        gtin=signal.gtin,
        shipment_id=signal.shipment_id,
        figures=signal.figures,
    )


def wants(route: AlertRoute, alert: Alert) -> bool:
    """Is the alert this route's? Party and region each narrow it down where they are named."""
    return (
        not route.disabled
        and route.party_id in ("", alert.party_id)
        and route.region in ("", alert.region)
        and (not route.kinds or alert.kind in route.kinds)
    )


def body_of(alert: Alert) -> bytes:
    """What is posted: the alert without how its delivery stands; the same bytes at every try."""
    plain = Alert(
        alert_id=alert.alert_id,
        kind=alert.kind,
        at_ms=alert.at_ms,
        subject=alert.subject,
        party_id=alert.party_id,
        region=alert.region,
        gtin=alert.gtin,
        shipment_id=alert.shipment_id,
        place=alert.place,
        state=alert.state,
        figures=alert.figures,
    )
    return msgspec.json.encode(plain)


def route_key(master: bytes, route: AlertRoute) -> str:
    """The route's own signing key, 64 hex digits: HMAC-SHA256 of its id and key number under the master key."""
    return hmac.new(master, f"alert-route|{route.route_id}|{route.key_no}".encode(), hashlib.sha256).hexdigest()


def headers_of(key: str, alert: Alert, route: AlertRoute, now_s: int, body: bytes) -> dict[str, str]:
    """Signed headers: `t=<seconds>,v1=<hex HMAC-SHA256 of "t.body" under the key>`; the receiver refuses an old `t`."""
    tag = hmac.new(key.encode(), b"%d." % now_s + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "uncap",
        SIGNATURE_HEADER: f"t={now_s},v1={tag}",
        KEY_HEADER: f"{alert.alert_id}.{route.route_id}",
    }


def wait_ms(alert_id: str, tries: int) -> int:
    """Back-off after so many tries, spread by up to a quarter by the alert's own id."""
    base = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(tries, 12))
    spread = hashlib.sha256(alert_id.encode()).digest()[0]
    return base + base * spread // 1_024
