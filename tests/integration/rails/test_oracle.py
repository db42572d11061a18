"""`wechatpayv3`, an SDK that knows nothing of uncap, transacts through the simulator and agrees with the adapter."""

import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import wechatpayv3.core  # type: ignore[import-untyped]
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.utils import (  # type: ignore[import-untyped]
    build_authorization,
    load_private_key,
    load_public_key,
    rsa_decrypt,
    rsa_encrypt,
    rsa_verify,
)

from dev.rail_simulator.app import SimulatorConfig
from dev.rail_simulator.signing import Platform
from tests.integration.rails.conftest import ORDER, Simulator, Webhook, order, wait_for
from uncap.adapters.rails.wechat_crypto import SCHEME, Keyring
from uncap.domain.rails import FailedFinal, NeedUser, Paid

REPORT = [
    {"info_type": "活动名称", "info_content": "夏日开盖有奖"},
    {"info_type": "奖励说明", "info_content": "开盖奖励"},
]


@pytest.fixture(params=["public_key", "certificates"])
def sdk(request: pytest.FixtureRequest, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The unmodified SDK in both of its modes; only its requests' host is led to the simulator."""

    class Redirected:
        @staticmethod
        def get(url: str, **more: Any) -> requests.Response:
            return requests.get(led(url), **more)  # noqa: S113 - the SDK passes its own

        @staticmethod
        def post(url: str, **more: Any) -> requests.Response:
            return requests.post(led(url), **more)  # noqa: S113 - the SDK passes its own

    def led(url: str) -> str:
        parts = urlsplit(url)
        assert parts.netloc == "api.mch.weixin.qq.com"
        return simulator.url + parts.path + (f"?{parts.query}" if parts.query else "")

    monkeypatch.setattr(wechatpayv3.core, "requests", Redirected)
    keys = simulator.keys
    known = {"public_key": keys.platform_public_key_pem, "public_key_id": keys.platform_serial}
    return WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=keys.mchid,
        private_key=keys.private_key_pem,
        cert_serial_no=keys.serial_no,
        appid=keys.appid,
        apiv3_key=keys.api_v3_key,
        notify_url=None,
        timeout=(2, 5),
        **(known if request.param == "public_key" else {}),
    )


def pay(sdk: Any, bill_no: str, amount: int = 500, **more: Any) -> dict[str, Any]:
    status, text = sdk.mch_transfer_bills(
        out_bill_no=bill_no,
        transfer_scene_id="1000",
        openid="openid-secret",
        transfer_amount=amount,
        transfer_remark="开盖奖励",
        transfer_scene_report_infos=REPORT,
        **more,
    )
    assert status == 200, text
    document: dict[str, Any] = json.loads(text)
    return document


def test_the_oracle_pays_and_queries(sdk: Any, simulator: Simulator, webhook: Webhook) -> None:
    bill = pay(sdk, "SDK1", notify_url=webhook.url())
    assert bill["state"] == "WAIT_USER_CONFIRM"
    simulator.control("confirm", {"package": bill["package_info"]})
    paid = simulator.settled(simulator.rail(), "SDK1", Paid)
    status, text = sdk.mch_transfer_bills_query(out_bill_no="SDK1")
    document = json.loads(text)
    assert (status, document["state"], document["transfer_amount"]) == (200, "SUCCESS", 500)
    assert isinstance(paid, Paid)
    assert paid.rail_id == document["transfer_bill_no"]
    status, text = sdk.mch_transfer_bills_query(transfer_bill_no=paid.rail_id)
    assert json.loads(text) == document


def test_the_oracle_and_the_adapter_read_the_same_notice(simulator: Simulator, webhook: Webhook, sdk: Any) -> None:
    bill = pay(sdk, "SDK2", notify_url=webhook.url())
    simulator.control("confirm", {"package": bill["package_info"]})
    wait_for(lambda: bool(webhook.notices))
    arrived = webhook.notices[0]
    ours = simulator.rail().verify_callback(arrived.headers, arrived.body)
    if sdk._core._public_key_id is None:
        # Notices are signed with the public key's pair; only an SDK that was told of it can read them.
        return
    theirs = sdk.callback(arrived.headers, arrived.body)
    assert theirs["resource"]["out_bill_no"] == ours.bill_no == "SDK2"
    assert theirs["resource"]["transfer_amount"] == ours.amount_minor
    assert theirs["id"] == ours.event_id


def test_the_oracle_cancels(sdk: Any, simulator: Simulator) -> None:
    pay(sdk, "SDK3")
    status, text = sdk.mch_transfer_bills_cancel(out_bill_no="SDK3")
    assert (status, json.loads(text)["state"]) == (200, "CANCELING")
    cancelled = simulator.settled(simulator.rail(), "SDK3", FailedFinal)
    assert isinstance(cancelled, FailedFinal)
    assert cancelled.reason == "cancelled"


# The SDK compares certificates by a property that `cryptography` deprecates.
@pytest.mark.filterwarnings("ignore:Properties that return a na")
def test_the_oracles_name_encryption_is_understood(sdk: Any) -> None:
    assert pay(sdk, "SDK4", 200_000, user_name="王小明") == pay(sdk, "SDK4", 200_000, user_name="王小明")
    status, text = sdk.mch_transfer_bills(
        out_bill_no="SDK4",
        transfer_scene_id="1000",
        openid="openid-secret",
        transfer_amount=200_000,
        transfer_remark="开盖奖励",
        transfer_scene_report_infos=REPORT,
        user_name="李小明",
    )
    assert (status, json.loads(text)["code"]) == (400, "ALREADY_EXISTS")


def test_a_bill_of_the_adapter_is_seen_by_the_oracle(sdk: Any, simulator: Simulator) -> None:
    waiting = simulator.rail().submit(order("SDK5", amount_minor=1234))
    assert isinstance(waiting, NeedUser)
    status, text = sdk.mch_transfer_bills_query(out_bill_no="SDK5")
    document = json.loads(text)
    assert status == 200
    assert document["transfer_bill_no"] == waiting.rail_id
    assert (document["transfer_amount"], document["openid"]) == (1234, ORDER.payee)


def test_the_oracle_downloads_the_statement(sdk: Any, simulator: Simulator) -> None:
    rail = simulator.rail()
    simulator.tap(rail.submit(ORDER))
    simulator.settled(rail, "B0001", Paid)
    day = simulator.http.get("/_sim/statement").json()["lines"][0]["paid_at"][:10]
    status, text = sdk.fundflow_bill(bill_date=day, account_type="OPERATION")
    assert status == 200, text
    status, data = sdk.download_bill(json.loads(text)["download_url"])
    assert status == 200
    assert "`B0001" in (data if isinstance(data, str) else data.decode())


def test_the_oracle_orders_and_downloads_a_receipt(sdk: Any, simulator: Simulator) -> None:
    bill = pay(sdk, "SDK6")
    status, text = sdk.mch_transfer_elecsign(out_bill_no="SDK6")
    assert (status, json.loads(text)["code"]) == (400, "INVALID_REQUEST"), "nothing has been paid yet"
    simulator.control("confirm", {"package": bill["package_info"]})
    simulator.settled(simulator.rail(), "SDK6", Paid)
    status, text = sdk.mch_transfer_elecsign_query(out_bill_no="SDK6")
    assert (status, json.loads(text)["code"]) == (404, "NOT_FOUND"), "nobody has ordered it yet"
    for number in ({"out_bill_no": "SDK6"}, {"transfer_bill_no": bill["transfer_bill_no"]}):
        status, text = sdk.mch_transfer_elecsign(**number)
        assert (status, json.loads(text)["state"]) == (200, "GENERATING")
        status, text = sdk.mch_transfer_elecsign_query(**number)
        receipt = json.loads(text)
        assert (status, receipt["state"]) == (200, "FINISHED")
        status, data = sdk.download_bill(receipt["download_url"])
        raw = data.encode() if isinstance(data, str) else data
        assert hashlib.sha256(raw).hexdigest() == receipt["hash_value"]


def test_the_oracle_is_told_of_numbers_nobody_has(sdk: Any) -> None:
    for call in (sdk.mch_transfer_bills_query, sdk.mch_transfer_elecsign_query, sdk.mch_transfer_elecsign):
        for number in ({"out_bill_no": "NONE"}, {"transfer_bill_no": "1330000"}):
            status, text = call(**number)
            assert (status, json.loads(text)["code"]) == (404, "NOT_FOUND")
    status, text = sdk.mch_transfer_bills_cancel(out_bill_no="NONE")
    assert (status, json.loads(text)["code"]) == (404, "NOT_FOUND")


def test_only_the_paying_account_has_the_transfers(sdk: Any, simulator: Simulator) -> None:
    rail = simulator.rail()
    simulator.tap(rail.submit(ORDER))
    simulator.settled(rail, "B0001", Paid)
    day = simulator.http.get("/_sim/statement").json()["lines"][0]["paid_at"][:10]
    codes = {
        account: json.loads(sdk.fundflow_bill(bill_date=day, account_type=account)[1]).get("code", "")
        for account in ("OPERATION", "BASIC", "FEES", "OTHER")
    }
    assert codes == {
        "OPERATION": "", "BASIC": "NO_STATEMENT_EXIST", "FEES": "NO_STATEMENT_EXIST", "OTHER": "PARAM_ERROR"
    }  # fmt: skip


def test_signatures_cross_check_both_ways(simulator: Simulator, config: SimulatorConfig) -> None:
    keys = simulator.keys
    keyring = Keyring(keys)
    ours = keyring.authorization("POST", "/v3/x?y=1", '{"名":1}'.encode(), now_s=1_700_000_000, nonce="N")
    fields = dict(part.split("=", 1) for part in ours.removeprefix(SCHEME + " ").split(","))
    merchant = load_private_key(keys.private_key_pem)
    # The oracle's verifier knows replies only; a request's message has two lines more in front.
    body = '{"名":1}'
    signature = fields["signature"].strip('"')
    assert rsa_verify("POST\n/v3/x?y=1\n1700000000", "N", body, signature, merchant.public_key())
    theirs = build_authorization("/v3/x", "GET", keys.mchid, keys.serial_no, merchant)
    assert Platform(config.state_dir).request_problem("GET", "/v3/x", b"", theirs) == ""
    assert Platform(config.state_dir).request_problem("GET", "/v3/z", b"", theirs) == "sign not match"


def test_fields_cross_decrypt(simulator: Simulator, config: SimulatorConfig) -> None:
    platform = Platform(config.state_dir)
    sealed = rsa_encrypt("王小明", load_public_key(simulator.keys.platform_public_key_pem))
    assert platform.open_field(sealed) == "王小明"
    assert rsa_decrypt(sealed, platform._key) == "王小明"
