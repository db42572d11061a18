"""The rail misbehaves; the person is paid once all the same. Tests arm faults and read the statement."""

from collections.abc import Iterator

import pytest

from dev.stack import http
from tests.kits.market import Market, eventually
from uncap.domain.rewards.ids import bill_no

UNCLEAR = ("timeout_after_accept", "timeout_before_accept", "http_500", "429", "system_error")


@pytest.fixture
def rail(market: Market) -> Iterator[Market]:
    market.calm()
    yield market
    market.calm()


def paid_lines(market: Market, reward_id: str) -> list[int]:
    """Amounts the rail paid for any of the reward's first five attempts."""
    ours = {bill_no(reward_id, attempt) for attempt in range(1, 6)}
    return [line["amount_minor"] for line in market.bills() if line["bill_no"] in ours]


def test_each_unclear_submit_is_paid_once(rail: Market) -> None:
    """One claim per fault, the waits for redelivery side by side."""
    phone, claimed = rail.phone(), {}
    for kind in UNCLEAR:
        rail.fault(kind, next=1, on="submit")
        claimed[kind] = rail.claim(phone, rail.next("cash")).rewards[0]
        eventually(lambda: not rail.armed(), f"a submit has met {kind}")
    owed = {kind: [rail.pay_out(phone, reward, timeout_s=180)["amount_minor"]] for kind, reward in claimed.items()}
    assert {kind: paid_lines(rail, reward) for kind, reward in claimed.items()} == owed


def test_duplicate_callbacks_settle_once(rail: Market) -> None:
    phone = rail.phone()
    rail.fault("duplicate_callback", next=1)
    answer = rail.claim(phone, rail.next("cash"))
    reward = rail.pay_out(phone, answer.rewards[0])
    assert paid_lines(rail, answer.rewards[0]) == [reward["amount_minor"]]


def test_a_dropped_callback_is_healed_by_asking(rail: Market) -> None:
    phone = rail.phone()
    rail.fault("drop_callback", next=1)
    answer = rail.claim(phone, rail.next("cash"))
    rail.confirm(phone, answer.rewards[0])

    def swept() -> bool:
        rail.invoke("sweeper_job")
        reward = phone.reward(answer.rewards[0])
        return bool(reward and reward["state"] == "PAID")

    eventually(swept, "the sweeper asks the rail and settles", timeout_s=120)
    assert len(paid_lines(rail, answer.rewards[0])) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {
            "Wechatpay-Timestamp": "1764000000",
            "Wechatpay-Nonce": "n",
            "Wechatpay-Signature": "AAAA",
            "Wechatpay-Serial": "PUB_KEY_ID_0",
        },
    ],
    ids=["unsigned", "forged"],
)
def test_a_forged_callback_changes_nothing(rail: Market, headers: dict[str, str]) -> None:
    phone = rail.phone()
    answer = rail.claim(phone, rail.next("cash"))
    waiting = rail.reward_when(phone, answer.rewards[0], "WAIT_USER")
    with http.client(rail.outputs.scan_base) as client:
        refused = client.post(
            "/v1/rails/wechat/notify", json={"event_type": "MCHTRANSFER.BILL.FINISHED"}, headers=headers
        )
    assert refused.status_code in (400, 401)
    assert phone.reward(answer.rewards[0]) == waiting
