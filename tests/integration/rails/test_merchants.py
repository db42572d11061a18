"""Several merchants: the secret in its two forms, and notices and statements that belong to one of them."""

import datetime

import msgspec
import pytest

from cli.keys import RAIL_FIELDS, _rail_secret
from tests.integration.rails.conftest import Simulator, Webhook, order, wait_for
from uncap.adapters.rails.all_accounts import AllAccounts
from uncap.adapters.rails.registry import build_fleet, fleet_of, rail_keys
from uncap.adapters.rails.wechat_transfer import WechatTransferRail
from uncap.domain.errors import AuthError, InputError, TransientError
from uncap.domain.rail_schedule import AccountLimits, Route


def secret(keys: object, **changes: object) -> dict[str, object]:
    return msgspec.to_builtins(keys) | changes  # type: ignore[no-any-return]


def stranger(simulator: Simulator) -> WechatTransferRail:
    """Another merchant of the same platform."""
    keys = msgspec.structs.replace(simulator.keys, mchid="1999999999", api_v3_key="x" * 32)
    return WechatTransferRail(keys, simulator.url, now_ms=lambda: 0, nonce=lambda: "n")


def test_one_merchants_keys_read_as_ever(simulator: Simulator) -> None:
    fleet = fleet_of(secret(simulator.keys))
    assert [one.mchid for one in fleet.merchants] == [simulator.keys.mchid]
    cash = build_fleet(fleet, simulator.url, timeout_ms=1_000, now_ms=lambda: 0)
    assert set(cash.rails) >= {"cash", "points", "trade_credit", "goods_voucher"}
    assert cash.rails["cash"] is cash.accounts[simulator.keys.mchid]
    assert cash.limits == {simulator.keys.mchid: (AccountLimits(), 100)}


def test_several_merchants_bring_limits_and_routes(simulator: Simulator) -> None:
    first = secret(simulator.keys, limits={"rate_per_s": 50, "day_count": 9})
    second = secret(simulator.keys, mchid="1900000009")
    fleet = fleet_of({"merchants": [first, second], "routes": [{"campaign": "c", "accounts": ["1900000009"]}]})
    cash = build_fleet(fleet, simulator.url, timeout_ms=1_000, now_ms=lambda: 0)
    assert cash.limits[simulator.keys.mchid] == (AccountLimits(rate_per_s=50, day_count=9), 100)
    assert cash.routes == (Route(campaign="c", accounts=("1900000009",)),)
    assert cash.rails["cash"] is cash.accounts[simulator.keys.mchid], "the first is the one of old attempts"
    assert _rail_secret({"merchants": [first, second]})["merchants"] == [first, second]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"merchants": []}, "merchants"),
        ({"merchants": ["K", "K"]}, "merchants"),
        ({"merchants": ["K"], "routes": [{"accounts": ["1"]}]}, "routes"),
        ({"merchants": [{"mchid": "hush"}]}, ""),
        ({"merchants": "hush"}, ""),
    ],
)
def test_a_secret_that_cannot_be_right_is_refused_and_not_quoted(
    simulator: Simulator, change: dict[str, object], where: str
) -> None:
    told = {
        name: [secret(simulator.keys) if one == "K" else one for one in value] if isinstance(value, list) else value
        for name, value in change.items()
    }
    with pytest.raises(InputError) as caught:
        fleet_of(told)
    assert caught.value.where == where
    assert "hush" not in str(caught.value)
    with pytest.raises(ValueError, match=r"rail keys lack|once|no merchant"):
        _rail_secret(told)


def test_a_notice_is_read_by_the_merchant_it_is_for(simulator: Simulator, webhook: Webhook) -> None:
    simulator.tap(simulator.rail().submit(order("B0001", notify_url=webhook.url())))
    wait_for(lambda: bool(webhook.notices))
    arrived = webhook.notices[0]
    clock = simulator.rail()._http._now_ms
    other = msgspec.structs.replace(simulator.keys, mchid="1999999999", api_v3_key="x" * 32)
    strange = WechatTransferRail(other, simulator.url, now_ms=clock, nonce=lambda: "n")
    for accounts in ([strange, simulator.rail()], [simulator.rail(), strange]):
        notice = AllAccounts(accounts).verify_callback(arrived.headers, arrived.body)
        assert (notice.bill_no, notice.account) == ("B0001", simulator.keys.mchid)
    with pytest.raises(AuthError):
        AllAccounts([strange]).verify_callback(arrived.headers, arrived.body)
    with pytest.raises(AuthError):
        AllAccounts([strange, simulator.rail()]).verify_callback(arrived.headers, arrived.body[:-1] + b" ")


def test_a_statement_is_all_of_them_or_none(simulator: Simulator) -> None:
    today = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=8)).date()
    simulator.tap(simulator.rail().submit(order("B0001")))
    wait_for(lambda: simulator.total_minor() == 500)
    both = AllAccounts([simulator.rail(), simulator.rail()])
    assert [line.bill_no for line in both.statement(today)] == ["B0001"] * 2
    with pytest.raises((TransientError, InputError)):
        AllAccounts([simulator.rail(), stranger(simulator)]).statement(today)


def test_the_fields_the_command_asks_for_are_those_of_the_keys(simulator: Simulator) -> None:
    assert set(RAIL_FIELDS) == set(msgspec.structs.asdict(simulator.keys))
    assert rail_keys(secret(simulator.keys)) == simulator.keys
