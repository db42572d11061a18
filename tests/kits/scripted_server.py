"""An HTTP server that does exactly what a test says, reply by reply, on 127.0.0.1. Used by the wire client's tests."""

import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple

Step = Callable[[socket.socket], bool]
"""Acts on the connection after a request was read; False closes it."""


class Seen(NamedTuple):
    """A request as it came: header lines with lower-case names, and the body."""

    headers: dict[str, str]
    body: bytes
    connection: int


def answer(status: int, body: bytes = b"{}", *headers: str, keep: bool = True) -> Step:
    """One reply with Content-Length."""

    def step(sock: socket.socket) -> bool:
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers]
        sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return keep

    return step


def raw(data: bytes, *, keep: bool = False) -> Step:
    """Bytes as they are."""

    def step(sock: socket.socket) -> bool:
        sock.sendall(data)
        return keep

    return step


def reset(sock: socket.socket) -> bool:
    """RST instead of a reply."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    return False


def hang_up(sock: socket.socket) -> bool:
    """FIN instead of a reply."""
    return False


def silence(sock: socket.socket) -> bool:
    """No reply; the client gives up and closes."""
    sock.settimeout(5)
    return bool(sock.recv(1))


class ScriptedServer:
    """Plays `steps` in order, one per request, across connections; the last step repeats."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self._lock = threading.Lock()
        self.seen: list[Seen] = []
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> "ScriptedServer":
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        # shutdown wakes the thread in accept; close alone would leave it there.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.drop_connections()
        for thread in self._threads:
            thread.join(5)

    def drop_connections(self) -> None:
        """Closes every open connection, as a peer does that has waited too long."""
        for sock in self._open:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # already closed by its own thread
        for thread in self._threads[1:]:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        with sock:
            try:
                while (request := _read(sock, number)) is not None:
                    with self._lock:
                        self.seen.append(request)
                        step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
                    if not step(sock):
                        return
            except OSError:
                return


def _read(sock: socket.socket, number: int) -> Seen | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65_536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    headers = {}
    for line in head.decode().split("\r\n")[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    while len(body) < int(headers.get("content-length", 0)):
        body += sock.recv(65_536)
    return Seen(headers, body, number)
