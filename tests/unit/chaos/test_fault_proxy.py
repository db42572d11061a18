"""The proxy between functions and tables: byte for byte where it is calm, and each fault as a client meets it."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from tests.kits.fault_proxy import CALM, FaultProxy, Weather

BODY = b'{"TableName":"t"}'


class Table(ThreadingHTTPServer):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[tuple[str, bytes]] = []


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        assert isinstance(self.server, Table)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.headers["Host"], body))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: object) -> None:
        """Silent."""


@pytest.fixture
def table() -> Iterator[Table]:
    with Table() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(table: Table) -> Iterator[FaultProxy]:
    with FaultProxy(table.server_address[1], seed=1) as opened:
        yield opened


def ask(proxy: FaultProxy) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=5)
    try:
        connection.request("POST", "/", BODY, {"X-Amz-Target": "DynamoDB_20120810.GetItem"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_in_calm_everything_passes_with_the_host_that_was_signed(proxy: FaultProxy, table: Table) -> None:
    assert ask(proxy) == (200, b"{}")
    assert table.asked == [(urlsplit(proxy.url).netloc, BODY)]


def test_a_throttled_request_never_arrives(proxy: FaultProxy, table: Table) -> None:
    proxy.weather = Weather(throttled=1.0)
    status, body = ask(proxy)
    assert (status, table.asked) == (400, [])
    assert b"ProvisionedThroughputExceededException" in body
    proxy.weather = CALM
    assert ask(proxy) == (200, b"{}")


def test_a_lost_reply_was_done_all_the_same(proxy: FaultProxy, table: Table) -> None:
    proxy.weather = Weather(lost=1.0)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(proxy)
    assert len(table.asked) == 1


def test_shares_are_kept_about(proxy: FaultProxy) -> None:
    proxy.weather = Weather(throttled=0.5, delayed=0.5, delay_s=0.0)
    for _ in range(40):
        ask(proxy)
    assert proxy.counts.keys() == {"throttled", "delayed"}
    assert 10 < proxy.counts["throttled"] < 30
