"""A visit from the page to the reward through the deployed handler's own wiring, on moto."""

import gzip
import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.integration.scan_api.conftest import Stack
from tests.kits.scan_events import body_of, event
from tests.kits.scan_kit import BATCH, CAMPAIGN, RELEASE
from uncap.adapters.wire.client import WireClient
from uncap.domain.bursts import LIMIT
from uncap.domain.catalog import PersonLimit
from uncap.domain.rewards.reward import Reward, State
from uncap.runtime import wiring_scan

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every operation that goes over the wire."""
    seen: list[str] = []
    attempt = WireClient._attempt

    def spy(self: WireClient, operation: str, body: bytes) -> Any:
        seen.append(operation)
        return attempt(self, operation, body)

    monkeypatch.setattr(WireClient, "_attempt", spy)
    return seen


def sign_in(handler: Handler, name: str) -> str:
    sample = event("session")
    sample["body"] = json.dumps({"provider": "local", "credential": name})
    return str(json.loads(handler(sample, None)["body"])["token"])


def scan(handler: Handler, serial: str, token: str) -> dict[str, Any]:
    reply = handler(event("scan_json", serial=serial, token=token), None)
    return {"status": reply["statusCode"], **json.loads(reply["body"])}


def live(stack: Stack, **changes: Any) -> None:
    """The kit's brand at today's date: the handler's clock is the real one."""
    campaign = msgspec.structs.replace(CAMPAIGN, starts_at_ms=0, claim_until_ms=2**45, **changes)
    release = msgspec.structs.replace(RELEASE, claim_until_ms=2**45)
    stack.put_catalog(batch=BATCH, release=release, campaigns=[campaign])


def test_a_visit(stack: Stack, handler: Handler, calls: list[str]) -> None:
    live(stack)
    page = handler(event("page", serial=stack.serial(1)), None)
    assert page["statusCode"] == 200
    html = gzip.decompress(body_of(page)).decode()
    token = page["cookies"][0].partition("=")[2].partition(";")[0]
    csrf = re.search(r'name="csrf" value="([^"]+)"', html)
    assert csrf
    assert "UpdateItem" not in calls

    calls.clear()
    claimed = handler(event("scan_form", serial=stack.serial(1), token=token, csrf=csrf[1]), None)
    assert claimed["statusCode"] == 200
    assert calls == ["UpdateItem", "GetItem"]  # the claim; the reward's state for the page
    found = re.search(r'data-id="([0-9A-Z]{26})"', gzip.decompress(body_of(claimed)).decode())
    assert found

    sample = event("reward", token=token) | {"rawPath": f"/v1/rewards/{found[1]}"}
    assert handler(sample, None)["statusCode"] == 404
    image = stack.dynamodb.get_item(TableName="Scans", Key={"pk": {"S": "7.1.1"}})["Item"]
    person = json.loads(image["f"]["S"])["p"]
    reward = Reward(
        found[1], "7.1.1", "autumn@1", "r1", 1, "consumer", State.PAID, 1, 2, party=person, kind="cash",
        prize_id="p1", amount_minor=880, currency="CNY",
    )  # fmt: skip
    item = {"pk": {"S": f"reward#{found[1]}"}, "doc": {"S": msgspec.json.encode(reward).decode()}}
    stack.dynamodb.put_item(TableName="Ledger", Item=item)
    granted = json.loads(handler(sample, None)["body"])
    assert (granted["state"], granted["amount_minor"], granted["prize"]["en"]) == ("PAID", 880, "Cap red packet")


def test_warm_scans_cost_one_request_and_forged_ones_none(stack: Stack, handler: Handler, calls: list[str]) -> None:
    live(stack)
    ann, bob = sign_in(handler, "ann"), sign_in(handler, "bob")
    assert scan(handler, stack.serial(2), ann)["outcome"] == "first"
    costs = []
    for serial, token in ((stack.serial(3), ann), (stack.serial(3), bob), (stack.serial(3), ann), ("1" * 17, ann)):
        calls.clear()
        answer = scan(handler, serial, token)
        costs.append((answer.get("outcome", answer["status"]), list(calls)))
    assert costs == [
        ("first", ["UpdateItem"]),
        ("repeat", ["UpdateItem"]),
        ("first", ["UpdateItem"]),
        (404, []),
    ]
    calls.clear()
    handler(event("page", serial=stack.serial(4)), None)
    handler(event("page", serial="1" * 17), None)
    assert [call for call in calls if call != "Query"] == ["GetItem", "GetItem"]  # the product, once; the code


def test_limits_cost_one_more(stack: Stack, handler: Handler, calls: list[str]) -> None:
    live(stack, limit=PersonLimit(per_day=2))
    wiring_scan.scan_handler.cache_clear()
    token = sign_in(handler, "cid")
    assert scan(handler, stack.serial(30), token)["outcome"] == "first"
    calls.clear()
    assert scan(handler, stack.serial(31), token)["outcome"] == "first"
    assert calls == ["UpdateItem", "UpdateItem"]
    refused = scan(handler, stack.serial(32), token)
    assert (refused["status"], refused["code"]) == (429, "person_limit_reached")
    assert "Item" not in stack.dynamodb.get_item(TableName="Scans", Key={"pk": {"S": "7.32.1"}})


def test_a_deployment_without_a_table_is_our_fault(
    stack: Stack, handler: Handler, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live(stack)
    monkeypatch.setenv("UNCAP_SCANS_TABLE", "Nowhere")
    wiring_scan.scan_handler.cache_clear()
    answer = scan(handler, stack.serial(40), sign_in(handler, "ann"))
    assert (answer["status"], answer["code"]) == (500, "internal_error")
    assert "Nowhere" not in json.dumps(answer)
    assert "UnexpectedError" in capsys.readouterr().out


def test_a_wrong_setting_is_named(stack: Stack, handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNCAP_IDENTITY_PROVIDER", "wechat")
    wiring_scan.scan_handler.cache_clear()
    with pytest.raises(Exception, match="UNCAP_WECHAT_APP_ID"):
        handler(event("page"), None)
    monkeypatch.delenv("UNCAP_STAGE")
    wiring_scan.scan_handler.cache_clear()
    with pytest.raises(msgspec.ValidationError, match="UNCAP_STAGE"):
        handler(event("page"), None)
    wiring_scan.scan_handler.cache_clear()


def test_one_source_with_many_forged_codes_is_counted_once(
    stack: Stack, handler: Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    live(stack)
    forged = event("scan_json", serial="1" + "0" * 16, token=sign_in(handler, "eve"))
    for _ in range(2 * LIMIT):
        assert handler(forged, None)["statusCode"] == 404
    assert capsys.readouterr().out.count('"ForgedBurst":[1.0]') == 1
