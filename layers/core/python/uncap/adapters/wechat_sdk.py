"""What lets a page of ours use WeChat's own scanner: a signature over its address (JS-SDK). Used by channel_api.

A ticket is fetched with a stable access token, so that no container invalidates another's, and remembered for nearly
as long as WeChat says (two hours). Neither is ever logged, nor leaves this process. The protocol: WeChat's "JS-SDK
使用权限签名算法", whose published example is a test.
"""

import hashlib
from collections.abc import Callable

import msgspec

from uncap.adapters.wechat_identity import HttpsExchange, WeChatApp
from uncap.domain.errors import NotFoundError, TransientError, UncapError

_TOKEN, _TICKET = "/cgi-bin/stable_token", "/cgi-bin/ticket/getticket"
_EARLY_S = 300
_NONCE_BYTES = 12
_BUSY = frozenset({-1, 45009, 45011})


class SdkConfig(msgspec.Struct, frozen=True):
    """What `wx.config` is given; `timestamp` in seconds."""

    app_id: str
    timestamp: int
    nonce: str
    signature: str


class _Answer(msgspec.Struct):
    access_token: str = ""
    ticket: str = ""
    expires_in: int = 0
    errcode: int = 0


class WeChatSdk:
    """Signs addresses. One container asks WeChat about once in two hours."""

    def __init__(
        self,
        app: Callable[[], WeChatApp],
        exchange: HttpsExchange,
        random_bytes: Callable[[int], bytes],
        clock_ms: Callable[[], int],
    ) -> None:
        self._app = app
        self._exchange = exchange
        self._random_bytes = random_bytes
        self._clock_ms = clock_ms
        self._ticket, self._until_ms = "", 0

    def config(self, url: str) -> SdkConfig:
        """For a page at this address, without its fragment.

        NotFoundError (`sdk_not_configured`: a mini-program, or none), TransientError (`identity_unavailable`),
        UncapError (`identity_refused`: our id, secret or source address is not what WeChat knows).
        """
        app = self._app()
        if app.kind != "page":
            raise NotFoundError("sdk_not_configured", "WeChat's scanner is not set up here.")
        now_ms = self._clock_ms()
        if now_ms >= self._until_ms:
            self._renew(app, now_ms)
        nonce, now_s = self._random_bytes(_NONCE_BYTES).hex(), now_ms // 1000
        return SdkConfig(app.appid, now_s, nonce, signature_of(self._ticket, nonce, now_s, url))

    def _renew(self, app: WeChatApp, now_ms: int) -> None:
        asked = {"grant_type": "client_credential", "appid": app.appid, "secret": app.secret}
        token = _answer(self._exchange.post(_TOKEN, msgspec.json.encode(asked)))
        found = _answer(self._exchange(_TICKET, {"access_token": token.access_token, "type": "jsapi"}))
        self._ticket = found.ticket
        self._until_ms = now_ms + 1000 * max(60, found.expires_in - _EARLY_S)


def signature_of(ticket: str, nonce: str, now_s: int, url: str) -> str:
    """SHA-1, as the protocol wants it: it proves to WeChat's client that the page is the account's."""
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={now_s}&url={url}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _answer(body: bytes) -> _Answer:
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.MsgspecError as cause:
        raise TransientError("identity_unavailable", "WeChat's answer cannot be read") from cause
    if answer.errcode in _BUSY:
        raise TransientError("identity_unavailable", f"WeChat asks to wait (errcode {answer.errcode})")
    if answer.errcode or not (answer.access_token or answer.ticket):
        raise UncapError("identity_refused", f"WeChat refuses our question (errcode {answer.errcode})")
    return answer
