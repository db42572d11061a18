"""Events as API Gateway's REST API sends them (payload 1.0), straight into the Lambda handler."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.integration.console.conftest import Api, Bench
from uncap.routes.console.mount import build_app
from uncap.runtime.wiring_console import ConsoleWatch

EVENTS = Path(__file__).parents[3] / "events" / "console_api"
CONTEXT = SimpleNamespace(
    function_name="console-api",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws-cn:lambda:cn-north-1:123456789012:function:console-api",
    aws_request_id="r",
)
EXPECTED = {
    "sign_in": 200,
    "base64_body": 200,
    "document": 200,
    "me": 200,
    "create_product": 201,
    "read_batch": 404,
    "download_codes": 404,
    "broken_json": 400,
    "no_token": 401,
}


def load(name: str, token: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    if "Authorization" in event["headers"]:
        event["headers"]["Authorization"] = f"Bearer {token}"
    return event


def test_every_sample_is_tried() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize(("name", "status"), sorted(EXPECTED.items()))
def test_samples(bench: Bench, admin: Api, name: str, status: int) -> None:
    answer = bench.app(load(name, admin.token), CONTEXT)
    assert answer["statusCode"] == status, answer["body"]
    assert json.loads(answer["body"])
    kind = answer["headers"]["Content-Type"]
    assert kind == ("application/problem+json" if status >= 400 else "application/json")


def test_the_deployed_handler_logs_a_line_without_what_was_asked(
    bench: Bench, admin: Api, caplog: pytest.LogCaptureFixture
) -> None:
    watch = ConsoleWatch()
    app = build_app(lambda: bench.desk, watch)
    app.register_middleware(watch.per_invocation, "http")
    with caplog.at_level("INFO", logger="console_api"):
        assert app(load("create_product", admin.token), CONTEXT)["statusCode"] == 201
    lines = [vars(record) for record in caplog.records if record.name == "console_api"]
    assert [(line["operation"], line["status"]) for line in lines] == [("post_product", 201)]
    assert "09520123456788" not in str(lines)
