"""Keep-alive HTTP/1.1 to one host: send a POST, read a reply with Content-Length or chunks. Used by `client.py`.

About a third of `http.client`'s CPU per request (bench scan_cpu): no header objects, one send, usually one receive.
"""

import functools
import socket
import ssl
import time
from collections import deque
from typing import NamedTuple
from urllib.parse import urlsplit

_MAX_HEAD = 65_536
_MAX_BODY = 16_777_216
_RECEIVE = 65_536


class Reply(NamedTuple):
    """Status, headers with lower-case names, the whole body."""

    status: int
    headers: dict[str, str]
    body: bytes


class StaleConnectionError(OSError):
    """A kept connection was gone before the first byte of a reply: the next try on a new one costs nothing."""


class BadReplyError(OSError):
    """What came back is not HTTP, or broke off in the middle."""


class Connections:
    """Idle connections to one endpoint, the latest used first. Safe to share between threads.

    `idle_s`: a connection unused for longer is not trusted (a frozen Lambda sandbox thaws with dead ones).
    """

    def __init__(
        self, url: str, *, connect_timeout_s: float, read_timeout_s: float, ca_file: str = "", idle_s: float = 45.0
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
            raise ValueError(f"not an endpoint: {url!r}")
        default_port = 443 if parts.scheme == "https" else 80
        self.host = parts.hostname if parts.port in {None, default_port} else f"{parts.hostname}:{parts.port}"
        self._address = (parts.hostname, parts.port or default_port)
        self._is_tls = parts.scheme == "https"
        self._ca_file = ca_file
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._idle_s = idle_s
        self._idle: deque[tuple[float, socket.socket]] = deque()

    def post(self, headers: dict[str, str], body: bytes) -> Reply:
        """One exchange. Raises OSError: TimeoutError, StaleConnectionError, BadReplyError, or the socket's own."""
        head = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        request = f"POST / HTTP/1.1\r\n{head}content-length: {len(body)}\r\n\r\n".encode("latin-1") + body
        kept = self._take()
        sock = kept or self._connect()
        try:
            reply, reusable = _exchange(sock, request, time.monotonic() + self._read_timeout_s, reused=kept is not None)
        except BaseException:
            sock.close()  # in an unknown state, whatever the reason
            raise
        if reusable:
            self._idle.append((time.time(), sock))
        else:
            sock.close()
        return reply

    def close(self) -> None:
        """Drops every idle connection."""
        while self._idle:
            self._idle.pop()[1].close()

    def _take(self) -> socket.socket | None:
        while self._idle:
            try:
                since, sock = self._idle.pop()
            except IndexError:  # another thread took the last one
                return None
            # Wall time, because the monotonic clock may stand still while a sandbox is frozen.
            if 0 <= time.time() - since < self._idle_s:
                return sock
            sock.close()
        return None

    def _connect(self) -> socket.socket:
        sock = socket.create_connection(self._address, timeout=self._connect_timeout_s)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _tls(self._ca_file).wrap_socket(sock, server_hostname=self._address[0]) if self._is_tls else sock
        except BaseException:
            sock.close()
            raise


@functools.cache
def _tls(ca_file: str) -> ssl.SSLContext:
    """One context for all connections: reading the trust store costs more than everything else here."""
    return ssl.create_default_context(cafile=ca_file or None)


def _exchange(sock: socket.socket, request: bytes, deadline: float, *, reused: bool) -> tuple[Reply, bool]:
    try:
        sock.settimeout(max(deadline - time.monotonic(), 0.001))
        sock.sendall(request)
        data = sock.recv(_RECEIVE)
    except TimeoutError:
        raise
    except OSError as cause:
        if reused:
            raise StaleConnectionError("the kept connection was closed") from cause
        raise
    if not data:
        if reused:
            raise StaleConnectionError("the kept connection was closed")
        raise BadReplyError("closed without a reply")
    while (end := data.find(b"\r\n\r\n")) < 0:
        if len(data) > _MAX_HEAD:
            raise BadReplyError("the reply's head does not end")
        data += _receive(sock, deadline)
    status, headers, keep = _parse_head(data[:end])
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _read_chunks(sock, data[end + 4 :], deadline)
    else:
        body = _read_sized(sock, data[end + 4 :], headers.get("content-length", ""), deadline)
    return Reply(status, headers, body), keep


def _parse_head(head: bytes) -> tuple[int, dict[str, str], bool]:
    status_line, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = status_line.partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise BadReplyError("not an HTTP status line")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    connection = headers.get("connection", "").lower()
    return int(rest[:3]), headers, connection != "close" and (version != "HTTP/1.0" or connection == "keep-alive")


def _read_sized(sock: socket.socket, body: bytes, length: str, deadline: float) -> bytes:
    if not length.isdigit() or int(length) > _MAX_BODY:
        raise BadReplyError("the reply has no usable length")
    size = int(length)
    while len(body) < size:
        body += _receive(sock, deadline)
    if len(body) > size:
        raise BadReplyError("more came than was announced")
    return body


def _read_chunks(sock: socket.socket, data: bytes, deadline: float) -> bytes:
    """RFC 9112 section 7.1; extensions and trailers are read and ignored."""
    body = bytearray()
    while True:
        while (end := data.find(b"\r\n")) < 0:
            data += _receive(sock, deadline)
        try:
            size = int(data[:end].split(b";")[0], 16)
        except ValueError as cause:
            raise BadReplyError("a chunk without a size") from cause
        if size < 0 or len(body) + size > _MAX_BODY:
            raise BadReplyError("the reply is too large")
        data = data[end + 2 :]
        if size == 0:
            while not data.startswith(b"\r\n") and b"\r\n\r\n" not in data:
                data += _receive(sock, deadline)
            return bytes(body)
        while len(data) < size + 2:
            data += _receive(sock, deadline)
        body += data[:size]
        data = data[size + 2 :]


def _receive(sock: socket.socket, deadline: float) -> bytes:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the reply took too long")
    sock.settimeout(left)
    data = sock.recv(_RECEIVE)
    if not data:
        raise BadReplyError("the reply broke off")
    return data
