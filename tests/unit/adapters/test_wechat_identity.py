"""A code becomes a person at a server that speaks WeChat's interface; every refusal has its own error."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.kits import scan_kit
from tests.kits.scripted_server import ScriptedServer, answer, silence
from uncap.adapters.identity import PayeeKeys
from uncap.adapters.wechat_identity import HttpsExchange, WeChatApp, WeChatIdentity
from uncap.domain.errors import AuthError, InputError, TransientError, UncapError
from uncap.domain.identity import open_payee, person_key

APP = WeChatApp("wx0123456789abcdef", "s3cret")
KEYS = PayeeKeys.parse(scan_kit.payee_keys())
CODE = "041gRNFa1xQxyz0000"


def provider(exchange: Callable[..., bytes], app: WeChatApp = APP, app_id: str = APP.appid) -> WeChatIdentity:
    return WeChatIdentity(app_id, lambda: app, lambda: KEYS, lambda n: bytes(n), exchange)


def replying(document: dict[str, object]) -> Callable[..., bytes]:
    return lambda _path, _parameters: json.dumps(document).encode()


def test_a_code_becomes_the_same_person_every_time_over_real_http() -> None:
    body = json.dumps({"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "scope": "snsapi_base"}).encode()
    with ScriptedServer(answer(200, body, keep=False)) as server:
        identity = provider(HttpsExchange(server.url)).of_credential(CODE)
    assert identity.person == person_key(bytes.fromhex(KEYS.hash), APP.appid, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")
    assert open_payee(bytes.fromhex(KEYS.seal), identity.person, identity.payee) == "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"


@pytest.mark.parametrize(
    ("kind", "path", "name"), [("page", "/sns/oauth2/access_token", "code"), ("mini", "/sns/jscode2session", "js_code")]
)
def test_each_kind_of_app_asks_its_own_interface(kind: str, path: str, name: str) -> None:
    asked: list[tuple[str, dict[str, str]]] = []

    def exchange(where: str, parameters: dict[str, str]) -> bytes:
        asked.append((where, parameters))
        return b'{"openid": "o1"}'

    provider(exchange, WeChatApp(APP.appid, APP.secret, kind)).of_credential(CODE)  # type: ignore[arg-type]
    assert asked == [(path, {"appid": APP.appid, "secret": APP.secret, name: CODE, "grant_type": "authorization_code"})]


@pytest.mark.parametrize("errcode", [40029, 40163])
def test_a_wrong_or_used_code_is_the_visitors_error(errcode: int) -> None:
    with pytest.raises(AuthError, match="credential_invalid"):
        provider(replying({"errcode": errcode, "errmsg": "invalid code"})).of_credential(CODE)


@pytest.mark.parametrize("document", [{"errcode": -1}, {"errcode": 45011}])
def test_a_busy_wechat_is_asked_again(document: dict[str, object]) -> None:
    with pytest.raises(TransientError, match="identity_unavailable"):
        provider(replying(document)).of_credential(CODE)


@pytest.mark.parametrize("document", [{"errcode": 40125}, {"errcode": 40013}, {}])
def test_our_own_mistake_is_not_blamed_on_the_visitor(document: dict[str, object]) -> None:
    with pytest.raises(UncapError, match="identity_refused") as caught:
        provider(replying(document)).of_credential(CODE)
    assert type(caught.value) is UncapError
    assert APP.secret not in str(caught.value)


def test_a_secret_of_another_app_is_refused_before_anyone_is_asked() -> None:
    with pytest.raises(UncapError, match="identity_refused"):
        provider(replying({"openid": "o1"}), app_id="wxother").of_credential(CODE)


@pytest.mark.parametrize("code", ["", "short", "a" * 129, "ok-but\n12345", "code with space"])
def test_what_is_no_code_never_leaves_the_house(code: str) -> None:
    def exchange(_path: str, _parameters: dict[str, str]) -> bytes:
        raise AssertionError("asked")

    with pytest.raises(AuthError, match="credential_invalid"):
        provider(exchange).of_credential(code)


@pytest.mark.parametrize("step", [answer(502, b"bad gateway", keep=False), answer(200, b"<html>", keep=False)])
def test_a_broken_answer_may_be_tried_again(step: Callable[..., bool]) -> None:
    with ScriptedServer(step) as server, pytest.raises(TransientError, match="identity_unavailable"):
        provider(HttpsExchange(server.url)).of_credential(CODE)


def test_a_silent_wechat_is_not_waited_for() -> None:
    with ScriptedServer(silence) as server, pytest.raises(TransientError, match="identity_unavailable"):
        provider(HttpsExchange(server.url, timeout_s=0.2)).of_credential(CODE)


def test_the_sign_in_address_has_wechats_order_and_fragment() -> None:
    url = provider(replying({})).sign_in_url("https://q.example/v1/sign-in/return?to=%2Fwallet", "a1b2")
    assert url.startswith("https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx0123456789abcdef&redirect_uri=")
    assert url.endswith("#wechat_redirect")
    query = parse_qs(urlsplit(url).query)
    assert query["scope"] == ["snsapi_base"]
    assert query["redirect_uri"] == ["https://q.example/v1/sign-in/return?to=%2Fwallet"]
    assert list(query) == ["appid", "redirect_uri", "response_type", "scope", "state"]


@pytest.mark.parametrize(
    "document",
    ["", "{}", '{"appid": "a"}', '{"appid": "a", "secret": ""}', '{"appid": "a", "secret": "b", "kind": "x"}'],
)
def test_a_secret_that_cannot_be_read_says_nothing_of_itself(document: str) -> None:
    with pytest.raises(InputError, match="wechat_app_malformed"):
        WeChatApp.parse(document)
