"""Notices as they really arrive: delivered, repeated, late, lost, and forged."""

import base64
import json
import time

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from dev.rail_simulator.app import SimulatorConfig
from dev.rail_simulator.signing import Platform
from tests.integration.rails.conftest import ORDER, Notice, Simulator, Webhook, order, wait_for
from uncap.adapters.rails.wechat_crypto import sign
from uncap.domain.errors import AuthError, InputError
from uncap.domain.rails import FailedFinal, Paid


def notified(simulator: Simulator, webhook: Webhook) -> Notice:
    """One bill paid, and the notice about it."""
    simulator.tap(simulator.rail().submit(order("B0001", notify_url=webhook.url())))
    wait_for(lambda: bool(webhook.notices))
    return webhook.notices[0]


def resigned(platform: Platform, body: bytes) -> dict[str, str]:
    return {"Content-Type": "application/json", **platform.signature_headers(body)}


def test_a_notice_is_proven_and_tells_bill_amount_and_outcome(simulator: Simulator, webhook: Webhook) -> None:
    arrived = notified(simulator, webhook)
    notice = simulator.rail().verify_callback(arrived.headers, arrived.body)
    assert (notice.bill_no, notice.amount_minor) == ("B0001", 500)
    assert isinstance(notice.outcome, Paid)
    assert notice.outcome == simulator.rail().query("B0001")
    assert arrived.path == "/v1/rails/wechat/notify"
    assert b"openid-secret" not in arrived.body


def test_header_names_may_come_in_any_case(simulator: Simulator, webhook: Webhook) -> None:
    arrived = notified(simulator, webhook)
    lower = {name.lower(): value for name, value in arrived.headers.items()}
    assert simulator.rail().verify_callback(lower, arrived.body).bill_no == "B0001"


def test_a_gateways_host_name_is_sent_but_not_resolved(simulator: Simulator, webhook: Webhook) -> None:
    url = webhook.url("Abc123.execute-api.localhost")
    simulator.tap(simulator.rail().submit(order("B0001", notify_url=url)))
    wait_for(lambda: bool(webhook.notices))
    assert webhook.notices[0].headers["Host"] == f"abc123.execute-api.localhost:{webhook.port}"


def test_the_simulator_calls_nobody_but_this_machine(simulator: Simulator) -> None:
    for url in (
        "http://example.com/x",
        "https://127.0.0.1/x",
        "http://example.com\\.localhost/",
        "http://127.0.0.1/?a=b",
    ):
        refused = simulator.rail().submit(order("B0001", notify_url=url))
        assert getattr(refused, "reason", "") == "param_error", url


def test_a_failure_and_a_cancel_are_notified_too(simulator: Simulator, webhook: Webhook) -> None:
    rail = simulator.rail()
    simulator.fault("final_fail", reason="ACCOUNT_FROZEN")
    simulator.tap(rail.submit(order("B0001", notify_url=webhook.url())))
    rail.submit(order("B0002", notify_url=webhook.url()))
    rail.cancel("B0002")
    wait_for(lambda: len(webhook.notices) == 2)
    outcomes = {n.bill_no: n.outcome for n in (rail.verify_callback(a.headers, a.body) for a in webhook.notices)}
    reasons = {bill_no: o.reason for bill_no, o in outcomes.items() if isinstance(o, FailedFinal)}
    assert reasons == {"B0001": "account_frozen", "B0002": "cancelled"}


def test_an_unanswered_notice_comes_again_freshly_signed(simulator: Simulator, webhook: Webhook) -> None:
    webhook.answers = [500, 503]
    notified(simulator, webhook)
    wait_for(lambda: len(webhook.notices) == 3)
    ids = {simulator.rail().verify_callback(n.headers, n.body).event_id for n in webhook.notices}
    assert len(ids) == 1
    assert len({n.headers["Wechatpay-Nonce"] for n in webhook.notices}) == 3
    wait_for(lambda: simulator.http.get("/_sim/health").json()["callbacks_due"] == 0)
    assert len(webhook.notices) == 3


def test_a_duplicate_notice_is_the_same_event(simulator: Simulator, webhook: Webhook) -> None:
    simulator.fault("duplicate_callback")
    notified(simulator, webhook)
    wait_for(lambda: len(webhook.notices) == 2)
    first, second = (simulator.rail().verify_callback(n.headers, n.body) for n in webhook.notices)
    assert first == second


def test_a_dropped_notice_leaves_the_query(simulator: Simulator, webhook: Webhook) -> None:
    simulator.fault("drop_callback")
    simulator.tap(simulator.rail().submit(order("B0001", notify_url=webhook.url())))
    simulator.settled(simulator.rail(), "B0001", Paid)
    time.sleep(0.2)
    assert webhook.notices == []


def test_a_late_notice_comes_after_the_query_knew(simulator: Simulator, webhook: Webhook) -> None:
    simulator.fault("late_callback", delay_ms=400)
    simulator.tap(simulator.rail().submit(order("B0001", notify_url=webhook.url())))
    simulator.settled(simulator.rail(), "B0001", Paid)
    assert webhook.notices == []
    wait_for(lambda: len(webhook.notices) == 1)


def test_a_changed_body_is_forged(simulator: Simulator, webhook: Webhook) -> None:
    arrived = notified(simulator, webhook)
    with pytest.raises(AuthError) as caught:
        simulator.rail().verify_callback(arrived.headers, arrived.body.replace(b"FINISHED", b"FINISHEX"))
    assert caught.value.code == "rail_forged"


def test_another_keys_notice_is_forged(simulator: Simulator, webhook: Webhook) -> None:
    arrived = notified(simulator, webhook)
    thief = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    stamp, nonce = arrived.headers["Wechatpay-Timestamp"], arrived.headers["Wechatpay-Nonce"]
    signature = sign(thief, f"{stamp}\n{nonce}\n".encode() + arrived.body + b"\n")
    with pytest.raises(AuthError) as caught:
        simulator.rail().verify_callback({**arrived.headers, "Wechatpay-Signature": signature}, arrived.body)
    assert caught.value.code == "rail_forged"


def test_a_stored_notice_played_back_later_is_stale(simulator: Simulator, webhook: Webhook) -> None:
    arrived = notified(simulator, webhook)
    with pytest.raises(AuthError) as caught:
        simulator.rail(skew_ms=302_000).verify_callback(arrived.headers, arrived.body)
    assert caught.value.code == "rail_stale"


def test_an_unsigned_notice_is_refused(simulator: Simulator) -> None:
    with pytest.raises(AuthError) as caught:
        simulator.rail().verify_callback({}, b"{}")
    assert caught.value.code == "rail_unsigned"


def test_a_tampered_seal_does_not_open_even_when_signed(
    simulator: Simulator, webhook: Webhook, config: SimulatorConfig
) -> None:
    document = json.loads(notified(simulator, webhook).body)
    sealed = bytearray(base64.b64decode(document["resource"]["ciphertext"]))
    sealed[3] ^= 1
    document["resource"]["ciphertext"] = base64.b64encode(bytes(sealed)).decode()
    body = json.dumps(document).encode()
    with pytest.raises(AuthError) as caught:
        simulator.rail().verify_callback(resigned(Platform(config.state_dir), body), body)
    assert caught.value.code == "rail_sealed"


FINAL = {"out_bill_no": "B1", "transfer_bill_no": "W1", "state": "SUCCESS", "transfer_amount": 500, "mch_id": "?"}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"mch_id": "1999999999"}, AuthError),
        ({"state": "WAIT_USER_CONFIRM"}, InputError),
        ({"transfer_amount": None}, InputError),
        ({"transfer_amount": "500"}, InputError),
        ({"out_bill_no": None}, InputError),
    ],
)
def test_a_signed_notice_must_still_make_sense(
    simulator: Simulator, config: SimulatorConfig, change: dict[str, object], error: type[Exception]
) -> None:
    platform = Platform(config.state_dir)
    resource = {**FINAL, "mch_id": platform.mchid, **change}
    body = envelope(platform, resource)
    with pytest.raises(error):
        simulator.rail().verify_callback(resigned(platform, body), body)


def test_the_unchanged_notice_would_have_passed(simulator: Simulator, config: SimulatorConfig) -> None:
    platform = Platform(config.state_dir)
    body = envelope(platform, {**FINAL, "mch_id": platform.mchid})
    assert simulator.rail().verify_callback(resigned(platform, body), body).bill_no == "B1"


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{}", b'{"id":"x","event_type":"OTHER","resource":{}}'])
def test_a_signed_body_in_another_form_is_refused(simulator: Simulator, config: SimulatorConfig, body: bytes) -> None:
    with pytest.raises(InputError):
        simulator.rail().verify_callback(resigned(Platform(config.state_dir), body), body)


def test_another_event_is_not_about_a_transfer(simulator: Simulator, config: SimulatorConfig) -> None:
    platform = Platform(config.state_dir)
    body = envelope(platform, {**FINAL, "mch_id": platform.mchid}, event_type="TRANSACTION.SUCCESS")
    with pytest.raises(InputError) as caught:
        simulator.rail().verify_callback(resigned(platform, body), body)
    assert caught.value.code == "callback_unsupported"


def test_a_body_beyond_any_notice_is_not_even_hashed(simulator: Simulator) -> None:
    with pytest.raises(InputError) as caught:
        simulator.rail().verify_callback({}, b"x" * 65_537)
    assert caught.value.code == "callback_too_long"


def envelope(platform: Platform, resource: dict[str, object], event_type: str = "MCHTRANSFER.BILL.FINISHED") -> bytes:
    sealed = platform.seal(msgspec.json.encode(resource), "mch_payment")
    return msgspec.json.encode({"id": "e1", "event_type": event_type, "resource": sealed})


def test_the_order_used_here_pays(simulator: Simulator) -> None:
    simulator.tap(simulator.rail().submit(ORDER))
    simulator.settled(simulator.rail(), "B0001", Paid)
