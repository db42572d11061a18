"""The published document: what the handler is mounted from, and what it really answers."""

import json
import re
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest

from tests.kits.scan_events import body_of
from tests.unit.routes.conftest import Api
from uncap.domain.rewards.reward import Reward, State
from uncap.routes import channel_table, openapi
from uncap.routes.scan_table import ROUTES
from uncap.services.claim_code import consumer_rewards


@pytest.fixture
def document(api: Api) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(api.sample("openapi")["body"])
    return loaded


def test_the_document_lists_exactly_the_mounted_routes(document: dict[str, Any], api: Api) -> None:
    published = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert published == {(route.method, route.path) for route in (*ROUTES, *channel_table.ROUTES)}
    for method, path in ((route.method, route.path) for route in ROUTES):
        sample = {"version": "2.0", "rawPath": re.sub(r"{\w+}", "x", path), "headers": {}, "requestContext": {}}
        sample["requestContext"] = {"http": {"method": method, "path": sample["rawPath"]}, "stage": "$default"}
        assert b"route_unknown" not in body_of(api.call(sample))
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    assert len({one["operationId"] for one in operations}) == len(published)


def test_every_reference_and_path_parameter_is_there(document: dict[str, Any]) -> None:
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert names <= set(document["components"]["schemas"])
    for path, item in document["paths"].items():
        for operation in item.values():
            declared = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path))
            for scheme in operation.get("security", ()):
                assert set(scheme) <= set(document["components"]["securitySchemes"])


def check(document: dict[str, Any], path: str, reply: dict[str, Any], method: str = "get") -> None:
    media_type = reply["headers"]["Content-Type"].partition(";")[0]
    answer = document["paths"][path][method]["responses"][str(reply["statusCode"])]
    schema = answer["content"][media_type]["schema"]
    value = json.loads(body_of(reply))
    jsonschema.validate(value, schema | {"components": document["components"]}, jsonschema.Draft202012Validator)


def test_replies_are_what_the_document_says(document: dict[str, Any], api: Api) -> None:
    code, reward, resolver = "/01/{gtin}/21/{serial}", "/v1/rewards/{reward_id}", "/.well-known/gs1resolver"
    for name in ("facts", "linkset_accept"):
        check(document, code, api.sample(name))
    check(document, "/v1/scans", api.sample("scan_json"), "post")
    check(document, "/v1/scans", api.sample("scan_json", serial="1" * 17), "post")
    check(document, "/v1/sessions", api.sample("session"), "post")
    check(document, reward, api.sample("reward"))
    (image,) = api.world.scans.items.values()
    assert image.first is not None
    (reward_id,) = consumer_rewards(api.world.scan_desk.catalog, image)
    owed = Reward(reward_id, image.pk, "autumn@1", "r1", 1, "consumer", State.NONE, 1, 2, party=image.first.person)
    api.world.rewards.items["W77R3HSPY5G7B0F9CM7EH85RAS"] = owed
    granted = api.sample("reward")
    assert granted["statusCode"] == 200
    check(document, reward, granted)
    check(document, resolver, api.sample("resolver"))


def test_bodies_refuse_unknown_fields_in_the_document_too(document: dict[str, Any]) -> None:
    for name in ("ScanInput", "ScanForm", "SessionInput", "Place"):
        assert document["components"]["schemas"][name]["additionalProperties"] is False
    place = document["components"]["schemas"]["Place"]["properties"]
    assert (place["lat"]["minimum"], place["lat"]["maximum"]) == (-90, 90)


def test_build_is_for_any_table() -> None:
    class Thing(msgspec.Struct):
        size: int

    thing = openapi.Content("application/json", Thing)
    table = [
        openapi.Route(
            method="GET", path="/things", name="list", summary="s", answers=(openapi.Answer(200, "d", (thing,)),)
        )
    ]
    built = openapi.build("t", "1", table)
    assert built["openapi"] == "3.1.0"
    assert built["paths"]["/things"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Thing"
    }
