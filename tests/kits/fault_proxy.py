"""A proxy between the deployed functions and their tables that refuses, delays or loses replies, for tests.

The emulator never throttles. DynamoDB says it by status 400 and `ProvisionedThroughputExceededException` (its developer
guide, "Error handling"). Requests pass byte for byte but for `Connection`, which nobody signs, so signatures hold.
"""

import asyncio
import random
import threading
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_HEAD_LIMIT = 1 << 16
_THROTTLED = (
    b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",'
    b'"message":"The level of configured provisioned throughput for the table was exceeded."}'
)


@dataclass(frozen=True)
class Weather:
    """Shares of requests, 0 to 1: answered with a throttle; done, but the reply lost; held up for `delay_s`."""

    throttled: float = 0.0
    lost: float = 0.0
    delayed: float = 0.0
    delay_s: float = 0.4


CALM = Weather()


class FaultProxy:
    """Serves on 127.0.0.1 in a thread of its own while its block lasts. `weather` may change at any time."""

    def __init__(self, upstream_port: int, seed: int) -> None:
        self._upstream = upstream_port
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self.weather = CALM
        self.counts: Counter[str] = Counter()
        """What happened to requests: `passed`, `throttled`, `lost`, `delayed`."""

    def __enter__(self) -> Self:
        self._thread.start()
        opening = asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_HEAD_LIMIT)
        self._server = asyncio.run_coroutine_threadsafe(opening, self._loop).result()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """What the functions are told is DynamoDB's endpoint."""
        if self._server is None:
            raise RuntimeError("the proxy is not open")
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        # Connections that were accepted a moment ago become tasks only now, hence the repetition.
        while others := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._one(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.counts["broken"] += 1  # a worker was killed in the middle of its request
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one connection: the reply's end is the connection's end, whatever its framing."""
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length(head))
        fate = self._fate()
        self.counts[fate] += 1
        if fate == "throttled":
            writer.write(_reply(_THROTTLED))
            await writer.drain()
            return
        if fate == "delayed":
            await asyncio.sleep(self.weather.delay_s)
        reply = await self._asked(_closing(head) + body)
        if fate != "lost":
            writer.write(reply)
            await writer.drain()

    async def _asked(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        try:
            writer.write(request)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()

    def _fate(self) -> str:
        drawn, weather = self._random.random(), self.weather
        for name, share in (("throttled", weather.throttled), ("lost", weather.lost), ("delayed", weather.delayed)):
            if drawn < share:
                return name
            drawn -= share
        return "passed"


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def _closing(head: bytes) -> bytes:
    """The same head, asking for the connection's end after the reply. No AWS client signs `Connection`."""
    first, *lines = head[:-4].split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([first, *kept, b"Connection: close", b"", b""])


def _reply(body: bytes) -> bytes:
    head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body
