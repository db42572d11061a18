"""The simulator on a thread of this process, on a free port. For tests and for the demo's self-check."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import uvicorn

from dev.rail_simulator.app import SimulatorConfig, create_app

_START_TIMEOUT_S = 10.0


@contextlib.contextmanager
def serve(config: SimulatorConfig) -> Iterator[str]:
    """Serve until the block ends; gives the base URL. TimeoutError if it does not come up."""
    # The protocol is named because asyncio sets TCP_NODELAY only where it is; without it each reply takes 40 ms more.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        options = uvicorn.Config(create_app(config), log_level="error", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(options)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            _await_start(server, thread)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(_START_TIMEOUT_S)


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise TimeoutError("the rail simulator did not start")
        time.sleep(0.005)
