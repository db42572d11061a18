"""Secrets of the functions off the scan path: JSON values from Secrets Manager, kept for a few minutes.

The age bound lets a rotated key arrive without a deployment. Values are never logged and never part of an error.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from uncap.domain.errors import PoisonError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE_MS = 300_000


def secrets_client() -> "SecretsManagerClient":
    """A client with short time-outs; region, credentials and endpoint are botocore's to find."""
    config = Config(connect_timeout=1, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("secretsmanager", config=config)


class Secrets:
    """Secret values by ARN or name, each read at most once in `max_age_ms`."""

    def __init__(
        self, client: "SecretsManagerClient", clock_ms: Callable[[], int], max_age_ms: int = MAX_AGE_MS
    ) -> None:
        self._client = client
        self._clock_ms = clock_ms
        self._max_age_ms = max_age_ms
        self._cache: dict[str, tuple[int, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def value(self, secret_id: str) -> dict[str, Any]:
        """The secret's JSON object. TransientError (`secret_unavailable`), PoisonError (`secret_malformed`)."""
        with self._lock:
            known = self._cache.get(secret_id)
            if known and self._clock_ms() - known[0] < self._max_age_ms:
                return known[1]
            value = self._read(secret_id)
            self._cache[secret_id] = (self._clock_ms(), value)
            return value

    def _read(self, secret_id: str) -> dict[str, Any]:
        try:
            text = self._client.get_secret_value(SecretId=secret_id)["SecretString"]
        except (ClientError, BotoCoreError, KeyError) as cause:
            raise TransientError("secret_unavailable", "a secret could not be read") from cause
        try:
            return msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.MsgspecError:
            raise PoisonError("secret_malformed", "a secret is not a JSON object") from None
