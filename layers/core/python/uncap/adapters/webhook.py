"""One POST to somebody else's server: HTTPS to a public address, no redirects, bounded in time and size.

Called by `services/send_alerts.py`. The name is resolved here and the connection made to that very address, so that an
address inside our own network cannot be reached by a name that changes its mind.
"""

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from typing import Protocol

import urllib3

from uncap.domain.errors import InputError, TransientError

TIMEOUT_S = 5.0
_MAX_REPLY_BYTES = 16_384
_LOOPBACK = ("127.0.0.1", "localhost")


class Poster(Protocol):
    """Posts a body; the HTTP status. TransientError if none came back, InputError (`webhook_refused`)."""

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int: ...


def check_url(url: str, *, allow_loopback: bool = False) -> urllib3.util.Url:
    """The parsed URL. Raises InputError (`webhook_refused`): not https, with credentials, or without a host."""
    try:
        parsed = urllib3.util.parse_url(url)
    except urllib3.exceptions.LocationParseError as cause:
        raise InputError("webhook_refused", "this is no URL", where="url") from cause
    loopback = allow_loopback and parsed.host in _LOOPBACK
    if not parsed.host or parsed.auth or (parsed.scheme != "https" and not (loopback and parsed.scheme == "http")):
        raise InputError("webhook_refused", "a webhook is an https address without credentials", where="url")
    return parsed


class Webhook:
    """A Poster. `allow_loopback` is for the local stack and tests: plain HTTP to this machine."""

    def __init__(self, *, allow_loopback: bool = False, timeout_s: float = TIMEOUT_S) -> None:
        self._allow_loopback = allow_loopback
        self._timeout = urllib3.Timeout(connect=min(2.0, timeout_s), read=timeout_s)

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """See `Poster`."""
        parsed = check_url(url, allow_loopback=self._allow_loopback)
        host = str(parsed.host).strip("[]")
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
        loopback = self._allow_loopback and host in _LOOPBACK
        address = _address(host, port, public=not loopback)
        pool = self._pool(str(parsed.scheme), host, address, port)
        try:
            response = pool.urlopen(
                "POST",
                parsed.request_uri,
                body=body,
                headers={**headers, "Host": str(parsed.netloc)},
                redirect=False,
                retries=False,
                preload_content=False,
            )
            response.read(_MAX_REPLY_BYTES)
            response.release_conn()
        except urllib3.exceptions.HTTPError as cause:
            raise TransientError("webhook_unreachable", f"no answer ({type(cause).__name__})") from cause
        finally:
            pool.close()
        return int(response.status)

    def _pool(self, scheme: str, host: str, address: str, port: int) -> urllib3.HTTPConnectionPool:
        if scheme == "http":
            return urllib3.HTTPConnectionPool(address, port, timeout=self._timeout, maxsize=1)
        return urllib3.HTTPSConnectionPool(
            address,
            port,
            timeout=self._timeout,
            maxsize=1,
            ssl_context=ssl.create_default_context(),
            server_hostname=host,
            assert_hostname=host,
        )


def _address(host: str, port: int, *, public: bool) -> str:
    """One address of the host. Raises TransientError (`webhook_unreachable`), InputError (`webhook_refused`)."""
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as cause:
        raise TransientError("webhook_unreachable", "its name does not resolve") from cause
    if public and not all(ipaddress.ip_address(one).is_global for one in found):
        raise InputError("webhook_refused", "a webhook has a public address", where="url")
    return found[0]
