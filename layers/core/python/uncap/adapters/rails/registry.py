"""Which rail pays which kind of reward, built from settings and secrets. Called by `runtime/` wiring only."""

import secrets
import time
from collections.abc import Callable, Mapping

import msgspec

from uncap.adapters.rails.own_ledger import OwnLedgerRail
from uncap.adapters.rails.wechat_crypto import RailKeys
from uncap.adapters.rails.wechat_transfer import WechatTransferRail
from uncap.domain.errors import InputError
from uncap.domain.rails import Rail

OWN_LEDGER_KINDS = ("points", "trade_credit", "goods_voucher")


def rail_keys(secret: Mapping[str, object]) -> RailKeys:
    """The RailKeys secret's JSON value as a value. InputError that never quotes the secret."""
    try:
        return msgspec.convert(secret, RailKeys)
    except msgspec.ValidationError:
        raise InputError("rail_keys_malformed", "the RailKeys secret lacks a field or has a wrong type") from None


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
