"""The wire client's retries and repairs against a scripted server: what it repeats, what it gives up, what it heals."""

import random
import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from tests.kits.scripted_server import ScriptedServer, Step, answer, hang_up, raw, reset, silence
from uncap.adapters.wire.client import DYNAMODB, RefusedError, WireClient
from uncap.adapters.wire.connections import Connections
from uncap.adapters.wire.credentials import CachedCredentials, Credentials
from uncap.adapters.wire.retries import RetryPolicy
from uncap.domain.errors import TransientError

OK = answer(200, b'{"ok":1}')
THROTTLED = answer(400, b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}')
EXPIRED = answer(400, b'{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"The token is expired"}')
NOW_MS = 1_795_320_000_000


class Harness:
    """A client with a clock that stands still but for its sleeps."""

    def __init__(self, server: ScriptedServer, *, policy: RetryPolicy | None = None, read_timeout_s: float = 5) -> None:
        self.now_ms = NOW_MS
        self.slept: list[float] = []
        self.fetched = 0
        self.connections = Connections(server.url, connect_timeout_s=2, read_timeout_s=read_timeout_s)
        self.client = WireClient(
            DYNAMODB,
            "us-east-1",
            self.connections,
            CachedCredentials(self.fetch, lambda: self.now_ms),
            policy=policy,
            clock_ms=lambda: self.now_ms,
            sleep=self.sleep,
            rng=random.Random(7),
        )

    def fetch(self) -> Credentials:
        self.fetched += 1
        return Credentials(f"AK{self.fetched}", "secret", "token")

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_ms += int(seconds * 1000)

    def call(self) -> bytes:
        try:
            return self.client.call("UpdateItem", b'{"a":1}')
        finally:
            self.connections.close()


def test_a_good_answer_costs_one_signed_request() -> None:
    with ScriptedServer(OK) as server:
        harness = Harness(server)
        assert harness.call() == b'{"ok":1}'
        (seen,) = server.seen
    assert seen.body == b'{"a":1}'
    assert seen.headers["x-amz-target"] == "DynamoDB_20120810.UpdateItem"
    assert seen.headers["content-type"] == "application/x-amz-json-1.0"
    assert seen.headers["x-amz-security-token"] == "token"
    assert seen.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AK1/20261122/us-east-1/dynamodb/")
    assert harness.client.requests == 1
    assert harness.slept == []


def test_connections_are_kept() -> None:
    with ScriptedServer(OK) as server:
        harness = Harness(server)
        for _ in range(3):
            harness.client.call("GetItem", b"{}")
        harness.connections.close()
        assert [seen.connection for seen in server.seen] == [1, 1, 1]


@pytest.mark.parametrize(
    "fault",
    [
        THROTTLED,
        answer(400, b'{"__type":"x#ThrottlingException"}'),
        answer(429, b""),
        answer(500, b'{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}'),
        answer(503, b"<html>busy</html>"),
        answer(502, b"", "connection: close", keep=False),
        reset,
        hang_up,
        raw(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"),
        raw(b"nonsense\r\n\r\n"),
    ],
)
def test_passing_faults_are_repeated(fault: Step) -> None:
    with ScriptedServer(fault, fault, OK) as server:
        harness = Harness(server)
        assert harness.call() == b'{"ok":1}'
        assert len(server.seen) == 3
        assert len({seen.body for seen in server.seen}) == 1
    assert len(harness.slept) == 2


def test_waits_are_jittered_and_grow_to_a_cap() -> None:
    policy = RetryPolicy(attempts=40, base_ms=10, cap_ms=200, total_ms=10**9)
    with ScriptedServer(THROTTLED) as server:
        harness = Harness(server, policy=policy)
        with pytest.raises(TransientError, match="ProvisionedThroughputExceeded"):
            harness.call()
        assert len(server.seen) == 40
    assert all(slept <= min(0.2, 0.01 * 2 ** (turn + 1)) for turn, slept in enumerate(harness.slept))
    assert len(set(harness.slept)) == len(harness.slept)
    assert max(harness.slept) > 0.1


def test_gives_up_after_its_attempts() -> None:
    with ScriptedServer(THROTTLED) as server:
        harness = Harness(server, policy=RetryPolicy(attempts=3))
        with pytest.raises(TransientError) as caught:
            harness.call()
        assert len(server.seen) == 3
    assert caught.value.code == "storage_unavailable"


def test_gives_up_when_the_time_is_over() -> None:
    with ScriptedServer(THROTTLED) as server:
        harness = Harness(server, policy=RetryPolicy(attempts=1_000, base_ms=100, total_ms=500))
        with pytest.raises(TransientError):
            harness.call()
    assert sum(harness.slept) <= 0.5


def test_a_refusal_is_final_and_keeps_the_answer() -> None:
    body = b'{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","Item":{"n":{"N":"3"}}}'
    with ScriptedServer(answer(400, body)) as server:
        with pytest.raises(RefusedError) as caught:
            Harness(server).call()
        assert len(server.seen) == 1
    assert caught.value.service_code == "ConditionalCheckFailedException"
    assert caught.value.body == body
    assert caught.value.code == "aws_refused"


def test_a_silent_server_times_out() -> None:
    with ScriptedServer(silence, OK) as server:
        began = time.monotonic()
        assert Harness(server, read_timeout_s=0.2).call() == b'{"ok":1}'
        assert time.monotonic() - began < 4


def test_a_dripping_server_times_out_as_a_whole() -> None:
    def drip(sock: object) -> bool:
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + b"x" * 1000:
            sock.sendall(bytes([byte]))  # type: ignore[attr-defined]
            time.sleep(0.01)
        return False

    with ScriptedServer(drip, OK) as server:
        began = time.monotonic()
        assert Harness(server, read_timeout_s=0.2).call() == b'{"ok":1}'
        assert time.monotonic() - began < 4


@pytest.mark.parametrize("broken", [reset, hang_up])
def test_a_stale_connection_is_replaced_at_once(broken: Step) -> None:
    with ScriptedServer(OK, broken, OK) as server:
        harness = Harness(server)
        harness.client.call("GetItem", b"{}")
        assert harness.call() == b'{"ok":1}'
        assert server.connections == 2
    assert harness.slept == []


def test_connections_closed_while_idle_are_replaced_at_once() -> None:
    with ScriptedServer(OK) as server:
        harness = Harness(server)
        harness.client.call("GetItem", b"{}")
        server.drop_connections()
        assert harness.call() == b'{"ok":1}'
    assert harness.slept == []


def test_a_connection_idle_for_long_is_not_used() -> None:
    with ScriptedServer(OK) as server:
        connections = Connections(server.url, connect_timeout_s=2, read_timeout_s=2, idle_s=0)
        for _ in range(2):
            connections.post({"host": "h"}, b"")
        connections.close()
        assert server.connections == 2


def test_expired_credentials_are_fetched_anew() -> None:
    with ScriptedServer(EXPIRED, OK) as server:
        harness = Harness(server)
        assert harness.call() == b'{"ok":1}'
        first, second = (seen.headers["authorization"] for seen in server.seen)
    assert "Credential=AK1/" in first
    assert "Credential=AK2/" in second
    assert harness.slept == []


def test_credentials_that_stay_expired_end_in_a_transient_error() -> None:
    with ScriptedServer(EXPIRED) as server, pytest.raises(TransientError):
        Harness(server, policy=RetryPolicy(attempts=2)).call()
    assert len(server.seen) == 3


def skewed(error: str, server_ms: int) -> Step:
    return answer(400, f'{{"__type":"x#{error}"}}'.encode(), f"date: {formatdate(server_ms / 1000, usegmt=True)}")


@pytest.mark.parametrize("error", ["InvalidSignatureException", "RequestTimeTooSkewed", "RequestExpired"])
def test_a_skewed_clock_is_corrected_from_the_date_header(error: str) -> None:
    server_ms = NOW_MS + 3_600_000
    with ScriptedServer(skewed(error, server_ms), OK) as server:
        harness = Harness(server)
        harness.client.call("GetItem", b"{}")
        harness.call()
        dates = [seen.headers["x-amz-date"] for seen in server.seen]
    assert dates[0] == "20261122T040000Z"
    assert dates[1:] == ["20261122T050000Z"] * 2
    assert harness.slept == []


def test_a_wrong_signature_under_a_right_clock_is_final() -> None:
    with ScriptedServer(skewed("InvalidSignatureException", NOW_MS + 5_000)) as server:
        with pytest.raises(RefusedError):
            Harness(server).call()
        assert len(server.seen) == 1


def test_the_error_type_may_come_in_a_header() -> None:
    with ScriptedServer(answer(400, b"", "x-amzn-ErrorType: ThrottlingException:http://x"), OK) as server:
        assert Harness(server).call() == b'{"ok":1}'


def test_nobody_listens() -> None:
    with ScriptedServer(OK) as server:
        harness = Harness(server, policy=RetryPolicy(attempts=2))
    with pytest.raises(TransientError, match="connection_failed"):
        harness.call()


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: 1\r\n\r\n", b"abcde"),
        (b"0\r\n\r\n", b""),
    ],
)
def test_reads_chunked_replies(chunks: bytes, expected: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for split in range(len(chunks)):

        def step(sock: object, split: int = split) -> bool:
            sock.sendall(head + chunks[:split])  # type: ignore[attr-defined]
            time.sleep(0.002)
            sock.sendall(chunks[split:])  # type: ignore[attr-defined]
            return True

        with ScriptedServer(step) as server:
            assert Harness(server).call() == expected


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://host/path", "host:80"])
def test_refuses_what_is_not_an_endpoint(url: str) -> None:
    with pytest.raises(ValueError, match="not an endpoint"):
        Connections(url, connect_timeout_s=1, read_timeout_s=1)


def test_large_replies_arrive_whole() -> None:
    body = b"x" * 300_000
    make: Callable[[], ScriptedServer] = lambda: ScriptedServer(answer(200, body))  # noqa: E731
    with make() as server:
        assert Harness(server).call() == body
