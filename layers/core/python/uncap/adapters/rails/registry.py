"""Which rail pays which kind of reward, built from settings and secrets. Called by `runtime/` wiring only."""

import secrets
import time
from collections.abc import Callable, Mapping

import msgspec

from uncap.adapters.rails.own_ledger import OwnLedgerRail
from uncap.adapters.rails.wechat_crypto import RailKeys
from uncap.adapters.rails.wechat_transfer import WechatTransferRail
from uncap.domain.errors import InputError
from uncap.domain.rail_schedule import AccountLimits, Route
from uncap.domain.rails import Rail
from uncap.domain.rewards.accruing import ACCRUAL

OWN_LEDGER_KINDS = ("points", "trade_credit", "goods_voucher", ACCRUAL)


def rail_keys(secret: Mapping[str, object]) -> RailKeys:
    """The RailKeys secret's JSON value as a value. InputError that never quotes the secret."""
    try:
        return msgspec.convert(secret, RailKeys)
    except msgspec.ValidationError:
        raise InputError("rail_keys_malformed", "the RailKeys secret lacks a field or has a wrong type") from None


class MerchantKeys(RailKeys, frozen=True, kw_only=True):
    """One merchant of several: its keys, and what it may send."""

    limits: AccountLimits = AccountLimits()


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """The RailKeys secret where there are several merchants; an account's name is its merchant number.

    The first is also the one that attempts without an account were sent through: it must stay the first.
    """

    merchants: tuple[MerchantKeys, ...]
    routes: tuple[Route, ...] = ()


class CashRails(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts ready for use: by prize kind for what has none yet, by name for attempts, with limits and routes."""

    rails: dict[str, Rail]
    accounts: dict[str, Rail]
    limits: dict[str, tuple[AccountLimits, int | None]]
    routes: tuple[Route, ...]


def fleet_of(secret: Mapping[str, object]) -> Fleet:
    """The secret in either form: `{"merchants": […], "routes": […]}`, or one merchant's RailKeys alone. InputError."""
    if "merchants" not in secret:
        return Fleet(merchants=(_merchant(secret),))
    try:
        fleet = msgspec.convert(secret, Fleet)
    except msgspec.ValidationError:
        raise InputError("rail_keys_malformed", "the RailKeys secret lacks a field or has a wrong type") from None
    names = [one.mchid for one in fleet.merchants]
    if not names or len(set(names)) != len(names):
        raise InputError("rail_keys_malformed", "a merchant number is named once, and there is one", where="merchants")
    if unknown := {account for route in fleet.routes for account in route.accounts} - set(names):
        raise InputError("rail_keys_malformed", f"{len(unknown)} routes lead to no merchant", where="routes")
    return fleet


def _merchant(secret: Mapping[str, object]) -> MerchantKeys:
    try:
        return msgspec.convert(secret, MerchantKeys)
    except msgspec.ValidationError:
        raise InputError("rail_keys_malformed", "the RailKeys secret lacks a field or has a wrong type") from None


def build_fleet(
    fleet: Fleet,
    base_url: str,
    *,
    timeout_ms: int,
    now_ms: Callable[[], int],
    nonce: Callable[[], str] | None = None,
) -> CashRails:
    """All merchants of the fleet. Build once per container: each keeps a connection pool."""
    accounts: dict[str, Rail] = {
        one.mchid: WechatTransferRail(one, base_url, now_ms=now_ms, nonce=nonce or _nonce, timeout_ms=timeout_ms)
        for one in fleet.merchants
    }
    first: Rail = accounts[fleet.merchants[0].mchid]
    limits = {one.mchid: (one.limits, accounts[one.mchid].capabilities.rate_per_s) for one in fleet.merchants}
    return CashRails(rails={"cash": first, **own_rails()}, accounts=accounts, limits=limits, routes=fleet.routes)


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000


def _nonce() -> str:
    return secrets.token_hex(16)


def build_rails(
    keys: RailKeys,
    base_url: str,
    *,
    timeout_ms: int = 5_000,
    now_ms: Callable[[], int] = _clock_ms,
    nonce: Callable[[], str] = _nonce,
) -> dict[str, Rail]:
    """Prize kind (`cash`, `points`, …) to its rail. Build once per container: the cash rail keeps a connection pool."""
    cash: Rail = WechatTransferRail(keys, base_url, now_ms=now_ms, nonce=nonce, timeout_ms=timeout_ms)
    return {"cash": cash, **own_rails()}


def own_rails() -> dict[str, Rail]:
    """The rails that need no keys, by prize kind: their counterpart is our own ledger."""
    own: Rail = OwnLedgerRail()
    return dict.fromkeys(OWN_LEDGER_KINDS, own)
