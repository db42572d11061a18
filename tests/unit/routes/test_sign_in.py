"""Signing in by WeChat over the scan API: there, back, and as the same browser; refused where begun elsewhere."""

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest

from tests.kits.scan_events import event
from tests.kits.scan_kit import World
from uncap.adapters.identity import PayeeKeys, WeChatPlace, identity_provider
from uncap.adapters.wechat_identity import WeChatApp, WeChatIdentity
from uncap.domain.errors import InputError
from uncap.domain.sessions import csrf_token, new_session, seal, unseal
from uncap.runtime.observability import Observer
from uncap.runtime.wiring_scan import build_handler

APP = "wx0123456789abcdef"


class WeChatApi:
    """The scan API of a deployment whose people sign in by WeChat."""

    def __init__(self) -> None:
        self.world, self.asked = World(), list[Mapping[str, str]]()
        keys = self.world.payees

        def exchange(path: str, parameters: Mapping[str, str]) -> bytes:
            self.asked.append(parameters)
            return b'{"openid": "o-ann"}'

        app = WeChatApp(APP, "secret")
        provider = WeChatIdentity(APP, lambda: app, lambda: keys, secrets.token_bytes, exchange)
        session = msgspec.structs.replace(self.world.session_desk, provider=provider, provider_name="wechat")
        observer = Observer("scan_api")
        desk = msgspec.structs.replace(self.world.api_desk, session=session, meter=observer)
        self.run = build_handler(desk, observer)
        self.page = f"/01/09520123456788/21/{self.world.serial(1)}"
        self.device = new_session(APP, "ab" * 16, self.world.now_ms)

    def get(self, path: str, *, known: bool = True, agent: str = "", **query: str) -> dict[str, Any]:
        token = seal(self.world.keys, self.device)
        return self.run(
            {
                "version": "2.0",
                "rawPath": path,
                "rawQueryString": urlencode(query),
                "queryStringParameters": query,
                "headers": {"host": "q.example.cn", "user-agent": agent, "accept": "text/html"},
                "cookies": [f"uncap_session={token}"] if known else [],
                "requestContext": {"http": {"method": "GET", "path": path}, "stage": "$default"},
                "isBase64Encoded": False,
            },
            None,
        )


@pytest.fixture
def wechat() -> WeChatApi:
    return WeChatApi()


def test_there_and_back(wechat: WeChatApi) -> None:
    left = wechat.get("/v1/sign-in", to=wechat.page)
    assert left["statusCode"] == 302
    there = urlsplit(left["headers"]["Location"])
    assert there.netloc == "open.weixin.qq.com"
    query = {name: values[0] for name, values in parse_qs(there.query).items()}
    back = urlsplit(query["redirect_uri"])
    assert (back.netloc, back.path, query["scope"]) == ("q.example.cn", "/v1/sign-in/return", "snsapi_base")
    came = wechat.get(back.path, to=parse_qs(back.query)["to"][0], code="0123456789ab", state=query["state"])
    assert (came["statusCode"], came["headers"]["Location"]) == (303, wechat.page)
    token = came["cookies"][0].partition("=")[2].partition(";")[0]
    session = unseal(wechat.world.keys, token, APP, wechat.world.now_ms)
    assert session.person.startswith("p_")
    assert session.device == wechat.device.device
    assert [one["code"] for one in wechat.asked] == ["0123456789ab"]


def test_what_is_refused(wechat: WeChatApi) -> None:
    assert wechat.get("/v1/sign-in", to="https://elsewhere.example/")["statusCode"] == 400
    assert wechat.get("/v1/sign-in", known=False, to="/wallet")["statusCode"] == 401
    state = parse_qs(urlsplit(wechat.get("/v1/sign-in", to="/wallet")["headers"]["Location"]).query)["state"][0]
    for query in (
        {"to": "/outlet", "code": "0123456789ab", "state": state},
        {"to": "/wallet", "code": "0123456789ab", "state": "x"},
        {"to": "/wallet", "code": "!", "state": state},
    ):
        assert wechat.get("/v1/sign-in/return", **query)["statusCode"] == 401
    assert not wechat.asked


def test_inside_wechat_the_page_signs_in_by_itself_and_elsewhere_it_is_just_shown(wechat: WeChatApi) -> None:
    inside = wechat.get(wechat.page, known=False, agent="Mozilla/5.0 MicroMessenger/8.0")
    assert inside["statusCode"] == 302
    assert inside["headers"]["Location"] == f"/v1/sign-in?{urlencode({'to': wechat.page})}"
    assert inside["cookies"]
    assert wechat.get(wechat.page, known=False, agent="Mozilla/5.0")["statusCode"] == 200


def test_a_form_without_a_person_goes_to_the_sign_in_and_consumes_nothing(wechat: WeChatApi) -> None:
    csrf = csrf_token(wechat.world.keys, wechat.device)
    token = seal(wechat.world.keys, wechat.device)
    sent = event("scan_form", serial=wechat.world.serial(1), token=token, csrf=csrf)
    reply = wechat.run(sent, None)
    assert reply["statusCode"] == 303
    assert reply["headers"]["Location"].startswith("/v1/sign-in?to=%2F01%2F")
    assert wechat.world.scans.writes == 0


def test_settings_decide_the_provider() -> None:
    def keys() -> PayeeKeys:
        raise AssertionError("nothing is read yet")

    place = WeChatPlace(APP, "arn:x", "https://api.example", lambda _, parse: lambda: parse("{}"))
    assert identity_provider("wechat", keys, secrets.token_bytes, place).app_id == APP
    for wrong in (None, msgspec.structs.replace(place, app_id=""), msgspec.structs.replace(place, secret_arn="")):
        with pytest.raises(InputError, match="wechat_app_missing"):
            identity_provider("wechat", keys, secrets.token_bytes, wrong)
    with pytest.raises(InputError, match="identity_provider_unknown"):
        identity_provider("carrier-pigeon", keys, secrets.token_bytes)
