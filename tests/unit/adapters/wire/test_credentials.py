"""Credentials, endpoints and regions from an environment, in boto3's order."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from uncap.adapters.wire.client import DYNAMODB, connect
from uncap.adapters.wire.credentials import (
    CachedCredentials,
    Credentials,
    credential_source,
    endpoint_url,
    region_of,
)
from uncap.domain.errors import TransientError

NOW_MS = 1_795_320_000_000


@pytest.mark.parametrize(
    ("service", "region", "environ", "expected"),
    [
        ("dynamodb", "eu-central-1", {}, "https://dynamodb.eu-central-1.amazonaws.com"),
        ("secretsmanager", "cn-north-1", {}, "https://secretsmanager.cn-north-1.amazonaws.com.cn"),
        ("dynamodb", "us-east-1", {"AWS_ENDPOINT_URL": "http://a:1"}, "http://a:1"),
        (
            "dynamodb",
            "us-east-1",
            {"AWS_ENDPOINT_URL": "http://a:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://b:2"},
            "http://b:2",
        ),
        ("secretsmanager", "us-east-1", {"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://c:3"}, "http://c:3"),
        (
            "dynamodb",
            "us-east-1",
            {"AWS_ENDPOINT_URL": "http://a:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "https://dynamodb.us-east-1.amazonaws.com",
        ),
    ],
)
def test_endpoints(service: str, region: str, environ: dict[str, str], expected: str) -> None:
    assert endpoint_url(service, region, environ) == expected


def test_regions() -> None:
    assert region_of({"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}) == "a"
    assert region_of({"AWS_DEFAULT_REGION": "b"}) == "b"
    with pytest.raises(KeyError):
        region_of({})


def test_lambda_gives_keys_in_the_environment() -> None:
    environ = {"AWS_ACCESS_KEY_ID": "ak", "AWS_SECRET_ACCESS_KEY": "sk", "AWS_SESSION_TOKEN": "tk"}
    source = credential_source(lambda: NOW_MS, environ)
    assert source.current() == Credentials("ak", "sk", "tk")
    assert source.refresh() is False
    environ["AWS_SESSION_TOKEN"] = "next"
    assert source.current().token == "tk"
    assert source.refresh() is True
    assert source.current().token == "next"


def test_credentials_are_renewed_before_they_expire() -> None:
    now = [NOW_MS]
    made: list[Credentials] = []

    def fetch() -> Credentials:
        made.append(Credentials(f"ak{len(made)}", "sk", "", now[0] + 3_600_000))
        return made[-1]

    source = CachedCredentials(fetch, lambda: now[0])
    assert source.current() is source.current()
    now[0] += 3_600_000 - 300_001
    assert source.current().access_key == "ak0"
    now[0] += 2
    assert source.current().access_key == "ak1"


@contextmanager
def container(status: int, body: bytes) -> Iterator[tuple[str, list[str]]]:
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(f"{self.path} {self.headers.get('Authorization', '')}")
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/creds?x=1", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


REPLY = json.dumps(
    {"AccessKeyId": "ak", "SecretAccessKey": "sk", "Token": "tk", "Expiration": "2026-11-22T05:00:00Z", "RoleArn": "x"}
).encode()


def test_a_container_endpoint_gives_credentials(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret-token\n")
    with container(200, REPLY) as (url, seen):
        environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token)}
        credentials = credential_source(lambda: NOW_MS, environ).current()
    assert credentials == Credentials("ak", "sk", "tk", NOW_MS + 3_600_000)
    assert seen == ["/creds?x=1 secret-token"]


@pytest.mark.parametrize(("status", "body"), [(500, b""), (200, b"no"), (200, b"{}")])
def test_a_container_endpoint_in_trouble_is_transient(status: int, body: bytes) -> None:
    with container(status, body) as (url, _), pytest.raises(TransientError, match="credentials_unavailable"):
        credential_source(lambda: NOW_MS, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url}).current()


def test_credentials_are_not_fetched_in_the_clear_from_elsewhere() -> None:
    environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/creds"}
    with pytest.raises(TransientError, match="https or local"):
        credential_source(lambda: NOW_MS, environ).current()


def test_no_credentials_at_all() -> None:
    with pytest.raises(TransientError, match="credentials_missing"):
        credential_source(lambda: NOW_MS, {}).current()


def test_connect_reads_the_environment() -> None:
    environ = {
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "ak",
        "AWS_SECRET_ACCESS_KEY": "sk",
    }
    assert connect(DYNAMODB, clock_ms=lambda: NOW_MS, variables=environ).requests == 0
