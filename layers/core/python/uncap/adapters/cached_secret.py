"""A Secrets Manager value for the back functions, parsed and held for a while. Used by `runtime/wiring_console.py`.

The scan path has its own (`secrets_wire.py`), without boto3.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from uncap.domain.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

ValueT = TypeVar("ValueT")
MAX_AGE_MS = 300_000


class CachedSecret(Generic[ValueT]):
    """One secret's parsed value, at most five minutes old."""

    def __init__(
        self,
        client: "Callable[[], SecretsManagerClient]",
        secret_id: str,
        parse: Callable[[str], ValueT],
        clock_ms: Callable[[], int],
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._parse = parse
        self._clock_ms = clock_ms
        self._held: tuple[int, ValueT] | None = None

    def __call__(self) -> ValueT:
        """Raises TransientError (`secret_unavailable`), and what `parse` raises."""
        now_ms = self._clock_ms()
        if self._held and now_ms - self._held[0] < MAX_AGE_MS:
            return self._held[1]
        try:
            text = self._client().get_secret_value(SecretId=self._secret_id)["SecretString"]
        except (ClientError, BotoCoreError) as cause:
            raise TransientError("secret_unavailable", "a key could not be fetched") from cause
        value = self._parse(text)
        self._held = (now_ms, value)
        return value
