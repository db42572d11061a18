"""A DynamoDB and Secrets Manager of a few operations in a process of its own, so that its CPU is not the client's.

It keeps scans in memory with the update's semantics and answers catalog reads from the kit's documents. Used by
bench/scan_speed.py.
"""

import json
import multiprocessing
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.kits.scan_kit import code_keys, documents, payee_keys, session_keys

REGION = "eu-central-1"
Documents = dict[tuple[str, str], str]


@contextmanager
def loopback() -> Iterator[dict[str, str]]:
    """Environment variables for functions/scan_api (and the peer) against a fresh server."""
    secrets = {"codes": code_keys(), "sessions": session_keys(), "payees": payee_keys()}
    context = multiprocessing.get_context("spawn")
    ready = context.SimpleQueue()
    process = context.Process(target=_serve, args=(ready, documents(), secrets), daemon=True)
    process.start()
    try:
        port = ready.get()
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_SESSION_TOKEN": "b" * 300,
            "UNCAP_STAGE": "bench",
            "UNCAP_SCANS_TABLE": "Scans",
            "UNCAP_CATALOG_TABLE": "Catalog",
            "UNCAP_LEDGER_TABLE": "Ledger",
            "UNCAP_LIMITS_TABLE": "Limits",
            "UNCAP_PARTIES_TABLE": "Parties",
            "UNCAP_CODE_KEYS_SECRET": "codes",
            "UNCAP_SESSION_KEYS_SECRET": "sessions",
            "UNCAP_PAYEE_KEYS_SECRET": "payees",
            "PEER_CODE_KEYS": secrets["codes"],
            "POWERTOOLS_TRACE_DISABLED": "true",
        }
    finally:
        process.kill()
        process.join()


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """The process environment with these on top of what does not concern AWS or uncap."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("AWS_", "UNCAP_")):
            del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _serve(ready: Any, docs: Documents, secrets: dict[str, str]) -> None:
    answers = _answers(docs, secrets)
    server = socket.create_server(("127.0.0.1", 0))
    ready.put(server.getsockname()[1])
    while True:
        connection, _ = server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_talk, args=(connection, answers), daemon=True).start()


def _talk(connection: socket.socket, answers: dict[str, Callable[[Any], Any]]) -> None:
    buffer = b""
    while True:
        while b"\r\n\r\n" not in buffer:
            part = connection.recv(65_536)
            if not part:
                return
            buffer += part
        head, _, body = buffer.partition(b"\r\n\r\n")
        fields = {k.lower(): v.strip() for k, _, v in (line.partition(b":") for line in head.split(b"\r\n")[1:])}
        if fields.get(b"expect"):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(body) < int(fields[b"content-length"]):
            body += connection.recv(65_536)
        operation = fields[b"x-amz-target"].rpartition(b".")[2].decode()
        answer = json.dumps(answers[operation](json.loads(body))).encode()
        # What DynamoDB sends, so that reading it costs what it costs.
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Sun, 22 Nov 2026 04:00:00 GMT\r\n"
            b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\nConnection: keep-alive\r\n"
            b"x-amzn-RequestId: 3L9K8E3B1F2A7C6D5E4F3G2H1JVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n\r\n%b" % (len(answer), answer)
        )
        buffer = b""


def _answers(docs: Documents, secrets: dict[str, str]) -> dict[str, Callable[[Any], Any]]:
    scans: dict[str, Any] = {}

    def update(request: Any) -> Any:
        key, values = request["Key"]["pk"], request["ExpressionAttributeValues"]
        item = scans.setdefault(key["S"], {"pk": key, "n": {"N": "0"}})
        first = values.get(":f") or values.get(":m")
        if first and "if_not_exists" in request["UpdateExpression"]:
            item.setdefault("f", first)
        item["l"] = values.get(":l") or first
        item["n"] = {"N": str(int(item["n"]["N"]) + 1)}
        return {"Attributes": item}

    def get(request: Any) -> Any:
        key = request["Key"]
        if request["TableName"] == "Scans":
            return {"Item": scans[key["pk"]["S"]]} if key["pk"]["S"] in scans else {}
        doc = docs.get((key["pk"]["S"], key["sk"]["S"])) if "sk" in key else None
        return {"Item": {**key, "doc": {"S": doc}}} if doc else {}

    def query(request: Any) -> Any:
        wanted = request["ExpressionAttributeValues"][":pk"]["S"]
        rows = sorted((sk, doc) for (pk, sk), doc in docs.items() if pk == wanted)
        return {"Items": [{"pk": {"S": wanted}, "sk": {"S": sk}, "doc": {"S": doc}} for sk, doc in rows]}

    def secret(request: Any) -> Any:
        return {"SecretString": secrets[request["SecretId"]]}

    return {"UpdateItem": update, "GetItem": get, "Query": query, "GetSecretValue": secret}
