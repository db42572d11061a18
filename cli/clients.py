"""Clients of the two public APIs, as a phone and as an operator. Used by the seed, the demo and the end-to-end tests.

They do what a good client does and nothing more: keep a connection, send the same claim id again after a transient
answer, and read problem documents.
"""

import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from dev.stack import http

TRANSIENT = frozenset({429, 500, 502, 503, 504})
"""Answers after which the very same request may be sent again (a person's limit, also 429, is excepted by its code)."""

_ATTEMPTS = 8
_FINAL_CODES = frozenset({"person_limit_reached"})


class ApiProblemError(Exception):
    """A problem document (RFC 9457) that the API answered: `status`, stable `code`, human `detail`."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code


class ScanAnswer(msgspec.Struct, frozen=True):
    """What POST /v1/scans answered, and how long the answer took."""

    outcome: str
    reason: str
    rewards: tuple[str, ...]
    took_ms: float


def problem_of(response: httpx.Response) -> ApiProblemError:
    """The problem a refused response describes; whatever is not a problem document is named by its status."""
    try:
        document = response.json()
        return ApiProblemError(response.status_code, str(document["code"]), str(document.get("detail", "")))
    except (ValueError, KeyError, TypeError):
        return ApiProblemError(response.status_code, f"http_{response.status_code}", response.text[:200])


def send(client: httpx.Client, method: str, url: str, **options: Any) -> httpx.Response:
    """The response, sent again after transient answers and broken connections. Raises ApiProblemError for the rest."""
    problem: Exception = ApiProblemError(0, "unsent", "")
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(min(0.1 * 2**attempt, 2.0))
        try:
            response = client.request(method, url, **options)
        except httpx.TransportError as broken:
            problem = broken
            continue
        if response.is_success:
            return response
        problem = problem_of(response)
        if response.status_code not in TRANSIENT or problem.code in _FINAL_CODES:
            break
    raise problem


class Phone:
    """One person's phone: a local identity and its bearer token."""

    def __init__(self, base: str, name: str, *, client: httpx.Client | None = None) -> None:
        self.client = client or http.client()
        self.base = base
        session = send(self.client, "POST", f"{base}/v1/sessions", json={"provider": "local", "credential": name})
        self.headers = {"Authorization": f"Bearer {session.json()['token']}"}

    def open(self, link: str) -> str:
        """The page behind a code, as a browser's first request gets it. Never consumes anything."""
        return send(self.client, "GET", link, headers={"Accept": "text/html"}).text

    def scan(self, gtin: str, serial: str, *, claim_id: str = "", place: dict[str, object] | None = None) -> ScanAnswer:
        """One tap on "claim". Raises ApiProblemError (`code_not_issued`, `person_limit_reached`, …)."""
        body: dict[str, object] = {"gtin": gtin, "serial": serial, "claim_id": claim_id or str(uuid.uuid4())}
        if place is not None:
            body["place"] = place
        began = time.perf_counter()
        response = send(self.client, "POST", f"{self.base}/v1/scans", json=body, headers=self.headers)
        took_ms = (time.perf_counter() - began) * 1000
        answer = response.json()
        return ScanAnswer(answer["outcome"], answer["reason"], tuple(answer["rewards"]), took_ms)

    def reward(self, reward_id: str) -> dict[str, Any] | None:
        """The caller's own reward, or None while it is not granted yet."""
        response = self.client.get(f"{self.base}/v1/rewards/{reward_id}", headers=self.headers)
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        if response.status_code in TRANSIENT:
            return None
        if not response.is_success:
            raise problem_of(response)
        document: dict[str, Any] = response.json()
        return document


class Console:
    """An operator at the console's JSON API. `colleague` signs in the one who approves what this one has asked for."""

    def __init__(self, base: str, login: str, password: str, colleague: "Callable[[], Console] | None" = None) -> None:
        self.colleague = colleague
        self.client = http.client(timeout_s=60)
        self.base = base
        answer = self.call("POST", "/sign-in", {"login": login, "password": password})
        self.client.headers["Authorization"] = f"Bearer {answer['token']}"

    def call(self, method: str, path: str, body: object | None = None, **query: object) -> Any:
        """The decoded JSON answer. Raises ApiProblemError."""
        options: dict[str, Any] = {"params": {k: str(v) for k, v in query.items()}}
        if body is not None:
            options["json"] = body
        response = send(self.client, method, self.base + path, **options)
        return response.json() if response.content else None
