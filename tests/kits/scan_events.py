"""The sample events of events/scan_api, filled in for a test's world. Used by the handler's tests."""

import base64
import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parents[2] / "events/scan_api"
SAMPLE_SERIAL = "1E5ZNQ38SXZSYYC86"


def event(name: str, *, serial: str = "", token: str = "", csrf: str = "", **headers: str) -> dict[str, Any]:
    """An event by file name, with its sample serial, token and CSRF token replaced. Headers are added by keyword."""
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    encoded = loaded["isBase64Encoded"]
    if encoded:
        loaded["body"] = base64.b64decode(loaded["body"]).decode()
    text = json.dumps(loaded)
    for sample, value in ((SAMPLE_SERIAL, serial), (SAMPLE_SERIAL.lower(), serial.lower()), ("TOKEN", token)):
        text = text.replace(sample, value) if value else text
    filled: dict[str, Any] = json.loads(text.replace("CSRF", csrf) if csrf else text)
    filled["headers"] |= {key.replace("_", "-"): value for key, value in headers.items()}
    if encoded:
        filled["body"] = base64.b64encode(filled["body"].encode()).decode()
    return filled


def body_of(reply: dict[str, Any]) -> bytes:
    """A reply's body as sent, base64 undone."""
    return base64.b64decode(reply["body"]) if reply["isBase64Encoded"] else reply["body"].encode()
