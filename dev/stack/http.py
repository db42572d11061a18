"""HTTP to the local stack: `*.localhost` names reach 127.0.0.1 without DNS. Used by the demo, the seed and tests.

Browsers resolve `*.localhost` themselves; Python asks the resolver, which mostly knows `localhost` only.
"""

from collections.abc import Mapping

import httpx

LOOPBACK = "127.0.0.1"


def _is_local_name(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


def _to_loopback(request: httpx.Request) -> httpx.Request:
    """The same request sent to the loopback address; its Host header still names the API."""
    if _is_local_name(request.url.host):
        request.url = request.url.copy_with(host=LOOPBACK)
    return request


class LoopbackTransport(httpx.HTTPTransport):
    """Connects to 127.0.0.1 for `*.localhost`; the Host header was set from the original URL."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(_to_loopback(request))


class AsyncLoopbackTransport(httpx.AsyncHTTPTransport):
    """The same for `httpx.AsyncClient`."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await super().handle_async_request(_to_loopback(request))


def client(
    base_url: str = "", *, timeout_s: float = 30.0, headers: Mapping[str, str] | None = None, connections: int = 64
) -> httpx.Client:
    """A client for the local stack. Environment proxies are not used: the stack is on this machine."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.Client(
        base_url=base_url,
        transport=LoopbackTransport(limits=limits),
        timeout=timeout_s,
        headers=dict(headers or {}),
        trust_env=False,
    )


def async_client(base_url: str = "", *, timeout_s: float = 30.0, connections: int = 64) -> httpx.AsyncClient:
    """As `client`, for asyncio."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.AsyncClient(
        base_url=base_url, transport=AsyncLoopbackTransport(limits=limits), timeout=timeout_s, trust_env=False
    )
