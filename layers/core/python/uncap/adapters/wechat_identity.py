"""WeChat's own word for who someone is: a one-time code exchanged for the openid. Used by `open_session`.

The app is an official account, whose pages get a code silently (scope snsapi_base), or a mini-program, whose client
does. One app per deployment: openids are the app's own, and the rail pays them under its id. Nothing of this is logged.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal, Protocol
from urllib.parse import urlencode, urlsplit

import msgspec

from uncap.adapters.identity import Identity, PayeeKeys
from uncap.domain.errors import AuthError, InputError, TransientError, UncapError
from uncap.domain.identity import person_key, seal_payee

API = "https://api.weixin.qq.com"
AUTHORIZE = "https://open.weixin.qq.com/connect/oauth2/authorize"
TIMEOUT_S = 3.0
_PATHS = {"page": ("/sns/oauth2/access_token", "code"), "mini": ("/sns/jscode2session", "js_code")}
_CODE = re.compile(r"[A-Za-z0-9_-]{8,128}", re.ASCII)
_NONCE_BYTES = 12
_MAX_REPLY = 16_384
_OK = 200
# The interface's own numbers: the code is wrong, used or too old; WeChat is busy or we ask too often.
_BAD_CODE = frozenset({40029, 40163, 41008, 42003, 40226})
_BUSY = frozenset({-1, 45009, 45011})


class WeChatApp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The WeChatApp secret. `kind`: page (an official account's web pages) or mini (a mini-program)."""

    appid: str
    secret: str
    kind: Literal["page", "mini"] = "page"

    @classmethod
    def parse(cls, document: str) -> "WeChatApp":
        """Raises InputError (`wechat_app_malformed`); says nothing of the content."""
        try:
            parsed = msgspec.json.decode(document, type=cls)
        except msgspec.MsgspecError:
            parsed = None
        if parsed is None or not (parsed.appid and parsed.secret):
            raise InputError("wechat_app_malformed", "the WeChatApp secret cannot be read") from None
        return parsed


class _Answer(msgspec.Struct):
    openid: str = ""
    errcode: int = 0


class Exchange(Protocol):
    """GET of one of WeChat's interfaces; the body. Raises TransientError."""

    def __call__(self, path: str, parameters: Mapping[str, str]) -> bytes: ...


class HttpsExchange:
    """`Exchange` over a connection per call: it happens once per person and month."""

    def __init__(self, base_url: str = API, timeout_s: float = TIMEOUT_S) -> None:
        self._url = urlsplit(base_url)
        self._timeout_s = timeout_s

    def __call__(self, path: str, parameters: Mapping[str, str]) -> bytes:
        return self._send("GET", f"{path}?{urlencode(parameters)}", None)

    def post(self, path: str, body: bytes) -> bytes:
        """The same by POST, of JSON."""
        return self._send("POST", path, body)

    def _send(self, method: str, address: str, body: bytes | None) -> bytes:
        import http.client  # 20 ms of a cold start that most containers never need

        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.netloc, timeout=self._timeout_s)
        try:
            given = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if body else {})
            connection.request(method, address, body, given)
            reply = connection.getresponse()
            answer = reply.read(_MAX_REPLY)
        except (OSError, http.client.HTTPException) as cause:
            raise TransientError("identity_unavailable", "WeChat could not be asked") from cause
        finally:
            connection.close()
        if reply.status != _OK:
            raise TransientError("identity_unavailable", f"WeChat answered with status {reply.status}")
        return answer


class WeChatIdentity:
    """`IdentityProvider` by WeChat."""

    def __init__(
        self,
        app_id: str,
        app: Callable[[], WeChatApp],
        keys: Callable[[], PayeeKeys],
        random_bytes: Callable[[int], bytes],
        exchange: Exchange,
    ) -> None:
        self._app_id = app_id
        self._app = app
        self._keys = keys
        self._random_bytes = random_bytes
        self._exchange = exchange

    @property
    def app_id(self) -> str:
        return self._app_id

    def of_device(self, device: str) -> Identity | None:  # noqa: ARG002  # a device says nothing about its owner
        return None

    def of_credential(self, credential: str) -> Identity:
        """Raises AuthError (`credential_invalid`), TransientError (`identity_unavailable`), UncapError
        (`identity_refused`: our own id or secret is wrong)."""
        if not _CODE.fullmatch(credential):
            raise AuthError("credential_invalid", "This is not a code of WeChat's.")
        app = self._app()
        if app.appid != self._app_id:
            raise UncapError("identity_refused", "the WeChatApp secret is another app's than UNCAP_WECHAT_APP_ID")
        path, name = _PATHS[app.kind]
        question = {"appid": app.appid, "secret": app.secret, name: credential, "grant_type": "authorization_code"}
        openid = self._openid(self._exchange(path, question))
        keys = self._keys()
        person = person_key(bytes.fromhex(keys.hash), self._app_id, openid)
        return Identity(person, seal_payee(bytes.fromhex(keys.seal), person, openid, self._random_bytes(_NONCE_BYTES)))

    def sign_in_url(self, return_url: str, state: str) -> str:
        """Where a page in WeChat sends its visitor; WeChat comes back to `return_url` with `code` and `state`.

        The order of the parameters is WeChat's; in another its client shows an error page.
        """
        query = urlencode(
            {
                "appid": self._app_id,
                "redirect_uri": return_url,
                "response_type": "code",
                "scope": "snsapi_base",
                "state": state,
            }
        )
        return f"{AUTHORIZE}?{query}#wechat_redirect"

    def _openid(self, body: bytes) -> str:
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except msgspec.MsgspecError as cause:
            raise TransientError("identity_unavailable", "WeChat's answer cannot be read") from cause
        if answer.errcode in _BUSY:
            raise TransientError("identity_unavailable", f"WeChat asks to wait (errcode {answer.errcode})")
        if answer.errcode in _BAD_CODE:
            raise AuthError("credential_invalid", "The sign-in has expired; open the page again.")
        if answer.errcode or not answer.openid:
            raise UncapError("identity_refused", f"WeChat refuses our question (errcode {answer.errcode})")
        return answer.openid
