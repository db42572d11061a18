"""moto behind real HTTP: a loopback server that hands each JSON-protocol request to a mocked boto3 client.

For what talks to AWS below boto3. One request at a time, as moto is only exact serially. Signatures are not checked
here (tests/unit/adapters/wire/test_sigv4.py does that against botocore, the local stack against an implementation).
"""

import base64
import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

from uncap.adapters.wire.client import RefusedError

REGION = "eu-central-1"
_SERVICES = {"DynamoDB_20120810": "dynamodb", "secretsmanager": "secretsmanager"}


class MotoBridge:
    """`url` while entered; `client(service)` is a boto3 client to the same mocked account."""

    def __enter__(self) -> "MotoBridge":
        self._mock = mock_aws()
        self._mock.start()
        self._clients = {name: boto3.client(name, region_name=REGION) for name in _SERVICES.values()}  # type: ignore[call-overload]
        self._server = HTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
        self._mock.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def client(self, service: str) -> Any:
        return self._clients[service]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        clients = self._clients

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"  # one connection at a time, so that none can block the others

            def do_POST(self) -> None:
                target, _, operation = self.headers["X-Amz-Target"].partition(".")
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])), object_hook=_blob)
                status, answer = _answer(clients[_SERVICES[target]], operation, body)
                data = json.dumps(answer, default=_text).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


class MotoCaller:
    """`adapters.wire.dynamodb.Caller` onto a mocked boto3 client in this process: no HTTP, the same refusals."""

    def __init__(self, service: str = "dynamodb") -> None:
        self._client: Any = boto3.client(service)  # type: ignore[call-overload]

    def call(self, operation: str, body: bytes) -> bytes:
        status, answer = _answer(self._client, operation, json.loads(body, object_hook=_blob))
        data = json.dumps(answer, default=_text).encode()
        if status != HTTPStatus.OK:
            raise RefusedError(operation, answer["__type"].partition("#")[2], answer["message"], data)
        return data


def _blob(value: dict[str, Any]) -> dict[str, Any]:
    """Binary attributes travel in base64; boto3 takes and gives bytes."""
    return {"B": base64.b64decode(value["B"])} if set(value) == {"B"} else value


def _text(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _answer(client: Any, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    try:
        answer: dict[str, Any] = client._make_api_call(operation, body)
    except ClientError as refused:
        details: dict[str, Any] = dict(refused.response)
        error = details.pop("Error")
        details.pop("ResponseMetadata")
        return 400, {"__type": f"com.amazonaws#{error['Code']}", "message": error["Message"], **details}
    answer.pop("ResponseMetadata")
    return 200, answer
