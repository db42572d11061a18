"""What the scan API answered, read as its callers read it: a page, a problem, a form's field. For its tests."""

import gzip
import json
import re
from html import unescape
from typing import Any

from tests.kits.scan_events import body_of
from uncap.domain.errors import TransientError
from uncap.domain.scans import ScanImage


def html(reply: dict[str, Any]) -> str:
    body = body_of(reply)
    return (gzip.decompress(body) if reply["headers"].get("Content-Encoding") == "gzip" else body).decode()


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return unescape(found[1])


def problem(reply: dict[str, Any], status: int, code: str) -> dict[str, Any]:
    assert reply["headers"]["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = json.loads(body_of(reply))
    assert (reply["statusCode"], document["status"], document["code"]) == (status, status, code)
    return document


def outage(*_: object) -> ScanImage:
    raise TransientError("storage_unavailable", "UpdateItem failed 4 times, last ThrottlingException")
