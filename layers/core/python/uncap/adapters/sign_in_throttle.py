"""How often a login was tried in the present window, counted exactly in the Parties table. Used by signing in only.

`operator#{login}` / `attempts`: `doc` the window's number, `v` the attempts in it. Names nobody has share a bounded
number of items, so that guessing names fills no table.
"""

import hmac

from pynamodb.exceptions import DeleteError, PutError, PynamoDBException, UpdateError

from uncap.adapters.models import PartyItem
from uncap.domain.errors import TransientError

_STRANGER_DIGITS = 4  # hex: 65,536 items at most
_ROUNDS = 3


def throttle_key(login: str, key: bytes, *, known: bool) -> tuple[str, str]:
    """(pk, sk) of the counter for a login.

    Which strangers share an item is decided by `key`: whoever could use up a name's item by another name would see by
    the refusal that nobody has the first one.
    """
    if known:
        return f"operator#{login}", "attempts"
    bucket = hmac.digest(key, b"uncap.throttle|" + login.encode("utf-8", "surrogatepass"), "sha256").hex()
    return "operator#", f"attempts#{bucket[:_STRANGER_DIGITS]}"


class SignInThrottle:
    """Admits `limit` attempts per login and window; a success forgets them."""

    def __init__(self, limit: int, window_ms: int) -> None:
        self._limit = limit
        self._window_ms = window_ms

    def admit(self, key: tuple[str, str], now_ms: int) -> bool:
        """Count one attempt; False once the window's attempts are used up. Raises TransientError."""
        window = str(now_ms // self._window_ms)
        item = PartyItem(*key)
        try:
            for _ in range(_ROUNDS):
                if self._count(item, window):
                    return True
                if self._open(key, window):
                    return True
                if self._used(key) >= self._limit:
                    return False
        except PynamoDBException as cause:
            raise TransientError("table_unavailable", "sign-in could not be counted") from cause
        return False

    def forget(self, key: tuple[str, str]) -> None:
        """The login succeeded. Raises TransientError."""
        try:
            PartyItem(*key).delete()
        except DeleteError as cause:
            raise TransientError("table_unavailable", "sign-in could not be counted") from cause

    def _count(self, item: PartyItem, window: str) -> bool:
        condition = (PartyItem.doc == window) & (PartyItem.v < self._limit)
        try:
            item.update(actions=[PartyItem.v.add(1)], condition=condition)
        except UpdateError as cause:
            if cause.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _open(self, key: tuple[str, str], window: str) -> bool:
        try:
            PartyItem(*key, doc=window, v=1).save(PartyItem.pk.does_not_exist() | (PartyItem.doc != window))
        except PutError as cause:
            if cause.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _used(self, key: tuple[str, str]) -> int:
        try:
            return PartyItem.get(*key, consistent_read=True).v or 0
        except PartyItem.DoesNotExist:
            return 0
