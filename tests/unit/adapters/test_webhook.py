"""A webhook's POST: only https to public addresses, or this machine where that is allowed; no redirects; bounded."""

import socket
from collections.abc import Iterator

import pytest

from tests.kits.receiver import Receiver, receiving
from uncap.adapters.webhook import Webhook, check_url
from uncap.domain.errors import InputError, TransientError


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


def test_the_body_and_headers_arrive(receiver: Receiver) -> None:
    post = Webhook(allow_loopback=True)
    assert post(f"http://127.0.0.1:{receiver.server_port}/hook?x=1", {"X-A": "b"}, b"{}") == 200
    path, headers, body = receiver.seen[0]
    assert (path, headers["X-A"], body) == ("/hook?x=1", "b", b"{}")
    assert headers["Host"] == f"127.0.0.1:{receiver.server_port}"


@pytest.mark.parametrize("status", [204, 301, 307, 410, 500])
def test_the_status_is_told_and_no_redirect_followed(receiver: Receiver, status: int) -> None:
    receiver.status = status
    assert Webhook(allow_loopback=True)(f"http://127.0.0.1:{receiver.server_port}/", {}, b"x") == status
    assert len(receiver.seen) == 1


def test_silence_and_nobody_there(receiver: Receiver) -> None:
    receiver.status = 0
    post = Webhook(allow_loopback=True, timeout_s=0.5)
    with pytest.raises(TransientError, match="webhook_unreachable"):
        post(f"http://127.0.0.1:{receiver.server_port}/", {}, b"x")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(TransientError, match="webhook_unreachable"):
            post(f"http://127.0.0.1:{unused.getsockname()[1]}/", {}, b"x")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "ftp://example.com/",
        "https://",
        "https://user:secret@example.com/",
        "http://127.0.0.1:9/",
        "example.com",
        "https://exa mple.com:99999/",
    ],
)
def test_addresses_that_are_no_webhook(url: str) -> None:
    with pytest.raises(InputError, match="webhook_refused"):
        check_url(url)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "::1", "fd00::1"])
def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443)), (0, 0, 0, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(InputError, match="webhook_refused"):
        Webhook()("https://innocent.example/hook", {}, b"x")
    with pytest.raises(InputError, match="webhook_refused"):
        Webhook(allow_loopback=True)("https://innocent.example/hook", {}, b"x")


def test_a_name_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(TransientError, match="does not resolve"):
        Webhook()("https://nobody.example/", {}, b"x")
