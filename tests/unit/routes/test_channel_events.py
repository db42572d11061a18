"""The sample events of events/channel_api, run through the handler; replies are what the published document says."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest

from tests.kits.scan_kit import World
from tests.unit.routes.test_channel_api import Channel, waiting_for_a_name, waiting_for_an_address
from uncap.adapters.wechat_identity import HttpsExchange, WeChatApp
from uncap.adapters.wechat_sdk import WeChatSdk
from uncap.domain.memberships import INVITATION_LIFETIME_MS, Invitation, key_of
from uncap.domain.rewards.reward import State
from uncap.domain.sessions import csrf_token, seal
from uncap.routes import openapi
from uncap.routes.channel_table import ROUTES
from uncap.routes.scan_table import SECURITY_SCHEMES
from uncap.runtime.wiring_channel import build_handler

EVENTS = Path(__file__).parents[3] / "events/channel_api"
REWARD_ID = "W77R3HSPY5G7B0F9CM7EH85RAS"
WHO = {
    "redeem": "staff",
    "claims": "staff",
    "decide": "boss",
    "outlet": "staff",
    "sign_page": "staff",
    "redeem_form": "staff",
}
WHO |= {"decide_form": "boss", "join_form": "new"}
TICKET = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
STATUS = {"collect": 303, "name_form": 303, "address_form": 303, "join_form": 303, "decide_form": 303}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.build("t", "1", ROUTES, security_schemes=SECURITY_SCHEMES)


def run(channel: Channel, name: str, who: str, code: str) -> dict[str, Any]:
    world: World = channel.world
    session = world.session(who)
    text = (EVENTS / f"{name}.json").read_text().replace("TOKEN", seal(world.keys, session)).replace("CODE", code)
    reply: dict[str, Any] = channel.run(json.loads(text.replace("CSRF", csrf_token(world.keys, session))), None)
    return reply


def a_sdk(kind: Literal["page", "mini"] = "page") -> WeChatSdk:
    """Over a WeChat that gives everybody the ticket of its published example."""

    class Exchange(HttpsExchange):
        def post(self, path: str, body: bytes) -> bytes:
            return b'{"access_token":"t","expires_in":7200}'

        def __call__(self, path: str, parameters: Mapping[str, str]) -> bytes:
            return msgspec.json.encode({"errcode": 0, "ticket": TICKET, "expires_in": 7200})

    return WeChatSdk(lambda: WeChatApp("wx1", "s", kind), Exchange(), secrets.token_bytes, lambda: 1_414_587_457_000)


def prepared(name: str) -> tuple[Channel, str]:
    channel = Channel()
    channel.join("staff", "o-1")
    channel.join("boss", "s-1")
    code = channel.market.win()
    if name in ("give_name", "name_form"):
        waiting_for_a_name(channel, REWARD_ID)
    if name in ("give_address", "address_form"):
        waiting_for_an_address(channel, REWARD_ID)
    if name == "collect":
        held = waiting_for_a_name(channel, REWARD_ID)
        channel.store.rewards[REWARD_ID] = msgspec.structs.replace(held, state=State.CLAIMABLE, reason="")
    if name in ("decide", "decide_form", "claims"):
        channel.post("/v1/redemptions", "staff", {"code": code, "key": "12345678"})
    if name == "sign_page":
        channel.run = build_handler(msgspec.structs.replace(channel.desk, sdk=a_sdk()), channel.observer)
    invitation = Invitation("i9", key_of("ABCDE-FGHJK"), "o-2", "outlet", "admin", 0, 2**42 + INVITATION_LIFETIME_MS)
    channel.memberships.invitations[invitation.key] = invitation
    return channel, code


def test_every_route_has_its_sample() -> None:
    assert {one.stem for one in EVENTS.glob("*.json")} == {route.name for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_samples_are_answered_as_the_document_says(route: openapi.Route, document: dict[str, Any]) -> None:
    channel, code = prepared(route.name)
    reply = run(channel, route.name, WHO.get(route.name, "ann"), code)
    assert reply["statusCode"] == STATUS.get(route.name, 200)
    answer = document["paths"][route.path][route.method.lower()]["responses"][str(reply["statusCode"])]
    for media_type, content in answer.get("content", {}).items():
        assert reply["headers"]["Content-Type"].startswith(media_type)
        if media_type == "application/json":
            schema = content["schema"] | {"components": document["components"]}
            jsonschema.validate(json.loads(reply["body"]), schema, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("route", [one for one in ROUTES if one.security], ids=lambda route: route.name)
def test_strangers_get_a_status_that_is_documented(route: openapi.Route) -> None:
    channel, code = prepared(route.name)
    reply = run(channel, route.name, "stranger", code)
    assert reply["statusCode"] in ({"join_form": 303, "sign_page": 200}.get(route.name, 0), *route.problems)
    for one in ("session", "Bearer"):
        text = (EVENTS / f"{route.name}.json").read_text().replace("TOKEN", one)
        assert channel.run(json.loads(text), None)["statusCode"] == 401


def test_wechats_scanner_only_in_wechat_and_only_where_it_is_set_up() -> None:
    channel, _ = prepared("outlet")
    agent = "Mozilla/5.0 MicroMessenger/8.0.50"

    def page() -> dict[str, Any]:
        return channel.call("GET", "/outlet", "staff", headers={"user-agent": agent})

    assert "res.wx.qq.com" not in page()["body"] + str(page()["headers"])
    assert json.loads(channel.get("/v1/wechat/signature", "staff")["body"])["code"] == "sdk_not_configured"
    channel.run = build_handler(msgspec.structs.replace(channel.desk, sdk=a_sdk()), channel.observer)
    assert "https://res.wx.qq.com/open/js/jweixin-1.6.0.js" in page()["headers"]["Content-Security-Policy"]
    assert 'data-wechat="/v1/wechat/signature"' in page()["body"]
    assert "res.wx.qq.com" not in str(channel.get("/outlet", "staff"))
    for url in (
        "",
        "https://elsewhere.example/outlet",
        "http://127.0.0.1:5720/wallet",
        "http://127.0.0.1:5720/outlet#a",
    ):
        reply = channel.get("/v1/wechat/signature", "staff", url=url)
        assert json.loads(reply["body"])["code"] == "page_not_ours"
    told = json.loads(channel.get("/v1/wechat/signature", "staff", url="http://127.0.0.1:5720/outlet?code=A")["body"])
    assert set(told) == {"app_id", "timestamp", "nonce", "signature"}
    assert channel.get("/v1/wechat/signature", url="http://127.0.0.1:5720/outlet")["statusCode"] == 401
    channel.run = build_handler(msgspec.structs.replace(channel.desk, sdk=a_sdk("mini")), channel.observer)
    reply = channel.get("/v1/wechat/signature", "staff", url="http://127.0.0.1:5720/outlet")
    assert json.loads(reply["body"])["code"] == "sdk_not_configured"
