"""Delivers notices to the URL each transfer named: signed at every try, retried with bounded backoff. Run by `app.py`.

Connects to 127.0.0.1 whatever `*.localhost` name the URL carries, and sends that name as Host: local gateways route by
it, and system resolvers do not all know it.
"""

import asyncio
import json
import time
from urllib.parse import urlsplit

import urllib3

from dev.rail_simulator.signing import Platform
from dev.rail_simulator.store import Store
from dev.rail_simulator.wire import is_loopback_url, rfc3339

_MAX_TRIES = 12
_MAX_BACKOFF_MS = 60_000
_AT_ONCE = 8
_TIMEOUT_S = 10.0
_UNREACHABLE = 0


class Courier:
    """Empties the store's outbox. `backoff_ms` is the wait after the first failure; it doubles up to a minute."""

    def __init__(self, store: Store, platform: Platform, *, backoff_ms: int) -> None:
        self._store = store
        self._platform = platform
        self._backoff_ms = backoff_ms

    async def deliver_due(self) -> None:
        """Send what is due now, a few at a time; an undelivered notice is kept for its next turn."""
        now_ms = time.time_ns() // 1_000_000
        rows = self._store.db.execute(
            "SELECT id, event_id, url, resource, created_ms, tries FROM callbacks"
            " WHERE due_ms <= ? ORDER BY due_ms LIMIT ?",
            (now_ms, _AT_ONCE),
        ).fetchall()
        await asyncio.gather(*(self._deliver(*row) for row in rows))

    async def _deliver(self, number: int, event_id: str, url: str, resource: str, created_ms: int, tries: int) -> None:
        body = self._envelope(event_id, resource, created_ms)
        headers = {"Content-Type": "application/json", **self._platform.signature_headers(body)}
        status = await asyncio.to_thread(post, url, headers, body)
        due_ms: int | None = None
        if status not in {200, 204} and tries + 1 < _MAX_TRIES:
            due_ms = time.time_ns() // 1_000_000 + min(self._backoff_ms << tries, _MAX_BACKOFF_MS)
        self._store.db.execute(
            "UPDATE callbacks SET due_ms = ?, tries = tries + 1, last_status = ? WHERE id = ?", (due_ms, status, number)
        )

    def _envelope(self, event_id: str, resource: str, created_ms: int) -> bytes:
        document = {
            "id": event_id,
            "create_time": rfc3339(created_ms),
            "resource_type": "encrypt-resource",
            "event_type": "MCHTRANSFER.BILL.FINISHED",
            "summary": "商家转账单据终态通知",
            "resource": {"original_type": "mch_payment", **self._platform.seal(resource.encode(), "mch_payment")},
        }
        return json.dumps(document, ensure_ascii=False).encode()


def post(url: str, headers: dict[str, str], body: bytes) -> int:
    """One POST to loopback; the status, or 0 where nobody answered. ValueError for any other address."""
    if not is_loopback_url(url):
        raise ValueError("the simulator only calls back to loopback")
    parts = urlsplit(url)
    host = (parts.hostname or "").lower() + (f":{parts.port}" if parts.port else "")
    with urllib3.HTTPConnectionPool("127.0.0.1", parts.port or 80, timeout=_TIMEOUT_S, retries=False) as pool:
        try:
            return pool.request("POST", parts.path or "/", headers={**headers, "Host": host}, body=body).status
        except urllib3.exceptions.HTTPError:
            return _UNREACHABLE
