"""WeChat's opinion of a person, `RiskRank` by getUserRiskRank (a mini-program's interface). Used by the relay's gate.

Protocol: POST /cgi-bin/stable_token, then POST /wxa/getuserriskrank with the person's openid. It is asked seldom and
waits little; whatever goes wrong is rank 0, and our own signals decide (docs/risk.md). Nothing of it is kept or logged.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec

from uncap.adapters.wechat_identity import API, WeChatApp
from uncap.domain.errors import TransientError, UncapError
from uncap.domain.scans import Mark

TIMEOUT_S = 0.8
PAUSE_MS = 30_000
"""After a question that was not answered in time, nobody is asked about for so long: a stream stands behind it."""

_BELIEVED_MS = 3_600_000
_REMEMBERED = 4_096
_TOKEN_SPARE_S = 300
_MARKETING = 1
_WORST = 4
_MAX_REPLY = 16_384
_OK = 200
_TOKEN_BAD = frozenset({40001, 40014, 42001})
_NOT_KNOWN = frozenset({40003, 43104, 61010})
"""The openid is another app's, or its person has not been in the app within the last two hours."""


class Post(Protocol):
    """POST of JSON to one of WeChat's interfaces; the body. Raises TransientError."""

    def __call__(self, path: str, document: Mapping[str, Any]) -> bytes: ...


class _Token(msgspec.Struct):
    access_token: str = ""
    expires_in: int = 0


class _Answer(msgspec.Struct):
    errcode: int = 0
    risk_rank: int = 0


class WeChatRank:
    """`RiskRank`. Safe to share between threads. `address`: the public address that WeChat is told as the visitor's,
    which it insists on and uncap does not keep."""

    def __init__(
        self,
        app: Callable[[], WeChatApp],
        openid_of: Callable[[Mark], str],
        address: str,
        post: Post,
        clock_ms: Callable[[], int],
    ) -> None:
        self._app, self._openid_of, self._address, self._post, self._clock_ms = app, openid_of, address, post, clock_ms
        self._known: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._token, self._token_until_ms, self._silent_until_ms = "", 0, 0
        self._lock = threading.Lock()

    def rank(self, claim: Mark) -> int:
        """See `RiskRank`."""
        with self._lock:
            now_ms = self._clock_ms()
            until_ms, rank = self._known.get(claim.person, (0, 0))
            if now_ms < until_ms or now_ms < self._silent_until_ms or not claim.payee:
                return rank if now_ms < until_ms else 0
            try:
                rank = self._asked(claim, now_ms)
            except UncapError:
                self._silent_until_ms = self._clock_ms() + PAUSE_MS
                return 0
            self._known[claim.person] = (now_ms + _BELIEVED_MS, rank)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
            return rank

    def _asked(self, claim: Mark, now_ms: int) -> int:
        """Raises UncapError where WeChat does not answer, or not to us."""
        app = self._app()
        if app.kind != "mini":
            raise UncapError("rank_unavailable", "only a mini-program may ask for a rank")
        question = {
            "appid": app.appid,
            "openid": self._openid_of(claim),
            "scene": _MARKETING,
            "client_ip": self._address,
        }
        for _ in range(2):
            path = f"/wxa/getuserriskrank?{urlencode({'access_token': self._access_token(app, now_ms)})}"
            answer = _read(self._post(path, question), _Answer)
            if answer.errcode not in _TOKEN_BAD:
                break
            self._token_until_ms = 0  # someone else has fetched a newer one
        if answer.errcode in _NOT_KNOWN:
            return 0
        if answer.errcode or not 0 <= answer.risk_rank <= _WORST:
            raise UncapError("rank_unavailable", f"WeChat does not say (errcode {answer.errcode})")
        return answer.risk_rank

    def _access_token(self, app: WeChatApp, now_ms: int) -> str:
        if now_ms < self._token_until_ms:
            return self._token
        question = {"grant_type": "client_credential", "appid": app.appid, "secret": app.secret}
        found = _read(self._post("/cgi-bin/stable_token", question), _Token)
        if not found.access_token:
            raise UncapError("rank_unavailable", "WeChat gives no token for this app")
        self._token = found.access_token
        self._token_until_ms = now_ms + max(0, found.expires_in - _TOKEN_SPARE_S) * 1_000
        return self._token


class HttpsPost:
    """`Post` over a connection per call: it happens for few claims."""

    def __init__(self, base_url: str = API, timeout_s: float = TIMEOUT_S) -> None:
        self._url = urlsplit(base_url)
        self._timeout_s = timeout_s

    def __call__(self, path: str, document: Mapping[str, Any]) -> bytes:
        import http.client  # most containers never ask

        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.netloc, timeout=self._timeout_s)
        try:
            headers = {"Accept": "application/json", "Content-Type": "application/json"}
            connection.request("POST", path, body=msgspec.json.encode(document), headers=headers)
            reply = connection.getresponse()
            body = reply.read(_MAX_REPLY)
        except (OSError, http.client.HTTPException) as cause:
            raise TransientError("rank_unavailable", "WeChat could not be asked") from cause
        finally:
            connection.close()
        if reply.status != _OK:
            raise TransientError("rank_unavailable", f"WeChat answered with status {reply.status}")
        return body


AnswerT = TypeVar("AnswerT")


def _read(body: bytes, kind: type[AnswerT]) -> AnswerT:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as cause:
        raise TransientError("rank_unavailable", "WeChat's answer cannot be read") from cause
