"""Where the signer's credentials and endpoints come from: the environment Lambda gives, or a container's endpoint.

The AWS_* names are boto3's own. This module and `runtime/settings.py` are the only ones that read the environment.
"""

import http.client
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from uncap.domain.errors import TransientError

_CONTAINER_HOST = "http://169.254.170.2"
_PLAIN_HTTP_HOSTS = frozenset({"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost", "127.0.0.1", "::1"})
_TIMEOUT_S = 2.0
_REFRESH_BEFORE_MS = 300_000


class Credentials(msgspec.Struct, frozen=True):
    """A key pair with its session token. `expires_at_ms` 0: not known (Lambda replaces the sandbox in time)."""

    access_key: str
    secret_key: str
    token: str = ""
    expires_at_ms: int = 0


class _ContainerReply(msgspec.Struct, frozen=True, rename="pascal"):
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html."""

    access_key_id: str
    secret_access_key: str
    token: str = ""
    expiration: str = ""


class CredentialSource(Protocol):
    """Gives current credentials; `refresh` reads them anew and says whether they changed."""

    def current(self) -> Credentials: ...

    def refresh(self) -> bool: ...


class CachedCredentials:
    """Credentials read by `fetch` and kept until five minutes before they expire."""

    def __init__(self, fetch: Callable[[], Credentials], clock_ms: Callable[[], int]) -> None:
        self._fetch = fetch
        self._clock_ms = clock_ms
        self._held: Credentials | None = None

    def current(self) -> Credentials:
        """The held credentials, fetched anew when they are about to expire."""
        held = self._held
        if held is None or (held.expires_at_ms and held.expires_at_ms - self._clock_ms() < _REFRESH_BEFORE_MS):
            held = self._held = self._fetch()
        return held

    def refresh(self) -> bool:
        """Fetches regardless of expiry; True if the credentials are other ones than before."""
        before, self._held = self._held, self._fetch()
        return self._held != before


def aws_variables() -> Mapping[str, str]:
    """The process environment, for endpoints, region and credentials."""
    return os.environ


def credential_source(clock_ms: Callable[[], int], environ: Mapping[str, str] | None = None) -> CachedCredentials:
    """Keys from the environment if there are any, else from the container endpoint it names."""
    source = os.environ if environ is None else environ

    def fetch() -> Credentials:
        if source.get("AWS_ACCESS_KEY_ID") and source.get("AWS_SECRET_ACCESS_KEY"):
            token = source.get("AWS_SESSION_TOKEN", "")
            return Credentials(source["AWS_ACCESS_KEY_ID"], source["AWS_SECRET_ACCESS_KEY"], token)
        return _fetch_from_container(source)

    return CachedCredentials(fetch, clock_ms)


def endpoint_url(service: str, region: str, environ: Mapping[str, str]) -> str:
    """boto3's order: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the region's public endpoint.

    `service` is the endpoint's prefix ("dynamodb", "secretsmanager").
    """
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
        own = {"secretsmanager": "SECRETS_MANAGER"}.get(service, service.upper())
        configured = environ.get(f"AWS_ENDPOINT_URL_{own}") or environ.get("AWS_ENDPOINT_URL")
        if configured:
            return configured
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{service}.{region}.{suffix}"


def region_of(environ: Mapping[str, str]) -> str:
    """AWS_REGION, else AWS_DEFAULT_REGION. Raises KeyError where neither is set."""
    return environ.get("AWS_REGION") or environ["AWS_DEFAULT_REGION"]


def _fetch_from_container(environ: Mapping[str, str]) -> Credentials:
    relative = environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "")
    url = _CONTAINER_HOST + relative if relative else environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
    if not url:
        raise TransientError("credentials_missing", "the environment offers no AWS credentials")
    token_file = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "")
    token = Path(token_file).read_text().strip() if token_file else environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    try:
        reply = msgspec.json.decode(_get(url, token), type=_ContainerReply)
    except (OSError, http.client.HTTPException, msgspec.MsgspecError) as cause:
        raise TransientError("credentials_unavailable", "the credentials endpoint did not answer") from cause
    expires = datetime.fromisoformat(reply.expiration).astimezone(UTC).timestamp() if reply.expiration else 0
    return Credentials(reply.access_key_id, reply.secret_access_key, reply.token, int(expires * 1000))


def _get(url: str, authorization: str) -> bytes:
    """One GET; plain http only to the link-local and loopback addresses AWS allows for this."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and host not in _PLAIN_HTTP_HOSTS:
        raise TransientError("credentials_unavailable", "the credentials endpoint must be https or local")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(host, parts.port, timeout=_TIMEOUT_S)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path or "/", headers={"authorization": authorization} if authorization else {})
        reply = connection.getresponse()
        body = reply.read()
    finally:
        connection.close()
    if reply.status != http.client.OK:
        raise OSError(f"the credentials endpoint answered {reply.status}")
    return body
