"""WeChat's signature for its scanner: the published example, one ticket for two hours, what is refused."""

from collections.abc import Mapping

import msgspec
import pytest

from uncap.adapters.wechat_identity import HttpsExchange, WeChatApp
from uncap.adapters.wechat_sdk import WeChatSdk, signature_of
from uncap.domain.errors import NotFoundError, TransientError, UncapError

TICKET = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
PAGE = "http://mp.weixin.qq.com?params=value"
TOKEN = {"access_token": "token", "expires_in": 7200}


class Script(HttpsExchange):
    """Answers in turn and keeps what was asked."""

    def __init__(self, *answers: object) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[tuple[str, object]] = []

    def post(self, path: str, body: bytes) -> bytes:
        return self._next(path, msgspec.json.decode(body))

    def __call__(self, path: str, parameters: Mapping[str, str]) -> bytes:
        return self._next(path, dict(parameters))

    def _next(self, path: str, given: object) -> bytes:
        self.asked.append((path, given))
        found = self.answers.pop(0)
        return found if isinstance(found, bytes) else msgspec.json.encode(found)


def sdk(script: Script, now_ms: list[int], app: WeChatApp | None = None) -> WeChatSdk:
    return WeChatSdk(lambda: app or WeChatApp("wx1", "secret"), script, bytes, lambda: now_ms[0])


def test_the_published_example() -> None:
    assert signature_of(TICKET, "Wm3WZYTPz0wzccnW", 1_414_587_457, PAGE) == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


def test_one_ticket_serves_for_two_hours() -> None:
    ticket = {"errcode": 0, "errmsg": "ok", "ticket": TICKET, "expires_in": 7200}
    script, now_ms = Script(TOKEN, ticket, TOKEN, ticket), [1_000_000]
    signer = sdk(script, now_ms)
    first = signer.config(PAGE)
    assert (first.app_id, first.timestamp) == ("wx1", 1000)
    assert first.signature == signature_of(TICKET, first.nonce, 1000, PAGE)
    now_ms[0] += 6_800_000
    signer.config(PAGE)
    assert [path for path, _ in script.asked] == ["/cgi-bin/stable_token", "/cgi-bin/ticket/getticket"]
    assert script.asked[0][1] == {"grant_type": "client_credential", "appid": "wx1", "secret": "secret"}
    now_ms[0] += 200_000
    signer.config(PAGE)
    assert len(script.asked) == 4


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        ({"errcode": 45009}, TransientError, "identity_unavailable"),
        (b"<html>", TransientError, "identity_unavailable"),
        ({"errcode": 40164}, UncapError, "identity_refused"),
        ({}, UncapError, "identity_refused"),
    ],
)
def test_what_wechat_refuses(answer: object, error: type[UncapError], code: str) -> None:
    signer = sdk(Script(answer, TOKEN, {"ticket": TICKET, "expires_in": 7200}), [0])
    with pytest.raises(error) as caught:
        signer.config(PAGE)
    assert caught.value.code == code
    assert "secret" not in str(caught.value)
    assert signer.config(PAGE).signature, "the next page asks again"


def test_a_mini_program_has_its_own_scanner() -> None:
    with pytest.raises(NotFoundError):
        sdk(Script(), [0], WeChatApp("wx1", "secret", "mini")).config(PAGE)
