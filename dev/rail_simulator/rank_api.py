"""The simulated app server's word about people: an access token, and getUserRiskRank. Mounted by `app.py`.

It answers as the interface is documented: an HTTP 200 with an `errcode`. People and their ranks are told by
`POST /_sim/ranks`; who was not told of has not been in the app lately. Slow or mute by `POST /_sim/ranks/mood`.
"""

import asyncio
import secrets
import time
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_TOKEN_S = 7_200
_VISIT_S = 2 * 3_600
_MAX_BODY = 16 << 10
_SCENES = (0, 1)


class _Known(msgspec.Struct, frozen=True):
    """`ago_s`: how long ago the person was in the app."""

    openid: str
    rank: int
    ago_s: int = 0


class _Mood(msgspec.Struct, frozen=True):
    wait_ms: int = 0
    busy: bool = False


class RankApi:
    """`app_secret` "" takes any secret; a deployment's own is not known here."""

    def __init__(self, appid: str, app_secret: str = "") -> None:
        self._appid, self._secret = appid, app_secret
        self._tokens: dict[str, float] = {}
        self._known: dict[str, tuple[int, float]] = {}
        self._mood = _Mood()
        self.asked: list[dict[str, Any]] = []

    def routes(self) -> list[Route]:
        """The two interfaces and what a test may do."""
        return [
            Route("/cgi-bin/stable_token", self._token, methods=["POST"]),
            Route("/wxa/getuserriskrank", self._rank, methods=["GET", "POST"]),
            Route("/_sim/ranks", self._tell, methods=["POST"]),
            Route("/_sim/ranks", self._questions, methods=["GET"]),
            Route("/_sim/ranks/mood", self._feel, methods=["POST"]),
            Route("/_sim/ranks/tokens", self._forget, methods=["DELETE"]),
        ]

    async def _token(self, request: Request) -> Response:
        given = await _document(request)
        if given is None:
            return _error(47001, "data format error")
        if given.get("grant_type") != "client_credential":
            return _error(40002, "invalid grant_type")
        if given.get("appid") != self._appid:
            return _error(40013, "invalid appid")
        if not given.get("secret") or (self._secret and given["secret"] != self._secret):
            return _error(40125, "invalid appsecret")
        token = secrets.token_urlsafe(32)
        self._tokens[token] = time.monotonic() + _TOKEN_S
        return JSONResponse({"access_token": token, "expires_in": _TOKEN_S})

    async def _rank(self, request: Request) -> Response:
        await asyncio.sleep(self._mood.wait_ms / 1_000)
        if request.method != "POST":
            return _error(43302, "require POST method")
        if self._tokens.get(request.query_params.get("access_token", ""), 0.0) <= time.monotonic():
            return _error(40001, "invalid credential, access_token is invalid or not latest")
        given = await _document(request)
        if given is None:
            return _error(47001, "data format error")
        self.asked.append(given)
        return self._mood_or(given)

    def _mood_or(self, given: dict[str, Any]) -> Response:
        if self._mood.busy:
            return _error(-1, "system error")
        if not all(given.get(name) not in (None, "") for name in ("appid", "openid", "scene", "client_ip")):
            return _error(44002, "empty post data")
        if given["scene"] not in _SCENES:
            return _error(40129, "invalid scene")
        if given["appid"] != self._appid:
            return _error(43104, "appid not match openid")
        rank, seen = self._known.get(given["openid"], (0, -float(_VISIT_S)))
        if time.monotonic() - seen >= _VISIT_S or given["openid"] not in self._known:
            return _error(61010, "code is expired")
        number = secrets.randbelow(1 << 40)
        return JSONResponse({"errcode": 0, "errmsg": "getuserriskrank succ", "risk_rank": rank, "unoin_id": number})

    async def _tell(self, request: Request) -> Response:
        one = msgspec.json.decode((await request.body())[:_MAX_BODY], type=_Known)
        self._known[one.openid] = one.rank, time.monotonic() - one.ago_s
        return JSONResponse({"ok": True})

    async def _questions(self, _: Request) -> Response:
        return JSONResponse({"asked": self.asked})

    async def _feel(self, request: Request) -> Response:
        self._mood = msgspec.json.decode((await request.body())[:_MAX_BODY], type=_Mood)
        return JSONResponse({"ok": True})

    async def _forget(self, _: Request) -> Response:
        self._tokens.clear()
        return JSONResponse({"ok": True})


async def _document(request: Request) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode((await request.body())[:_MAX_BODY], type=dict[str, Any])
    except msgspec.MsgspecError:
        return None


def _error(number: int, words: str) -> Response:
    return JSONResponse({"errcode": number, "errmsg": words})
