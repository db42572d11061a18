"""Secrets over the wire client, parsed and cached with an age. Used by `runtime/wiring_scan.py`."""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from uncap.adapters.wire.dynamodb import ENCODE, Caller
from uncap.domain.errors import TransientError

ValueT = TypeVar("ValueT")
MAX_AGE_MS = 300_000


class _Secret(msgspec.Struct):
    text: str = msgspec.field(name="SecretString")


class CachedSecret(Generic[ValueT]):
    """One secret's parsed value, at most `max_age_ms` old while Secrets Manager answers.

    Where it does not, the value held is used on: an outage there must not stop scans here.
    """

    def __init__(
        self,
        client: Caller,
        secret_id: str,
        parse: Callable[[str], ValueT],
        clock_ms: Callable[[], int],
        max_age_ms: int = MAX_AGE_MS,
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._parse = parse
        self._clock_ms = clock_ms
        self._max_age_ms = max_age_ms
        self._held: tuple[int, ValueT] | None = None

    def __call__(self) -> ValueT:
        """Raises TransientError if it was never read and cannot be now, and what `parse` raises."""
        held = self._held
        now_ms = self._clock_ms()
        if held and now_ms - held[0] < self._max_age_ms:
            return held[1]
        try:
            body = self._client.call("GetSecretValue", ENCODE({"SecretId": self._secret_id}))
        except TransientError:
            if held is None:
                raise
            self._held = (now_ms, held[1])
            return held[1]
        value = self._parse(msgspec.json.decode(body, type=_Secret).text)
        self._held = (now_ms, value)
        return value
